"""Who may come in: a password becomes a session, a token is somebody's or nobody's, a session ends.

The only part of the pages that works as the database role `sign_in`. What a request looks like does not belong here.
"""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass

from streamlit_app.auth import cookies
from streamlit_app.auth.lockout import LOOK_BACK, standing
from streamlit_app.pool import Pool, pool_of
from trading_ops.settings import Settings
from trading_ops.store import passwords, people, sign_ins
from trading_ops.store.connect import Connection
from trading_ops.store.sign_ins import SignedIn

SESSION_LASTS = dt.timedelta(days=30)
UNKNOWN = "?"
"""Tries with what cannot be a username are kept and counted together."""
DEVICE_LENGTH = 200


@dataclass(frozen=True)
class Entered:
    """Signed in; the token is shown to the browser once and kept nowhere else."""

    token: str
    username: str


@dataclass(frozen=True)
class Wrong:
    """Username and password do not match, or the person may not sign in."""

    left: int


@dataclass(frozen=True)
class Locked:
    """Too many wrong tries; nothing is looked at until then (UTC)."""

    until: dt.datetime


def wall_clock() -> dt.datetime:
    """Now, UTC."""
    return dt.datetime.now(dt.UTC)


class Door:
    """The door of one home."""

    def __init__(self, pool: Pool, clock: Callable[[], dt.datetime] = wall_clock) -> None:
        """Nothing is connected yet."""
        self._pool = pool
        self._clock = clock

    def holder(self, token: str) -> SignedIn | None:
        """Whose session a token opens now; None when nobody's."""
        return self.holder_of(cookies.digest(token))

    def holder_of(self, session: str) -> SignedIn | None:
        """The same by what is kept of the token."""
        with self._pool.lent() as conn:
            return sign_ins.holder(conn, session, self._clock())

    def enter(self, username: str, password: str, *, remote: str, device: str) -> Entered | Wrong | Locked:
        """Try to sign in. Tries of one username wait for each other, so that no more than five are looked at."""
        typed = username.strip().lower()
        name = typed if people.USERNAME.fullmatch(typed) else UNKNOWN
        with self._pool.lent() as conn, conn.transaction():
            sign_ins.one_try_at_a_time(conn, name)
            at = self._clock()
            seen = sign_ins.tries(conn, name, at - LOOK_BACK)
            _, until = standing(seen, at)
            if until is not None:
                sign_ins.record_try(conn, name, remote, "locked", at)
                return Locked(until)
            account = people.find(conn, name)
            kept = account.password_hash if account and account.active else passwords.NOBODYS
            if not passwords.matches(password, kept) or account is None:
                sign_ins.record_try(conn, name, remote, "wrong", at)
                left, until = standing([*seen, (at, False)], at)
                return Wrong(left) if until is None else Locked(until)
            sign_ins.record_try(conn, name, remote, "ok", at)
            return Entered(begin(conn, account, at, remote=remote, device=device), name)

    def leave(self, token: str, *, everywhere: bool) -> None:
        """End the session of a token, or every session of its person; a token that is nobody's changes nothing."""
        with self._pool.lent() as conn, conn.transaction():
            at = self._clock()
            found = sign_ins.holder(conn, cookies.digest(token), at)
            if found is None:
                return
            sign(conn, found.username)
            if everywhere:
                sign_ins.end_all(conn, found.username, at, "signed out everywhere")
            else:
                sign_ins.end(conn, found, "signed out")


def begin(conn: Connection, account: people.Account, at: dt.datetime, *, remote: str, device: str) -> str:
    """Store a new session and return its token: always another one, whatever the browser brought."""
    token = cookies.new_token()
    shown = "".join(c for c in device if c.isprintable())[:DEVICE_LENGTH]
    sign(conn, account.username)
    sign_ins.begin(conn, account, cookies.digest(token), at + SESSION_LASTS, shown, remote)
    return token


def sign(conn: Connection, username: str) -> None:
    """Name the person in the audit rows of this transaction."""
    conn.execute("SELECT set_config('ops.person', %s, true)", (username,))


@functools.cache
def door_of(settings: Settings) -> Door:
    """The process's one door of a home."""
    return Door(pool_of(settings, "sign_in"))
