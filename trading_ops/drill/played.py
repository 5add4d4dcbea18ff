"""A market played as each source writes it: Stooq's CSV, Tiingo's JSON, Yahoo's charts, the ECB's CSV.

Belongs here: one market's bytes in four spellings. What goes wrong with them is in `faults`.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.drill.server import Asked, Reply

NEW_YORK, LONDON = ZoneInfo("America/New_York"), ZoneInfo("Europe/London")
CRUMB = b"Dr1/ll.Cr2mb"
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
_EUR_GBP = Decimal("0.85000")


@dataclass
class PlayedMarket:
    """What every source would say if nothing were wrong.

    Attributes:
        bars: Bars as traded, by symbol and session.
        actions: Corporate actions by symbol.
        fixings: Dollars for one pound by day.
        through: The newest day that is served; a later one has not been yet.
    """

    bars: Mapping[str, Mapping[dt.date, Bar]]
    actions: Mapping[str, Sequence[CorporateAction]]
    fixings: Mapping[dt.date, Decimal]
    through: dt.date

    def answer(self, asked: Asked) -> Reply:
        """Whatever source is asked, by its path."""
        if asked.path == "/q/d/l/":
            return self.stooq(asked)
        if asked.path.startswith("/tiingo/daily/"):
            return self.tiingo(asked)
        if asked.path.startswith("/v8/finance/chart/"):
            return self.yahoo(asked)
        if asked.path.startswith("/service/data/EXR/"):
            return self.ecb(asked)
        if asked.path == "/v1/test/getcrumb":
            return Reply(CRUMB)
        return Reply(b"", 404)

    def rows(self, symbol: str, first: dt.date, last: dt.date) -> list[Bar]:
        """A name's bars between two days, as far as they have been."""
        of_symbol = self.bars.get(symbol, {})
        return [bar for day, bar in sorted(of_symbol.items()) if first <= day <= min(last, self.through)]

    # ---------------------------------------------------------------- Stooq
    def stooq(self, asked: Asked) -> Reply:
        """A CSV as traded, without corporate actions."""
        first, last = (dt.datetime.strptime(asked.query[d], "%Y%m%d").date() for d in ("d1", "d2"))  # noqa: DTZ007
        ticker = asked.query["s"]
        if ticker == "gbpusd":
            days = [day for day in sorted(self.fixings) if first <= day <= min(last, self.through)]
            body = self.stooq_fixings(days)
        else:
            symbol = ticker.removesuffix(".us").replace("-", ".").upper()
            body = self.stooq_csv(self.rows(symbol, first, last))
        return Reply(body, headers=CSV)

    @staticmethod
    def stooq_csv(rows: Sequence[Bar]) -> bytes:
        """Bars in Stooq's columns; `No data` without any."""
        if not rows:
            return b"No data"
        lines = [f"{b.session},{b.open},{b.high},{b.low},{b.close},{b.volume:f}" for b in rows]
        return "".join(f"{line}\r\n" for line in ("Date,Open,High,Low,Close,Volume", *lines)).encode()

    def stooq_fixings(self, days: Sequence[dt.date]) -> bytes:
        """GBPUSD in Stooq's columns, which have no volume here."""
        if not days:
            return b"No data"
        lines = [",".join([day.isoformat(), *[f"{self.fixings[day]:f}"] * 4]) for day in days]
        return "".join(f"{line}\r\n" for line in ("Date,Open,High,Low,Close", *lines)).encode()

    # ---------------------------------------------------------------- Tiingo
    def tiingo(self, asked: Asked) -> Reply:
        """Rows with raw prices, dividend and split."""
        symbol = asked.path.split("/")[3].upper().replace("-", ".")
        first, last = (dt.date.fromisoformat(asked.query[key]) for key in ("startDate", "endDate"))
        if symbol not in self.bars:
            detail = json.dumps({"detail": f"Error: Ticker '{symbol}' not found"})
            return Reply(detail.encode(), 404, JSON)
        return Reply(json.dumps(self.tiingo_rows(symbol, self.rows(symbol, first, last))).encode(), headers=JSON)

    def tiingo_rows(self, symbol: str, rows: Sequence[Bar]) -> list[dict[str, object]]:
        """Bars in Tiingo's fields, its adjusted prices as of the newest day served."""
        told = []
        factors = self._adjustments(symbol)
        for bar in rows:
            today = {a.kind: a.value for a in self.actions.get(symbol, ()) if a.ex_date == bar.session}
            raw = {name: float(getattr(bar, name)) for name in ("open", "high", "low", "close")}
            price, shares = factors[bar.session]
            told.append(
                {
                    "date": f"{bar.session}T00:00:00.000Z",
                    **raw,
                    "volume": int(bar.volume),
                    **{f"adj{name.capitalize()}": float(round(getattr(bar, name) * price, 10)) for name in raw},
                    "adjVolume": int(bar.volume * shares),
                    "divCash": float(today.get("dividend", 0)),
                    "splitFactor": float(today.get("split", 1)),
                }
            )
        return told

    def _adjustments(self, symbol: str) -> dict[dt.date, tuple[Decimal, Decimal]]:
        """What a session's prices and shares are multiplied by: by the splits and dividends after it."""
        known = [a for a in self.actions.get(symbol, ()) if a.ex_date <= self.through]
        price = shares = Decimal(1)
        factors: dict[dt.date, tuple[Decimal, Decimal]] = {}
        later: dt.date | None = None
        for bar in reversed(self.rows(symbol, dt.date.min, self.through)):
            for action in known:
                if later is None or not bar.session < action.ex_date <= later:
                    continue
                if action.kind == "split":
                    price, shares = price / action.value, shares * action.value
                else:
                    price *= 1 - action.value / bar.close
            factors[bar.session] = (price, shares)
            later = bar.session
        return factors

    # ---------------------------------------------------------------- Yahoo
    def yahoo(self, asked: Asked) -> Reply:
        """A chart, its prices divided by every later split."""
        symbol = asked.path.rsplit("/", 1)[1]
        zone = LONDON if symbol == "GBPUSD=X" else NEW_YORK
        first, end = (dt.datetime.fromtimestamp(int(asked.query[key]), zone).date() for key in ("period1", "period2"))
        if symbol == "GBPUSD=X":
            return Reply(json.dumps(self.currency_chart(first, end)).encode(), headers=JSON)
        if symbol.replace("-", ".") not in self.bars:
            problem = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Reply(json.dumps({"chart": {"result": None, "error": problem}}).encode(), 404, JSON)
        chart = self.yahoo_chart(symbol, first, end - dt.timedelta(days=1))
        return Reply(json.dumps(chart).encode(), headers=JSON)

    def yahoo_chart(self, symbol: str, first: dt.date, last: dt.date) -> dict[str, object]:
        """A chart of a name between two days."""
        known = [a for a in self.actions.get(symbol.replace("-", "."), ()) if a.ex_date <= self.through]
        splits = [a for a in known if a.kind == "split"]
        rows = self.rows(symbol.replace("-", "."), first, last)
        quote: dict[str, list[float]] = {name: [] for name in ("open", "high", "low", "close", "volume")}
        for bar in rows:
            factor = _later(splits, bar.session)
            for name in ("open", "high", "low", "close"):
                quote[name].append(float(round(getattr(bar, name) / factor, 6)))
            quote["volume"].append(float(round(bar.volume * factor)))
        told = [a for a in known if first <= a.ex_date <= last]
        events = {
            "splits": {str(_open(a.ex_date)): _split_event(a) for a in told if a.kind == "split"},
            "dividends": {
                str(_open(a.ex_date)): {
                    "date": _open(a.ex_date), "amount": float(round(a.value / _later(splits, a.ex_date), 6)),
                }
                for a in told if a.kind == "dividend"
            },
        }  # fmt: skip
        stamps = [_open(bar.session) for bar in rows]
        return _chart(symbol, "America/New_York", "EST", stamps, quote, {k: v for k, v in events.items() if v})

    def currency_chart(self, first: dt.date, end: dt.date) -> dict[str, object]:
        """GBPUSD=X between two days."""
        days = [day for day in sorted(self.fixings) if first <= day < end and day <= self.through]
        rates = [float(self.fixings[day]) for day in days]
        quote = {name: list(rates) for name in ("open", "high", "low", "close")} | {"volume": [0.0] * len(days)}
        stamps = [int(dt.datetime.combine(day, dt.time(), LONDON).timestamp()) for day in days]
        return _chart("GBPUSD=X", "Europe/London", "GMT", stamps, quote, {}, kind="CURRENCY")

    # ---------------------------------------------------------------- ECB
    def ecb(self, asked: Asked) -> Reply:
        """Dollars and pounds for one euro."""
        first, last = (dt.date.fromisoformat(asked.query[key]) for key in ("startPeriod", "endPeriod"))
        days = [day for day in sorted(self.fixings) if first <= day <= min(last, self.through)]
        head = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS"
        lines = [
            f"EXR.D.{currency}.EUR.SP00.A,D,{currency},EUR,SP00,A,{day},{rate},A"
            for day in days
            for currency, rate in (("USD", round(self.fixings[day] * _EUR_GBP, 6)), ("GBP", _EUR_GBP))
        ]
        return Reply("".join(f"{line}\r\n" for line in (head, *lines)).encode(), headers=CSV)


def _later(splits: Sequence[CorporateAction], day: dt.date) -> Decimal:
    factor = Decimal(1)
    for split in splits:
        if split.ex_date > day:
            factor *= split.value
    return factor


def _open(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(9, 30), NEW_YORK).timestamp())


def _split_event(action: CorporateAction) -> dict[str, object]:
    new, old = action.value.as_integer_ratio()
    return {"date": _open(action.ex_date), "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}


def _chart(
    symbol: str, zone: str, short: str, stamps: list[int], quote: Mapping[str, list[float]],
    events: Mapping[str, object], kind: str = "EQUITY",
) -> dict[str, object]:  # fmt: skip
    funds = ("SPY", "QQQ", "IWM")
    meta = {
        "currency": "USD", "symbol": symbol, "instrumentType": "ETF" if symbol in funds else kind,
        "firstTradeDate": 345479400, "gmtoffset": 0, "timezone": short, "exchangeTimezoneName": zone, "priceHint": 2,
        "dataGranularity": "1d", "validRanges": ["1d", "max"],
    }  # fmt: skip
    result: dict[str, object] = {
        "meta": meta,
        "timestamp": stamps,
        "indicators": {"quote": [dict(quote)], "adjclose": [{"adjclose": list(quote["close"])}]},
    }
    return {"chart": {"result": [result | ({"events": events} if events else {})], "error": None}}
