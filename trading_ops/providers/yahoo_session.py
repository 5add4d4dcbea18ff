"""yfinance's HTTP session, kept on a lead: where it may go, for how long, how much it may bring, and what it brought.

Belongs here: hosts and paths, time, size, redirects, cookies and the crumb, the body as evidence.
Does not belong here: what yfinance is asked (`yahoo_client`), or what a body means (`yahoo_chart`).

yfinance would click "agree" on Yahoo's consent page by itself. Here it cannot reach that page: nobody's consent is
given by a machine, and prices come without it.
"""

import datetime as dt
import hashlib
import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from curl_cffi import CurlOpt
from curl_cffi.requests import Response, Session
from curl_cffi.requests import exceptions as curl

from trading_ops.domain.errors import ConfigError
from trading_ops.providers.protocol import FileFact, RefusalKind, RefusedData
from trading_ops.providers.web import LOOPBACK
from trading_ops.providers.web_answer import Answer, clocks_of

CHART_HOSTS = frozenset({"query1.finance.yahoo.com", "query2.finance.yahoo.com"})
CHART_PATH = "/v8/finance/chart/"
ERRANDS = frozenset({("fc.yahoo.com", "")} | {(host, "/v1/test/getcrumb") for host in CHART_HOSTS})
"""yfinance fetches a cookie and a crumb first. Charts come without either, so each is tried once, and briefly."""
SIZE = 16 * 1024 * 1024
_CRUMB = re.compile(r"[\w./~-]{1,64}", re.ASCII)
_WITHOUT_A_CRUMB_PERHAPS = frozenset({401, 403})


class Forbidden(OSError):
    """yfinance wanted to go where it may not; it takes this for a broken line and goes on without."""


class GuardedSession(Session[Response]):
    """A session that asks Yahoo for charts and for nothing else.

    Args:
        base_url: `http://127.0.0.1:port`, where a test or a drill plays Yahoo; None for Yahoo itself.
        timeout: Seconds for everything that one question needs.
        proxy: URL of a proxy, or None: nothing is taken from the environment.
        size: Bytes of a body.

    Attributes:
        asked: How many requests were sent.
        answer: The last chart's body, when one came since `begin`.

    Raises:
        ConfigError: The base URL is not loopback.
    """

    def __init__(
        self, base_url: str | None = None, timeout: float = 20.0, proxy: str | None = None, size: int = SIZE
    ) -> None:
        if base_url is not None and urlsplit(base_url).hostname not in LOOPBACK:
            raise ConfigError(f"{base_url}: only a server on this machine may play Yahoo. Leave the base URL out.")
        straight = base_url is not None or proxy is None
        super().__init__(
            impersonate="chrome",
            allow_redirects=False,
            proxy=None if straight else proxy,
            curl_options={CurlOpt.NOPROXY: "*"} if straight else {},
        )
        self.asked = 0
        self.answer: Answer | None = None
        self._played_by = base_url and base_url.rstrip("/")
        self._patience = timeout
        self._size = size
        self._ends = 0.0
        self._errands: set[str] = set()
        self._same: tuple[str, Response] | None = None

    def begin(self) -> None:
        """A new question: the time starts, the last answer is forgotten."""
        self._ends = time.monotonic() + self._patience
        self.answer = self._same = None

    def request(self, method: str, url: str, params: Any = None, **_: Any) -> Response:  # type: ignore[override]
        """What yfinance calls for everything; its own ideas of time and redirects do not count.

        Raises:
            RefusedData: No whole chart came.
            Forbidden: Another address, or another method.
        """
        parts = urlsplit(url)
        if method == "GET" and parts.scheme == "https":
            if parts.hostname in CHART_HOSTS and parts.path.startswith(CHART_PATH):
                return self._chart(url, dict(params or {}))
            if (parts.hostname, parts.path.rstrip("/")) in ERRANDS:
                return self._errand(url)
        raise Forbidden(f"{parts.hostname or 'an address without a host'} is not asked")

    def _chart(self, url: str, params: dict[str, Any]) -> Response:
        public = {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}
        crumb = public.pop("crumb", None)
        where = f"{self._at(url)}?{urlencode(public)}"
        if self._same is not None and self._same[0] == where:
            # yfinance asks again after any error; another crumb can only help where the crumb may be to blame.
            answered = self._same[1]
            if answered.status_code not in _WITHOUT_A_CRUMB_PERHAPS:
                return answered
        try:
            response = self._get(url, public | ({"crumb": crumb} if crumb else {}), self._left())
        except curl.RequestException as error:
            # Without the cause: its text may show the whole address.
            raise RefusedData(_kind(error), where, _sentence(error, self._patience)) from None
        except _TooLarge:
            sentence = (
                f"the answer is larger than {self._size:,} bytes, so it is no answer to the question. Not read on."
            )
            raise RefusedData(RefusalKind.TOO_LARGE, where, sentence) from None
        headers = {name.lower(): value for name, value in response.headers.items() if value is not None}
        digest, clocks = hashlib.sha256(response.content).hexdigest(), clocks_of(headers, dt.datetime.now(dt.UTC))
        fact = FileFact(where, digest, len(response.content), "Yahoo chart", 0, clocks)
        self.answer = Answer(response.status_code, headers, response.content, fact, (crumb,) if crumb else ())
        self._same = (where, response)
        return response

    def _errand(self, url: str) -> Response:
        """The cookie or the crumb: the first time from Yahoo, within a quarter of the time, and then never again."""
        nothing = Response()
        nothing.status_code, nothing.url = 204, url
        if url in self._errands:
            return nothing
        self._errands.add(url)
        try:
            response = self._get(url, {}, min(self._patience / 4, self._left()))
        except _TooLarge:
            return nothing
        is_crumb = response.status_code == 200 and _CRUMB.fullmatch(response.text.strip())
        # Anything else that came would be sent along as the crumb.
        return response if is_crumb else nothing

    def _get(self, url: str, params: dict[str, Any], seconds: float) -> Response:
        self.asked += 1
        pieces: list[bytes] = []
        size = 0

        def keep(piece: bytes) -> int:
            nonlocal size
            size += len(piece)
            if size > self._size:
                raise _TooLarge
            pieces.append(piece)
            return len(piece)

        response: Response = super().request(
            "GET", self._at(url), params=params, timeout=seconds, allow_redirects=False, content_callback=keep
        )
        response.content = b"".join(pieces)
        return response

    def _at(self, url: str) -> str:
        return url if self._played_by is None else f"{self._played_by}{urlsplit(url).path or '/'}"

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise curl.Timeout("no time is left")
        return left


class _TooLarge(Exception):
    """The body grew beyond its limit while it came in."""


def _kind(error: curl.RequestException) -> RefusalKind:
    if isinstance(error, curl.Timeout):
        return RefusalKind.TIMED_OUT
    if isinstance(error, curl.DNSError | curl.SSLError | curl.ProxyError) or error.code == _NO_CONNECTION:
        return RefusalKind.UNREACHABLE
    return RefusalKind.CUT_OFF if isinstance(error, curl.HTTPError | curl.ConnectionError) else RefusalKind.UNREACHABLE


_NO_CONNECTION = 7


def _sentence(error: curl.RequestException, patience: float) -> str:
    said = {
        RefusalKind.TIMED_OUT: f"the answer was not whole within {patience:g} seconds.",
        RefusalKind.CUT_OFF: f"the line was cut before the answer was whole (curl {int(error.code)}).",
        RefusalKind.UNREACHABLE: f"it cannot be reached ({type(error).__name__}, curl {int(error.code)}).",
    }[_kind(error)]
    return f"{said} Nothing was kept; look at the connection if it stays so."
