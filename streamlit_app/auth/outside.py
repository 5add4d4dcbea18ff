"""What a request says of itself, and how much of it is believed: host, origin, where to go next, forwarded names."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

ALWAYS_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_PATH = 500
FORGEABLE = re.compile(
    rb"(x-)?forwarded(-.*)?|x-real-ip|(x-)?remote[-_].*|x-(streamlit|auth|ops|desk|authenticated|webauth)[-_].*|"
    rb"x-(user|username|email|original-.*|rewrite-url|http-method.*)|authorization|proxy-.*"
)
"""Names with which a proxy would tell who somebody is. There is no proxy here that is believed."""

RawHeaders = list[tuple[bytes, bytes]]
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")


def without_forged(headers: RawHeaders) -> RawHeaders:
    """The headers but for those that claim to say who somebody is or where they come from."""
    return [(name, value) for name, value in headers if not FORGEABLE.fullmatch(name.lower())]


def host_of(headers: Headers, allowed: Collection[str]) -> str | None:
    """The request's Host with its port, when there is just one and its name is allowed; else None."""
    given = headers.getlist("host")
    found = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
    return found.group(0) if found and found.group(1).rstrip(".") in allowed else None


def is_foreign(headers: Headers, host: str, *, secure: bool, must_say: bool) -> bool:
    """Whether a request comes from a page of somebody else.

    Args:
        headers: Of the request.
        host: Its Host, looked at already.
        secure: It came over TLS.
        must_say: It changes something or opens a websocket. Then `Sec-Fetch-Site` is believed when no Origin is
            given, and a request with neither is a browser's only when it is no browser's.
    """
    origins = headers.getlist("origin")
    if origins:
        return len(origins) > 1 or origins[0].lower() != f"{'https' if secure else 'http'}://{host}"
    return must_say and headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def wants_page(headers: Headers, method: str) -> bool:
    """Whether a browser asks for something to show, and so can be led to the sign-in page."""
    return method in ("GET", "HEAD") and "text/html" in headers.get("accept", "")


def local_path(asked: str | None) -> str:
    """Where to go after signing in: a path of this desk, or `/` when it is anything else.

    Refused are another site however it is written, control characters, and the door itself.
    """
    path = asked or "/"
    if len(path) > LONGEST_PATH or not path.startswith("/") or path.startswith("//"):
        return "/"
    if "\\" in path or any(not "!" <= c <= "~" for c in path):
        return "/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path in ("/sign-in", "/sign-out"):
        return "/"
    return path
