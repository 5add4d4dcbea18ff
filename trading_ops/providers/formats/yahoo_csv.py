"""Yahoo's CSV of one name: `Date, Open, High, Low, Close, Adj Close, Volume`; the file's name is Yahoo's symbol.

All of it is split-adjusted as of the day of the download. The price as traded is Close times
every later split up to that day, so the whole split history must lie beside it; else the basis is unknown and there
is no bar. Dividends are split-adjusted in the same way.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pyarrow as pa

from trading_ops.domain.values import exact, half_even
from trading_ops.providers.columns import Sheet, constant, is_number
from trading_ops.providers.formats.parts import SOURCE, Parts, make_bars, unknown_symbol
from trading_ops.providers.protocol import ACTIONS, PRICE, VALUE, RefusalKind, RefusedData, Request

PRICES_CSV = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")
SPLITS_CSV = ("Date", "Stock Splits")
DIVIDENDS_CSV = ("Date", "Dividends")
_ADJUSTED = ("open", "high", "low", "close")


class _Action(NamedTuple):
    ex_date: dt.date
    value: Fraction


def beside(name: str) -> tuple[str, str]:
    """The names of the split and dividend files that belong to a price file: AAPL.csv has AAPL.splits.csv."""
    stem = name.rsplit(".", 1)[0]
    return f"{stem}.splits.csv", f"{stem}.dividends.csv"


def read_prices(sheet: Sheet, request: Request, sidecars: Mapping[str, Sheet]) -> Parts:
    """Bars as traded, with splits and dividends.

    Args:
        sheet: The price file.
        request: Its basis `as-traded` says that a person knows the prices to be so; nothing is multiplied then.
        sidecars: The split and dividend files at hand, by name.

    Raises:
        RefusedData: An unknown name or basis, or a cell that cannot be kept.
    """
    ticker = sheet.name.rsplit(".", 1)[0]
    known = {name.yahoo_symbol: symbol for symbol, name in request.universe.instruments.items() if name.yahoo_symbol}
    if ticker not in known:
        if request.skip_unknown:
            return Parts(format="Yahoo CSV", skipped={ticker})
        raise unknown_symbol(sheet.name, ticker)
    splits_name, dividends_name = beside(sheet.name)
    as_traded = request.basis == "as-traded"
    missing = [name for name in (splits_name, dividends_name) if name not in sidecars]
    if missing and not as_traded:
        sentence = (
            "Yahoo's prices are divided by every later split, so without the split and dividend history nobody knows "
            f"what was paid. Put {' and '.join(missing)} beside it (columns {', '.join(SPLITS_CSV)} with ratios such "
            f"as 4:1, and {', '.join(DIVIDENDS_CSV)}; whole history up to the day of the download, header only when "
            "there was none), or load with --basis as-traded if you know that these are prices as traded."
        )
        raise RefusedData(RefusalKind.UNCONFIRMED_BASIS, sheet.name, sentence)
    splits = _splits(sidecars[splits_name]) if splits_name in sidecars else []
    dividends = _dividends(sidecars[dividends_name]) if dividends_name in sidecars else []
    sessions = sheet.days("Date")
    keys = (*_ADJUSTED, "adj_close", "volume")
    numbers = {key: sheet.decimals(name, PRICE) for key, name in zip(keys, PRICES_CSV[1:], strict=True)}
    if splits and not as_traded:
        factors = [_later(splits, session) for session in sessions.to_pylist()]
        for key in _ADJUSTED:
            numbers[key] = _scaled(numbers[key], factors)
        numbers["volume"] = _scaled(numbers["volume"], [1 / factor for factor in factors])
        dividends = [a._replace(value=a.value * _later(splits, a.ex_date)) for a in dividends]
    symbol = known[ticker]
    rows = len(sessions)
    return Parts(
        format="Yahoo CSV",
        bars=make_bars(constant(symbol, rows), sessions, numbers, SOURCE),
        bar_rows=pa.array(range(rows), pa.uint64()),
        actions=_actions(symbol, splits, dividends),
    )


def _splits(sheet: Sheet) -> list[_Action]:
    found = []
    ratios = sheet.text("Stock Splits").to_pylist() if sheet.table.num_rows else []
    for row, (day, text) in enumerate(zip(_days(sheet), ratios, strict=True)):
        try:
            new, _, old = text.replace("/", ":").partition(":")
            ratio = Fraction(new) / Fraction(old or "1") if is_number(new) and is_number(old or "1") else Fraction(0)
        except (ValueError, ZeroDivisionError):
            ratio = Fraction(0)
        if ratio <= 0:
            sentence = f"{text!r} is no split ratio. Write new:old, such as 4:1; nothing was kept."
            raise sheet.refuse(RefusalKind.BAD_ACTION, row, "Stock Splits", sentence)
        found.append(_Action(day, ratio))
    return found


def _dividends(sheet: Sheet) -> list[_Action]:
    found = []
    amounts = sheet.decimals("Dividends", VALUE).to_pylist() if sheet.table.num_rows else []
    for row, (day, amount) in enumerate(zip(_days(sheet), amounts, strict=True)):
        if amount <= 0:
            sentence = f"{amount} is no dividend. Correct it in the source; nothing was kept."
            raise sheet.refuse(RefusalKind.BAD_ACTION, row, "Dividends", sentence)
        found.append(_Action(day, Fraction(amount)))
    return found


def _days(sheet: Sheet) -> list[dt.date]:
    days: list[dt.date] = sheet.days("Date").to_pylist() if sheet.table.num_rows else []
    for row, day in enumerate(days):
        if day in days[:row]:
            raise sheet.refuse(
                RefusalKind.DUPLICATE_ROW, row, "Date", f"{day} is there twice. Keep one; nothing was kept."
            )
    return days


def _later(splits: list[_Action], day: dt.date) -> Fraction:
    """Product of the splits after a day."""
    factor = Fraction(1)
    for split in splits:
        if split.ex_date > day:
            factor *= split.value
    return factor


def _scaled(numbers: pa.Array, factors: list[Fraction]) -> pa.Array:
    values = zip(numbers.to_pylist(), factors, strict=True)
    return pa.array([n if f == 1 else _rounded(Fraction(n) * f, PRICE.scale) for n, f in values], PRICE)


def _rounded(number: Fraction, places: int) -> Decimal:
    with exact():
        return half_even(Decimal(number.numerator) / Decimal(number.denominator), places)


def _actions(symbol: str, splits: list[_Action], dividends: list[_Action]) -> pa.Table:
    rows = [(a, "split") for a in splits if a.value != 1] + [(a, "dividend") for a in dividends]
    columns = [
        constant(symbol, len(rows)),
        pa.array([action.ex_date for action, _ in rows], pa.date32()),
        pa.array([kind for _, kind in rows], pa.string()),
        pa.array([_rounded(action.value, VALUE.scale) for action, _ in rows], VALUE),
        constant(SOURCE, len(rows)),
    ]
    return pa.table(columns, schema=ACTIONS)
