"""The sheet Account Activity: every movement of the account, newest first.

Belongs here: its rows as facts. Does not belong here: what a movement does to the ledger.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading_ops.broker.cells import Line, Moment
from trading_ops.broker.currency import POUNDS, AccountCurrency
from trading_ops.broker.instruments import Split, split_of, symbol_of
from trading_ops.broker.keys import Keys
from trading_ops.broker.places import SWITCH_TO_ENGLISH, shown
from trading_ops.broker.sheets import SheetKind
from trading_ops.domain.values import exact


class ActivityType(StrEnum):
    """The types that are known. Any other stops the import."""

    DEPOSIT = "Deposit"
    OPEN_POSITION = "Open Position"
    POSITION_CLOSED = "Position closed"
    DIVIDEND = "Dividend"
    OVERNIGHT_FEE = "Overnight fee"
    OVERNIGHT_REFUND = "Overnight refund"
    INTEREST_PAYMENT = "Interest Payment"
    SDRT = "SDRT"
    COMMISSION = "Commission"
    CONVERSION_FEE = "Conversion Fee"
    WITHDRAW_REQUEST = "Withdraw Request"
    WITHDRAW_FEE = "Withdraw Fee"
    ADJUSTMENT = "Adjustment"
    SPLIT = "corp action: Split"
    TRANSFER = "Transfer"
    START_COPY = "Start Copy"
    STOP_COPY = "Stop Copy"
    EDIT_STOP_LOSS = "Edit Stop Loss"
    STAKING = "Staking"
    AIRDROP = "AirDrop"


_BY_TEXT = {kind.value.casefold(): kind for kind in ActivityType}
_TRADES = (ActivityType.OPEN_POSITION, ActivityType.POSITION_CLOSED)
_WITH_AMOUNT = (*_TRADES, ActivityType.DEPOSIT, ActivityType.WITHDRAW_REQUEST, ActivityType.DIVIDEND)


@dataclass(frozen=True)
class ActivityRow:
    """One movement.

    Attributes:
        sheet: The sheet's name as written.
        row: Its row there.
        key: Stable over overlapping statements.
        when: Its time, read as UTC: the statement's zone is not documented.
        type: The type.
        details: As written: `AAPL/USD`.
        symbol: eToro's symbol in it, look-alikes as they are; None where there is none.
        amount: `Amount`, in `currency`. It contains FX.
        currency: Currency of amount, realized equity and balance.
        amount_gbp: Pounds, only where the file says pounds.
        units: None where not told.
        realized_equity_change: In `currency`.
        realized_equity: In `currency`.
        balance: Cash after the movement, in `currency`.
        position_id: The position. Dividends, fees and partial closes reuse it.
        asset_type: As written, empty where not told.
        is_cfd: Whether it says CFD; None where the version has no asset type or the cell is empty.
        nwa: `NWA`, in `currency`.
        split: The split that a split row reports. Nothing is applied.
    """

    sheet: str
    row: int
    key: str
    when: Moment
    type: ActivityType
    details: str
    symbol: str | None
    amount: Decimal | None
    currency: str
    amount_gbp: Decimal | None
    units: Decimal | None
    realized_equity_change: Decimal | None
    realized_equity: Decimal | None
    balance: Decimal | None
    position_id: str | None
    asset_type: str
    is_cfd: bool | None
    nwa: Decimal | None
    split: Split | None

    @property
    def at(self) -> dt.datetime:
        """Its time, aware UTC by interpretation; match it within `cells.MATCH_WITHIN`."""
        return self.when.at

    @property
    def implied_price(self) -> Decimal | None:
        """|amount| / units in `currency` per unit, the sheet has no price. It contains FX and is no fill price."""
        if self.amount is None or not self.units:
            return None
        with exact():
            return abs(self.amount) / abs(self.units)


def read_activity(found: Iterable[Line], currency: AccountCurrency) -> tuple[ActivityRow, ...]:
    """The rows in file order.

    Raises:
        BadInput: An unknown type, with the row shown; a cell that cannot be read; a split that is not `X/USD 2:1`.
    """
    keys = Keys(SheetKind.ACTIVITY)
    return tuple(_row(line, currency, keys) for line in found)


def type_of(line: Line) -> ActivityType:
    """The row's type.

    Raises:
        BadInput: It is none that is known.
    """
    written = line.text("type")
    known = _BY_TEXT.get(" ".join(written.split()).casefold())
    if known is None:
        line.fail(
            f"the type {shown(written)!r} is not known, so nothing was imported. The row reads: {line.shown()}. If the "
            f"statement is not in English: {SWITCH_TO_ENGLISH} Otherwise have this type added.",
            "type",
        )
    return known


def _row(line: Line, currency: AccountCurrency, keys: Keys) -> ActivityRow:
    kind = type_of(line)
    when = line.moment("date")
    details = line.text("details")
    amount = line.needed_number("amount") if kind in _WITH_AMOUNT else line.number_in("amount")
    change, equity, balance = (
        line.number_in(column) for column in ("realized equity change", "realized equity", "balance")
    )
    units_column = "units/contracts" if "units/contracts" in line.layout.columns else "units"
    units = line.number_in(units_column)
    position_id = line.position_id()
    if kind in _TRADES and position_id is None:
        line.fail(f"a position was opened or closed, but which one is not told. The row reads: {line.shown()}")
    asset_type = line.text("asset type")
    split = _split(line, details, amount, units) if kind is ActivityType.SPLIT else None
    return ActivityRow(
        sheet=line.layout.place.sheet,
        row=line.number,
        key=keys.key((when.at, kind.value, details, amount, change, equity, balance, position_id)),
        when=when,
        type=kind,
        details=details,
        symbol=split.symbol if split else symbol_of(details),
        amount=amount,
        currency=currency.ledger,
        amount_gbp=_pounds(line, amount, currency),
        units=units,
        realized_equity_change=change,
        realized_equity=equity,
        balance=balance,
        position_id=position_id,
        asset_type=asset_type,
        is_cfd=asset_type.casefold() == "cfd" if asset_type else None,
        nwa=line.number_in("nwa"),
        split=split,
    )


def _pounds(line: Line, amount: Decimal | None, currency: AccountCurrency) -> Decimal | None:
    in_pounds = currency.ledger == POUNDS
    if not currency.pounds_column:
        return amount if in_pounds else None
    pounds = line.number_in(f"amount in {POUNDS}")
    if in_pounds and pounds != amount:
        line.fail(f"Amount and Amount in GBP differ, though both are pounds. The row reads: {line.shown()}")
    return pounds


def _split(line: Line, details: str, amount: Decimal | None, units: Decimal | None) -> Split:
    split = split_of(details)
    if split is None or amount or units:
        line.fail(
            f"a split is expected as XLK/USD 2:1 without amount and units. The row reads: {line.shown()}. Record it by "
            "hand, and have this form added.",
            "details",
        )
    return split
