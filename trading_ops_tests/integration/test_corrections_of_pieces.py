"""Lines that were filled in several pieces: a correction of one piece leaves the others as they are."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.desk import accepting, drift_evidence, reconciling
from trading_ops.desk.reconciling import Light, Reconciled
from trading_ops.domain.answer import Answer, FillPart, of_parts
from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.corrections import BookFill, CorrectAnswer, VoidFill, WithdrawAnswer
from trading_ops.domain.diagnosis import Finding
from trading_ops.domain.errors import Refused
from trading_ops.domain.ledger import CashMovement
from trading_ops.domain.orders import LotClose
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, exact, half_even
from trading_ops.settings import Settings
from trading_ops.store import answers, audit, broker, corrections, ledger, statements
from trading_ops.store.statements import StoredRow
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.unit.ticket_factory import PRICES, make_buy, make_sell

D = Decimal
ASOF, EARLIER, EARLIEST, FRIDAY = dt.date(2018, 2, 2), dt.date(2018, 1, 8), dt.date(2017, 11, 6), dt.date(2018, 2, 9)
NOW = dt.datetime(2018, 2, 9, 22, 30, tzinfo=dt.UTC)
RATE, DEPOSIT = D("1.4199"), D("5000")
HELD = {"111": D("2.531"), "222": D("1.5"), "333": D("1.24")}
SPENT = D("600.00")
"""Of the three MSFT positions held before."""


def bought(value: str, price: str, position: str, minute: int) -> FillPart:
    """A piece of a purchase at the rate of the day."""
    with exact():
        units = half_even(D(value) * RATE / D(price), UNIT_PLACES)
    return FillPart(D(price), desk.executed_at(ASOF, minute), units, D(value), position)


def sold(units: str, price: str, position: str, lot_id: str | None = None) -> FillPart:
    """A position that a sale closed."""
    with exact():
        value = half_even(D(units) * D(price) / RATE, PENCE_PLACES)
    return FillPart(D(price), desk.executed_at(ASOF, 40), D(units), value, position, lot_id)


ONE, TWO, THREE = (
    bought("150.00", "233.00", "901", 31), bought("100.00", "233.40", "902", 33), bought("60.00", "234.00", "903", 36),
)  # fmt: skip
SWAPPED = D("0.680355")
assert TWO.units == D("0.608355")


@pytest.fixture
def conn(fresh_home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Three MSFT positions, a deposit, an account check that agrees, prices and fixings of the week."""
    desk.set_up_desk(fresh_home)
    with opened(fresh_home) as conn:
        for position, units, day in zip(HELD, HELD.values(), (EARLIEST, dt.date(2017, 12, 11), EARLIER), strict=True):
            desk.held(conn, "MSFT", str(units), day, position)
        at = dt.datetime(2017, 11, 1, 9, tzinfo=dt.UTC)
        with conn.transaction():
            deposit = CashMovement(str(uuid.uuid4()), "deposit", DEPOSIT, at.date(), at)
            ledger.record_movement(conn, deposit, recorded_by="omar", why="opening deposit")
        days = ("2018-02-02", "2018-02-05", FRIDAY.isoformat())
        home_factory.load(
            conn,
            bars=home_factory.bars_table([(s, FRIDAY.isoformat(), str(PRICES[s])) for s in ("MSFT", "NVDA")]),
            fixings=home_factory.fixings_table([("2017-11-06", str(RATE)), *((day, str(RATE)) for day in days)]),
        )
        check(conn, [], (), at=dt.datetime(2018, 2, 2, 22, tzinfo=dt.UTC))
        yield conn


def purchase(conn: psycopg.Connection[Any], amount: str) -> Ticket:
    """One line: so many pounds of NVDA."""
    return desk.issue(conn, ASOF, [make_buy(1, "NVDA", amount, rank=4)])


def sale(conn: psycopg.Connection[Any]) -> Ticket:
    """One line: the oldest and the youngest MSFT position whole."""
    lots = {r["position_id"]: str(r["fill_id"]) for r in desk.rows(conn, "ledger_trades_fills")}
    first = LotClose(lots["111"], "MSFT", EARLIEST, HELD["111"], "111", True)
    second = LotClose(lots["333"], "MSFT", EARLIER, HELD["333"], "333", True)
    return desk.issue(conn, ASOF, [make_sell(1, "MSFT", first, second, rank=9)])


def check(
    conn: psycopg.Connection[Any], true: Sequence[FillPart], sales: Sequence[FillPart], *, at: dt.datetime | None = None
) -> None:
    """The account shows what was really executed."""
    with exact():
        nvda = sum((p.units or ZERO for p in true), ZERO)
        msft = sum(HELD.values(), ZERO) - sum((p.units or ZERO for p in sales), ZERO)
        cash = DEPOSIT - SPENT - sum((p.value_gbp or ZERO for p in true), ZERO)
        cash += sum((p.value_gbp or ZERO for p in sales), ZERO)
    holdings = {s: (units, UNIT_PLACES) for s, units in (("MSFT", msft), ("NVDA", nvda)) if units}
    taken = at or NOW - dt.timedelta(minutes=30)
    with conn.transaction():
        broker.add_snapshot(
            conn, taken_at=taken, session=reconciling.session_seen(taken), cash_gbp=cash, holdings=holdings,
            origin="a test", entered_by="omar",
        )  # fmt: skip


def look(conn: psycopg.Connection[Any]) -> Reconciled:
    """Account and books on Friday evening."""
    return reconciling.reconciled(conn, NOW)


def accept(conn: psycopg.Connection[Any], finding: Finding) -> str:
    """The operator accepts what is shown."""
    snapshot = look(conn).snapshot
    assert snapshot is not None
    with conn.transaction():
        return accepting.accept_shown(
            conn, snapshot.snapshot_id, accepting.entries_of(finding), "omar", "looked up", NOW
        )  # fmt: skip


def only(found: Reconciled) -> Finding:
    """The one finding."""
    assert found.diagnosis is not None
    (finding,) = found.diagnosis.findings
    return finding


def settled(conn: psycopg.Connection[Any], code: str) -> None:
    """The difference has its class; accepting it ends it, on a whole audit chain."""
    finding = only(look(conn))
    assert finding.code == code, finding
    accept(conn, finding)
    found = look(conn)
    assert found.light is Light.GREEN, found.sentence
    assert all(d.verdict == "equal" for d in found.gate.differences)
    assert ledger.tampered(conn) == []


def answered(conn: psycopg.Connection[Any], ticket: Ticket) -> Answer:
    """The answer in force."""
    return answers.in_force(conn, ticket.plan_id)[1].answer


def units_by_position(conn: psycopg.Connection[Any], symbol: str) -> dict[str | None, Decimal]:
    """Open lots."""
    return {lot.position_id: lot.units for lot in desk.book(conn).lots.get(symbol, ())}


@pytest.mark.parametrize(
    ("amount", "true"), [("250", (ONE, TWO)), ("310", (ONE, TWO, THREE)), ("310", (TWO, ONE, THREE))]
)
def test_digits_swapped_in_one_piece_change_that_piece_alone(
    conn: psycopg.Connection[Any], amount: str, true: tuple[FillPart, ...]
) -> None:
    ticket = purchase(conn, amount)
    typed = [replace(p, units=SWAPPED) if p is TWO else p for p in true]
    desk.answer(conn, ticket, [of_parts(1, "DONE", typed)], None)
    check(conn, true, ())
    settled(conn, "DIGITS_SWAPPED_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts) == ("DONE", true)
    assert units_by_position(conn, "NVDA") == {p.position_id: p.units for p in true}


def test_a_piece_that_was_answered_twice_goes_and_the_line_stays_done(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "250")
    again = replace(ONE, position_id="909", executed_at=ONE.executed_at + dt.timedelta(minutes=1))
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, again], fee_gbp=D("0.80"))], None)
    check(conn, (ONE, replace(TWO, value_gbp=D("100.80"))), ())
    settled(conn, "FILLED_TWICE")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts, answer.fee_gbp) == ("DONE", (ONE, TWO), D("0.80"))


def test_of_two_equal_pieces_the_one_without_the_fee_goes(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "250")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, ONE, TWO], fee_gbp=D("0.80"))], None)
    check(conn, (ONE, replace(TWO, value_gbp=D("100.80"))), ())
    settled(conn, "FILLED_TWICE")
    assert (answered(conn, ticket).parts, answered(conn, ticket).fee_gbp) == ((ONE, TWO), D("0.80"))


@pytest.mark.parametrize("status", ["DONE", "PARTIAL"])
@pytest.mark.parametrize("said", [(ONE,), (ONE, TWO)])
def test_a_piece_that_was_missed_is_added(
    conn: psycopg.Connection[Any], status: str, said: tuple[FillPart, ...]
) -> None:
    missed = TWO if said == (ONE,) else THREE
    ticket = purchase(conn, "250" if missed is TWO else "310")
    desk.answer(conn, ticket, [of_parts(1, status, said)], None)
    check(conn, (*said, missed), ())
    settled(conn, "PARTIAL_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts[:-1]) == ("DONE", said)
    assert (answer.parts[-1].units, answer.parts[-1].value_gbp) == (missed.units, missed.value_gbp)
    assert ledger.fills(conn, audit.head(conn).seq)[-1].estimated


def test_a_piece_worked_out_by_reconciliation_stays_so_when_another_is_corrected_on_the_page(
    conn: psycopg.Connection[Any],
) -> None:
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO])], None)
    check(conn, (ONE, TWO, THREE), ())
    settled(conn, "PARTIAL_FILL")
    *_, added = ledger.fills(conn, audit.head(conn).seq)
    assert added.estimated
    given = [replace(part, estimated=False) for part in answered(conn, ticket).parts]
    given[0] = replace(given[0], price_usd=given[0].price_usd + 1)
    desk.answer(conn, ticket, [of_parts(1, "DONE", given)], desk.seen(conn, ticket))
    first, second, third = ledger.fills(conn, audit.head(conn).seq)[-3:]
    assert (first.price_usd, first.estimated) == (given[0].price_usd, False)
    assert (second.units, second.estimated) == (TWO.units, False)
    assert (third.units, third.value_gbp, third.estimated) == (added.units, added.value_gbp, True)
    given[2] = replace(given[2], value_gbp=D("60.10"))
    desk.answer(conn, ticket, [of_parts(1, "DONE", given)], desk.seen(conn, ticket))
    assert not ledger.fills(conn, audit.head(conn).seq)[-1].estimated, "read off now"


def test_a_piece_that_only_the_statement_has_is_added_with_its_position(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "PARTIAL", [ONE, TWO])], None)
    row = StoredRow(
        "9" * 64, "Account Activity", 2, "open", THREE.executed_at, "NVDA", THREE.units, THREE.value_gbp, "903", {}
    )  # fmt: skip
    with conn.transaction():
        statements.add(
            conn, sha256=sha256_hex(b"rows"), name="statement.xlsx", versions={}, currency="GBP", body=b"rows",
            rows=[row], entered_by="omar",
        )  # fmt: skip
    check(conn, (ONE, TWO, THREE), ())
    settled(conn, "MISSED_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts[:2]) == ("DONE", (ONE, TWO))
    assert units_by_position(conn, "NVDA") == {p.position_id: p.units for p in (ONE, TWO, THREE)}
    assert not ledger.fills(conn, audit.head(conn).seq)[-1].estimated


def test_a_missed_piece_may_leave_the_line_partial(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "500")
    desk.answer(conn, ticket, [of_parts(1, "PARTIAL", [ONE, TWO])], None)
    check(conn, (ONE, TWO, THREE), ())
    settled(conn, "PARTIAL_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts[:2], answer.parts[2].value_gbp) == ("PARTIAL", (ONE, TWO), D("60.00"))


@pytest.mark.parametrize(("amount", "status"), [("310", "PARTIAL"), ("210", "DONE")])
def test_a_piece_that_was_never_filled_is_withdrawn_alone(
    conn: psycopg.Connection[Any], amount: str, status: str
) -> None:
    ticket = purchase(conn, amount)
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, THREE])], None)
    check(conn, (ONE, THREE), ())
    settled(conn, "PHANTOM_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts) == (status, (ONE, THREE))


def test_the_last_piece_withdrawn_leaves_the_line_skipped(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "150")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE])], None)
    check(conn, (), ())
    settled(conn, "PHANTOM_FILL")
    assert answered(conn, ticket).status == "SKIPPED"


@pytest.mark.parametrize("named", [True, False])
def test_a_sale_of_several_positions_is_corrected_in_one(conn: psycopg.Connection[Any], *, named: bool) -> None:
    ticket = sale(conn)
    lots = {r["position_id"]: str(r["fill_id"]) for r in desk.rows(conn, "ledger_trades_fills")}
    first = sold("2.531", "91.00", "111", lots["111"] if named else None)
    second = sold("1.24", "92.00", "333", lots["333"] if named else None)
    typed = replace(second, units=D("1.204"))
    desk.answer(conn, ticket, [of_parts(1, "DONE", [first, typed])], None)
    check(conn, (), (first, second))
    settled(conn, "DIGITS_SWAPPED_FILL")
    assert answered(conn, ticket).parts == (first, second)
    assert units_by_position(conn, "MSFT") == {"222": D("1.5")}


def test_a_position_of_a_sale_that_was_missed_is_added(conn: psycopg.Connection[Any]) -> None:
    ticket = sale(conn)
    first, second = sold("2.531", "91.00", "111"), sold("1.24", "92.00", "333")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [first])], None)
    check(conn, (), (first, second))
    settled(conn, "PARTIAL_FILL")
    answer = answered(conn, ticket)
    assert (answer.status, answer.parts[0]) == ("DONE", first)
    assert (answer.parts[1].units, answer.parts[1].value_gbp) == (second.units, second.value_gbp)


def test_a_missed_sale_is_booked_for_estimated_pounds_and_says_so(conn: psycopg.Connection[Any]) -> None:
    ticket = sale(conn)
    desk.answer(conn, ticket, [Answer(1, "SKIPPED", "no time")], None)
    first, second = sold("2.531", "91.00", "111"), sold("1.24", "92.00", "333")
    check(conn, (), (first, second))
    assert "estimated from the cash" in only(look(conn)).sentence
    settled(conn, "MISSED_FILL")
    booked = ledger.fills(conn, audit.head(conn).seq)[-1]
    assert (booked.side, booked.units, booked.estimated) == ("SELL", D("3.771"), True)


def test_a_partial_answer_that_was_mistyped_stays_partial(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "500")
    desk.answer(conn, ticket, [of_parts(1, "PARTIAL", [ONE, replace(TWO, units=SWAPPED)])], None)
    check(conn, (ONE, TWO), ())
    settled(conn, "DIGITS_SWAPPED_FILL")
    assert (answered(conn, ticket).status, answered(conn, ticket).parts) == ("PARTIAL", (ONE, TWO))


def test_what_was_worked_out_for_another_piece_stays_as_it_was_booked(conn: psycopg.Connection[Any]) -> None:
    """A fixing that came since would give other pounds: the piece is not touched, and stays marked as worked out."""
    ticket = purchase(conn, "310")
    pounds_open = [replace(p, value_gbp=None) for p in (ONE, THREE)]
    typed = replace(TWO, units=SWAPPED)
    desk.answer(conn, ticket, [of_parts(1, "DONE", [pounds_open[0], typed, pounds_open[1]])], None)
    before = {f.position_id: f for f in ledger.fills(conn, audit.head(conn).seq)}
    check(conn, [ONE, TWO, THREE], ())
    with exact():
        off = sum((before[p.position_id].value_gbp for p in (ONE, THREE)), ZERO) - D("210.00")
    check(conn, [ONE, replace(TWO, value_gbp=D("100.00") + off), THREE], (), at=NOW - dt.timedelta(minutes=20))
    finding = only(look(conn))
    assert finding.code == "DIGITS_SWAPPED_FILL"
    accept(conn, finding)
    after = {f.position_id: f for f in ledger.fills(conn, audit.head(conn).seq)}
    for position in ("901", "903"):
        assert (after[position].value_gbp, after[position].estimated) == (before[position].value_gbp, True)
    assert (after["902"].units, after["902"].estimated) == (TWO.units, False)


def test_every_piece_is_known_to_answer_its_line(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, THREE])], None)
    (line,) = drift_evidence.recent_lines(conn, NOW)
    booked = [f.fill_id for f in ledger.fills(conn, audit.head(conn).seq) if f.symbol == "NVDA"]
    assert (line.plan_id, list(line.fill_ids)) == (ticket.plan_id, booked)


# ---------------------------------------------------------------- entries that no longer hold
def entry_of(conn: psycopg.Connection[Any], ticket: Ticket, part: FillPart, **changes: Any) -> CorrectAnswer:
    """A proposal that gives a piece other units."""
    fill = next(f for f in ledger.fills(conn, audit.head(conn).seq) if f.position_id == part.position_id)
    fields: dict[str, Any] = {
        "snapshot_id": "S", "symbol": fill.symbol, "side": fill.side, "units": fill.units, "price_usd": fill.price_usd,
        "value_gbp": fill.value_gbp, "fee_gbp": fill.fee_gbp, "filled_at": fill.filled_at, "session": fill.session,
        "position_id": fill.position_id, "plan_id": ticket.plan_id, "line": 1, "status": "DONE",
        "replaces": fill.fill_id, **changes,
    }  # fmt: skip
    return CorrectAnswer(**fields)


def book(conn: psycopg.Connection[Any], *entries: Any) -> Sequence[str]:
    """Book entries together."""
    with conn.transaction():
        return corrections.book_all(conn, entries, username="omar", why="a test", now=NOW)


def test_two_pieces_of_a_line_are_corrected_in_one_new_answer(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, THREE])], None)
    first = entry_of(conn, ticket, ONE, value_gbp=D("151.00"))
    second = entry_of(conn, ticket, THREE, value_gbp=D("61.00"))
    assert len(book(conn, first, second)) == 1
    assert answers.in_force(conn, ticket.plan_id)[1].revision == 2
    assert [p.value_gbp for p in answered(conn, ticket).parts] == [D("151.00"), D("100.00"), D("61.00")]


def test_a_correction_of_a_piece_that_was_answered_anew_meanwhile_books_nothing(conn: psycopg.Connection[Any]) -> None:
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, THREE])], None)
    entry = entry_of(conn, ticket, TWO, units=D("0.7"))
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO])], None, correct=True)
    before = audit.head(conn).seq
    with pytest.raises(Refused, match=r"line 1 of plan 2018-02-02 .* answered anew .* Reconciliation"):
        book(conn, entry)
    gone = WithdrawAnswer(snapshot_id="S", plan_id=ticket.plan_id, line=1, replaces=str(entry.replaces))
    with pytest.raises(Refused, match=r"line 1 of plan 2018-02-02 .* answered anew .* Reconciliation"):
        book(conn, gone)
    assert audit.head(conn).seq == before


def test_books_that_would_come_out_otherwise_than_proposed_are_left_alone(conn: psycopg.Connection[Any]) -> None:
    """A later sale named the lot of a piece that is not touched: it would now close another position."""
    ticket = purchase(conn, "310")
    desk.answer(conn, ticket, [of_parts(1, "DONE", [ONE, TWO, THREE])], None)
    lot = next(f.fill_id for f in ledger.fills(conn, audit.head(conn).seq) if f.position_id == "903")
    later = BookFill(
        snapshot_id="S", symbol="NVDA", side="SELL", units=D("0.2"), price_usd=D(230), value_gbp=D("32.00"),
        fee_gbp=ZERO, filled_at=desk.executed_at(ASOF, 59), session=dt.date(2018, 2, 5), lot_ids=(lot,),
    )  # fmt: skip
    book(conn, later)
    before, lots = audit.head(conn).seq, units_by_position(conn, "NVDA")
    with pytest.raises(Refused, match=r"Nothing was booked.*NVDA.*position 90[13].*Correct line 1"):
        book(conn, entry_of(conn, ticket, TWO, units=D("0.7")))
    assert (audit.head(conn).seq, units_by_position(conn, "NVDA")) == (before, lots)


def test_a_fill_and_what_stands_in_its_place_are_judged_together(conn: psycopg.Connection[Any]) -> None:
    """Units bought off the ticket were partly sold since: taken out alone they would be missing."""
    buy = BookFill(
        snapshot_id="S", symbol="NVDA", side="BUY", units=D("2"), price_usd=D(230), value_gbp=D("324.00"),
        fee_gbp=ZERO, filled_at=desk.executed_at(ASOF, 50), session=dt.date(2018, 2, 5),
    )  # fmt: skip
    book(conn, buy)
    book(conn, replace(buy, side="SELL", units=D(1), value_gbp=D("162.00"), filled_at=desk.executed_at(ASOF, 59)))
    book(conn, VoidFill(snapshot_id="S", fill_id=buy.proposal_id), replace(buy, units=D("2.2"), key="again"))
    assert desk.book(conn).units["NVDA"] == D("1.2")
