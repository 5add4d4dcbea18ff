"""In which currency a statement's `Amount`, `Realized Equity` and `Balance` are, and whether it says pounds at all.

Belongs here: the one decision. Does not belong here: converting anything; this room knows no exchange rate.

    Currency cell    column `Amount in X`   heading        Amount is in       pounds
    USD              none                   none or USD    USD                not told
    USD              GBP                    none or USD    USD                column Amount in GBP
    USD              another X              none or USD    USD                not told
    USD/X, X/USD     as for USD             none or USD    USD                as for USD
    GBP              GBP                    none or USD    USD                column Amount in GBP
    GBP              GBP                    GBP            GBP                both, and they must agree
    GBP              none                   GBP            GBP                Amount
    GBP              none                   none           GBP                Amount, if no header names another
                                                                              currency, or if the dividends prove it
    anything else, or a heading that contradicts this line                    refused by name

The heading is `Account Summary (USD)`. The headers that name currencies are those of Closed Positions and Dividends:
`Profit(USD)`, `Net Dividend Received (GBP)`. The dividends prove a currency when the amount of a Dividend row in
Account Activity is what Dividends gives for the same position and payment in exactly one currency. Proof of another
currency than this table gives refuses the file.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from trading_ops.broker.places import Place, shown
from trading_ops.broker.summary import Summary

_CELL = re.compile(r"([A-Z]{3})(?:\s*/\s*([A-Z]{3}))?")
PROFIT = "profit(¤)"
NET = "net dividend received(¤)"
AMOUNT_IN = "amount in ¤"
POUNDS = "GBP"
DOLLARS = "USD"
_SAME_PAYMENT = dt.timedelta(days=2)


@dataclass(frozen=True)
class AccountCurrency:
    """The decision.

    Attributes:
        ledger: Currency of Amount, Realized Equity and Balance.
        pounds_column: True when Account Activity has the column Amount in GBP.
    """

    ledger: str
    pounds_column: bool


@dataclass(frozen=True)
class Paid:
    """A dividend as one of the two sheets gives it: position, time, amounts by currency (None: not named)."""

    position_id: str
    at: dt.datetime
    amounts: tuple[tuple[str | None, Decimal], ...]


def decide(
    place: Place, summary: Summary, amounts_in: tuple[str, ...], named: frozenset[str], proven: frozenset[str]
) -> AccountCurrency:
    """Apply the table above.

    Args:
        place: The sheet Account Summary.
        summary: Its content.
        amounts_in: Currencies of the columns `Amount in X`.
        named: Currencies that the headers of Closed Positions and Dividends name.
        proven: Currencies that the dividends prove (`proven_by_dividends`).

    Raises:
        BadInput: A combination that is not in the table, naming it.
    """
    pounds = POUNDS in amounts_in
    ledger = _ledger(summary, pounds, named, proven)
    if ledger is None or (proven and ledger not in proven):
        _refuse(place, summary, amounts_in, named, proven)
    return AccountCurrency(ledger, pounds)


def _ledger(summary: Summary, pounds: bool, named: frozenset[str], proven: frozenset[str]) -> str | None:
    found = _CELL.fullmatch(summary.currency_cell.strip())
    cell = {code for code in found.groups() if code} if found else set[str]()
    heading = summary.heading_currency
    if DOLLARS in cell:
        return DOLLARS if heading in (None, DOLLARS) else None
    if cell != {POUNDS}:
        return None
    if pounds:
        return {None: DOLLARS, DOLLARS: DOLLARS, POUNDS: POUNDS}.get(heading)
    if heading is not None:
        return POUNDS if heading == POUNDS else None
    return POUNDS if named <= {POUNDS} or proven == {POUNDS} else None


def proven_by_dividends(activity: Iterable[Paid], dividends: Iterable[Paid]) -> frozenset[str]:
    """The currencies in which the Dividend rows of Account Activity are, as the Dividends sheet shows.

    A row proves something only when exactly one currency's amount of its position, paid within two days, equals it.
    """
    by_position: dict[str, list[Paid]] = {}
    for paid in dividends:
        by_position.setdefault(paid.position_id, []).append(paid)
    proven: set[str] = set()
    for row in activity:
        near = [paid for paid in by_position.get(row.position_id, ()) if abs(paid.at - row.at) <= _SAME_PAYMENT]
        for _, amount in row.amounts:
            equal = {code for paid in near for code, net in paid.amounts if code and net == amount and amount}
            proven |= equal if len(equal) == 1 else set()
    return frozenset(proven)


def _refuse(
    place: Place, summary: Summary, amounts_in: tuple[str, ...], named: frozenset[str], proven: frozenset[str]
) -> NoReturn:
    said = [f"the Currency cell says {shown(summary.currency_cell)!r}"]
    if summary.heading_currency:
        said.append(f"the heading says {summary.heading_currency}")
    said.append(f"Account Activity has {', '.join(f'Amount in {code}' for code in amounts_in) or 'no Amount in GBP'}")
    if named:
        said.append(f"headers name {', '.join(sorted(named))}")
    if proven:
        said.append(f"the dividends are booked in {', '.join(sorted(proven))}")
    place.fail(
        summary.currency_row,
        f"{'; '.join(said)}. In which currency the amounts are is not known for this combination, and is not guessed. "
        "Type the snapshot in by hand, and have this kind of statement added.",
        "Currency",
    )
