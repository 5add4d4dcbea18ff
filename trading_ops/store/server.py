"""The embedded PostgreSQL server: who may start and stop it. Nobody has it pulled from under them.

Everyone who needs the database is inside `Server.use()`, which holds a shared lock; the server stops when the last one
leaves, unless a person started it with `server start`. With TRADING_OPS_DATABASE_URL no server is managed at all.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store import endpoint, external
from trading_ops.store.cluster import HOST, Cluster
from trading_ops.store.errors import NotInitialised
from trading_ops.store.locks import FileLock, held
from trading_ops.store.probe import Answer, ask
from trading_ops.store.processes import live_server, stop_fast
from trading_ops.store.server_process import ensure_started


@dataclass(frozen=True)
class ServerStatus:
    """What `server status` tells.

    Attributes:
        running: It lets us in.
        managed: It is the embedded server; False when TRADING_OPS_DATABASE_URL names another.
        pid: Its process, None when it does not run or is not ours.
        host: Where it listens.
        port: Where it listens; None before its first start.
        kept: It stays when the last user leaves, until `server stop`.
    """

    running: bool
    managed: bool
    pid: int | None
    host: str
    port: int | None
    kept: bool


class Server:
    """A home's database server."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is started or touched yet."""
        self.settings = settings
        self._cluster = Cluster(settings)
        self._start_lock = settings.home / "postgres.start.lock"
        self._users_lock = settings.home / "postgres.lock"
        self._keep = settings.home / "postgres.keep"

    @property
    def managed(self) -> bool:
        """Whether this is the embedded server, and not one that TRADING_OPS_DATABASE_URL names."""
        return self.settings.database_url is None

    @contextmanager
    def use(self, *, create: bool = False) -> Iterator["Server"]:
        """Have the server running inside the `with`.

        Args:
            create: Make the data folder when there is none (`init` does).

        Raises:
            NotInitialised: There is no data folder.
            DatabaseDown: The server that TRADING_OPS_DATABASE_URL names does not answer.
            ServerFailed: It cannot be started.
        """
        if not self.managed:
            external.check(self.settings)
            yield self
            return
        self._require(create)
        with FileLock(self._users_lock) as users:
            with held(self._start_lock):
                users.shared()
                ensure_started(self._cluster)
            owner = os.getpid()
            try:
                yield self
            finally:
                if os.getpid() == owner:  # a forked child that unwinds is no user of its own
                    self._leave(users)

    def start_explicit(self) -> str:
        """Start the server and leave it running until `stop_explicit`; returns a sentence that says where.

        Raises:
            Refused: It runs already.
            NotInitialised: There is no data folder.
            ServerFailed: It cannot be started.
        """
        self._refuse_unmanaged("start")
        self._require(create=False)
        with held(self._start_lock), FileLock(self._users_lock) as users:
            pid = live_server(self._cluster.data)
            where = f"(pid {pid}, port {self._cluster.port()})"
            if pid is not None and self._keep.exists():
                raise Refused(f"The database server runs already {where}. Stop it with `trading-ops server stop`.")
            if pid is not None and not users.try_exclusive():
                raise Refused(
                    f"The database server runs already {where}, for a command that is at work and stops it at its end. "
                    "Try again then."
                )
            # One that was left behind by a killed command has no user, and is taken over.
            pid = ensure_started(self._cluster)
            self._keep.touch()
            return f"The database server runs (pid {pid}, port {self._cluster.port()}) until `trading-ops server stop`."

    def stop_explicit(self) -> str:
        """Stop the server; returns a sentence that says what was done.

        Raises:
            Refused: Somebody uses it now.
            ServerFailed: It does not stop.
        """
        self._refuse_unmanaged("stop")
        if not self._cluster.exists():
            return "The database server does not run: there is no database here yet."
        with held(self._start_lock), FileLock(self._users_lock) as users:
            pid = live_server(self._cluster.data)
            if pid is None:
                self._keep.unlink(missing_ok=True)
                return "The database server does not run."
            self._keep.unlink(missing_ok=True)
            if not users.try_exclusive():
                raise Refused(
                    f"The database server (pid {pid}) is in use by a command that is at work; "
                    "it stops when the last one leaves."
                )
            stop_fast(self._cluster.data, self._cluster.log)
            return f"The database server (pid {pid}) was stopped."

    def status(self) -> ServerStatus:
        """Look, and change nothing."""
        if not self.managed:
            where = endpoint.of(self.settings)
            return ServerStatus(external.answers(self.settings), False, None, where.host, where.port, True)
        pid = live_server(self._cluster.data)
        up = pid is not None and ask(self._cluster) is Answer.OURS
        return ServerStatus(up, True, pid, HOST, self._cluster.port(), self._keep.exists())

    def admin_dsn(self, database: str | None = None) -> str:
        """URL of the administrator, for his own database by default. It holds a password: never print it.

        Raises:
            NotInitialised: The embedded server has never been started.
        """
        return endpoint.admin_url(self.settings, database or endpoint.admin_database(self.settings))

    def _leave(self, users: FileLock) -> None:
        with held(self._start_lock):
            # Given up and taken again under the start lock: nobody can come in between.
            if users.try_exclusive() and not self._keep.exists():
                stop_fast(self._cluster.data, self._cluster.log)

    def _require(self, create: bool) -> None:
        if not self.settings.home.exists():
            if not create:
                raise NotInitialised(f"{self.settings.home} is no home yet. Run `trading-ops init`.")
            self.settings.make_folders()
        if create:
            with held(self._start_lock):
                self._cluster.create()
        self._cluster.require()

    def _refuse_unmanaged(self, verb: str) -> None:
        if not self.managed:
            raise Refused(
                f"TRADING_OPS_DATABASE_URL names a server of your own, so there is none to {verb} here. "
                f"Use that server's own means to {verb} it."
            )
