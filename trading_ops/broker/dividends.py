"""The sheet Dividends: what each position was paid, net, and the tax withheld.

Belongs here: its rows as facts. Does not belong here: merging them with Account Activity (`receipts`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.broker.cells import Line, Moment
from trading_ops.broker.currency import NET, POUNDS
from trading_ops.broker.keys import Keys
from trading_ops.broker.sheets import KNOWN_CURRENCIES, SheetKind


@dataclass(frozen=True)
class DividendRow:
    """One dividend on one position.

    Attributes:
        sheet: The sheet's name as written.
        row: Its row there.
        key: Stable over overlapping statements.
        paid: Date of payment, read as UTC; often a date without a time.
        instrument: As written: `Apple`.
        net: Net dividend by currency, in the file's order.
        withheld: Tax withheld by currency.
        withholding_percent: The rate in percent, None where not told.
        native_net: `Net dividends` in the instrument's currency, since 2025.11.
        native_currency: That currency.
        franked: `Franked/Unfranked` as written, Australian shares only.
        franking_credits: By currency, Australian shares only.
        position_id: The position.
        type: As written: `Stocks`, `CFD`.
        isin: Empty where not told.
        is_cfd: It says CFD.
    """

    sheet: str
    row: int
    key: str
    paid: Moment
    instrument: str
    net: tuple[tuple[str, Decimal], ...]
    withheld: tuple[tuple[str, Decimal], ...]
    withholding_percent: Decimal | None
    native_net: Decimal | None
    native_currency: str | None
    franked: str
    franking_credits: tuple[tuple[str, Decimal], ...]
    position_id: str
    type: str
    isin: str
    is_cfd: bool

    def net_in(self, currency: str) -> Decimal | None:
        """The net dividend in a currency, only where the file gives it."""
        named = dict(self.net).get(currency)
        if named is None and self.native_currency == currency:
            return self.native_net
        return named

    @property
    def net_gbp(self) -> Decimal | None:
        """The net dividend in pounds, only where the file says pounds."""
        return self.net_in(POUNDS)


def read_dividends(found: Iterable[Line]) -> tuple[DividendRow, ...]:
    """The rows in file order.

    Raises:
        BadInput: A cell that cannot be read, no Position ID, or no amount.
    """
    keys = Keys(SheetKind.DIVIDENDS)
    return tuple(_row(line, keys) for line in found)


def _row(line: Line, keys: Keys) -> DividendRow:
    position_id = line.position_id() or line.fail(f"has no Position ID. The row reads: {line.shown()}", "position id")
    paid, instrument = line.moment("date of payment", date_alone=True), line.text("instrument name")
    net, rate, kind = line.by_currency(NET), line.percent("withholding tax rate(%)"), line.text("type")
    if not net:
        line.fail(f"has no net dividend. The row reads: {line.shown()}")
    return DividendRow(
        sheet=line.layout.place.sheet,
        row=line.number,
        key=keys.key((paid.at, instrument, position_id, kind, rate, *(part for pair in net for part in pair))),
        paid=paid,
        instrument=instrument,
        net=net,
        withheld=line.by_currency("withholding tax amount(¤)"),
        withholding_percent=rate,
        native_net=line.number_in("net dividends"),
        native_currency=_native_currency(line),
        franked=line.text("franked/unfranked"),
        franking_credits=line.by_currency("franking credits(¤)"),
        position_id=position_id,
        type=kind,
        isin=line.text("isin"),
        is_cfd=kind.casefold() == "cfd",
    )


def _native_currency(line: Line) -> str | None:
    written = line.text("currency")
    if written and written not in KNOWN_CURRENCIES:
        line.fail(f"{written!r} is not a currency known here. Pence must not be read as pounds.", "currency")
    return written or None
