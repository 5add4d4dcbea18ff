"""One HTTP client for every source: a whole body within its limits comes back, or one named refusal.

Belongs here: connections, time limits, sizes, redirects, and keeping secrets out of every text.
Does not belong here: waiting and asking again (whoever asks a source does that), or what a body means.

Nothing is taken from the environment: no proxy, no password file, no certificates. A household behind a proxy names it
in `Web(proxy=...)`; certificates are those of the operating system. No log line carries a URL, because the client's
transport is used without its front, which would write one, and its debug lines, which quote headers, are off. Every
request has a connection of its own, so that bytes left over from one answer are never read as the beginning of the
next.
"""

import asyncio
import datetime as dt
import functools
import hashlib
import logging
import os
import ssl
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import httpx2

from trading_ops import __version__
from trading_ops.domain.errors import ConfigError
from trading_ops.providers.protocol import FileFact, RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer, clocks_of, shown, status_refusal
from trading_ops.providers.web_body import Body, BodyTrouble

USER_AGENT = f"trading-ops/{__version__} (a household's desk; one request at a time)"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# Its debug lines quote the answer's headers, and a server may repeat our key in one of them.
logging.getLogger("httpcore2").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much.

    Attributes:
        connect: Seconds for a connection.
        read: Seconds without a byte.
        whole: Seconds for everything, from the first connection to the last byte, so that a body that only drips ends
            too. The operating system's own search for an address may outlast it.
        size: Bytes of a body, packed and unpacked.
        redirects: How often a source may send us on.
    """

    connect: float = 10.0
    read: float = 20.0
    whole: float = 60.0
    size: int = 16 * 1024 * 1024
    redirects: int = 3


class _Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Web:
    """Asks the hosts of one source, and no other.

    Args:
        allowed_hosts: `host` or `host:port`; they may see the source's key, and redirects may lead to them.
        limits: Time and size.
        proxy: URL of a proxy, or None. Never shown.
    """

    def __init__(self, allowed_hosts: Iterable[str], limits: Limits | None = None, proxy: str | None = None) -> None:
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._limits = limits or Limits()
        self._proxy = proxy

    @classmethod
    def of(cls, base_url: str, limits: Limits | None = None, proxy: str | None = None) -> "Web":
        """A client for one base URL's host.

        Raises:
            ConfigError: The URL is not https, and not loopback either.
        """
        try:
            url = httpx2.URL(base_url)
        except httpx2.InvalidURL:
            raise ConfigError("a source's base URL cannot be read. Write https://host.") from None
        web = cls((url.netloc.decode("ascii"),), limits, proxy)
        web._require(url)
        return web

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        secrets: tuple[str, ...] = (),
        passed: Container[int] = (),
    ) -> Answer:
        """Ask once. Must not be called inside a running event loop.

        Args:
            url: Of an allowed host.
            params: Query parameters; one whose value is a secret is sent and never shown.
            headers: Beside our own.
            secrets: Keys and tokens among the parameters and headers; no refusal, name or excerpt holds them.
            passed: Statuses beside 200 that the caller reads itself.

        Raises:
            RefusedData: No whole answer with status 200, or one of `passed`.
            ConfigError: The URL is not of this source.
        """
        secrets = tuple(sorted(filter(None, secrets), key=len, reverse=True))
        target = httpx2.URL(url, params=dict(params)) if params else httpx2.URL(url)
        self._require(target)
        public = {name: value for name, value in (params or {}).items() if value not in secrets}
        where = shown(str(httpx2.URL(url, params=public) if params else target), secrets, 500)
        try:
            got = asyncio.run(self._within_time(target, dict(headers or {}), where))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            # Without the cause, here and below: its text may show what must not be shown.
            raise self._trouble(error, where, secrets) from None
        except BodyTrouble as trouble:
            raise RefusedData(trouble.kind, where, trouble.sentence) from None
        clocks = clocks_of(got.headers, dt.datetime.now(dt.UTC))
        fact = FileFact(where, hashlib.sha256(got.body).hexdigest(), len(got.body), "", 0, clocks)
        answer = Answer(got.status, got.headers, got.body, fact, secrets)
        if got.status != httpx2.codes.OK and got.status not in passed:
            raise status_refusal(answer)
        return answer

    async def _within_time(self, url: httpx2.URL, headers: dict[str, str], where: str) -> _Got:
        async with asyncio.timeout(self._limits.whole), self._line() as line:
            for _ in range(self._limits.redirects + 1):
                got = await self._once(line, url, headers)
                location = got.headers.get("location", "")
                if got.status not in _REDIRECTS or not location:
                    return got
                url = self._next(url, location, where)
        sentence = f"it sent us on more than {self._limits.redirects} times. Look at the page in a browser."
        raise RefusedData(RefusalKind.HTTP_ERROR, where, sentence)

    def _line(self) -> httpx2.AsyncHTTPTransport:
        return httpx2.AsyncHTTPTransport(verify=_certificates(), trust_env=False, proxy=self._proxy)

    async def _once(self, line: httpx2.AsyncHTTPTransport, url: httpx2.URL, headers: dict[str, str]) -> _Got:
        limits = self._limits
        timeout = httpx2.Timeout(limits.read, connect=limits.connect).as_dict()
        own = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Connection": "close"}
        request = httpx2.Request("GET", url, headers=own | headers, extensions={"timeout": timeout})
        response = await line.handle_async_request(request)
        try:
            named = {name.lower(): value for name, value in response.headers.items()}
            body = Body(limits.size, named)
            if response.status_code not in _REDIRECTS:
                async for piece in response.aiter_raw():
                    body.add(piece)
            return _Got(response.status_code, named, body.whole())
        finally:
            await response.aclose()

    def _next(self, url: httpx2.URL, location: str, where: str) -> httpx2.URL:
        """Where a redirect leads, if it may."""
        try:
            target = url.join(location)
        except (httpx2.InvalidURL, ValueError):
            target = httpx2.URL("")
        if not self._may_ask(target):
            sentence = (
                f"it sends us on to {target.host or 'no readable address'}, which is not one of its own secure hosts. "
                "Not followed; look at the page in a browser."
            )
            raise RefusedData(RefusalKind.FOREIGN_REDIRECT, where, sentence)
        return target

    def _may_ask(self, url: httpx2.URL) -> bool:
        secure = url.scheme == "https" or (url.scheme == "http" and url.host in LOOPBACK)
        return secure and not url.userinfo and url.netloc.decode("ascii").lower() in self._hosts

    def _require(self, url: httpx2.URL) -> None:
        if not self._may_ask(url):
            raise ConfigError(
                f"{url.host or 'an address without a host'}: this source is only asked at "
                f"{', '.join(sorted(self._hosts))}, over https and without a user name. Correct its base URL."
            )

    def _trouble(self, error: Exception, where: str, secrets: tuple[str, ...]) -> RefusedData:
        limits = self._limits
        reason = shown(_deepest(error), secrets, 120)
        if isinstance(error, httpx2.ConnectTimeout):
            kind, sentence = RefusalKind.TIMED_OUT, f"no connection within {limits.connect:g} seconds."
        elif isinstance(error, httpx2.TimeoutException):
            kind, sentence = RefusalKind.TIMED_OUT, f"nothing came for {limits.read:g} seconds."
        elif isinstance(error, TimeoutError):
            kind, sentence = RefusalKind.TIMED_OUT, f"the answer was not whole within {limits.whole:g} seconds."
        elif isinstance(error, (httpx2.RemoteProtocolError, httpx2.ReadError)):
            kind, sentence = RefusalKind.CUT_OFF, f"the line was cut before the answer was whole ({reason})."
        else:
            kind, sentence = RefusalKind.UNREACHABLE, f"it cannot be reached ({reason})."
        return RefusedData(kind, where, f"{sentence} Nothing was kept; look at the connection if it stays so.")


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


def _deepest(error: BaseException) -> str:
    """What the operating system or the other side said; a protocol error of our own would quote our headers."""
    if isinstance(error, httpx2.LocalProtocolError):
        return type(error).__name__
    said, seen = str(error), error.__cause__ or error.__context__
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            said = os.strerror(seen.errno) if seen.errno and seen.errno > 0 else seen.strerror
        if isinstance(seen, ssl.SSLCertVerificationError):
            said = f"its certificate is not good: {seen.verify_message}"
            break
        seen = seen.__cause__ or seen.__context__
    return said or type(error).__name__
