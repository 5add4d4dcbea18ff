"""Is the home sound? One row a question, with what was seen and what is wanted. It changes nothing."""

import datetime as dt
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trading_ops.domain import calendar
from trading_ops.domain.errors import TradingOpsError
from trading_ops.settings import Settings
from trading_ops.store import migrate, source_keys
from trading_ops.store.connect import Connection, connect
from trading_ops.store.external import OLDEST_MAJOR

SERVER_SETTINGS = (
    ("fsync", ("on",)),
    ("full_page_writes", ("on",)),
    # Each of these waits for this machine's disk, the last two for another machine's as well.
    ("synchronous_commit", ("on", "local", "remote_write", "remote_apply")),
    ("data_checksums", ("on",)),
    ("TimeZone", ("UTC",)),
    ("server_encoding", ("UTF8",)),
)
CALENDAR_DAYS_LEFT = 366


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        name: What was asked, in a word or three.
        ok: Whether it is as wanted.
        seen: What is there.
        wanted: What should be there.
    """

    name: str
    ok: bool
    seen: str
    wanted: str


def examine(settings: Settings, today: dt.date | None = None) -> tuple[Finding, ...]:
    """Ask every question; one that cannot be answered is a finding, not an exception.

    Args:
        settings: The home; its server runs.
        today: Replaces the wall clock's day.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    return (*_files(settings), *_database(settings), _calendar(day))


def _files(settings: Settings) -> Iterator[Finding]:
    managed = settings.database_url is None
    wanted = [(settings.secrets_dir, 0o700), (settings.secrets_dir / "db.json", 0o600)]
    if managed:
        wanted += [(settings.secrets_dir / "superuser", 0o600), (settings.postgres_dir, 0o700)]
    if (settings.secrets_dir / source_keys.FILE).exists():
        wanted.append((settings.secrets_dir / source_keys.FILE, 0o600))
    for path, mode in wanted:
        yield _mode(path, mode, str(path.relative_to(settings.home)))


def _mode(path: Path, wanted: int, name: str) -> Finding:
    try:
        seen = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return Finding(f"mode of {name}", False, "missing", f"{wanted:04o}")
    return Finding(f"mode of {name}", seen & ~wanted == 0, f"{seen:04o}", f"{wanted:04o} or tighter")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with connect(settings, "app_writer") as conn:
            yield Finding("database", True, "answers", "answers")
            yield from server_findings(conn)
        yield _migrations(settings)
    except TradingOpsError as exc:
        yield Finding("database", False, str(exc), "answers")


def server_findings(conn: Connection) -> Iterator[Finding]:
    """The server's own settings, as the session that asks has them."""
    major = conn.info.server_version // 10_000
    yield Finding("PostgreSQL version", major >= OLDEST_MAJOR, str(major), f"{OLDEST_MAJOR} or newer")
    for name, wanted in SERVER_SETTINGS:
        row = conn.execute("SELECT current_setting(%s) AS seen", (name,)).fetchone()
        seen = str(row["seen"]) if row else "nothing"
        yield Finding(name, seen in wanted, seen, wanted[0])


def _migrations(settings: Settings) -> Finding:
    seen, wanted = migrate.current(settings) or "none", migrate.head()
    return Finding("migrations", seen == wanted, seen, wanted)


def _calendar(today: dt.date) -> Finding:
    left = (calendar.LAST_DAY - today).days
    wanted = f"{CALENDAR_DAYS_LEFT} days or more"
    return Finding("exchange calendar ahead", left >= CALENDAR_DAYS_LEFT, f"{left} days", wanted)
