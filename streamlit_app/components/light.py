"""The light of the books: one colour, its word, and its sentence; and what helps when it is not green."""

from streamlit_app.components import words
from streamlit_app.components.sheet import links, notice
from trading_ops.desk.accepting import entries_of
from trading_ops.desk.reconciling import Light, Reconciled
from trading_ops.domain.results import Outcome

SOP = "docs/RECONCILIATION_SOP.md"
_TONE = {Light.GREEN: "green", Light.AMBER: "amber", Light.RED: "red", Light.GREY: "grey"}


def show_light(found: Reconciled, *, with_help: bool, here: bool = False) -> None:
    """Draw the light.

    Args:
        found: The newest snapshot against the ledger.
        with_help: Also the failing rules, what helps, and where it is written down.
        here: The page is Reconciliation itself.
    """
    failed = [r for r in found.gate.results if r.outcome is Outcome.FAIL]
    rules = [f"Rule {r.code}: seen {r.seen or 'nothing'}; allowed {r.allowed}." for r in failed]
    more = [words.in_london(rule) for rule in rules] if with_help else []
    if with_help and found.light is not Light.GREEN:
        more.append(f"{_help(found)} Page of the handbook: {SOP}")
    notice(_TONE[found.light], f"{found.light.name}.", words.in_london(found.sentence), more)  # type: ignore[arg-type]
    if with_help and not here and found.light in (Light.RED, Light.AMBER):
        links([("Look at the differences and what is proposed", "/reconciliation")])
    elif with_help and found.light is Light.GREY:
        links([("Enter what the account shows", "/snapshot")])


def _help(found: Reconciled) -> str:
    if found.light is Light.GREY:
        return "What helps: an account check by either of you (Account check)."
    if found.light is Light.AMBER:
        return "What helps: look at what waits under Reconciliation and book it."
    proposed = any(entries_of(finding) for finding in found.diagnosis.findings) if found.diagnosis else False
    return (
        "What helps: Reconciliation, where the correcting entries are proposed; read them and accept them."
        if proposed
        else "What helps: Reconciliation says what to look up on eToro; then repeat the account check."
    )
