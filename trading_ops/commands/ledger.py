"""ledger and snapshot: the books as they stand, off-ticket facts, and what the broker shows."""

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import handed_in, show
from trading_ops.commands.handed_in import day_of, moment, not_in_the_future, number, said
from trading_ops.commands.home import now, opened, person
from trading_ops.commands.tickets import fixing_of
from trading_ops.desk import executing, paper_account, statement_import
from trading_ops.desk.reconciling import session_seen
from trading_ops.domain import calendar
from trading_ops.domain.errors import BadInput, UnknownSymbol
from trading_ops.domain.fill_limits import check_fee, whole_fill
from trading_ops.domain.ledger import CashMovement, CorporateEvent, Fill
from trading_ops.domain.ledger_facts import EventKind
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, fixed, half_even, plain
from trading_ops.planning.books import BookState, book_at
from trading_ops.store import audit, broker, ledger, market

app = typer.Typer(help="The ledger.", no_args_is_help=True)
record_app = typer.Typer(help="Off-ticket facts, with who and why.", no_args_is_help=True)
snapshot_app = typer.Typer(help="Broker snapshots: cash and holdings as eToro shows them.", no_args_is_help=True)
app.add_typer(record_app, name="record")

EVENT_KINDS: dict[str, EventKind] = {
    "spin-off": "spin_off", "merger": "merger", "delisting": "delisting", "name-change": "name_change",
}  # fmt: skip
AsOf = Annotated[str | None, typer.Option("--asof", help="session, 2018-02-02; the newest one if left out")]
Form = Annotated[str, typer.Option("--format", help="table, csv or json")]


def _state(asof: str | None) -> BookState:
    with opened() as (conn, settings):
        day = day_of(asof, "--asof") if asof else _newest_session(conn)
        return book_at(conn, settings.snapshots_dir, day)


def _newest_session(conn: psycopg.Connection[Any]) -> dt.date:
    """The newest session that is over and has bars: values of a day without prices would mislead."""
    over = calendar.last_closed(now())
    span = market.first_and_last_session(conn)
    return min(span[1], over) if span else over


def _pounds(value: Decimal | None) -> str:
    return "no price" if value is None else fixed(value, PENCE_PLACES)


@app.command("positions")
def positions(asof: AsOf = None, form: Form = "table") -> None:
    """Units, cost and value by name."""
    state = _state(asof)
    rows = [
        {
            "symbol": p.symbol, "units": fixed(p.units, UNIT_PLACES), "cost_gbp": fixed(p.cost_gbp, PENCE_PLACES),
            "value_gbp": _pounds(state.values_gbp.get(p.symbol)),
            "lots": len(p.lots),
        }
        for _, p in sorted(state.ledger.positions.items())
    ]  # fmt: skip
    show.rows(rows, form, f"No positions at the close of {state.asof}.")


@app.command("lots")
def lots(asof: AsOf = None, form: Form = "table") -> None:
    """Every open lot, oldest first within its name."""
    state = _state(asof)
    rows = [
        {
            "symbol": lot.symbol, "opened_on": lot.opened_on.isoformat(), "units": fixed(lot.units, UNIT_PLACES),
            "price_usd": plain(half_even(lot.price_usd, 6)), "cost_gbp": fixed(lot.cost_gbp, PENCE_PLACES),
            "position_id": lot.position_id or "", "lot": lot.lot_id,
        }
        for _, p in sorted(state.ledger.positions.items())
        for lot in p.lots
    ]  # fmt: skip
    show.rows(rows, form, f"No lots at the close of {state.asof}.")


@app.command("cash")
def cash(asof: AsOf = None, form: Form = "table") -> None:
    """Cash in pounds."""
    state = _state(asof)
    show.rows([{"asof": state.asof.isoformat(), "cash_gbp": fixed(state.ledger.cash_gbp, PENCE_PLACES)}], form, "")


@app.command("equity")
def equity(asof: AsOf = None, form: Form = "table") -> None:
    """Equity in pounds at every session since the first fact."""
    state = _state(asof)
    rows = [
        {
            "session": p.session.isoformat(), "cash_gbp": fixed(p.cash_gbp, PENCE_PLACES),
            "holdings_gbp": fixed(p.holdings_gbp, PENCE_PLACES), "equity_gbp": fixed(p.equity_gbp, PENCE_PLACES),
            "flow_gbp": fixed(p.flow_gbp, PENCE_PLACES), "complete": p.complete,
        }
        for p in state.equity
    ]  # fmt: skip
    show.rows(rows, form, f"Nothing happened up to the close of {state.asof}.")


def _store_movement(movement: CashMovement, why: str) -> None:
    why = said(why, "--why")
    not_in_the_future(movement.day, now().date(), "--day")
    with opened() as (conn, _), conn.transaction():
        if movement.symbol:
            _known(conn, movement.symbol, "ledger record")
        ledger.record_movement(conn, movement, recorded_by=person(), why=why)
    typer.echo(f"Recorded: {movement.kind} {movement.amount_gbp} GBP on {movement.day} ({movement.movement_id}).")


def _known(conn: psycopg.Connection[Any], symbol: str, where: str) -> None:
    if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
        raise UnknownSymbol(symbol, where)


@record_app.command("cash")
def record_cash(
    kind: Annotated[str, typer.Option(help="deposit, withdrawal, fee, interest or adjustment")],
    amount: Annotated[str, typer.Option(help="pounds; what leaves the account is negative")],
    day: Annotated[str, typer.Option(help="2018-01-02")],
    why: Annotated[str, typer.Option()],
) -> None:
    """Money that moved without a ticket."""
    if kind not in ("deposit", "withdrawal", "fee", "interest", "adjustment"):
        raise BadInput(f"--kind {kind!r}: use deposit, withdrawal, fee, interest or adjustment.")
    pounds = half_even(number(amount, "ledger record cash", "--amount"), PENCE_PLACES)
    ledger.require_sign(kind, pounds)
    on = day_of(day, "--day")
    _store_movement(CashMovement(str(uuid.uuid4()), kind, pounds, on, _noon(on)), why)  # type: ignore[arg-type]


@record_app.command("dividend")
def record_dividend(
    symbol: str,
    ex_date: Annotated[str, typer.Option()],
    amount: Annotated[str, typer.Option(help="pounds received, net; 0 when it was not paid")],
    day: Annotated[str, typer.Option(help="day the cash arrived")],
    why: Annotated[str, typer.Option()],
) -> None:
    """A dividend as the broker paid it."""
    pounds = half_even(number(amount, "ledger record dividend", "--amount"), PENCE_PLACES)
    on, ex = day_of(day, "--day"), day_of(ex_date, "--ex-date")
    _store_movement(CashMovement(str(uuid.uuid4()), "dividend", pounds, on, _noon(on), symbol, ex), why)


@record_app.command("fill")
def record_fill(
    symbol: str,
    side: Annotated[str, typer.Option(help="BUY or SELL")],
    price: Annotated[str, typer.Option(help="USD per unit")],
    at: Annotated[str, typer.Option(help="2018-02-05 14:50, London")],
    why: Annotated[str, typer.Option()],
    units: Annotated[str | None, typer.Option()] = None,
    value: Annotated[str | None, typer.Option(help="pounds")] = None,
    fee: Annotated[str, typer.Option(help="pounds")] = "0",
    position_id: Annotated[str | None, typer.Option()] = None,
) -> None:
    """A trade outside any ticket: an opening position, or one made by mistake."""
    where = "ledger record fill"
    filled_at = moment(at, where, "--at")
    given: list[Decimal | None] = [
        number(t, where, n) if t else None for t, n in ((units, "--units"), (value, "--value"))
    ]
    if side not in ("BUY", "SELL"):
        raise BadInput(f"{where}: --side {side!r} is neither BUY nor SELL.")
    with opened() as (conn, _), conn.transaction():
        _known(conn, symbol, where)
        session = filled_at.astimezone(calendar.NEW_YORK).date()
        price_usd, fee_gbp = number(price, where, "--price"), number(fee, where, "--fee")
        not_in_the_future(filled_at.date(), now().date(), "--at")
        check_fee(fee_gbp, where)
        done, pounds, estimated = whole_fill(given[0], given[1], price_usd, fixing_of(conn, session), where)
        fill = Fill(
            str(uuid.uuid4()), symbol, side, done, price_usd, pounds, fee_gbp, filled_at,  # type: ignore[arg-type]
            session, position_id, (), None, estimated,
        )  # fmt: skip
        ledger.record_fill(conn, fill, recorded_by=person(), why=said(why, "--why"))
        ledger.require_possible(conn)
    typer.echo(f"Recorded: {side} {plain(done)} {symbol} at {plain(price_usd)} USD for {pounds} GBP ({fill.fill_id}).")


@record_app.command("event")
def record_event(
    kind: Annotated[str, typer.Argument(help="spin-off, merger, delisting or name-change")],
    symbol: Annotated[str, typer.Argument(help="the name it happens to")],
    day: Annotated[str, typer.Option(help="session at whose open it takes effect, 2018-02-05")],
    why: Annotated[str, typer.Option(help="where it is written")],
    new_symbol: Annotated[str | None, typer.Option(help="the name received, or the new name")] = None,
    new_units: Annotated[str, typer.Option(help="units of it that the account shows, in all")] = "0",
    cost_share: Annotated[str, typer.Option(help="share of the cost that moves to it, 0 to 1")] = "0",
    cash: Annotated[str, typer.Option(help="pounds received")] = "0",
) -> None:
    """What became of a name: its effect on units, cost and cash."""
    where = "ledger record event"
    if kind not in EVENT_KINDS:
        raise BadInput(f"{where}: {kind!r} is not one of {', '.join(EVENT_KINDS)}.")
    event = CorporateEvent(
        str(uuid.uuid4()), EVENT_KINDS[kind], symbol, day_of(day, "--day"), new_symbol,
        number(new_units, where, "--new-units"), number(cost_share, where, "--cost-share"),
        number(cash, where, "--cash"),
    )  # fmt: skip
    if not calendar.is_session(event.day):
        raise BadInput(f"{where}: --day {event.day} is no New York session. Give the session from which it counts.")
    with opened() as (conn, _), conn.transaction():
        for name in (symbol, new_symbol):
            if name:
                _known(conn, name, where)
        ledger.record_event(conn, event, recorded_by=person(), why=said(why, "--why"))
        ledger.require_possible(conn)
    typer.echo(f"Recorded: {kind} of {symbol} on {event.day} ({event.event_id}).")


@record_app.command("void")
def record_void(
    fact: Annotated[str, typer.Argument(help="id of the fill, cash movement or event that is wrong")],
    why: Annotated[str, typer.Option()],
) -> None:
    """Take a wrong fill, cash movement or corporate event out of force; it stays on record."""
    kinds = (
        ("ledger_trades_fills", "fill_id"), ("ledger_cash_movements", "movement_id"), ("ledger_events", "event_id")
    )  # fmt: skip
    with opened() as (conn, settings):
        before = audit.head(conn).seq
        with conn.transaction():
            for table, key in kinds:
                if conn.execute(f"SELECT 1 FROM ops.{table} WHERE {key}::text = %s", (fact,)).fetchone():
                    ledger.void(conn, why=said(why, "--why"), recorded_by=person(), **{key: fact})
                    break
            else:
                raise BadInput(f"{fact}: there is no fill, cash movement or event of that id.")
            ledger.require_possible(conn)
        executing.follow(conn, settings, before)
    typer.echo(f"Void: {fact}.")


def _noon(day: Any) -> Any:
    return calendar.open_utc(day) if calendar.is_session(day) else moment(f"{day} 12:00", "day", "day")


@snapshot_app.command("add")
def snapshot_add(
    file: Annotated[Path, typer.Option(help="CSV with symbol,units and a row CASH,<pounds>; or statement.xlsx")],
    at: Annotated[str | None, typer.Option(help="when it was read off, London; now if left out; CSV only")] = None,
) -> None:
    """Enter cash and holdings as eToro shows them, or its account statement."""
    if handed_in.is_workbook(file):
        _statement_add(file, at)
        return
    cash_gbp, holdings = handed_in.snapshot(file)
    taken_at = moment(at, "snapshot add", "--at") if at else now()
    not_in_the_future(taken_at.date(), now().date(), "--at")
    session = calendar.last_closed(taken_at)
    with opened() as (conn, _), conn.transaction():
        snapshot_id = broker.add_snapshot(
            conn, taken_at=taken_at, session=session, cash_gbp=cash_gbp, holdings=holdings, origin=str(file),
            entered_by=person(),
        )  # fmt: skip
    typer.echo(f"Snapshot of the close of {session}: {cash_gbp} GBP and {len(holdings)} holdings ({snapshot_id}).")


@snapshot_app.command("paper")
def snapshot_paper(
    enter: Annotated[bool, typer.Option("--enter", help="enter it as the account check")] = False, form: Form = "table"
) -> None:
    """What the paper broker's account shows now, for the account check of a paper book."""
    at = now()
    with opened() as (conn, _), conn.transaction():
        shown = paper_account.seen(conn, at)
        if enter:
            holdings = {symbol: (units, UNIT_PLACES) for symbol, units in shown.units.items()}
            broker.add_snapshot(
                conn, taken_at=at, session=session_seen(at), cash_gbp=shown.cash_gbp, holdings=holdings,
                origin="paper broker", entered_by=person(),
            )  # fmt: skip
    cash = {"symbol": handed_in.CASH, "units": fixed(shown.cash_gbp, PENCE_PLACES)}
    held = ({"symbol": symbol, "units": plain(units)} for symbol, units in shown.units.items())
    show.rows([cash, *held], form, "")
    if enter and form == "table":
        typer.echo("Entered as the account check.")


def _statement_add(file: Path, at: str | None) -> None:
    """A statement tells its own dates."""
    if at is not None:
        raise BadInput("snapshot add: a statement tells its own dates. Leave --at out.")
    parsed = statement_import.read(handed_in.whole(file), file.name)
    with opened() as (conn, _), conn.transaction():
        done = statement_import.add(conn, parsed, person(), now())
    typer.echo("\n".join((done.headline, *done.sentences)))
