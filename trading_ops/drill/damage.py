"""Ways to spoil a good answer whatever its format: another body, another status, a cut, a lie, a disguise.

Belongs here: what happens to an answer's bytes and to its line. Does not belong here: changing what it says cell by
cell (`cells`, `fields`), or which source fails in which way (`faults`).
"""

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from trading_ops.drill.server import Reply

Change: TypeAlias = Callable[[Reply], Reply]
"""From the good answer to the one that is served."""

CHALLENGE = (
    b'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><noscript>This site requires JavaScript to verify '
    b'your browser.</noscript><script>(async()=>{await fetch("/__verify")})()</script></body></html>'
)
DAILY_LIMIT, DAILY_LIMIT_POLISH = b"Exceeded the daily hits limit", "Przekroczony dzienny limit wywołań".encode()
KEY_WANTED = b"Get your apikey:\n\n1. Open https://stooq.com/q/d/?s=aapl.us&get_apikey\n2. Enter the captcha code.\n"
NO_DATA = b"No data"
MAINTENANCE = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back in an hour.</body></html>\n"
PHP_WARNING = (
    b"<br />\n<b>Warning</b>:  mysqli_connect(): (HY000/2002) in <b>/q/d/l/index.php</b> on line <b>12</b><br />\n"
)
FOREIGN = "https://consent.example/agree"
TOO_MUCH = 1 << 30
"""Bytes that an answer says it has; no client waits for them."""


def instead(body: bytes, status: int = 200, kind: str = "text/plain", **headers: str) -> Change:
    """Another body, whatever was asked."""
    named = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda good: Reply(body, status, named)


def page(body: bytes = MAINTENANCE, status: int = 200) -> Change:
    """An HTML page."""
    return instead(body, status, "text/html; charset=utf-8")


def silent(good: Reply) -> Reply:
    """Nothing at all."""
    return replace(good, silent=True)


def spoilt(change: Callable[[bytes], bytes], **headers: str) -> Change:
    """Other bytes with an honest length."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda good: replace(good, body=change(good.body), headers={**good.headers, **more})


def replaced(old: bytes, new: bytes, count: int = -1) -> Change:
    """Other bytes wherever some stand; they must stand somewhere, or nothing would be damaged."""

    def change(body: bytes) -> bytes:
        assert old in body, f"{old!r} is not in the answer"
        return body.replace(old, new, count)

    return spoilt(change)


def before(noise: bytes) -> Change:
    """Something in front of the body."""
    return spoilt(lambda body: noise + body)


def after(noise: bytes) -> Change:
    """Something behind the body."""
    return spoilt(lambda body: body + noise)


def ends_at(share: float) -> Change:
    """The body ends early, and its length says so."""
    return spoilt(lambda body: body[: int(len(body) * share)])


def without_end(count: int) -> Change:
    """The last bytes are missing, and the length says so."""
    return spoilt(lambda body: body[:-count])


def hangs_up(share: float) -> Change:
    """The line is cut in the middle of the body."""
    return lambda good: replace(good, cut_after=int(len(good.body) * share))


def says_longer(count: int) -> Change:
    """The length promises more than comes."""
    return lambda good: replace(good, says_length=len(good.body) + count)


def says_shorter(count: int) -> Change:
    """The length promises less than comes, so whoever believes it reads a part."""
    return lambda good: replace(good, says_length=len(good.body) - count)


def endless(good: Reply) -> Reply:
    """The length promises more than anybody should take."""
    return replace(good, says_length=TOO_MUCH)


def packed(body: Callable[[bytes], bytes] = gzip.compress) -> Change:
    """Said to be packed with gzip; what is really sent is up to `body`."""
    return spoilt(body, Content_Encoding="gzip")


def redirected(to: str = FOREIGN, status: int = 302) -> Change:
    """Sent on to another place."""
    return lambda good: Reply(b"", status, {"Location": to})


def in_a_page(good: Reply) -> Reply:
    """The right data, wrapped in HTML."""
    body = b"<html><body><pre>" + good.body + b"</pre></body></html>"
    return Reply(body, 200, {"Content-Type": "text/html"})


def both(*changes: Change) -> Change:
    """One change after the other."""

    def changed(good: Reply) -> Reply:
        for change in changes:
            good = change(good)
        return good

    return changed
