"""The embedded server's data folder: made once, recognised, never repaired by guessing."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from trading_ops.settings import Settings
from trading_ops.store.binaries import binary_major, clean_env, program
from trading_ops.store.errors import NotInitialised, SecretsTooOpen, ServerFailed, WrongDatabaseVersion
from trading_ops.store.secret_files import new_password, read_secret, sync_folder, write_secret
from trading_ops.store.unprivileged import RunAs, run_as

HOST = "127.0.0.1"
SUPERUSER = "postgres"
INITDB_SECONDS = 600

CONFIGURATION = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "80",
    "shared_buffers": "192MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    # A statement whose client is gone ends soon instead of holding its locks until it is done.
    "client_connection_check_interval": "2s",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
"""What differs from PostgreSQL's own defaults; everything that makes a commit durable is left as it comes: on."""


class Cluster:
    """A home's data folder, password, port and log."""

    def __init__(self, settings: Settings) -> None:
        """Name the files of a home; none of them need exist."""
        self._settings = settings
        self.data = settings.postgres_dir
        self.log = settings.logs_dir / "postgres.log"
        self._port_file = settings.home / "postgres.port"
        self._password_file = settings.secrets_dir / "superuser"

    def exists(self) -> bool:
        """Whether the data folder was made; it appears whole or not at all."""
        return self.data.exists()

    def require(self) -> None:
        """Refuse a data folder that is missing, another version's, or open to others.

        Raises:
            NotInitialised: There is none.
            WrongDatabaseVersion: Another major version of PostgreSQL made it.
            ServerFailed: It is no data folder.
        """
        if not self.exists():
            raise NotInitialised(f"{self._settings.home} is no home yet. Run `trading-ops init`.")
        try:
            made_by = self.data.joinpath("PG_VERSION").read_text().strip()
        except FileNotFoundError as exc:
            raise ServerFailed(
                f"{self.data} is not a PostgreSQL data folder. Move it away, or restore a backup."
            ) from exc
        if made_by != str(binary_major()):
            raise WrongDatabaseVersion(
                f"{self.data} was made by PostgreSQL {made_by}, and this installation brings PostgreSQL "
                f"{binary_major()}. Install the release that made it, take a backup with it, and restore that here."
            )
        mode = self.data.stat().st_mode & 0o777
        if mode & 0o077:
            raise SecretsTooOpen(f"{self.data} is open to others (mode {mode:04o}). Run `chmod 700 {self.data}`.")

    def create(self) -> None:
        """Make the data folder if there is none, with a random superuser password."""
        if self.exists():
            return
        self._settings.make_folders()
        if not self._password_file.exists():
            write_secret(self._password_file, new_password())
        unfinished = self.data.with_name("postgres.unfinished")
        if unfinished.exists():  # an earlier attempt was killed; nothing was ever stored in it
            shutil.rmtree(unfinished)
        who = run_as(self.data)
        unfinished.mkdir(mode=0o700)
        try:
            self._initdb(unfinished, who)
            unfinished.rename(self.data)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(self.data.parent)

    def password(self) -> str:
        """The superuser's password.

        Raises:
            NotInitialised: There is none.
        """
        try:
            return read_secret(self._password_file).strip()
        except FileNotFoundError as exc:
            if not self.exists():
                raise NotInitialised(f"{self._settings.home} is no home yet. Run `trading-ops init`.") from exc
            raise NotInitialised(
                f"{self._password_file} is missing: without it nobody can enter {self.data}. Restore it or a backup."
            ) from exc

    def port(self) -> int | None:
        """The port the server last listened on, or None before its first start."""
        try:
            text = self._port_file.read_text().strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdigit() else None

    def remember_port(self, port: int) -> None:
        """Record the port where other processes look for it."""
        if self.port() == port:
            return
        unfinished = self._port_file.with_name(f".postgres.port.{os.getpid()}")
        unfinished.write_text(f"{port}\n")
        unfinished.replace(self._port_file)

    def free_port(self) -> int:
        """The port of last time when nobody has it now, else any free one."""
        last = self.port()
        if last is not None and _is_free(last):
            return last
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            return int(probe.getsockname()[1])

    def _initdb(self, folder: Path, who: RunAs) -> None:
        # initdb reads the password from a file, which the account that runs it must be able to open.
        password = folder.with_name(f".initdb.{os.getpid()}")
        write_secret(password, self.password())
        try:
            for path in (folder, password):
                os.chown(path, who.uid, who.gid)
            settings = [word for name, value in CONFIGURATION.items() for word in ("--set", f"{name}={value}")]
            made = subprocess.run(
                [
                    *who.prefix, program("initdb"), "--pgdata", str(folder), "--username", SUPERUSER,
                    "--pwfile", str(password), "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8",
                    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", *settings,
                ],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=INITDB_SECONDS,
                cwd="/", env=clean_env(),
            )  # fmt: skip
        finally:
            password.unlink(missing_ok=True)
        if made.returncode != 0:
            why = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ServerFailed(f"The database folder {self.data} could not be made: {why}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
