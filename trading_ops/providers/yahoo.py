"""Yahoo as a source of bars, corporate actions and GBPUSD, one symbol at a time.

Belongs here: what is asked for, and the desk's tables from what is told. Does not belong here: yfinance
(`yahoo_client`), the chart's fields (`yahoo_chart`), or which splits count (`yahoo_splits`).

A bar is asked for through the day of asking, whatever the last session wanted is: so the answer itself carries every
split its prices were divided by. Yahoo's adjusted close drifts with every dividend and is never kept.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from trading_ops.domain import calendar
from trading_ops.domain.universe import Instrument
from trading_ops.domain.values import half_even
from trading_ops.providers.fixings import fixings_table, vet_fixings
from trading_ops.providers.protocol import (
    ACTIONS,
    BARS,
    FIXINGS,
    PRICE,
    Ask,
    Fetched,
    FileFact,
    Outcome,
    Provenance,
    Refusal,
    RefusalKind,
    RefusedData,
)
from trading_ops.providers.vetting import vet
from trading_ops.providers.yahoo_bars import SOURCE, actions_as_traded, bars_as_traded, gaps, oddities
from trading_ops.providers.yahoo_chart import Chart, Wanted, read_chart
from trading_ops.providers.yahoo_client import YahooClient
from trading_ops.providers.yahoo_splits import basis_of

KINDS = {"stock": ("EQUITY",), "etf": ("ETF",)}
FIRST_TRADE, LAST_TRADE = dt.time(9, 30), dt.time(17, 0)
"""Yahoo dates a session's row at its open, and the newest one at its last trade."""
CLOSING = dt.timedelta(hours=1)
"""After a close, during which the newest row still bears the time of its last trade."""
FX_SYMBOL = "GBPUSD=X"
LONDON = ZoneInfo("Europe/London")
OVERLAP = dt.timedelta(days=14)
"""How far back a close on record is asked for again, as a witness of what the prices were divided by."""


class Yahoo:
    """Yahoo's daily charts of US stocks and ETFs.

    Args:
        base_url: `http://127.0.0.1:port` where a test or a drill plays Yahoo; None for Yahoo itself.
        timeout: Seconds for everything that one name needs.
        proxy: URL of a proxy, or None.

    Raises:
        ConfigError: The base URL is not on this machine.
    """

    name = SOURCE
    has_actions = True

    def __init__(self, base_url: str | None = None, timeout: float = 20.0, proxy: str | None = None) -> None:
        self._client = YahooClient(base_url, timeout, proxy)

    def spelling(self, instrument: Instrument) -> str:
        """How Yahoo writes a name; empty when it does not have it."""
        return instrument.yahoo_symbol

    def fetch(self, ask: Ask) -> Outcome:
        """Bars as traded and corporate actions of one name within the days asked for; never raises for bad data."""
        try:
            return _fetch(self._client, ask)
        except RefusedData as error:
            return error.refusal
        except Exception as error:
            return _unread(self._client, ask.instrument.yahoo_symbol, error)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


class YahooFixings:
    """Yahoo's GBPUSD: the close of a London day, in US dollars for one pound. Arguments as of `Yahoo`."""

    name = SOURCE

    def __init__(self, base_url: str | None = None, timeout: float = 20.0, proxy: str | None = None) -> None:
        self._client = YahooClient(base_url, timeout, proxy)

    def fetch_fixings(self, first: dt.date, last: dt.date, at: dt.datetime) -> Outcome:
        """Dollars for one pound by day within the days asked for; never raises for bad data."""
        try:
            return _fetch_fixings(self._client, first, last, at)
        except RefusedData as error:
            return error.refusal
        except Exception as error:
            return _unread(self._client, FX_SYMBOL, error)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _unread(client: YahooClient, symbol: str, error: Exception) -> Refusal:
    """Fails closed: what this reader did not foresee is no bar either."""
    answer = client.session.answer
    sentence = f"the answer cannot be read ({type(error).__name__}: {str(error)[:120]}). Nothing was kept."
    where, fact = (answer.where, answer.fact) if answer else (f"Yahoo {symbol}", None)
    return Refusal(RefusalKind.NOT_MARKET_DATA, where, sentence, fact)


def _fetch(client: YahooClient, ask: Ask) -> Fetched:
    symbol, today = ask.instrument.yahoo_symbol, ask.at.astimezone(calendar.NEW_YORK).date()
    witnesses = [day for day in ask.known if ask.first - OVERLAP <= day < ask.first]
    first = max(witnesses, default=ask.first)
    told = client.ask(symbol, calendar.NEW_YORK.key, first, today)
    kinds = KINDS.get(ask.instrument.instrument_type, ())
    over = calendar.last_closed(ask.at)
    wanted = Wanted(symbol, kinds, calendar.NEW_YORK, FIRST_TRADE, LAST_TRADE)
    chart = read_chart(told, wanted, calendar.close_utc(over) + CLOSING)
    _refuse_other_days(chart, first, today)
    _refuse_days_off(chart)
    told.agree(chart.closes, over)
    basis = basis_of(chart, ask)
    last = min(ask.last, over)
    rows = [row for row in chart.rows if ask.first <= row.day <= last]
    bars = bars_as_traded(ask.instrument.symbol, [row for row in rows if row.prices], basis)
    if not bars.num_rows:
        sentence = f"it has no prices of {ask.first} to {last}. Ask for other days, or another source."
        raise chart.answer.refuse(RefusalKind.NO_DATA, sentence)
    actions = actions_as_traded(ask.instrument.symbol, chart, basis, ask.first, last)
    vet(bars, actions, ask, chart.answer.where, chart.answer.fact)
    notes = (*chart.notes, *gaps(chart, rows, ask.first, last), *oddities(rows, chart, basis))
    return Fetched(bars, actions, FIXINGS.empty_table(), _provenance(chart, notes))


def _refuse_other_days(chart: Chart, first: dt.date, last: dt.date) -> None:
    """Rows and events of days that were not asked for belong to another question, or to the future."""
    days = [row.day for row in chart.rows] + [day for day, _ in (*chart.splits, *chart.dividends)]
    for day in days:
        if not first <= day <= last:
            sentence = f"it tells of {day}, but {first} to {last} was asked for. Nothing was kept."
            raise chart.answer.refuse(RefusalKind.NOT_ASKED_FOR, sentence)


def _refuse_days_off(chart: Chart) -> None:
    """One row of a day without a session, wanted or not, shows that all of them may be another day's."""
    for row in chart.rows:
        if not calendar.is_session(row.day):
            sentence = f"it has a row of {row.day}, when there is no session; its dates may all be wrong."
            raise chart.answer.refuse(RefusalKind.OFF_CALENDAR, f"{sentence} Nothing was kept.")


def _provenance(chart: Chart, notes: Sequence[str]) -> Provenance:
    fact: FileFact = replace(chart.answer.fact, rows=len(chart.rows))
    return Provenance(source=SOURCE, files=(fact,), notes=tuple(notes))


def _fetch_fixings(client: YahooClient, first: dt.date, last: dt.date, at: dt.datetime) -> Fetched:
    today = at.astimezone(LONDON).date()
    told = client.ask(FX_SYMBOL, LONDON.key, first, min(last, today))
    midnight = dt.datetime.combine(today, dt.time(), LONDON)
    chart = read_chart(told, Wanted(FX_SYMBOL, ("CURRENCY",), LONDON, dt.time(), dt.time()), midnight)
    _refuse_other_days(chart, first, today)
    # A day's rate is its last one, so a day that is not over has none.
    last = min(last, today - dt.timedelta(days=1))
    told.agree(chart.closes, last)
    rows = [row for row in chart.rows if row.day <= last]
    rates = [
        (row.day, half_even(row.prices["close"], PRICE.scale))
        for row in rows
        if row.prices and row.day.isoweekday() <= 5
    ]
    if not rates:
        sentence = f"it has no rate of {first} to {last}. Ask for other days, or another source."
        raise chart.answer.refuse(RefusalKind.NO_DATA, sentence)
    vet_fixings(rates, first, last, at, chart.answer.where, chart.answer.fact)
    notes = [f"no rate of {row.day}: Yahoo sent none" for row in rows if not row.prices]
    return Fetched(BARS.empty_table(), ACTIONS.empty_table(), fixings_table(rates, SOURCE), _provenance(chart, notes))
