"""Files that a person hands in: fills and broker snapshots as CSV, checked line by line before anything is kept.

A statement's workbook is only fetched here; `trading_ops.broker` reads it.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from trading_ops.domain.answer import Answer
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput

FILL_COLUMNS = ("line", "status", "units", "price_usd", "value_gbp", "fee_gbp", "executed_at", "position_id", "reason")
SNAPSHOT_COLUMNS = ("symbol", "units")
CASH = "CASH"
UNIT_PLACES = 6


def _rows(path: Path, columns: Sequence[str], required: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise BadInput(f"{path}: there is no such file.") from exc
    except UnicodeDecodeError as exc:
        raise BadInput(f"{path}: is not UTF-8 text. Save it as CSV UTF-8.") from exc
    reader = csv.reader(text.splitlines())
    header = [name.strip() for name in next(reader, [])]
    if not header:
        raise BadInput(f"{path}: the file is empty. Its first line names the columns: {', '.join(columns)}.")
    if len(header) == 1 and ";" in header[0]:
        raise BadInput(f"{path}, line 1: the columns are separated by semicolons. Save it with commas.")
    for name in header:
        if name not in columns:
            raise BadInput(f"{path}, line 1: unknown column {name!r}. Use {', '.join(columns)}.")
    for name in required:
        if name not in header:
            raise BadInput(f"{path}, line 1: column {name!r} is missing. Use {', '.join(columns)}.")
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{path}, line {reader.line_num}"
        if len(cells) != len(header):
            raise BadInput(f"{where}: {len(cells)} cells where the header has {len(header)}. The file may be cut off.")
        yield where, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook by its name or its first bytes."""
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def whole(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BadInput: There is none, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{path}: cannot be read ({exc.strerror}).") from exc


def number(text: str, where: str, column: str) -> Decimal:
    """A number as a person typed it; thousands separators are refused rather than guessed."""
    try:
        value = Decimal(text)
    except InvalidOperation as exc:
        raise BadInput(f"{where}, column {column}: {text!r} is not a number. Write 1234.56.") from exc
    if not value.is_finite():
        raise BadInput(f"{where}, column {column}: {text!r} is not a finite number. Write 1234.56.")
    return value


def said(text: str, option: str) -> str:
    """What a person gave as a reason.

    Raises:
        BadInput: It is blank.
    """
    if not text.strip():
        raise BadInput(f"{option}: write why, in a few words.")
    return text.strip()


def not_in_the_future(day: dt.date, today: dt.date, option: str) -> dt.date:
    """A day that has come.

    Raises:
        BadInput: It has not.
    """
    if day > today:
        raise BadInput(f"{option}: {day} is in the future (today is {today}). Nothing was recorded.")
    return day


def day_of(text: str, where: str) -> dt.date:
    """A date as a person typed it.

    Raises:
        BadInput: It is none.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as exc:
        raise BadInput(f"{where}: {text!r} is not a date. Write 2018-02-02.") from exc


def moment(text: str, where: str, column: str) -> dt.datetime:
    """An instant; one without zone is London's, as the executor's clock shows it."""
    try:
        at = dt.datetime.fromisoformat(text)
        if len(text) <= len("2018-02-05"):
            raise ValueError(text)
    except ValueError as exc:
        raise BadInput(f"{where}, column {column}: {text!r} is not a time. Write 2018-02-05 14:50.") from exc
    return (at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(dt.UTC)


def answers(path: Path) -> list[Answer]:
    """Read `fills.csv`: one row a line of the ticket.

    Raises:
        BadInput: Names the file's line and column that are wrong.
    """
    found: list[Answer] = []
    for where, row in _rows(path, FILL_COLUMNS, ("line", "status")):
        if not row["line"].isdigit():
            raise BadInput(f"{where}, column line: {row['line']!r} is not a line number of the ticket.")
        numbers = {
            name: number(row[name], where, name) if row.get(name) else None
            for name in ("units", "price_usd", "value_gbp", "fee_gbp")
        }
        at = moment(row["executed_at"], where, "executed_at") if row.get("executed_at") else None
        found.append(
            Answer(
                int(row["line"]), row["status"].upper(), row.get("reason", ""), numbers["units"], numbers["price_usd"],
                numbers["value_gbp"], numbers["fee_gbp"], at, row.get("position_id") or None,
            )
        )  # fmt: skip
    twice = {a.line for a in found if [b.line for b in found].count(a.line) > 1}
    if twice:
        raise BadInput(f"{path}: line {min(twice)} of the ticket is answered twice. Keep one of them.")
    if not found:
        raise BadInput(f"{path}: there is no answer in it.")
    return found


def snapshot(path: Path) -> tuple[Decimal, dict[str, tuple[Decimal, int]]]:
    """Read `snapshot.csv`: a row `CASH,1234.56` and one row a holding.

    Returns:
        Cash in pounds, and units with the number of decimals typed by symbol.

    Raises:
        BadInput: Names the file's line and column that are wrong.
    """
    cash: Decimal | None = None
    holdings: dict[str, tuple[Decimal, int]] = {}
    for where, row in _rows(path, SNAPSHOT_COLUMNS, SNAPSHOT_COLUMNS):
        value = number(row["units"], where, "units")
        symbol = row["symbol"].upper()
        if symbol in holdings or (symbol == CASH and cash is not None):
            raise BadInput(f"{where}: {symbol} stands twice. Add its positions up into one row.")
        exponent = value.as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
        if symbol == CASH:
            if places > 2:
                raise BadInput(f"{where}: cash {row['units']} has more than two decimals. Write pounds and pence.")
            cash = value
            continue
        if value < 0 or places > UNIT_PLACES:
            raise BadInput(f"{where}, column units: {row['units']} must be 0 or more, with at most 6 decimals.")
        holdings[symbol] = (value, places)
    if cash is None:
        raise BadInput(f"{path}: the row `{CASH},<available pounds>` is missing.")
    return cash, {symbol: held for symbol, held in holdings.items() if held[0] > 0}
