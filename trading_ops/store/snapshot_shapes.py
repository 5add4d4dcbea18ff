"""What the parts of a data snapshot hold, by kind and layout: their columns, and the query that writes their text.

A layout is never changed once a snapshot was made of it: tickets are rebuilt from it years later. New needs are a new
layout, and a part says which one it has.
"""

from dataclasses import dataclass

import pyarrow as pa

from trading_ops.store.chosen import RANKED_ACTIONS

_PRICE = pa.decimal128(20, 8)
_VALUE = pa.decimal128(20, 10)

# Of all that is known at the watermark: the first source in the policy's order, its newest revision. Two rows of one
# rank are a duplicate, and stay visible to the data gate. One text a month, the rows in a total order.
_CHOSEN = """
    SELECT date_trunc('month', {day})::date AS month,
           string_agg(concat_ws(',', {columns}), E'\\n' ORDER BY {key}, source, revision, {columns}) || E'\\n' AS text
    FROM (SELECT *, rank() OVER (PARTITION BY {key}
                                 ORDER BY array_position(%(order)s::text[], source), revision DESC) AS pick
          FROM {table}
          WHERE {day} BETWEEN %(first)s AND %(last)s AND load_id <= %(mark)s AND source = ANY(%(order)s)) x
    WHERE pick = 1 AND {wanted}
    GROUP BY 1"""

# Every other source's newest revision of what the chosen source has.
_OTHERS = """
    SELECT date_trunc('month', {day})::date AS month,
           string_agg(concat_ws(',', {columns}), E'\\n'
                      ORDER BY {key}, array_position(%(order)s::text[], source), {columns}) || E'\\n' AS text
    FROM (SELECT *,
                 first_value(source) OVER (PARTITION BY {key}
                                           ORDER BY array_position(%(order)s::text[], source)) AS chosen,
                 row_number() OVER (PARTITION BY {key}, source ORDER BY revision DESC) AS newest
          FROM {table}
          WHERE {day} BETWEEN %(first)s AND %(last)s AND load_id <= %(mark)s AND source = ANY(%(order)s)) x
    WHERE source <> chosen AND newest = 1
    GROUP BY 1"""

_ACTIONS = """
    SELECT date_trunc('month', ex_date)::date AS month,
           string_agg(concat_ws(',', {columns}), E'\\n' ORDER BY ex_date, symbol, kind, place) || E'\\n' AS text
    FROM ranked
    WHERE {which} AND value > 0
    GROUP BY 1"""


@dataclass(frozen=True)
class Shape:
    """One kind of part in one layout.

    Attributes:
        columns: Column names with their types.
        sql: The query of its monthly texts, with parameters `first`, `last`, `order` and `mark`.
        looks_at: The tables whose loads can change it, each with its column of days.
    """

    columns: dict[str, pa.DataType]
    sql: str
    looks_at: tuple[tuple[str, str], ...]


_BARS = ("ops.market_prices_eod", "session")
_ACTION_ROWS = ("ops.corporate_actions", "ex_date")
_RATES = ("ops.fx_rates_eod", "day")

_OLD_BAR = {
    "session": pa.date32(), "symbol": pa.string(), "open": _PRICE, "high": _PRICE, "low": _PRICE, "close": _PRICE,
    "adj_close": _PRICE, "volume": pa.decimal128(20, 0), "source": pa.string(), "revision": pa.int32(),
    "simulated": pa.string(),
}  # fmt: skip
_BAR = _OLD_BAR | {"flags": pa.string()}
_WITNESS_BAR = {
    "session": pa.date32(), "symbol": pa.string(), "close": _PRICE, "source": pa.string(), "revision": pa.int32(),
    "flags": pa.string(),
}  # fmt: skip
_ACTION = {
    "ex_date": pa.date32(), "symbol": pa.string(), "kind": pa.string(), "value": _VALUE, "source": pa.string(),
    "revision": pa.int32(), "simulated": pa.string(),
}  # fmt: skip
_FIXING = {
    "day": pa.date32(), "rate": _PRICE, "source": pa.string(), "revision": pa.int32(), "simulated": pa.string(),
}  # fmt: skip


def _expressions(columns: dict[str, pa.DataType]) -> str:
    # A comma separates columns, so flags are separated by something else.
    return ", ".join("replace(flags, ',', '|')" if name == "flags" else name for name in columns)


def _of(
    template: str, table: tuple[str, str], columns: dict[str, pa.DataType], key: str, wanted: str = "true"
) -> Shape:
    sql = template.format(table=table[0], day=table[1], columns=_expressions(columns), key=key, wanted=wanted)
    return Shape(columns, sql, (table,))


def _actions(which: str) -> Shape:
    sql = RANKED_ACTIONS + _ACTIONS.format(columns=_expressions(_ACTION), which=which)
    return Shape(_ACTION, sql, (_ACTION_ROWS, _BARS))


SHAPES: dict[tuple[str, int], Shape] = {
    ("bars", 1): _of(_CHOSEN, _BARS, _OLD_BAR, "session, symbol"),
    ("bars", 2): _of(_CHOSEN, _BARS, _BAR, "session, symbol"),
    ("actions", 1): _of(_CHOSEN, _ACTION_ROWS, _ACTION, "ex_date, symbol, kind", "value > 0"),
    ("actions", 2): _actions("picked"),
    ("fixings", 1): _of(_CHOSEN, _RATES, _FIXING, "day"),
    ("witness_bars", 1): _of(_OTHERS, _BARS, _WITNESS_BAR, "session, symbol"),
    ("witness_actions", 1): _actions("NOT picked"),
    ("witness_fixings", 1): _of(_OTHERS, _RATES, _FIXING, "day"),
}
"""Every layout that ever was."""

CURRENT: dict[str, int] = {kind: max(layout for k, layout in SHAPES if k == kind) for kind, _ in SHAPES}
"""The layout in which new parts of a kind are written."""

WITNESSES = ("witness_bars", "witness_actions", "witness_fixings")
"""Kinds that are empty as long as there is one source."""
