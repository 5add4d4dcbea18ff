"""The simulated market's arithmetic: factors, clustered volatility, corporate actions and faults, in floats.

Floats are allowed here because what comes out is stored as a fact and never computed again; every price is rounded
to cents on its way, and the next session starts from the rounded one. Each name draws from its own stream, one row a
session, so neither other names nor a longer history change it. Only elementwise operations: no threads, no BLAS.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VERSION = 1
"""Raise it with any change that alters a number."""

_YEAR = 252
_MAX_MOVE = 0.27
"""Largest logarithmic move of a session, below the gate's ln 1.4: what looks suspicious is put there on purpose."""
_CRASHES = 1 / 400
"""Sessions on which the whole market shakes."""
_MISSING = 1 / 8000
_NO_TRADE = 1 / 3000
_SPECIAL = 1 / 40000
_SPLIT_WHEN_DEAR = 1 / 120
_DEAR = 260.0
_CHEAP = 4.0
_SECTORS = 10


@dataclass(frozen=True, slots=True)
class Traits:
    """What the model needs to know of a name."""

    symbol: str
    index_fund: bool
    listed_from: dt.date | None


@dataclass(frozen=True)
class Paths:
    """Sessions by names. Prices in USD and cents, `dividend` in USD a share, `split` in new units an old one."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    adj_close: np.ndarray
    volume: np.ndarray
    dividend: np.ndarray
    split: np.ndarray
    traded: np.ndarray


def stream(seed: int, name: str, purpose: int) -> np.random.Generator:
    """The random numbers of one name and purpose: independent of every other stream."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose, *name.encode()])))


def simulate(seed: int, names: Sequence[Traits], sessions: Sequence[dt.date]) -> Paths:
    """Every name's path from the first session on.

    Args:
        seed: The market's seed.
        names: The names; their order decides the columns and nothing else.
        sessions: All sessions from the epoch to the last one wanted.
    """
    length, width = len(sessions), len(names)
    normal = np.empty((4, length, width))
    chance = np.empty((4, length, width))
    for column, name in enumerate(names):
        normal[:, :, column] = stream(seed, name.symbol, 1).standard_normal((length, 4)).T
        chance[:, :, column] = stream(seed, name.symbol, 2).random((length, 4)).T
    own = _Character.of(seed, names)
    common = _market(seed, length)
    sectors = np.stack([_sector(seed, sector, length) for sector in range(_SECTORS)])
    listed = np.array([_first_index(name, sessions) for name in names])
    payday = _paydays(own, sessions)
    shape = (length, width)
    out = Paths(*(np.zeros(shape) for _ in range(7)), np.ones(shape), np.zeros(shape, bool))
    price = own.first_price.copy()
    adjusted = own.first_price.copy()
    variance = np.ones(width)
    for t in range(length):
        # GARCH(1,1) with unit mean: quiet and wild weeks come in clusters.
        shock = np.sqrt(variance) * normal[0, t]
        variance = np.minimum(0.05 + 0.08 * shock * shock + 0.87 * variance, 8.0)
        spread = own.volatility * np.sqrt(variance)
        # Names that have run far from their start are pulled back a little, or decades would end in absurd prices.
        pull = -0.0002 * np.log(adjusted / own.first_price)
        move = own.beta * common[t] + own.sector_share * sectors[own.sector, t] + own.volatility * shock + pull + 0.0002
        move = np.clip(move, -_MAX_MOVE, _MAX_MOVE)
        first = t <= listed
        dear = (price > _DEAR) & (chance[0, t] < _SPLIT_WHEN_DEAR) & ~own.fund
        cheap = (price < _CHEAP) & ~own.fund
        ratio = np.where(dear, own.usual_split, np.where(cheap, 0.1, 1.0))
        ratio = np.where(first | payday[t], 1.0, ratio)
        special = (chance[1, t] < _SPECIAL) & ~own.fund & (ratio == 1.0) & ~first
        paid = np.where(payday[t] & ~first, np.round(price * own.dividend_yield / 4, 2), 0.0)
        paid = np.where(special, np.round(price * 0.15, 2), paid)
        event = (ratio != 1.0) | (paid > 0)
        halted = (chance[2, t] < _NO_TRADE) & ~own.fund & ~event & ~first
        missing = (chance[3, t] < _MISSING) & ~own.fund & ~event & ~first
        move = np.where(halted | missing | first, 0.0, move)
        base = (price - paid) / ratio
        close = np.maximum(np.round((price * np.exp(move) - paid) / ratio, 2), 0.01)
        gap = 0.35 * move + 0.25 * spread * normal[1, t]
        opened = np.where(halted | first, close, np.maximum(np.round(base * np.exp(gap), 2), 0.01))
        reach = np.where(halted, 0.0, 0.5 * spread)
        high = np.maximum(np.round(np.maximum(opened, close) * np.exp(reach * np.abs(normal[2, t])), 2), close)
        low = np.maximum(np.round(np.minimum(opened, close) * np.exp(-reach * np.abs(normal[3, t])), 2), 0.01)
        adjusted = adjusted * np.where(first, 1.0, (close * ratio + paid) / price)
        busy = np.exp(0.3 * normal[2, t] + 12 * np.abs(move))
        out.open[t], out.high[t], out.low[t], out.close[t] = opened, np.maximum(high, opened), low, close
        out.adj_close[t], out.dividend[t], out.split[t] = np.round(adjusted, 6), paid, ratio
        out.volume[t] = np.where(halted, 0.0, np.rint(own.turnover * busy / close))
        out.traded[t] = (t >= listed) & ~missing
        price = close
    return out


@dataclass(frozen=True)
class _Character:
    """What does not change in a name, one entry a name."""

    fund: np.ndarray
    beta: np.ndarray
    volatility: np.ndarray
    sector: np.ndarray
    sector_share: np.ndarray
    first_price: np.ndarray
    dividend_yield: np.ndarray
    usual_split: np.ndarray
    turnover: np.ndarray
    pay_month: np.ndarray
    pay_day: np.ndarray

    @classmethod
    def of(cls, seed: int, names: Sequence[Traits]) -> "_Character":
        draws = np.array([stream(seed, name.symbol, 0).random(10) for name in names]).reshape(len(names), 10).T
        fund = np.array([name.index_fund for name in names], bool)
        pays = (draws[4] < 0.7) | fund
        return cls(
            fund=fund,
            beta=np.where(fund, 1.0, 0.6 + 0.8 * draws[0]),
            volatility=np.where(fund, 0.0015, 0.009 + 0.012 * draws[1]),
            sector=np.floor(draws[2] * _SECTORS).astype(int),
            sector_share=np.where(fund, 0.15, 0.5 + 0.7 * draws[3]),
            first_price=np.round(np.where(fund, 140.0, 30.0) + 120.0 * draws[5], 2),
            dividend_yield=np.where(pays, 0.01 + 0.03 * draws[6], 0.0),
            usual_split=np.array([2.0, 3.0, 4.0, 1.5])[np.floor(draws[7] * 4).astype(int)],
            turnover=np.where(fund, 9e9, 2e8 * (1 + 9 * draws[8])),
            pay_month=np.floor(draws[9] * 3).astype(int),
            pay_day=3 + np.floor(draws[9] * 997).astype(int) % 22,
        )


def _market(seed: int, length: int) -> np.ndarray:
    """Returns of the market as a whole: a small drift, clustered volatility, now and then a shake."""
    normal = stream(seed, "", 3).standard_normal(length)
    chance = stream(seed, "", 4).random(length)
    returns = np.empty(length)
    variance = 1.0
    for t in range(length):
        shock = np.sqrt(variance) * normal[t] * (2.5 if chance[t] < _CRASHES else 1.0)
        returns[t] = 0.07 / _YEAR + 0.0085 * shock
        variance = min(0.04 + 0.09 * shock * shock + 0.87 * variance, 9.0)
    return returns


def _sector(seed: int, sector: int, length: int) -> np.ndarray:
    return 0.005 * stream(seed, f"sector {sector}", 3).standard_normal(length)


def _first_index(name: Traits, sessions: Sequence[dt.date]) -> int:
    if name.listed_from is None:
        return 0
    return int(np.searchsorted(np.array(sessions, "datetime64[D]"), np.datetime64(name.listed_from)))


def _paydays(own: _Character, sessions: Sequence[dt.date]) -> np.ndarray:
    """True on the first session on or after a name's pay day, in each of its four months."""
    month = np.array([session.month for session in sessions])[:, None]
    day = np.array([session.day for session in sessions])[:, None]
    reached = (month % 3 == own.pay_month) & (day >= own.pay_day)
    before = np.zeros_like(reached)
    before[1:] = reached[:-1]
    return reached & ~before & (own.dividend_yield > 0)


def fixings(seed: int, first: dt.date, last: dt.date) -> tuple[np.ndarray, np.ndarray]:
    """Dollars for one pound on every European banking day from the first to the last, to five decimals."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    weekdays = days[np.is_busday(days)]
    normal = stream(seed, "GBPUSD", 3).standard_normal(len(weekdays))
    rates = np.empty(len(weekdays))
    level = np.log(1.42)
    for t, shock in enumerate(normal):
        level += 0.0055 * shock - 0.002 * (level - np.log(1.42))
        rates[t] = level
    open_days = ~np.isin(weekdays, _holidays(first.year, last.year))
    return weekdays[open_days], np.round(np.exp(rates[open_days]), 5)


def _holidays(first_year: int, last_year: int) -> np.ndarray:
    """Days without an ECB fixing: New Year, Good Friday, Easter Monday, 1 May, Christmas and the day after."""
    found: list[dt.date] = []
    for year in range(first_year, last_year + 1):
        sunday = easter(year)
        found += [sunday - dt.timedelta(days=2), sunday + dt.timedelta(days=1)]
        found += [dt.date(year, month, day) for month, day in ((1, 1), (5, 1), (12, 25), (12, 26))]
    return np.array(found, "datetime64[D]")


def easter(year: int) -> dt.date:
    """Easter Sunday, Gregorian (the anonymous algorithm of Nature, 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return dt.date(year, f // 31, f % 31 + 1)
