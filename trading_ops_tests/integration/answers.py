"""Questions, and the bodies that sources answer with: one week of November 2026, and a server that sends raw bytes."""

import datetime as dt
import json
import socket
import socketserver
import threading
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType, TracebackType
from typing import Any

from trading_ops.domain.universe import Instrument
from trading_ops.providers.protocol import Ask, Fetched, Outcome, Refusal, SplitHistory
from trading_ops.providers.web import Limits
from trading_ops_tests.unit.market_factory import make_instrument

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = WEEK = tuple(dt.date(2026, 11, day) for day in range(16, 21))
AT = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
CLOSES = MappingProxyType(dict(zip(WEEK, map(Decimal, ("100.00", "101.50", "99.80", "102.20", "103.10")), strict=True)))
HASTY = Limits(connect=2.0, read=0.3, whole=0.6, size=200_000)
"""For tests: a server that is silent or slow is given up at once."""
SENTINEL = "s3ntinel0key+never/shown="
"""A key that shows up when anything leaks; its signs are written otherwise in a URL."""


def make_ask(symbol: str = "AAPL", **changes: Any) -> Ask:
    """AAPL's week, asked on the Tuesday after it, with its closes on record."""
    instrument: Instrument = changes.pop("instrument", None) or make_instrument(symbol)
    return Ask(**{"instrument": instrument, "first": MONDAY, "last": FRIDAY, "at": AT, "known": CLOSES} | changes)


def split_history(*splits: tuple[dt.date, str]) -> SplitHistory:
    """Splits known from elsewhere."""
    return SplitHistory(tuple((day, Decimal(ratio)) for day, ratio in splits), AT.date())


def stooq_csv(closes: Mapping[dt.date, Decimal] = CLOSES, *, polish: bool = False, volume: str = "1000000") -> bytes:
    """A CSV as Stooq writes it; without a volume column when `volume` is empty."""
    english, polski = "Date,Open,High,Low,Close,Volume", "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen"
    header = polski if polish else english
    rows = [f"{day},{close},{close + 1},{close - 1},{close},{volume}" for day, close in closes.items()]
    lines = [header, *rows] if volume else [line.rpartition(",")[0] for line in (header, *rows)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def tiingo_rows(closes: Mapping[dt.date, Decimal] = CLOSES) -> list[dict[str, Any]]:
    """Tiingo's rows: no split, no dividend, nothing to adjust."""
    return [
        {
            "date": f"{day}T00:00:00.000Z", "close": float(close), "high": float(close) + 1, "low": float(close) - 1,
            "open": float(close), "volume": 1000000, "adjClose": float(close), "adjHigh": float(close) + 1,
            "adjLow": float(close) - 1, "adjOpen": float(close), "adjVolume": 1000000, "divCash": 0.0,
            "splitFactor": 1.0,
        }
        for day, close in closes.items()
    ]  # fmt: skip


def tiingo_json(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as Tiingo writes them."""
    return json.dumps(list(rows)).encode()


def ecb_csv(rows: Iterable[tuple[str, dt.date, str]], status: str = "A") -> bytes:
    """The bank's CSV: currency, day and rate; a rate that is empty stands on a holiday."""
    header = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,TITLE,UNIT_MULT"
    lines = [
        f"EXR.D.{currency}.EUR.SP00.A,D,{currency},EUR,SP00,A,{day},{rate},{status if rate else 'H'},"
        f'"ECB reference exchange rate, {currency}/Euro, 2:15 pm (C.E.T.)",0'
        for currency, day, rate in rows
    ]
    return "".join(f"{line}\r\n" for line in (header, *lines)).encode()


def fetched(outcome: Outcome) -> Fetched:
    """The answer, which must be one."""
    assert isinstance(outcome, Fetched), str(outcome)
    return outcome


def refused(outcome: Outcome) -> Refusal:
    """The refusal, which must be one."""
    assert isinstance(outcome, Refusal), outcome
    return outcome


def closed_port() -> int:
    """A port on loopback at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class RawSource:
    """A server on 127.0.0.1 that sends given bytes, whatever it is asked, and hangs up.

    Args:
        sent: Everything it sends, head and body.
        drip: Seconds between two bytes, or None to send all at once.
    """

    def __init__(self, sent: bytes, drip: float | None = None) -> None:
        self._over = threading.Event()
        over = self._over

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(65536)
                pieces = [sent] if drip is None else [sent[i : i + 1] for i in range(len(sent))]
                for piece in pieces:
                    try:
                        self.request.sendall(piece)
                    except OSError:
                        return  # the client gave up, as it should
                    if drip is not None and over.wait(drip):
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "RawSource":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
