"""The cookies of the door: their names, how they are set, and what is kept of the session's token.

A token is random and opaque; the database keeps its SHA-256 only. Whose it is does not belong here (`door`).
"""

import hashlib
import secrets
from collections.abc import Mapping

from starlette.responses import Response

PLAIN = "desk"
SECURE = "__Host-desk"
"""Over TLS: a browser takes a name of this kind only from this very host, encrypted, for every path."""
FORM = "desk-form"
TOKEN_BYTES = 32
LONGEST_TOKEN = 100
FORM_SECONDS = 3600


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_in(cookies: Mapping[str, str], *, secure: bool | None = None) -> str | None:
    """The session's token among a request's cookies.

    Args:
        cookies: All of them.
        secure: Whether the request came over TLS; None when the door has looked at it already.
    """
    names = (SECURE, PLAIN) if secure is None else (SECURE,) if secure else (PLAIN,)
    found = next((cookies[name] for name in names if name in cookies), "")
    return found if 0 < len(found) <= LONGEST_TOKEN else None


def form_in(cookies: Mapping[str, str]) -> str:
    """The form's token among a request's cookies, or nothing."""
    found = cookies.get(FORM, "")
    return found if len(found) <= LONGEST_TOKEN else ""


def give(response: Response, token: str, seconds: int, *, secure: bool) -> None:
    """Have the browser keep a session's token; a link in a mail carries it, another site's request does not."""
    response.set_cookie(
        SECURE if secure else PLAIN, token, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def take_back(response: Response, *, secure: bool) -> None:
    """Have the browser forget it."""
    response.set_cookie(
        SECURE if secure else PLAIN, "", max_age=0, path="/", secure=secure, httponly=True, samesite="lax"
    )


def give_form(response: Response, token: str, *, secure: bool) -> None:
    """Have the browser keep the token that the sign-in form must agree with."""
    response.set_cookie(
        FORM, token, max_age=FORM_SECONDS, path="/sign-in", secure=secure, httponly=True, samesite="strict"
    )
