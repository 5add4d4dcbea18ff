"""One question to Yahoo through yfinance: a chart with status 200 as JSON, or one named refusal.

Belongs here: how yfinance is called and kept quiet. Does not belong here: connections (`yahoo_session`), statuses and
pages instead of data (`yahoo_errors`), or what a chart means (`yahoo_chart`).

yfinance's table hides what must be seen: a missing volume is 0 in it, doubled rows are dropped, currency and symbol are
not there. So the body it received is read, and its table must agree with the result (`agree`).
"""

import datetime as dt
import logging
import re
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading_ops.providers.protocol import RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer, shown
from trading_ops.providers.yahoo_errors import open_chart

if TYPE_CHECKING:
    from trading_ops.providers.yahoo_session import GuardedSession

_SYMBOL = re.compile(r"[A-Z0-9.^=-]{1,20}", re.ASCII)
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", re.ASCII)
"""yfinance would search Yahoo for what looks like one."""
_ONE_AT_A_TIME = threading.Lock()
"""yfinance keeps one session, its crumb and its settings for the whole process."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one question.

    Attributes:
        answer: The body, for provenance.
        chart: Its JSON, numbers with a decimal point as Decimal.
        closes: The close of each day that has one, as the float that yfinance makes of it; None when it made nothing.
        trouble: What yfinance raised, as text; empty when it did not.
    """

    answer: Answer
    chart: Mapping[str, Any]
    closes: Mapping[dt.date, float] | None
    trouble: str

    def agree(self, closes: Mapping[dt.date, Decimal], through: dt.date) -> None:
        """Refuse a body that yfinance reads differently.

        Args:
            closes: Every close in the body, by day.
            through: Days after it are not over, and do not count.

        Raises:
            RefusedData: It raised, or has other days or closes.
        """
        if self.closes is None:
            sentence = f"yfinance cannot read the answer ({self.trouble}). Nothing was kept; look at the answer."
            raise self.answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)
        ours = {day: float(close) for day, close in closes.items()}
        days = ours.keys() | self.closes.keys()
        apart = [day for day in days if day <= through and ours.get(day) != self.closes.get(day)]
        if apart:
            sentence = f"yfinance reads another close of {min(apart)} than the answer holds. Nothing was kept."
            raise self.answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)


class YahooClient:
    """yfinance with one guarded session.

    Args:
        base_url: `http://127.0.0.1:port` where a test or a drill plays Yahoo; None for Yahoo itself.
        timeout: Seconds for everything that one question needs.
        proxy: URL of a proxy, or None: nothing is taken from the environment.
        size: Bytes of a body; None for the usual limit.

    Raises:
        ConfigError: The base URL is not on this machine.
    """

    def __init__(
        self, base_url: str | None = None, timeout: float = 20.0, proxy: str | None = None, size: int | None = None
    ) -> None:
        from trading_ops.providers.yahoo_session import SIZE, GuardedSession

        self.session = GuardedSession(base_url, timeout, proxy, size or SIZE)

    def ask(self, symbol: str, zone: str, first: dt.date, last: dt.date) -> Told:
        """Ask for the daily chart of one symbol.

        Args:
            symbol: As Yahoo spells it.
            zone: The time zone of its days, which yfinance would otherwise ask for in a request of its own.
            first: First day.
            last: Last day, inclusive.

        Raises:
            RefusedData: No chart came.
        """
        where = f"Yahoo {shown(symbol, (), 40)}"
        if not _SYMBOL.fullmatch(symbol) or _ISIN.fullmatch(symbol):
            sentence = "this is no symbol of Yahoo's. Correct yahoo_symbol in the universe."
            raise RefusedData(RefusalKind.UNKNOWN_TO_SOURCE, where, sentence)
        with _ONE_AT_A_TIME:
            yfinance = _quiet(self.session)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # yfinance's own, of pandas it has yet to follow
                self.session.begin()
                closes, trouble = _closes(yfinance, self.session, symbol, zone, first, last)
        answer = self.session.answer
        if answer is None:
            sentence = f"yfinance brought no answer ({trouble}). Nothing was kept."
            raise RefusedData(RefusalKind.UNREACHABLE, where, sentence)
        return Told(answer, open_chart(answer), closes, trouble)

    def close(self) -> None:
        """Let go of connections."""
        self.session.close()


def _closes(
    yfinance: Any, session: "GuardedSession", symbol: str, zone: str, first: dt.date, last: dt.date
) -> tuple[dict[dt.date, float] | None, str]:
    """yfinance's own reading; whatever it raises is told, because the body says better what happened."""
    try:
        ticker = yfinance.Ticker(symbol, session=session)
        ticker._tz = zone
        table = ticker.history(
            start=first,
            end=last + dt.timedelta(days=1),
            interval="1d",
            auto_adjust=False,
            actions=True,
            repair=False,
            keepna=True,
            timeout=20,  # the session has its own limit, which is the one that counts
        )
        closes = table["Close"].dropna()
        return {moment.date(): float(close) for moment, close in closes.items()}, ""
    except RefusedData:
        raise
    except Exception as error:
        # yfinance lets every kind of error out, down to KeyError; the texts are Yahoo's.
        return None, shown(f"{type(error).__name__}: {error}", (), 160)


def _quiet(session: "GuardedSession") -> Any:
    """yfinance with nothing of its own: no caches on disk or in memory, no second tries, no words, no old crumb."""
    import yfinance
    from yfinance import cache
    from yfinance.data import YfData

    yfinance.config.debug.hide_exceptions = False
    yfinance.config.debug.logging = False
    yfinance.config.network.retries = 0
    yfinance.config.network.proxy = None
    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    # It would keep cookies as a pickle in the user's home, shared by every program there.
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()
    client: Any = YfData(session=session)
    if getattr(client, "of_the_desk", None) is not session:
        client.__init__(session)  # there is one in the process, and it keeps the last session's crumb
        client.of_the_desk = session
    YfData.cache_get.cache_clear()
    return yfinance
