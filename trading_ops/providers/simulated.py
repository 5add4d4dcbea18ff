"""A market that never was: deterministic from a seed, with splits, dividends, halts and holidays.

The same seed gives a name the same bars whatever range or other names are asked for, so histories can be extended.
`adj_close` is therefore anchored at the name's first bar, not at its last: nothing is ever revised.
How the numbers come about is in `simulated_model`; here they become facts.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trading_ops.domain import calendar
from trading_ops.domain.universe import Instrument
from trading_ops.providers import simulated_model as model
from trading_ops.providers.columns import constant
from trading_ops.providers.formats.parts import make_bars
from trading_ops.providers.protocol import (
    ACTIONS,
    BARS,
    FIXINGS,
    PRICE,
    VALUE,
    Fetched,
    Outcome,
    Provenance,
    Refusal,
    RefusalKind,
    Request,
)

SOURCE = "simulated"
EPOCH = dt.date(2000, 1, 3)
"""The simulated market's first session; every path starts here or at its name's listing."""
_SCALE = 10**8
"""PRICE keeps eight decimals: amounts travel as whole numbers of 1e-8, so no float is ever written out."""


@dataclass(frozen=True, slots=True)
class SimulatedProvider:
    """The simulated market of one seed.

    Attributes:
        seed: Any whole number >= 0.
    """

    seed: int

    @property
    def name(self) -> str:
        """`simulated`, on every row."""
        return SOURCE

    def fetch(self, request: Request) -> Outcome:
        """Bars, actions and fixings of the request's days; both of its ends must be given."""
        where = f"simulated market, seed {self.seed}"
        if request.first is None or request.last is None or request.first > request.last:
            sentence = "a first and a last day are needed, in this order. Give both."
            return Refusal(RefusalKind.NOTHING_IN_RANGE, where, sentence)
        if request.first < EPOCH:
            sentence = f"there is nothing before {EPOCH}. Ask for later days."
            return Refusal(RefusalKind.NOTHING_IN_RANGE, where, sentence)
        names = [request.universe.instruments[symbol] for symbol in sorted(request.universe.instruments)]
        sessions = calendar.sessions(EPOCH, request.last)
        begin = int(np.searchsorted(np.array(sessions, "datetime64[D]"), np.datetime64(request.first)))
        fixings = _fixings(self.seed, request.first, request.last)
        if begin == len(sessions) and not fixings.num_rows:
            sentence = f"there is no session from {request.first} to {request.last}. Ask for a longer time."
            return Refusal(RefusalKind.NOTHING_IN_RANGE, where, sentence)
        paths = model.simulate(self.seed, [_traits(name) for name in names], sessions)
        days = np.array(sessions, "datetime64[D]")
        return Fetched(
            bars=_bars(names, days, paths, begin),
            actions=_actions(names, days, paths, begin),
            fixings=fixings,
            provenance=Provenance(source=SOURCE, notes=(f"seed {self.seed}", f"model {model.VERSION}")),
        )


def _traits(name: Instrument) -> model.Traits:
    return model.Traits(name.symbol, index_fund=name.instrument_type == "etf", listed_from=name.listed_from)


def _bars(names: list[Instrument], days: np.ndarray, paths: model.Paths, begin: int) -> pa.Table:
    # Transposed, so that rows come out by symbol and then by session.
    traded = paths.traded[begin:].T
    column, row = np.nonzero(traded)
    if not len(column):
        return BARS.empty_table()
    numbers = {
        "open": _exact(paths.open[begin:].T[traded], 2),
        "high": _exact(paths.high[begin:].T[traded], 2),
        "low": _exact(paths.low[begin:].T[traded], 2),
        "close": _exact(paths.close[begin:].T[traded], 2),
        "adj_close": _exact(paths.adj_close[begin:].T[traded], 6),
        "volume": _exact(paths.volume[begin:].T[traded], 0),
    }
    return make_bars(_symbols(names, column), pa.array(days[begin:][row]), numbers, SOURCE)


def _actions(names: list[Instrument], days: np.ndarray, paths: model.Paths, begin: int) -> pa.Table:
    rows = []
    for kind, values, absent in (("dividend", paths.dividend, 0.0), ("split", paths.split, 1.0)):
        column, row = np.nonzero(np.not_equal(values[begin:].T, absent))
        amounts = _exact(values[begin:].T[column, row], 2).cast(pa.decimal128(38, 10)).cast(VALUE)
        table = [_symbols(names, column), pa.array(days[begin:][row]), constant(kind, len(column)), amounts]
        rows.append(pa.table([*table, constant(SOURCE, len(column))], schema=ACTIONS))
    keys = [("symbol", "ascending"), ("ex_date", "ascending"), ("kind", "ascending")]
    return pa.concat_tables(rows).sort_by(keys).combine_chunks()


def _fixings(seed: int, first: dt.date, last: dt.date) -> pa.Table:
    days, rates = model.fixings(seed, EPOCH, last)
    kept = days >= np.datetime64(first)
    columns = [pa.array(days[kept]), _exact(rates[kept], 5), constant(SOURCE, int(kept.sum()))]
    return pa.table(columns, schema=FIXINGS)


def _symbols(names: list[Instrument], column: np.ndarray) -> pa.Array:
    return pa.array([name.symbol for name in names], pa.string()).take(pa.array(column))


def _exact(values: np.ndarray, places: int) -> pa.Array:
    """Floats that stand for numbers with so many decimals, as exactly those numbers."""
    whole = np.rint(values * 10.0**places).astype(np.int64)
    shifted = pa.array(whole * (_SCALE // 10**places), pa.int64()).cast(pa.decimal128(19, 0))
    # The same digits read at eight decimals: an exact division by 1e8.
    return pa.Array.from_buffers(PRICE, len(shifted), shifted.buffers(), shifted.null_count)
