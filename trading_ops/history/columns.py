"""Bars and corporate actions as columns in order, one bar a name and session: the chosen source's.

Belongs here: choosing and ordering, and the way back from a place in the columns to an exact row.
Does not belong here: judging anything. Floats here only find; what is found is judged by its decimals.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trading_ops.domain.policy import Data
from trading_ops.domain.prices import ACTIONS_UNKNOWN, NOT_ADJUSTED, Bar, CorporateAction, clean_ratio

PRICES = ("open", "high", "low", "close", "adj_close")


@dataclass(frozen=True)
class Columns:
    """Bars by name and session, ascending; each array has one entry a bar.

    Attributes:
        table: The rows as they came, in the providers' BARS schema.
        row: Row of the table.
        name: Index into `names`.
        day: The session in days since 1970.
        names: Symbols, sorted.
    """

    table: pa.Table
    row: np.ndarray
    name: np.ndarray
    day: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.row)

    def at(self, places: np.ndarray) -> "Columns":
        """The bars at some places or where a mask is true."""
        return Columns(self.table, self.row[places], self.name[places], self.day[places], self.names)

    def floats(self, column: str) -> np.ndarray:
        """One column as floats, to find with."""
        whole: np.ndarray = self.table[column].cast(pa.float64()).to_numpy()
        return whole[self.row]

    def flagged(self, flag: str) -> np.ndarray:
        """Which bars carry a flag."""
        whole: np.ndarray = np.asarray(pc.match_substring(self.table["flags"], flag).combine_chunks())
        return whole[self.row]

    def rows(self, places: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
        """Exact rows at some places."""
        found: list[dict[str, Any]] = self.table.take(pa.array(self.row[places], pa.int64())).to_pylist()
        return found

    def bars(self, places: Sequence[int] | np.ndarray) -> list[Bar]:
        """Exact bars at some places."""
        return [as_bar(row) for row in self.rows(places)]

    def key(self, place: int | np.integer[Any]) -> tuple[str, dt.date]:
        """Symbol and session at a place."""
        return self.names[self.name[place]], date_of(self.day[place])

    def place(self, symbols: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Place of a name's first bar on or after a day, or the place after its last one."""
        return np.searchsorted(self._keys(self.name, self.day), self._keys(symbols, days))

    def find(self, symbols: Sequence[str], days: Sequence[dt.date]) -> np.ndarray:
        """Places of the first bars of names on days, -1 where there is none."""
        rank = {name: index for index, name in enumerate(self.names)}
        names = np.array([rank.get(symbol, -1) for symbol in symbols], np.int64)
        numbers = days_of(days)
        places = np.minimum(self.place(names, numbers), len(self) - 1)
        if not len(self):
            return places
        return np.where((self.name[places] == names) & (self.day[places] == numbers), places, -1)

    @staticmethod
    def _keys(names: np.ndarray, days: np.ndarray) -> np.ndarray:
        keys: np.ndarray = names.astype(np.int64) * (1 << 32) + days
        return keys


def columns(bars: pa.Table, sources: Sequence[str]) -> tuple[Columns, Columns]:
    """All bars in order, and of each name and session the one of the first source in an order that has all of them."""
    table = bars.combine_chunks()
    coded = table["symbol"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    sorted_names = tuple(sorted(names))
    rank = {name: place for place, name in enumerate(sorted_names)}
    name = np.array([rank[n] for n in names], np.int64)[np.asarray(coded.indices)] if names else np.array([], np.int64)
    day = table["session"].cast(pa.int32()).to_numpy().astype(np.int64)
    order = np.lexsort((source_ranks(table["source"], sources), day, name))
    every = Columns(table, order, name[order], day[order], sorted_names)
    first = np.ones(len(every), bool)
    first[1:] = (every.name[1:] != every.name[:-1]) | (every.day[1:] != every.day[:-1])
    return every, every.at(first)


def order_of_sources(bars: pa.Table, actions: pa.Table, data: Data) -> tuple[str, ...]:
    """The policy's order of sources; those it does not name come last, by their names."""
    found = {source for table in (bars, actions) for source in pc.unique(table["source"]).to_pylist()}
    return (*data.source_order, *sorted(found - set(data.source_order)))


def source_ranks(sources: pa.ChunkedArray, order: Sequence[str]) -> np.ndarray:
    """Place of each row's source in an order that has all of them."""
    coded = sources.combine_chunks().dictionary_encode()
    ranks = np.array([order.index(source) for source in coded.dictionary.to_pylist()], np.int64)
    placed: np.ndarray = ranks[np.asarray(coded.indices)] if len(ranks) else ranks
    return placed


def chosen_actions(actions: pa.Table, every: Columns, order: Sequence[str], data: Data) -> tuple[CorporateAction, ...]:
    """Of each name, ex-date and kind the action that counts, in that order; splits without float noise.

    As in a plan's data snapshot it is the first source's, and none that comes after the first source with a bar of
    that session that would have told of it. An action of value 0 is one that its source took back.
    """
    telling = every.at(~every.flagged(ACTIONS_UNKNOWN))
    places = telling.find(actions["symbol"].to_pylist(), actions["ex_date"].to_pylist())
    ranks = source_ranks(actions["source"], order)
    # A place of -1 is no bar: then nobody before this source would have told of the action.
    limits = np.append(source_ranks(telling.table["source"], order)[telling.row], len(order))[places]
    first: dict[tuple[str, dt.date, str], tuple[int, dict[str, Any]]] = {}
    for rank, limit, row in zip(ranks.tolist(), limits.tolist(), actions.to_pylist(), strict=True):
        key = (row["symbol"], row["ex_date"], row["kind"])
        if rank <= limit and (key not in first or rank < first[key][0]):
            first[key] = (rank, row)
    return tuple(as_action(row, data) for _, (_, row) in sorted(first.items(), key=itemgetter(0)) if row["value"])


def as_action(row: dict[str, Any], data: Data) -> CorporateAction:
    """A row of the providers' ACTIONS schema; a split's ratio without float noise."""
    value: Decimal = row["value"]
    if row["kind"] == "split":
        value = clean_ratio(value, data.split_max_denominator, data.split_noise)
    return CorporateAction(row["symbol"], row["ex_date"], row["kind"], value, row["source"])


def as_bar(row: dict[str, Any]) -> Bar:
    """A row of the providers' BARS schema."""
    return Bar(
        symbol=row["symbol"],
        session=row["session"],
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        adj_close=row["adj_close"],
        volume=row["volume"],
        source=row["source"],
        adjusted=NOT_ADJUSTED not in row["flags"],
        tells_actions=ACTIONS_UNKNOWN not in row["flags"],
    )


def days_of(dates: Iterable[dt.date]) -> np.ndarray:
    """Dates as days since 1970."""
    return np.array(list(dates), "datetime64[D]").astype(np.int64)


def date_of(day: int | np.integer[Any]) -> dt.date:
    """A day since 1970 as a date."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(day))
