"""The door's own addresses: sign in, sign out, and the short address of a ticket."""

import functools
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import anyio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from streamlit_app.auth import cookies, sign_in_page
from streamlit_app.auth.door import SESSION_LASTS, Door, Entered, Locked
from streamlit_app.auth.outside import local_path

LARGEST_FORM = 8192
T = TypeVar("T")
TICKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
TRYING_AT_ONCE = 4
"""Comparing a password takes memory on purpose; more than these wait."""


class Routes:
    """The handlers, with the door they knock at."""

    def __init__(self, door: Door) -> None:
        """A form that was made before this start is refused, and asked again."""
        self._door = door
        self._key = secrets.token_bytes(32)
        self._trying: anyio.CapacityLimiter | None = None

    def all(self) -> list[Route]:
        """What to give the application."""
        return [
            Route("/sign-in", self.show_sign_in, methods=["GET"]),
            Route("/sign-in", self.take_sign_in, methods=["POST"]),
            Route("/sign-out", self.show_sign_out, methods=["GET"]),
            Route("/sign-out", self.take_sign_out, methods=["POST"]),
            Route("/confirm/{ticket_id}", self.to_ticket, methods=["GET"]),
        ]

    async def show_sign_in(self, request: Request) -> Response:
        """The form; a person who is signed in is sent on."""
        back_to = local_path(request.query_params.get("next"))
        token = cookies.token_in(request.cookies, secure=_secure(request))
        if token and await self._aside(functools.partial(self._door.holder, token)) is not None:
            return RedirectResponse(back_to, 303)
        said = sign_in_page.LEFT if request.query_params.get("said") == "out" else ""
        return self._form(request, back_to, said=said)

    async def take_sign_in(self, request: Request) -> Response:
        """Name and password; a form that this server did not make for this browser is made anew."""
        form = await _fields(request)
        back_to, username = local_path(form.get("next")), form.get("username", "")[:64]
        if not self._is_ours(cookies.form_in(request.cookies), form.get("form", "")):
            return self._form(request, back_to, username=username, said=sign_in_page.STALE, bad=True, status=400)
        result = await self._aside(
            functools.partial(
                self._door.enter, username, form.get("password", "")[:256],
                remote=request.client.host if request.client else "", device=request.headers.get("user-agent", ""),
            )
        )  # fmt: skip
        if isinstance(result, Entered):
            answer = RedirectResponse(back_to, 303)
            cookies.give(answer, result.token, int(SESSION_LASTS.total_seconds()), secure=_secure(request))
            return answer
        if isinstance(result, Locked):
            said, status = sign_in_page.locked(result.until), 429
        else:
            said, status = sign_in_page.wrong(result.left), 403
        return self._form(request, back_to, username=username, said=said, bad=True, status=status)

    async def show_sign_out(self, request: Request) -> Response:
        """Asks; looking changes nothing."""
        return sign_in_page.sign_out()

    async def take_sign_out(self, request: Request) -> Response:
        """Ends this session, or all of the person's."""
        form = await _fields(request)
        token = cookies.token_in(request.cookies, secure=_secure(request))
        if token:
            await self._aside(functools.partial(self._door.leave, token, everywhere=form.get("all") == "1"))
        answer = RedirectResponse("/sign-in?said=out", 303)
        cookies.take_back(answer, secure=_secure(request))
        return answer

    async def to_ticket(self, request: Request) -> Response:
        """The address in a mail, which names a ticket and allows nothing."""
        ticket_id = request.path_params["ticket_id"]
        if not TICKET.fullmatch(ticket_id):
            return sign_in_page.no_such_page("There is no such ticket. Open the link in the newest mail.")
        return RedirectResponse(f"/confirm?ticket={ticket_id}", 303)

    def _form(
        self,
        request: Request,
        back_to: str,
        *,
        username: str = "",
        said: str = "",
        bad: bool = False,
        status: int = 200,
    ) -> Response:
        # The browser's own is kept, so that a form in another tab stays good.
        made = cookies.form_in(request.cookies) or cookies.new_token()
        answer = sign_in_page.sign_in(
            self._agreeing(made), back_to, username=username, said=said, bad=bad, status=status
        )
        cookies.give_form(answer, made, secure=_secure(request))
        return answer

    def _agreeing(self, made: str) -> str:
        return hmac.new(self._key, made.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _is_ours(self, made: str, field: str) -> bool:
        return bool(made) and hmac.compare_digest(self._agreeing(made).encode(), field.encode("utf-8", "surrogatepass"))

    async def _aside(self, work: functools.partial[T]) -> T:
        if self._trying is None:  # belongs to the server's event loop, which runs only now
            self._trying = anyio.CapacityLimiter(TRYING_AT_ONCE)
        return await anyio.to_thread.run_sync(work, limiter=self._trying)


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


async def _fields(request: Request) -> Mapping[str, str]:
    """The form's fields; a body that no form of ours sends has none."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            return {}
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        return {}
