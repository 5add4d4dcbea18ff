"""Policy and universe: what is in force, since when, what changed, and what the fills say of the policy's costs."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from streamlit_app.components import clock, words
from streamlit_app.components.sheet import Column, begin, facts, table, verbatim
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import books_now, costs_now, policy_now
from trading_ops.desk.policy_now import Name
from trading_ops.domain.costs import PolicyNumber
from trading_ops.domain.values import fixed, plain
from trading_ops.store import configuration

RATES = ("account.fx_fee",)
"""Policy numbers that are fractions and read as percent."""


def show(person: Person) -> None:
    """Draw the page."""
    begin("Policy and universe")
    with reading(person) as conn:
        now = clock.book_now(conn)
        stored = configuration.policy_in_force(conn)
        versions = policy_now.policy_versions(conn)
        version, names = policy_now.names(conn, now.date())
        universes = policy_now.universe_versions(conn)
        numbers = costs_now.costs(conn, books_now.books(conn)).numbers
    st.header("Policy")
    facts([
        ("In force", f"version {stored.version}, since {words.when(versions[0]['created_at'])} London"),
        ("Hash", stored.policy_hash),
        ("Changed by", "trading-ops policy import; the next plan that opens takes it"),
    ])  # fmt: skip
    with st.expander("The policy in force, as imported"):
        verbatim(stored.body, "The policy in force")
    _history(person, versions)
    _costs(numbers)
    _universe(version, names, universes)


def _history(person: Person, versions: Sequence[dict[str, Any]]) -> None:
    columns = [Column("Version", "num"), Column("Imported, London"), Column("By"), Column("From file", "words")]
    table(
        "Versions of the policy, newest first",
        columns,
        [[str(v["version"]), words.when(v["created_at"]), v["actor"], v["source"]] for v in versions],
    )
    if len(versions) == 1:
        st.markdown("There is one version: nothing has changed since.")
        return
    numbers = [v["version"] for v in versions]
    left, right = st.columns(2)
    older = left.selectbox("Compare version", numbers, index=1, key="policy:older")
    newer = right.selectbox("with version", numbers, index=0, key="policy:newer")
    with reading(person) as conn:
        changed = policy_now.policy_diff(conn, older, newer)
    verbatim(changed or "The two say the same.", f"What changed from version {older} to {newer}")


def _costs(numbers: Sequence[PolicyNumber]) -> None:
    st.header("Costs: the policy's numbers and the measured ones")
    columns = [
        Column("Number of the policy"), Column("In force", "num"), Column("Measured", "num"), Column("Fills", "num"),
    ]  # fmt: skip
    table(
        "The measured ones are proposals; a person decides whether they go into the policy",
        columns,
        [[n.key, _cost(n, n.in_force), _cost(n, n.measured), str(n.fills)] for n in numbers],
    )


def _cost(number: PolicyNumber, value: Any) -> str:
    if value is None:
        return "not measured yet"
    if number.key in RATES:
        return words.percent(value, 3)
    return words.usd(value) if number.key.endswith("_usd") else plain(value) if value == 0 else fixed(value, 4)


def _universe(version: int, names: Sequence[Name], universes: Sequence[dict[str, Any]]) -> None:
    st.header("Universe")
    bought = sum(n.instrument.enabled and n.instrument.tradable_underlying for n in names)
    facts([("In force", f"version {version}: {len(names)} names, {bought} of them may be bought")])
    by_file = [n.instrument.symbol for n in names if n.by_file]
    off = [n for n in names if n.why_off and not n.by_file]
    if by_file:
        st.markdown(f"The file itself takes {len(by_file)} names out: {', '.join(by_file)}.")
    if off:
        table(
            "Names that people switched off",
            [Column("Name"), Column("eToro"), Column("Why", "words")],
            [[n.instrument.symbol, n.instrument.etoro_search_name, n.why_off] for n in off],
        )
    with st.expander(f"All names ({len(names)})"):
        columns = [
            Column("Name"), Column("eToro"), Column("Called", "words"), Column("Looked up"), Column("May be bought"),
            Column("Look-alikes", "words"),
        ]  # fmt: skip
        table("Names with their newest look-up", columns, [_name(n) for n in names])
    columns = [
        Column("Version", "num"), Column("Holds from"), Column("Names", "num"), Column("Imported, London"),
        Column("By"), Column("From file", "words"),
    ]  # fmt: skip
    first = min(u["version"] for u in universes)
    table(
        "Versions of the universe, newest first",
        columns,
        [
            [
                str(u["version"]), "the beginning" if u["version"] == first else words.day(u["valid_from"]),
                str(u["names"]), words.when(u["created_at"]), u["actor"], u["source"],
            ]
            for u in universes
        ],
    )  # fmt: skip


def _name(name: Name) -> list[str]:
    found = name.instrument
    by = f", {name.check.checked_by}" if name.check is not None else ""
    looked = f"{words.day(found.verified_on)}{by}" if found.verified_on else "never"
    alike = name.check.lookalikes if name.check is not None else ""
    return [found.symbol, found.etoro_search_name, found.notes, looked, "no" if name.why_off else "yes", alike]
