"""What every answer tells the browser: load nothing from elsewhere, be framed by nobody, keep no page."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"
CONTENT = "; ".join(
    (
        "default-src 'self'",
        # The charts compile their expressions, and the framework styles its elements in place.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self' {socket}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class SafeAnswers:
    """Adds the headers to every answer, also to refusals and errors; a page that says more keeps what it says."""

    def __init__(self, app: ASGIApp) -> None:
        """What is inside."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back."""

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, telling if scope["type"] == "http" else send)


def _tell(headers: MutableHeaders, scope: Scope) -> None:
    for name, value in ALWAYS.items():
        headers[name] = value
    if "content-security-policy" not in headers:
        headers["Content-Security-Policy"] = CONTENT.format(socket=_socket(scope))
    kept = scope["path"].startswith(STATIC) and not headers.get("content-type", "").startswith("text/html")
    if not kept:
        headers["Cache-Control"] = "no-store"


def _socket(scope: Scope) -> str:
    """The websocket's own address: not every browser counts it as 'self'."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    plain = all(c.isalnum() or c in ".:-_[]" for c in host)
    return f"{'wss' if scope['scheme'] == 'https' else 'ws'}://{host}" if host and plain else ""
