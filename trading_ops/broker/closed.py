"""The sheet Closed Positions: every position, or part of one, that was closed in the period.

Belongs here: its rows as facts. Does not belong here: lots and realised results of the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.cells import Line, Moment
from trading_ops.broker.currency import PROFIT, AccountCurrency
from trading_ops.broker.keys import Keys
from trading_ops.broker.sheets import SheetKind
from trading_ops.domain.values import ONE


@dataclass(frozen=True)
class ClosedRow:
    """One closing. A partial close has a row of its own under the same Position ID.

    Attributes:
        sheet: The sheet's name as written.
        row: Its row there.
        key: Stable over overlapping statements.
        position_id: The position.
        action: As written: `Buy Apple`.
        side: `long` or `short`, None where the version does not tell.
        amount: Invested amount, in `amount_currency`.
        amount_currency: The account's ledger currency; None where the sheet's own headers do not name it.
        units: Units closed.
        opened: Read as UTC; the statement's zone is not documented.
        closed: Likewise.
        leverage: 1 for none.
        profit: Profit by currency, in the file's order.
        fx_rate_open: Instrument currency to USD, None where not told.
        fx_rate_close: Likewise.
        open_rate: In the instrument's currency.
        close_rate: In the instrument's currency.
        fees_and_dividends: Overnight or rollover fees and dividends.
        copied_from: As written.
        type: As written: `Stocks`, `CFD`.
        isin: Empty where not told.
        notes: As written.
        is_cfd: It says CFD, or has leverage, or was opened by a sale.
    """

    sheet: str
    row: int
    key: str
    position_id: str
    action: str
    side: str | None
    amount: Decimal
    amount_currency: str | None
    units: Decimal
    opened: Moment
    closed: Moment
    leverage: Decimal
    profit: tuple[tuple[str, Decimal], ...]
    fx_rate_open: Decimal | None
    fx_rate_close: Decimal | None
    open_rate: Decimal | None
    close_rate: Decimal | None
    fees_and_dividends: Decimal | None
    copied_from: str
    type: str
    isin: str
    notes: str
    is_cfd: bool


def read_closed(found: Iterable[Line], currency: AccountCurrency) -> tuple[ClosedRow, ...]:
    """The rows in file order.

    Raises:
        BadInput: A cell that cannot be read, or no Position ID.
    """
    keys = Keys(SheetKind.CLOSED)
    return tuple(_row(line, currency, keys) for line in found)


def _row(line: Line, currency: AccountCurrency, keys: Keys) -> ClosedRow:
    position_id = line.position_id() or line.fail(f"has no Position ID. The row reads: {line.shown()}", "position id")
    action, kind = line.text("action"), line.text("type")
    amount, leverage = line.needed_number("amount"), line.needed_number("leverage")
    units = line.needed_number("units/contracts" if "units/contracts" in line.layout.columns else "units")
    opened, closed = line.moment("open date"), line.moment("close date")
    rates = line.number_in("open rate"), line.number_in("close rate")
    side = _side(line, action)
    profit = line.by_currency(PROFIT) or _profit_of_2022(line, currency)
    named = line.layout.currencies.get(PROFIT, ())
    return ClosedRow(
        sheet=line.layout.place.sheet,
        row=line.number,
        key=keys.key((position_id, action, amount, units, opened.at, closed.at, leverage, *rates, kind)),
        position_id=position_id,
        action=action,
        side=side,
        amount=amount,
        amount_currency=currency.ledger if not named or currency.ledger in named else None,
        units=units,
        opened=opened,
        closed=closed,
        leverage=leverage,
        profit=profit,
        fx_rate_open=_only(line, "fx rate at open(¤)"),
        fx_rate_close=_only(line, "fx rate at close(¤)"),
        open_rate=rates[0],
        close_rate=rates[1],
        fees_and_dividends=_fees(line),
        copied_from=line.text("copied from"),
        type=kind,
        isin=line.text("isin"),
        notes=line.text("notes"),
        is_cfd=kind.casefold() == "cfd" or leverage != ONE or side == "short" or action.casefold().startswith("sell "),
    )


def _side(line: Line, action: str) -> str | None:
    written = line.text("long/short").casefold()
    if written in ("long", "short"):
        return written
    if written:
        line.fail(f"{written!r} is neither Long nor Short. The row reads: {line.shown()}", "long/short")
    return {"buy": "long", "sell": "short"}.get(action.casefold().partition(" ")[0])


def _profit_of_2022(line: Line, currency: AccountCurrency) -> tuple[tuple[str, Decimal], ...]:
    profit = line.number_in("profit")
    return () if profit is None else ((currency.ledger, profit),)


def _only(line: Line, column: str) -> Decimal | None:
    found = line.by_currency(column)
    return found[0][1] if found else None


def _fees(line: Line) -> Decimal | None:
    overnight = "overnight fees and dividends"
    return line.number_in(overnight if overnight in line.layout.columns else "rollover fees and dividends")
