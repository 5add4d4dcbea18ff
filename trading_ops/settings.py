"""Where things are: the home folder, the database and the files that ship with the code. Read once, passed on.

Values that decide money do not belong here (they are `config/policy.yml`), and neither do passwords: those stay in
`<home>/secrets` and are read by the module that needs one.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trading_ops.domain.errors import ConfigError

DEFAULT_HOME = "./.home"
DEFAULT_DATABASE = "trading_ops"
DEFAULT_DAGSTER_DATABASE = "dagster"

_DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}")


@dataclass(frozen=True)
class Settings:
    """One home and its database.

    Attributes:
        home: Absolute folder of everything this installation writes (`TRADING_OPS_HOME`).
        database_url: Administrator's DSN of a PostgreSQL server to use instead of the embedded one
            (`TRADING_OPS_DATABASE_URL`), or None. Never shown: it may hold a password.
        database: Name of the ledger's database (`TRADING_OPS_DATABASE_NAME`).
    """

    home: Path
    database_url: str | None = field(default=None, repr=False)
    database: str = DEFAULT_DATABASE

    def __post_init__(self) -> None:
        if not _DATABASE_NAME.fullmatch(self.database):
            raise ConfigError(
                f"TRADING_OPS_DATABASE_NAME: {self.database!r} is no usable database name. "
                "Use small letters, digits and underscores, 50 at most."
            )

    @classmethod
    def from_env(cls, home: Path | None = None, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment once.

        Args:
            home: Replaces `TRADING_OPS_HOME`.
            environ: Replaces the process environment.

        Raises:
            ConfigError: A value cannot be used.
        """
        env = os.environ if environ is None else environ
        folder = home if home is not None else Path(env.get("TRADING_OPS_HOME") or DEFAULT_HOME)
        return cls(
            home=folder.expanduser().resolve(),
            database_url=env.get("TRADING_OPS_DATABASE_URL") or None,
            database=env.get("TRADING_OPS_DATABASE_NAME") or DEFAULT_DATABASE,
        )

    def to_env(self) -> dict[str, str]:
        """The variables with which another process finds the same home and database."""
        env = {"TRADING_OPS_HOME": str(self.home), "TRADING_OPS_DATABASE_NAME": self.database}
        return env if self.database_url is None else env | {"TRADING_OPS_DATABASE_URL": self.database_url}

    @property
    def dagster_database(self) -> str:
        """Name of Dagster's database: its own one, beside the ledger's, in the same server."""
        return DEFAULT_DAGSTER_DATABASE if self.database == DEFAULT_DATABASE else f"{self.database}_dagster"

    @property
    def postgres_dir(self) -> Path:
        """Data folder of the embedded server."""
        return self.home / "postgres"

    @property
    def dagster_dir(self) -> Path:
        """`DAGSTER_HOME`."""
        return self.home / "dagster"

    @property
    def snapshots_dir(self) -> Path:
        """Frozen market data, one file a snapshot."""
        return self.home / "snapshots"

    @property
    def qlib_dir(self) -> Path:
        """The exported Qlib dataset."""
        return self.home / "qlib"

    @property
    def inbox_dir(self) -> Path:
        """Where people drop files with prices to be picked up."""
        return self.home / "inbox"

    @property
    def artifacts_dir(self) -> Path:
        """What people read: tickets, reports, runs."""
        return self.home / "artifacts"

    @property
    def tickets_dir(self) -> Path:
        """Tickets as Markdown and JSON."""
        return self.artifacts_dir / "tickets"

    @property
    def reports_dir(self) -> Path:
        """Daily and weekly reports."""
        return self.artifacts_dir / "reports"

    @property
    def runs_dir(self) -> Path:
        """What a run left beside its ticket: manifest, tables, plots."""
        return self.artifacts_dir / "runs"

    @property
    def backups_dir(self) -> Path:
        """Backups and their manifests."""
        return self.home / "backups"

    @property
    def logs_dir(self) -> Path:
        """Logs, the database server's among them."""
        return self.home / "logs"

    @property
    def secrets_dir(self) -> Path:
        """Passwords, each file 0600."""
        return self.home / "secrets"

    def make_folders(self) -> None:
        """Create the home's missing folders; the mode of a folder that exists is left alone.

        The home itself can be passed through but not listed (0711), so a database server that runs under another
        account reaches its own data folder; what others must not read is 0700.
        """
        private = (self.secrets_dir, self.backups_dir, self.logs_dir)
        public = (
            self.snapshots_dir, self.dagster_dir, self.qlib_dir, self.inbox_dir, self.tickets_dir, self.reports_dir,
            self.runs_dir,
        )  # fmt: skip
        _make(self.home, 0o711)
        for folder in private:
            _make(folder, 0o700)
        for folder in public:
            folder.mkdir(parents=True, exist_ok=True)


def shipped(*parts: str) -> Path:
    """Path of a file or folder that ships with the code: `shipped("db", "roles.sql")`.

    In a checkout (and an editable install) it lies beside the package; in a wheel below `trading_ops/_shipped`.

    Raises:
        ConfigError: The installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for root in (package.parent, package / "_shipped"):
        found = root.joinpath(*parts)
        if found.exists():
            return found
    raise ConfigError(f"{'/'.join(parts)} is missing from this installation at {package.parent}. Install it again.")


def _make(folder: Path, mode: int) -> None:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
