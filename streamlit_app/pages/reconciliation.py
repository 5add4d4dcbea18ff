"""Reconciliation: what the account shows against the ledger, what explains each difference, and booking it."""

import datetime as dt
import hashlib

import streamlit as st

from streamlit_app.components import clock, dividend_forms, sending, words
from streamlit_app.components.light import SOP, show_light
from streamlit_app.components.sending import Draft, Form
from streamlit_app.components.sheet import Column, begin, links, notice, table
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.desk import accepting, books_now, reconciling
from trading_ops.desk.proposal_words import in_words
from trading_ops.desk.reconciling import Reconciled
from trading_ops.domain.diagnosis import CLASSES, Finding
from trading_ops.domain.drift import CASH, Difference
from trading_ops.domain.ledger import LedgerFacts
from trading_ops.domain.results import Outcome
from trading_ops.domain.values import UNIT_PLACES, half_even

VERDICTS = {
    "equal": "equal",
    "within": "within what is allowed",
    "dividends": "explained by dividends to come",
    "drift": "DIFFERS",
    "only_broker": "ONLY AT THE BROKER",
    "only_ledger": "ONLY IN THE LEDGER",
}
HISTORY = 20
UNKNOWN = (
    "1. On eToro open the name (or, for cash, the history since the last account check) and read units and amounts "
    "digit by digit.",
    "2. Something was read off wrongly: repeat the account check.",
    "3. A trade the desk does not know: enter it under Other trade. Cash that moved: enter it under Cash and events.",
    "4. Still unexplained: download the account statement from eToro and hand it in under Account check; its rows "
    "explain most of the rest.",
    f"5. Until it is explained every plan is NO-TRADE, which is safe. All of it is written down in {SOP}.",
)


def show(person: Person) -> None:
    """Draw the page."""
    begin("Reconciliation")
    sending.all_said("accept:")
    sending.all_said(dividend_forms.TAKEN)
    with reading(person) as conn:
        now = clock.book_now(conn)
        found = reconciling.reconciled(conn, now)
        of = books_now.books(conn)
        expected = of.dividends(found.asof)
        history = accepting.accepted(conn, HISTORY)
    show_light(found, with_help=True, here=True)
    if found.snapshot is not None:
        origin = f"Account check of {words.when(found.snapshot.taken_at)} London; ledger as it stood at that moment."
        st.markdown(origin)
    _findings(person, found, of.facts, now)
    _differences(found)
    _rules(found)
    st.header("Dividends")
    dividend_forms.dividends(person, expected, found.dividends_in_cash, now)
    _history(history)


def _findings(person: Person, found: Reconciled, facts: LedgerFacts, now: dt.datetime) -> None:
    findings = found.diagnosis.findings if found.diagnosis else ()
    if not findings:
        return
    st.header("What explains it")
    assert found.snapshot is not None
    for finding in findings:
        _finding(person, finding, found.snapshot.snapshot_id, facts, now, "Accept and book")
        if finding.code == "AMBIGUOUS":
            for number, reading_ in enumerate(finding.alternatives, start=1):
                st.markdown(f"Reading {number} of {len(finding.alternatives)}:")
                label = f"Accept reading {number} and book"
                _finding(person, reading_, found.snapshot.snapshot_id, facts, now, label)
    if any(f.code in ("UNKNOWN", "AMBIGUOUS") for f in findings):
        notice("grey", "WHEN NOTHING EXPLAINS IT.", "In this order:", UNKNOWN)
        links([("Account check", "/snapshot"), ("Other trade", "/trade"), ("Cash and events", "/cash")])


def _finding(
    person: Person, finding: Finding, snapshot_id: str, facts: LedgerFacts, now: dt.datetime, label: str
) -> None:
    sure = {"certain": "certain", "likely": "likely", "none": "not explained"}[finding.confidence]
    tone = "amber" if finding.proposals else "red"
    more = [f"{finding.code}, {sure}. {CLASSES[finding.code].sentence}"]
    if finding.code != "AMBIGUOUS":
        more += [f"It may also be: {other.sentence}" for other in finding.alternatives]
    notice(tone, f"{finding.symbol}.", finding.sentence, more)  # type: ignore[arg-type]
    if not finding.proposals:
        return
    table(
        f"Proposed for {finding.symbol}",
        [Column("Entry", "words"), Column("Why", "words")],
        [[in_words(entry, facts), entry.why] for entry in finding.proposals],
    )
    shown = accepting.entries_of(finding)
    if not shown:
        links([("Repeat the account check", "/snapshot")])
        return
    name = hashlib.sha256(":".join(shown).encode()).hexdigest()[:16]
    form = Form.open(f"accept:{name}")
    with st.form(form.key("form"), enter_to_submit=False):
        st.text_input("Note (may stay empty)", key=form.key("note"), max_chars=400)

        def draft(form: Form) -> Draft:
            note = str(form.value("note"))
            return Draft(
                finding.symbol,
                {"snapshot": snapshot_id, "entries": list(shown), "note": note},
                lambda conn: accepting.accept_shown(conn, snapshot_id, shown, person.username, note, now),
                () if finding.confidence == "certain" else (_doubt(finding),),
            )

        form.buttons(f"{label}: {finding.symbol}", person, draft)


def _doubt(finding: Finding) -> str:
    return f"This explanation is likely, not certain. Did you look at {finding.symbol} on eToro?"


def _differences(found: Reconciled) -> None:
    if not found.gate.differences:
        return
    st.header("Account against ledger")
    every = sorted(found.gate.differences, key=lambda d: (d.verdict in ("equal", "within"), d.symbol == CASH))
    columns = [
        Column("Name"), Column("Account", "num"), Column("Ledger", "num"), Column("Difference", "num"),
        Column("Allowed", "num"), Column("Verdict", "words"),
    ]  # fmt: skip
    table("Units by name, cash in pounds; what differs comes first", columns, [_difference(d) for d in every])


def _difference(d: Difference) -> list[str]:
    say = words.gbp if d.kind == "cash" else words.units
    allowed = f"{say(half_even(d.lowest, UNIT_PLACES))} to {say(half_even(d.highest, UNIT_PLACES))}"
    return [
        "Cash" if d.symbol == CASH else d.symbol, say(d.snapshot), say(d.ledger), say(d.difference), allowed,
        VERDICTS[d.verdict],
    ]  # fmt: skip


def _rules(found: Reconciled) -> None:
    st.header("The gate's rules")
    state = {Outcome.PASS: "passed", Outcome.FAIL: "FAILED", Outcome.NOT_EVALUATED: "COULD NOT LOOK"}
    columns = [Column("Rule"), Column("Answer"), Column("Seen", "words"), Column("Allowed", "words")]
    table(
        "What the next plan's gate would say now",
        columns,
        [
            [r.code, state[r.outcome], words.in_london(r.seen), words.in_london(r.allowed)]
            for r in found.gate.results
        ],
    )  # fmt: skip


def _history(history: object) -> None:
    if not history:
        return
    st.header("Accepted corrections")
    columns = [
        Column("Accepted, London"), Column("Class"), Column("Name"), Column("Entries", "num"),
        Column("What", "words"), Column("Who and why", "words"),
    ]  # fmt: skip
    table(
        "Newest first",
        columns,
        [
            [
                words.when(h["created_at"]), h["code"], h["subject"], str(h["entries"]), h["sentence"],
                f"{h['accepted_by']}: {h['note']}" if h["note"] else h["accepted_by"],
            ]
            for h in history  # type: ignore[attr-defined]
        ],
    )  # fmt: skip
