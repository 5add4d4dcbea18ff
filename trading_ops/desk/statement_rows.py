"""A statement's rows as the desk keeps them: which kind each is, whose name it bears, pounds signed as cash moves.

Belongs here: mapping one parsed statement; nothing is stored.
Does not belong here: the file format (`trading_ops.broker`), holdings at a date (`statement_snapshot`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading_ops.broker.activity import ActivityRow, ActivityType
from trading_ops.broker.cells import MATCH_WITHIN
from trading_ops.broker.receipts import DividendReceipt
from trading_ops.broker.statement import Statement, dividend_receipts
from trading_ops.domain.diagnosis_evidence import RowKind
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, half_even, plain
from trading_ops.store.statements import StoredRow

_OUT: Mapping[ActivityType, RowKind] = {
    ActivityType.WITHDRAW_REQUEST: "withdrawal",
    ActivityType.WITHDRAW_FEE: "fee",
    ActivityType.OVERNIGHT_FEE: "fee",
    ActivityType.SDRT: "fee",
    ActivityType.COMMISSION: "fee",
    ActivityType.CONVERSION_FEE: "fee",
}
"""Money that leaves, whether the sheet writes it with a minus or without."""
_TRADES: Mapping[ActivityType, RowKind] = {
    ActivityType.OPEN_POSITION: "open",
    ActivityType.POSITION_CLOSED: "close",
}
_AS_SIGNED: Mapping[ActivityType, RowKind] = {
    ActivityType.OVERNIGHT_REFUND: "fee",
    ActivityType.INTEREST_PAYMENT: "interest",
    ActivityType.ADJUSTMENT: "adjustment",
    ActivityType.START_COPY: "adjustment",
    ActivityType.STOP_COPY: "adjustment",
    ActivityType.EDIT_STOP_LOSS: "adjustment",
    ActivityType.STAKING: "adjustment",
    ActivityType.AIRDROP: "adjustment",
}


@dataclass
class Names:
    """Which of the desk's names a row is about: by eToro's search name, else by its position.

    A look-alike (`MSFT.RTH`) is another name; a CFD is none of the desk's.

    Attributes:
        by_search: The desk's symbol by eToro's search name, casefolded.
        by_position: The desk's symbol by Position ID, as the ledger and older statements have it.
        by_company: The desk's symbol by the company's name, casefolded; for sheets that name companies.
        unknown: What rows called names that the desk does not know.
        cfds: What rows marked CFD are about.
    """

    by_search: Mapping[str, str]
    by_position: dict[str, str]
    by_company: Mapping[str, str]
    unknown: set[str] = field(default_factory=set)
    cfds: set[str] = field(default_factory=set)

    def of(self, text: str | None, position_id: str | None, is_cfd: bool | None) -> str | None:
        """The desk's symbol, or None; what could not be told is remembered."""
        said = (text or "").strip()
        if is_cfd:
            self.cfds.add(said or f"position {position_id}")
            return None
        symbol = self.by_search.get(said.casefold())
        if symbol is None and position_id is not None:
            symbol = self.by_position.get(position_id)
        symbol = symbol or self.by_company.get(said.casefold())
        if symbol is None and said:
            self.unknown.add(said)
        return symbol


def learn_positions(statement: Statement, names: Names) -> None:
    """Take in which position is which name, as the trades of this statement say."""
    for row in statement.activity:
        if row.position_id and row.symbol and row.type in _TRADES:
            symbol = None if row.is_cfd else names.by_search.get(row.symbol.casefold())
            names.by_position.pop(row.position_id, None)  # a look-alike stays one, whatever the ledger took it for
            if symbol is not None:
                names.by_position[row.position_id] = symbol


def rows_of(statement: Statement, names: Names) -> tuple[StoredRow, ...]:
    """Every row that moves cash or units, once; dividends once though two sheets list them."""
    movements = [_of_activity(row, statement, names) for row in statement.activity]
    found = [row for row in movements if row is not None]
    found += [_of_receipt(receipt, names) for receipt in dividend_receipts(statement)]
    return tuple(found)


def _of_activity(row: ActivityRow, statement: Statement, names: Names) -> StoredRow | None:
    """The row, or None for a dividend: those come from both sheets together."""
    if row.type is ActivityType.DIVIDEND:
        return None
    kind, amount = _kind_and_pounds(row)
    units = row.units
    if units is None and kind == "close":
        units = _closed_units(row, statement)
    body: dict[str, object] = {
        "type": row.type.value, "details": row.details, "amount": _text(row.amount), "currency": row.currency,
        "balance": _text(row.balance), "units": _text(row.units), "when": row.when.text, "asset_type": row.asset_type,
        "split": f"{plain(row.split.first)}:{plain(row.split.second)}" if row.split else None,
    }  # fmt: skip
    symbol = names.of(row.symbol, None if row.symbol else row.position_id, row.is_cfd)
    return StoredRow(
        row.key, row.sheet, row.row, kind, row.at, symbol, _units(units), _pence(amount), row.position_id, body
    )


def _kind_and_pounds(row: ActivityRow) -> tuple[RowKind, Decimal | None]:
    pounds = row.amount_gbp
    if row.type in _OUT:
        return _OUT[row.type], None if pounds is None else -abs(pounds)
    if row.type in _TRADES:
        return _TRADES[row.type], None if pounds is None else abs(pounds)
    if row.type is ActivityType.SPLIT:
        return "split", None
    if row.type is ActivityType.DEPOSIT:
        return "deposit", pounds
    if row.type is ActivityType.TRANSFER:
        return ("withdrawal" if (row.amount or ZERO) < ZERO else "deposit"), pounds
    return _AS_SIGNED[row.type], pounds


def _closed_units(row: ActivityRow, statement: Statement) -> Decimal | None:
    """Units of a closing that Account Activity does not tell: those of the one row of Closed Positions that fits."""
    fitting = [
        c.units
        for c in statement.closed
        if c.position_id == row.position_id and abs(c.closed.at - row.at) <= MATCH_WITHIN
    ]
    return fitting[0] if len(fitting) == 1 else None


def _of_receipt(receipt: DividendReceipt, names: Names) -> StoredRow:
    sheet, number = receipt.rows[0]
    body: dict[str, object] = {
        "keys": list(receipt.keys), "symbol": receipt.symbol, "instrument": receipt.instrument,
        "net": plain(receipt.net), "currency": receipt.currency, "when": receipt.when.text,
        "withheld": {code: plain(amount) for code, amount in receipt.withheld},
        "rows": [[name, place] for name, place in receipt.rows],
    }  # fmt: skip
    position_id = None if receipt.symbol else receipt.position_id
    symbol = names.of(receipt.symbol or receipt.instrument, position_id, receipt.is_cfd)
    return StoredRow(
        receipt.keys[0], sheet, number, "dividend", receipt.when.at, symbol, None, _pence(receipt.net_gbp),
        receipt.position_id, body,
    )  # fmt: skip


def _units(units: Decimal | None) -> Decimal | None:
    return None if units is None else half_even(abs(units), UNIT_PLACES)


def _pence(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else half_even(amount, PENCE_PLACES)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
