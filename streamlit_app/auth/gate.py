"""The gate: nothing but the sign-in page and the health answer leaves this server without a session that holds now.

An ASGI middleware around everything, websocket included. It answers itself or passes on; it renders no page.
"""

import functools
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

import anyio
import psycopg
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamlit_app.auth import cookies
from streamlit_app.auth.door import Door
from streamlit_app.auth.outside import SAFE_METHODS, host_of, is_foreign, wants_page, without_forged
from trading_ops.domain.errors import TradingOpsError
from trading_ops.store.sign_ins import SignedIn

OPEN = {
    "/sign-in": ("GET", "HEAD", "POST"),
    "/sign-out": ("GET", "HEAD", "POST"),
    "/_stcore/health": ("GET", "HEAD"),
}
LOOKING_AT_ONCE = 4


class Gate:
    """Lets a request through, or answers it."""

    def __init__(self, app: ASGIApp, door: Door, hosts: Collection[str]) -> None:
        """What is behind the gate, who knows the sessions, and the names under which this server is called."""
        self._app = app
        self._door = door
        self._hosts = frozenset(hosts)
        self._looking: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, websocket, or the server's own start and end."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "headers": without_forged(scope["headers"])}
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the browser sees 403
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        secure = scope["scheme"] in ("https", "wss")
        host = host_of(headers, self._hosts)
        if host is None:
            return _said("This desk is not called by that name. Its operator adds names with --allow-host.", 400)
        socket = scope["type"] == "websocket"
        method = scope.get("method", "GET")
        if is_foreign(headers, host, secure=secure, must_say=socket or method not in SAFE_METHODS):
            return _said("This came from a page that is not this desk's, and was refused.", 403)
        if socket and "origin" not in headers:
            return _said("A websocket must say which page opens it.", 403)
        if not socket and method in OPEN.get(scope["path"], ()):
            return None
        try:
            found = await self._holder(scope, secure)
        except (TradingOpsError, psycopg.Error):
            return _said("The desk's database does not answer. Try again in a minute.", 503)
        return None if found else _to_the_door(scope, headers, method)

    async def _holder(self, scope: Scope, secure: bool) -> SignedIn | None:
        token = cookies.token_in(HTTPConnection(scope).cookies, secure=secure)
        if token is None:
            return None
        if self._looking is None:  # belongs to the server's event loop, which runs only now
            self._looking = anyio.CapacityLimiter(LOOKING_AT_ONCE)
        return await anyio.to_thread.run_sync(functools.partial(self._door.holder, token), limiter=self._looking)


def _to_the_door(scope: Scope, headers: Headers, method: str) -> Response:
    if not wants_page(headers, method):
        return _said("Sign in first.", 401)
    path: Any = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope["query_string"]
    back = path.split(b"?")[0] + (b"?" + query if query else b"")
    return RedirectResponse(f"/sign-in?next={quote(back, safe='')}", 303)


def _said(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence + "\n", status, {"Cache-Control": "no-store"})
