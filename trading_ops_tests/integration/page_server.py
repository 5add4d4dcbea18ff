"""The real application as a child process on a free loopback port, for tests that speak to it over the wire.

with serving(home) as served:
    page.context.add_cookies([sign_in_cookie(home, "anna").for_browser(served.url)])
    page.goto(f"{served.url}/confirm/2018-W05")
"""

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg import sql

from streamlit_app.auth import cookies, door
from streamlit_app.person import Person
from trading_ops.settings import Settings
from trading_ops.store import passwords, people, roles, sign_ins
from trading_ops.store.server import Server
from trading_ops_tests.conftest import TEMPLATE
from trading_ops_tests.integration.home_factory import opened

START_SECONDS = 40
STOP_SECONDS = 15
PASSWORD = "three brown walnut trees"
DEVICE = "a test"


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        url: `http://127.0.0.1:<port>`, without a slash at its end.
        port: Its port.
        pid: Its process.
        log: File that holds what it said.
    """

    url: str
    port: int
    pid: int
    log: Path


@dataclass(frozen=True)
class SessionCookie:
    """The cookie of a session that holds."""

    name: str
    value: str

    @property
    def header(self) -> str:
        """As a request's Cookie header."""
        return f"{self.name}={self.value}"

    def for_browser(self, url: str) -> dict[str, Any]:
        """As Playwright's `add_cookies` takes it."""
        return {"name": self.name, "value": self.value, "url": url, "httpOnly": True, "sameSite": "Lax"}


@contextmanager
def own_home(server: Server, administrator: psycopg.Connection[Any], folder: Path) -> Iterator[Settings]:
    """A home like `fresh_home` that lives as long as a module's tests need it: a server starts once for all of them."""
    name = f"pages_{uuid.uuid4().hex[:12]}"
    home = Settings(folder, database_url=server.admin_dsn(), database=name)
    home.make_folders()
    shutil.copy2(server.settings.secrets_dir / "db.json", home.secrets_dir)
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER ops_owner")
    administrator.execute(clone.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    roles.open_database(home)
    try:
        yield home
    finally:
        administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def serving(home: Settings, *words: str, scheme: str = "http") -> Iterator[Served]:
    """Start `trading-ops serve` against a home and stop it at the end, whatever happens.

    Args:
        home: With its people; see `add_person`.
        words: Further words of the command.
        scheme: `https` when the words name a certificate.
    """
    port = _free_port()
    log = home.logs_dir / f"pages-{port}.log"
    program = "from trading_ops.cli import main; main()"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--port", str(port), *words],
            env={**os.environ, **home.to_env()}, cwd=home.home, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"{scheme}://127.0.0.1:{port}"
        _wait_for(url, child, log)
        yield Served(url, port, child.pid, log)
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def add_person(
    home: Settings, username: str, role: str = "executor", *, name: str | None = None, email: str = "",
    password: str = PASSWORD,
) -> None:  # fmt: skip
    """Somebody who may sign in."""
    with opened(home, "sign_in") as conn, conn.transaction():
        people.add(conn, username, role, name or username.title(), email, passwords.hashed(password))


def sign_in_cookie(home: Settings, username: str, *, at: dt.datetime | None = None) -> SessionCookie:
    """Begin a session of a person without typing a password, and hand over its cookie.

    Args:
        home: Where the person is known.
        username: Who.
        at: When they signed in, UTC; now if left out.
    """
    with opened(home, "sign_in") as conn, conn.transaction():
        account = people.existing(conn, username)
        token = door.begin(conn, account, at or door.wall_clock(), remote="127.0.0.1", device=DEVICE)
    return SessionCookie(cookies.PLAIN, token)


def person_of(home: Settings, username: str) -> Person:
    """A signed-in person, for tests that call a page's functions themselves.

    The process's own environment must name the home (`TRADING_OPS_HOME` and the others of `home.to_env()`).
    """
    session = cookies.digest(sign_in_cookie(home, username).value)
    with opened(home, "sign_in") as conn:
        found = sign_ins.holder(conn, session, door.wall_clock())
    assert found is not None
    return Person.of(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    """Ask for the health answer until it comes; a server that ended says why in its log."""
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=0, verify=False), timeout=5) as client:
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=START_SECONDS)
        while dt.datetime.now(dt.UTC) < end:
            try:
                if client.get(f"{url}/_stcore/health").text == "ok":
                    return
            except httpx2.TransportError:
                pass
            try:
                code = child.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the server ended with {code}: {log.read_text()}")
    raise AssertionError(f"the server did not answer within {START_SECONDS} s: {log.read_text()}")
