"""What a ticket says to the operator: what failed and who clears it, why, and from which inputs it came.

Does not belong here: the instructions themselves (`ticket_text`).
"""

from collections.abc import Iterable

from trading_ops.domain.books import banner
from trading_ops.domain.gates import NOTHING_TO_DO
from trading_ops.domain.results import Outcome, Verdict
from trading_ops.domain.ticket_layout import Row
from trading_ops.domain.ticket_model import Envelope, GatePart, TicketContent
from trading_ops.domain.ticket_words import (
    about_pounds,
    clock,
    close_day,
    count,
    london_day,
    long_day,
    pounds,
    short_day,
    short_id,
)


def banner_of(content: TicketContent) -> str:
    """What a ticket that must not be executed says first, with its separator; empty for a real one."""
    return banner("sim" if content.simulated else content.book)


def failures(content: TicketContent) -> list[Row]:
    """Why nothing is traded: each failed rule with what was seen, what is allowed and who clears it."""
    failed = [gate for gate in content.gates if gate.outcome is Outcome.FAIL]
    unseen = [gate for gate in content.gates if gate.outcome is Outcome.NOT_EVALUATED]
    if [gate.code for gate in failed] == [NOTHING_TO_DO] and not unseen:
        return [Row("section", f"Why: {NOTHING_TO_DO}"), Row("item", failed[0].sentence), Row("item", failed[0].remedy)]
    unseen_too = f", {len(unseen)} could not be evaluated" if unseen else ""
    rows = [Row("strong", f"Why: {count(len(failed), 'rule', 'rules')} failed{unseen_too}.")]
    for gate in failed:
        rows += [
            Row("section", gate.code),
            Row("item", f"What happened: {gate.sentence}"),
            Row("item", f"Seen: {gate.seen}"),
            Row("item", f"Allowed: {gate.allowed}"),
            Row("item", f"To clear it: {gate.remedy}"),
        ]
    if unseen:
        rows.append(Row("section", "NOT EVALUATED"))
        rows += [Row("item", f"{name}: {', '.join(codes)}") for name, codes in _by_gate(unseen).items()]
        what_next = (
            "They come after what failed; the next plan looks at them by itself."
            if failed
            else "No evidence of them was stored. The operator looks at the plan's run in Dagster."
        )
        rows.append(Row("item", what_next))
    return rows


def record(content: TicketContent, envelope: Envelope) -> list[Row]:
    """The end of the sheet: deferred orders, clocks, reasons, values, and the trail to check it by."""
    trade = content.verdict is Verdict.TRADE
    rows = [Row("section", "After the last line" if trade else "For the record")]
    if trade:
        due = clock(content.window.confirm_by_utc)
        verb = "Answer" if banner_of(content) else "Confirm"
        rows.append(Row("item", f"{verb} every line by {due}: {content.page_url}"))
    if trade or content.deferred:
        rows += _deferred(content)
    if trade:
        rows += _market(content)
        rows.append(
            Row(
                "item",
                f"Why: {content.why}. In all: sells {_in_all(content.sells_gbp)}, buys {_in_all(content.buys_gbp)}.",
            )
        )
    rows.append(Row("item", _passed(content)))
    if content.inputs.kill_switch is not None:
        rows.append(Row("item", f"Kill switch: {content.inputs.kill_switch.rstrip('.')}."))
    rows += _values(content)
    if trade:
        opens = content.next_plan_opens_utc
        rows.append(Row("item", f"Next plan: {long_day(london_day(opens))}, {clock(opens)} (London)."))
    return [*rows, *_trail(content, envelope)]


def _deferred(content: TicketContent) -> list[Row]:
    if not content.deferred:
        return [Row("item", "Deferred to a later week: nothing.")]
    return [
        Row("item", f"Deferred to a later week: {d.side} {d.symbol} {_in_all(d.amount_gbp)} ({d.sentence}).")
        for d in content.deferred
    ]


def _market(content: TicketContent) -> list[Row]:
    window = content.window
    length = "HALF DAY" if window.half_day else "full day"
    hours = f"opens {clock(window.market_open_utc)}, closes {clock(window.market_close_utc)} (London)"
    note = window.clock_note or "none this week."
    return [Row("item", f"US market: {length}, {hours}. Clock note: {note}")]


def _passed(content: TicketContent) -> str:
    passed = [gate for gate in content.gates if gate.outcome is Outcome.PASS]
    by_gate = ", ".join(f"{name} {len(codes)}" for name, codes in _by_gate(passed).items())
    if len(passed) == len(content.gates):
        return f"All {len(passed)} rules passed: {by_gate}. {_sources(content)}"
    return f"{len(passed)} of {len(content.gates)} rules passed" + (f": {by_gate}." if by_gate else ".")


def _sources(content: TicketContent) -> str:
    return "Prices cross-checked." if content.cross_checked else "Prices not cross-checked."


def _values(content: TicketContent) -> list[Row]:
    inputs, close = content.inputs, f"At the close of {close_day(content.asof)}"
    worth = [
        f"the account was worth {pounds(content.equity_gbp)}" if content.equity_gbp is not None else "",
        f"cash in it {pounds(content.cash_gbp)}" if content.cash_gbp is not None else "",
        f"£1 was ${inputs.usd_per_gbp}" if inputs.usd_per_gbp is not None else "",
        f"a fixing of {short_day(inputs.fx_day)}" if inputs.fx_day not in (None, content.asof) else "",
    ]
    words = ", ".join(part for part in worth if part)
    return [Row("item", f"{close} {words}.")] if words else []


def _trail(content: TicketContent, envelope: Envelope) -> list[Row]:
    inputs = content.inputs
    dirty = " with uncommitted changes" if envelope.git_dirty else ""
    head = "none" if envelope.audit_seq is None else f"#{envelope.audit_seq} {short_id(envelope.audit_hash)}"
    simulated = "yes" if content.simulated or content.book == "sim" else "no"
    issued = envelope.issued_at_utc
    parts = (
        f"plan {content.plan_id}",
        f"run {short_id(envelope.run_id)}",
        f"config {short_id(inputs.config_hash)}",
        f"code {envelope.git_commit[:7]}{dirty}",
        f"data {short_id(inputs.snapshot_id)}",
        f"signals {inputs.signal_source or 'none'}",
        f"audit head {head}",
        f"book {content.book}",
        f"simulated: {simulated}",
        f"issued {short_day(issued.date())} {issued:%H:%M} UTC",
    )
    return [Row("text", " · ".join(parts)), Row("text", f"content sha256 {envelope.content_sha256}")]


def _by_gate(gates: Iterable[GatePart]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for gate in gates:
        grouped.setdefault(gate.gate, []).append(gate.code)
    return grouped


def _in_all(amount: str) -> str:
    return "nothing" if amount == "0.00" else pounds(amount) if amount.endswith(".00") else about_pounds(amount)
