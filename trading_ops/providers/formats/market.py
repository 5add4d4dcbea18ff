"""The desk's own market files: `symbol, date, open, high, low, close, adj_close, volume`, as traded.

With `dividend` and `split_coefficient` they carry corporate actions too; fixings are `date, eurusd, eurgbp, gbpusd`.
"""

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.providers.columns import Sheet, constant, first_true
from trading_ops.providers.formats.parts import PRICES, SOURCE, Parts, internal_symbols, make_bars
from trading_ops.providers.protocol import ACTIONS, FIXINGS, PRICE, VALUE, Flag, RefusalKind, Request

BENCHMARKS = ("symbol", "date", *PRICES, "volume")
EQUITIES = (*BENCHMARKS, "dividend", "split_coefficient")
FX = ("date", "eurusd", "eurgbp", "gbpusd")

_CROSS_TOLERANCE = Decimal("0.001")
"""Share by which gbpusd may differ from eurusd / eurgbp; their rounding explains a tenth of it."""


def read_bars(sheet: Sheet, request: Request) -> Parts:
    """Bars, and the actions where the file has them.

    Raises:
        RefusedData: The first cell that cannot be kept.
    """
    spelling = {symbol: symbol for symbol in request.universe.instruments}
    symbols, skipped = internal_symbols(sheet, "symbol", spelling, request)
    sessions = sheet.days("date")
    numbers = {name: sheet.decimals(name, PRICE) for name in (*PRICES, "volume")}
    kept = pc.is_valid(symbols)
    has_actions = "dividend" in sheet.table.column_names
    actions = _actions(sheet, symbols, sessions) if has_actions else None
    if skipped:
        symbols, sessions = symbols.filter(kept), sessions.filter(kept)
        numbers = {name: column.filter(kept) for name, column in numbers.items()}
    return Parts(
        format="market bars with actions" if has_actions else "market bars",
        bars=make_bars(symbols, sessions, numbers, SOURCE, "" if has_actions else Flag.ACTIONS_UNKNOWN),
        bar_rows=pc.indices_nonzero(kept),
        actions=actions,
        skipped=skipped,
    )


def _actions(sheet: Sheet, symbols: pa.Array, sessions: pa.Array) -> pa.Table:
    found = []
    for kind, column, none in (("dividend", "dividend", 0), ("split", "split_coefficient", 1)):
        values = sheet.decimals(column, VALUE)
        impossible = pc.less_equal if kind == "split" else pc.less
        row = first_true(impossible(values, pa.scalar(0, VALUE)))
        if row is not None:
            sentence = f"{values[row].as_py().normalize():f} is no {kind}. Correct it in the source; nothing was kept."
            raise sheet.refuse(RefusalKind.BAD_ACTION, row, column, sentence)
        some = pc.and_(pc.not_equal(values, pa.scalar(none, VALUE)), pc.is_valid(symbols))
        count = pc.sum(some).as_py() or 0
        columns = [symbols.filter(some), sessions.filter(some), constant(kind, count), values.filter(some)]
        found.append(pa.table([*columns, constant(SOURCE, count)], schema=ACTIONS))
    return pa.concat_tables(found)


def read_fixings(sheet: Sheet, request: Request) -> Parts:
    """GBPUSD fixings, each checked against its own crosses: pounds and dollars the wrong way round do not pass.

    Raises:
        RefusedData: The first cell that cannot be kept.
    """
    del request  # fixings are of no name
    days = sheet.days("date")
    rates = {name: sheet.decimals(name, PRICE) for name in FX[1:]}
    for name, column in rates.items():
        row = first_true(pc.less_equal(column, pa.scalar(0, PRICE)))
        if row is not None:
            sentence = f"{column[row].as_py()} is no exchange rate. Correct it in the source; nothing was kept."
            raise sheet.refuse(RefusalKind.BAD_FIXING, row, name, sentence)
    for row, (eurusd, eurgbp, gbpusd) in enumerate(zip(*(c.to_pylist() for c in rates.values()), strict=True)):
        if abs(eurusd / eurgbp / gbpusd - 1) > _CROSS_TOLERANCE:
            sentence = (
                f"{gbpusd.normalize():f} is not eurusd / eurgbp, {eurusd / eurgbp:.6f}. "
                "Dollars for one pound are expected; nothing was kept."
            )
            raise sheet.refuse(RefusalKind.BAD_FIXING, row, "gbpusd", sentence)
    columns = [days, rates["gbpusd"], constant(SOURCE, len(days))]
    return Parts(format="GBPUSD fixings", fixings=pa.table(columns, schema=FIXINGS))
