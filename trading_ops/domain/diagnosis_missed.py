"""Causes that lie in an execution the ledger lacks: an unanswered line, a trade off the ticket, an order sent twice.

Does not belong here: an execution booked under another name (`diagnosis_names`), fills that are only mistyped.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.corrections import Proposal
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import (
    EXACT,
    FITS,
    FREE,
    NEAR,
    STATEMENT,
    Cause,
    Conclusion,
    pounds,
    settled,
)
from trading_ops.domain.diagnosis_entries import booking, filled
from trading_ops.domain.diagnosis_evidence import AnsweredLine, StatementRow
from trading_ops.domain.diagnosis_rest import rest_of
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.ledger_facts import Fill, FillSide
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, Session, Symbol, exact, half_even, plain

PRICE_SLACK = Decimal("0.06")
"""Share by which a price of the week may be away from the close."""
MOST_WEEKS = 3
REFERENCE_SLACK = Decimal("0.12")
TWICE_SLACK = Decimal("0.04")
ROW_HOURS = dt.timedelta(hours=36)


def of_missing(case: Case, symbol: Symbol) -> Iterator[Cause]:
    """Causes of one name's difference that lie in executions the ledger lacks."""
    missing = case.missing(symbol)
    side: FillSide = "BUY" if missing > ZERO else "SELL"
    rows = tuple(_of_rows(case, symbol, side))
    yield from rows
    lines = [n for n in case.evidence.lines if n.symbol == symbol and n.side == side]
    for line in sorted(lines, key=lambda n: (n.plan_id, n.line)):
        if line.fill_ids:
            yield from rest_of(case, line)
        elif line.status in (None, "SKIPPED", "FAILED"):
            yield from _of_line(case, line)
    for fill in case.fills(symbol):
        if fill.side == side:
            yield from _sent_twice(case, fill)
    if not rows:
        yield from _off_ticket(case, symbol, side)


def _when(case: Case, session: Session) -> tuple[dt.datetime, Session]:
    """A moment in a session, before the snapshot was taken."""
    try:
        opened = calendar.open_utc(session) + dt.timedelta(minutes=int(case.evidence.policy.window.opens_after))
    except TradingOpsError:
        opened = dt.datetime(session.year, session.month, session.day, 15, tzinfo=dt.UTC)
    return min(opened, case.evidence.snapshot.taken_at), session


def _of_rows(case: Case, symbol: Symbol, side: FillSide) -> Iterator[Cause]:
    kind = "open" if side == "BUY" else "close"
    known = {f.position_id for f in case.fills(symbol) if f.side == side and f.position_id}
    for row in sorted(case.evidence.statement, key=lambda r: (r.at, r.key)):
        concerns = row.kind == kind and row.symbol == symbol and row.at <= case.evidence.snapshot.taken_at
        booked = (row.position_id in known and side == "BUY") or _has(case, row, side)
        if concerns and row.amount_gbp and not booked:
            yield from _of_row(case, row, side)


def _has(case: Case, row: StatementRow, side: FillSide) -> bool:
    """The ledger has the execution of a row already."""
    return any(
        f.side == side and f.units == row.units and abs(f.filled_at - row.at) <= ROW_HOURS
        for f in case.evidence.facts.fills
        if f.symbol == row.symbol
    )


def _of_row(case: Case, row: StatementRow, side: FillSide) -> Iterator[Cause]:
    assert row.symbol is not None
    assert row.amount_gbp is not None
    session = min(row.at.astimezone(calendar.NEW_YORK).date(), case.through)
    more = case.then(row.symbol, session)
    units, value = row.units or abs(more), abs(row.amount_gbp)
    price = case.implied_price(units, value) or case.evidence.closes.get(row.symbol)
    if price is None:
        return
    line = _open_line(case, row.symbol, side, session, units, value)
    entry = booking(
        case,
        row.symbol, side, units, price, value, "on the broker's statement",
        when=(row.at, session), position_id=row.position_id, key=row.key, estimated=False, line=line,
        status=filled(line, case.pieces(line), units=units, value_gbp=value) if line else "DONE",
    )  # fmt: skip
    if case.fits((row.symbol,), (entry,)):
        what = f"{side} of {plain(units)} {row.symbol} for {pounds(value)}"
        sentence = f"The broker's statement has a {what} that the ledger does not have."
        cash = value if side == "SELL" else -value
        yield settled("MISSED_FILL", (row.symbol,), cash, STATEMENT, sentence, entry, certain=True)


def _open_line(
    case: Case, symbol: Symbol, side: FillSide, session: Session, units: Decimal, value_gbp: Decimal
) -> AnsweredLine | None:
    """The line that an execution belongs to, or None.

    One of that session that is not filled whole, else an earlier one without any fill, the newest session's; of several
    the one whose rest is nearest in size.
    """
    lines = [n for n in case.evidence.lines if n.symbol == symbol and n.side == side]
    here = [n for n in lines if n.session == session]
    unfilled = [n for n in here if not n.fill_ids or filled(n, case.pieces(n)) == "PARTIAL"]
    earlier = [n for n in lines if not n.fill_ids and n.session < session]

    def fit(line: AnsweredLine) -> tuple[Session, Decimal, int]:
        pieces = case.pieces(line)
        with exact():
            spent = line.amount_gbp - sum((f.value_gbp for f in pieces), ZERO) - value_gbp
            sold = line.units - sum((f.units for f in pieces), ZERO) - units
        return line.session, -abs(spent if side == "BUY" else sold), -line.line

    return max(unfilled or earlier, key=fit, default=None)


def _of_line(case: Case, line: AnsweredLine) -> Iterator[Cause]:
    session = min(line.session, case.through)
    more = case.then(line.symbol, session)
    units = abs(more)
    said = "not answered" if line.status is None else f"answered {line.status}"
    about = f"Line {line.line} of plan {line.plan_id} ({line.side} {line.symbol}) is {said}, but the broker executed it"
    whole = _near(case, line, units) if line.side == "BUY" else units == line.units
    if line.side == "BUY" and whole:
        price = case.implied_price(units, line.amount_gbp) or line.reference_price_usd
        entry = _answer(case, line, session, units, price, line.amount_gbp)
        if case.fits((line.symbol,), (entry,)):
            sentence = f"{about}: {plain(units)} units for its {pounds(line.amount_gbp)}."
            yield settled("MISSED_FILL", (line.symbol,), -line.amount_gbp, EXACT - 1, sentence, entry, certain=True)
        return
    worth = case.worth(line.symbol, units, line.reference_price_usd)  # of the line's own week, as its units are
    part = line.units > units if line.side == "SELL" else worth is not None and worth < line.amount_gbp
    if worth is None or not (whole or part):
        return
    build = priced(case, line.symbol, line.side, units, about + (" in part" if not whole else ""), session, line)
    if case.fits((line.symbol,), build(worth if line.side == "SELL" else -worth)[1]):
        yield _free(line.symbol, line.side, worth, FITS - 1 if whole else NEAR, build, f"{line.plan_id}/{line.line}")


def _near(case: Case, line: AnsweredLine, units: Decimal) -> bool:
    """Pounds of the line buy about these units at its reference price."""
    expected = line.units
    rate = case.evidence.usd_per_gbp
    with exact():
        if not expected and rate:
            expected = line.amount_gbp * rate / line.reference_price_usd
        return expected > ZERO and abs(units / expected - ONE) <= REFERENCE_SLACK


def _answer(
    case: Case, line: AnsweredLine, session: Session, units: Decimal, price: Decimal, value: Decimal
) -> Proposal:
    why = "the broker executed it"
    return booking(
        case, line.symbol, line.side, units, price, value, why, when=_when(case, session), line=line, estimated=True
    )


def priced(
    case: Case,
    symbol: Symbol,
    side: FillSide,
    units: Decimal,
    about: str,
    session: Session,
    line: AnsweredLine | None,
) -> Callable[[Decimal], Conclusion]:
    """How an execution concludes whose pounds only the cash tells."""

    def conclude(cash: Decimal) -> Conclusion:
        value = abs(cash)
        price = case.implied_price(units, value) or case.evidence.closes.get(symbol, ONE)
        entry = booking(
            case, symbol, side, units, price, value, "the broker executed it", when=_when(case, session), line=line
        )
        sentence = (
            f"{about}: {plain(units)} units for about {pounds(value)} (estimated from the cash, and the price "
            "from it). Check both on eToro."
        )
        return sentence, (entry,)

    return conclude


def _free(
    symbol: Symbol,
    side: FillSide,
    worth: Decimal,
    cost: int,
    build: Callable[[Decimal], Conclusion],
    key: str,
    price_slack: Decimal = PRICE_SLACK,
) -> Cause:
    with exact():
        slack = half_even(worth * price_slack, PENCE_PLACES)
    cash = worth if side == "SELL" else -worth
    whole = side == "BUY" and cost >= FREE
    return Cause("MISSED_FILL", (symbol,), cash, cost, build, f"MISSED_FILL {key}", slack, whole_pounds=whole)


def _off_ticket(case: Case, symbol: Symbol, side: FillSide) -> Iterator[Cause]:
    units = abs(case.then(symbol, case.through))
    worth = case.worth(symbol, units)
    if worth is None or not units:
        return
    about = f"The broker shows a {side} of {symbol} that no ticket line asked for and the ledger does not have"
    build = priced(case, symbol, side, units, about, case.through, None)
    if case.fits((symbol,), build(worth)[1]):
        yield _free(symbol, side, worth, FREE, build, f"off ticket {symbol}", _since_agreed(case, symbol))


def _since_agreed(case: Case, symbol: Symbol) -> Decimal:
    """The share for a trade of any day since the name last agreed: the longer ago, the farther its price from now."""
    since = case.since(symbol)
    weeks = -(-(case.evidence.snapshot.taken_at - since).days // 7) if since else 1
    with exact():
        return PRICE_SLACK * min(max(weeks, 1), MOST_WEEKS)


def _sent_twice(case: Case, fill: Fill) -> Iterator[Cause]:
    """The broker executed the same instruction twice; the ledger has it once."""
    units = abs(case.then(fill.symbol, fill.session))
    with exact():
        near = abs(units / fill.units - ONE) <= (TWICE_SLACK if fill.side == "BUY" else ZERO)
    if not near or not units:
        return
    about = f"The {fill.side} of {plain(fill.units)} {fill.symbol} of {fill.session} was executed twice at the broker"
    if fill.side == "BUY":
        price = case.implied_price(units, fill.value_gbp) or fill.price_usd
        entry = booking(
        case,
            fill.symbol, "BUY", units, price, fill.value_gbp, "executed twice",
            when=(fill.filled_at, fill.session), key=f"again {fill.fill_id}",
        )  # fmt: skip
        if case.fits((fill.symbol,), (entry,)):
            sentence = f"{about}: another {plain(units)} units for the same {pounds(fill.value_gbp)}."
            yield settled("FILLED_TWICE", (fill.symbol,), -fill.value_gbp, EXACT + 3, sentence, entry, certain=True)
        return
    build = priced(case, fill.symbol, "SELL", units, about, fill.session, None)
    if case.fits((fill.symbol,), build(fill.value_gbp)[1]):
        with exact():
            slack = half_even(fill.value_gbp * TWICE_SLACK, PENCE_PLACES)
        yield Cause(
            "FILLED_TWICE", (fill.symbol,), fill.value_gbp, NEAR - 4, build, f"FILLED_TWICE {fill.fill_id}", slack
        )
