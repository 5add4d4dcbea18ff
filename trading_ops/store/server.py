"""The home's database server: started by whoever needs it first, stopped by whoever leaves last.

Every process that uses it holds a shared lock. Only a process that gets the lock for itself alone may stop the server,
so nobody's database disappears under them. With TRADING_OPS_DATABASE_URL no server is managed at all.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store import server_process
from trading_ops.store.errors import DatabaseDown, NotInitialised, WrongDatabaseVersion

OLDEST_VERSION = 160_000
"""PostgreSQL 16: the oldest version the SQL is written for."""


class Server:
    """The database server of one home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def managed(self) -> bool:
        """False when somebody else's server is used through a DSN."""
        return self.settings.database_url is None

    @property
    def _keep(self) -> Path:
        return self.settings.home / "postgres.keep"

    @contextmanager
    def use(self, *, create: bool = False) -> Iterator[None]:
        """Keep the server alive for the duration.

        Args:
            create: Make the data folder when there is none (init); otherwise a missing one is an error.

        Raises:
            NotInitialised: There is no data folder.
            DatabaseDown: With a DSN: nothing answers there.
            WrongDatabaseVersion: The server or data folder cannot be used.
        """
        if not self.managed:
            check_external(self.settings)
            yield
            return
        if not create and not (self.settings.postgres_dir / "PG_VERSION").exists():
            raise NotInitialised(f"{self.settings.home} has no database yet. Run `trading-ops init` first.")
        with self._locked("postgres.start.lock", fcntl.LOCK_EX):
            self._start_if_down()
            using = os.open(self.settings.home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(using, fcntl.LOCK_SH)
        try:
            yield
        finally:
            os.close(using)
            self._stop_if_last()

    def port(self) -> int:
        """The port of the running server.

        Raises:
            DatabaseDown: It does not run.
        """
        found = server_process.read_pid_file(self.settings.postgres_dir)
        if found is None or not server_process.is_ours(found.pid, self.settings.postgres_dir):
            raise DatabaseDown(
                f"The database server of {self.settings.home} does not run. Run `trading-ops server start`."
            )
        return found.port

    def admin_dsn(self, database: str = "postgres") -> str:
        """The administrator's connection string for a database of the server."""
        if self.settings.database_url is not None:
            return psycopg.conninfo.make_conninfo(self.settings.database_url, dbname=database)
        return server_process.dsn(self.settings, self.port(), database)

    def start_explicit(self) -> str:
        """Start the server and leave it running; returns a sentence.

        Raises:
            Refused: It runs already, or is not ours to start.
        """
        self._require_managed("started")
        if not (self.settings.postgres_dir / "PG_VERSION").exists():
            raise NotInitialised(f"{self.settings.home} has no database yet. Run `trading-ops init` first.")
        with self._locked("postgres.start.lock", fcntl.LOCK_EX):
            found = server_process.read_pid_file(self.settings.postgres_dir)
            if found and server_process.is_ours(found.pid, self.settings.postgres_dir):
                raise Refused(
                    f"The server of {self.settings.home} runs already (process {found.pid}, port {found.port}). "
                    "Stop it with `trading-ops server stop`."
                )
            port = self._start_if_down()
            self._keep.touch()
        return f"Server of {self.settings.home} runs on 127.0.0.1:{port}."

    def stop_explicit(self) -> str:
        """Stop the server unless another process uses it; returns a sentence.

        Raises:
            Refused: It is used, or not ours to stop.
        """
        self._require_managed("stopped")
        self._keep.unlink(missing_ok=True)
        if not self._stop_if_last():
            raise Refused(f"The server of {self.settings.home} is in use; it stops when the last user leaves.")
        return f"Server of {self.settings.home} is stopped."

    def _start_if_down(self) -> int:
        found = server_process.read_pid_file(self.settings.postgres_dir)
        ours = found is not None and server_process.is_ours(found.pid, self.settings.postgres_dir)
        if found and ours and server_process.answers(self.settings, found.port):
            return found.port
        server_process.make_data_folder(self.settings)
        return server_process.start(self.settings)

    def _stop_if_last(self) -> bool:
        with self._locked("postgres.start.lock", fcntl.LOCK_EX):
            alone = os.open(self.settings.home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                if not self._keep.exists():
                    server_process.stop(self.settings.postgres_dir)
                return True
            finally:
                os.close(alone)

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        handle = os.open(self.settings.home / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

    def _require_managed(self, what: str) -> None:
        if not self.managed:
            raise Refused(f"TRADING_OPS_DATABASE_URL is set: that server is not {what} from here.")


def check_external(settings: Settings) -> None:
    """The server behind the DSN answers and is new enough.

    Raises:
        DatabaseDown: Nothing answers, or it does not let us in.
        WrongDatabaseVersion: It is too old.
    """
    assert settings.database_url is not None
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5) as conn:
            version = conn.info.server_version
    except psycopg.OperationalError as exc:
        where = psycopg.conninfo.conninfo_to_dict(settings.database_url)
        raise DatabaseDown(
            f"The database at {where.get('host', 'localhost')}:{where.get('port', 5432)} (TRADING_OPS_DATABASE_URL) "
            f"does not answer: {str(exc).strip().splitlines()[-1]}. Start it, or correct the address."
        ) from exc
    if version < OLDEST_VERSION:
        raise WrongDatabaseVersion(
            f"The database of TRADING_OPS_DATABASE_URL is PostgreSQL {version // 10_000}; 16 or newer is needed."
        )
