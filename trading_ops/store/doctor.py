"""Is the home sound? One row a question, with what was seen and what is wanted. It changes nothing."""

import datetime as dt
import shutil
import stat
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trading_ops.domain import calendar, clock_evidence
from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.observed import CLOCK_TOLERANCE
from trading_ops.domain.watching import DISK_LEAST
from trading_ops.settings import Settings, shipped
from trading_ops.store import audit, fetches, migrate, source_keys
from trading_ops.store.binaries import binary_major
from trading_ops.store.connect import Connection, connect
from trading_ops.store.external import OLDEST_MAJOR
from trading_ops.store.schema_contract import privileges_text, schema_hash

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
ZONES = (("Europe/London", 0, 1), ("America/New_York", -5, -4))
"""Hours from UTC in winter and in summer: the two clocks of the desk."""


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        name: What was asked, in a word or three.
        ok: Whether it is as wanted.
        seen: What is there.
        wanted: What should be there.
        fix: What to do when it is not; empty when nothing has to be done.
    """

    name: str
    ok: bool
    seen: str
    wanted: str
    fix: str = ""


@dataclass(frozen=True)
class Machine:
    """What the machine says of itself; tests replace it.

    Attributes:
        now: Its clock, aware UTC.
        free_bytes: Free space on the home's disk.
    """

    now: dt.datetime
    free_bytes: int

    @classmethod
    def here(cls, settings: Settings) -> "Machine":
        """This machine, now."""
        return cls(dt.datetime.now(dt.UTC), shutil.disk_usage(settings.home).free)


def examine(settings: Settings, today: dt.date | None = None, machine: Machine | None = None) -> tuple[Finding, ...]:
    """Ask every question; one that cannot be answered is a finding, not an exception.

    Args:
        settings: The home; its server runs.
        today: Replaces the machine's day.
        machine: Replaces this machine.
    """
    here = machine or Machine.here(settings)
    day = today or here.now.date()
    return (*_files(settings), _disk(here), *_zones(day.year), *_database(settings, here), _calendar(day))


def _disk(machine: Machine) -> Finding:
    seen = f"{machine.free_bytes / 1024**3:.1f} GiB free"
    return Finding(
        "disk", machine.free_bytes >= DISK_LEAST, seen, f"{DISK_LEAST / 1024**3:.0f} GiB or more",
        "Make room on the disk of the home, or move the home to a larger one.",
    )  # fmt: skip


def _zones(year: int) -> Iterator[Finding]:
    for name, winter, summer in ZONES:
        wanted = f"{winter:+d} h in January, {summer:+d} h in July"
        fix = "Install the time zone data: apt-get install tzdata, or pip install tzdata."
        try:
            hours = [_hours(name, dt.datetime(year, month, 10, 12, tzinfo=dt.UTC)) for month in (1, 7)]
        except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as exc:
            yield Finding(f"time zone {name}", False, f"cannot be read: {exc}", wanted, fix)
            continue
        seen = f"{hours[0]:+d} h in January, {hours[1]:+d} h in July"
        yield Finding(f"time zone {name}", seen == wanted, seen, wanted, fix)


def _hours(name: str, at: dt.datetime) -> int:
    offset = at.astimezone(zoneinfo.ZoneInfo(name)).utcoffset() or dt.timedelta(0)
    return int(offset.total_seconds() // 3600)


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
        fix = f"Run `trading-ops init`; if {name} was there before, restore it."
        return Finding(f"mode of {name}", False, "missing", f"{wanted:04o}", fix)
    fix = f"Run `chmod {wanted:04o} {path}`."
    return Finding(f"mode of {name}", seen & ~wanted == 0, f"{seen:04o}", f"{wanted:04o} or tighter", fix)


def _database(settings: Settings, machine: Machine) -> Iterator[Finding]:
    try:
        with connect(settings, "app_writer") as conn:
            yield Finding("database", True, "answers", "answers")
            yield from server_findings(conn)
            major = conn.info.server_version // 10_000
            yield from _clock(conn, machine.now)
        migrations = _migrations(settings)
        yield migrations
        # What was reviewed is the newest schema, as the PostgreSQL of the package words it.
        if migrations.ok and major == binary_major():
            yield from _contracts(settings)
    except TradingOpsError as exc:
        yield Finding("database", False, str(exc), "answers", "See what it says; `trading-ops server status` helps.")


def _clock(conn: Connection, now: dt.datetime) -> Iterator[Finding]:
    clocks = audit.clocks(conn, now)
    fix = "Set the clock: timedatectl set-ntp true. Until it is right, issue no ticket."
    yield Finding(
        "clock against the database's", clocks.agree, f"{clocks.apart.total_seconds():.1f} s apart",
        f"{CLOCK_TOLERANCE.total_seconds():.0f} s or less", fix,
    )  # fmt: skip
    newest = clocks.newest_fact
    seen = f"the newest entry is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "no entry yet"
    yield Finding("clock against the newest entry", not clocks.is_behind, seen, "not in the future", fix)
    told = fetches.clock_readings(conn, now - clock_evidence.BELIEVED_FOR, now)
    seen = ", ".join(f"{name} {reading.apart.total_seconds():+.0f} s" for name, reading in sorted(told.items()))
    yield Finding(
        "clock against the sources'", not clock_evidence.against(told), seen or "no source answered within a day",
        f"no two that agree on more than {clock_evidence.SOURCES_TOLERANCE.total_seconds():.0f} s", fix,
    )  # fmt: skip


def _contracts(settings: Settings) -> Iterator[Finding]:
    fix = "Somebody changed it by hand. Find out who and why; restore a backup that was made before."
    for name, seen, wanted in (
        ("schema", schema_hash(settings), shipped("db", "schema.sha256").read_text().split()[0]),
        ("rights of the roles", sha256_hex(privileges_text(settings).encode()),
         sha256_hex(shipped("db", "privileges.txt").read_bytes())),
    ):  # fmt: skip
        yield Finding(name, seen == wanted, seen[:12], wanted[:12], fix)


def server_findings(conn: Connection) -> Iterator[Finding]:
    """The server's own settings, as the session that asks has them."""
    major = conn.info.server_version // 10_000
    yield Finding("PostgreSQL version", major >= OLDEST_MAJOR, str(major), f"{OLDEST_MAJOR} or newer",
                  "Upgrade the server, or unset TRADING_OPS_DATABASE_URL.")  # fmt: skip
    for name, wanted in SERVER_SETTINGS:
        row = conn.execute("SELECT current_setting(%s) AS seen", (name,)).fetchone()
        seen = str(row["seen"]) if row else "nothing"
        fix = f"Set {name} = {wanted[0]} in the server's configuration and start it again."
        yield Finding(name, seen in wanted, seen, wanted[0], fix)


def _migrations(settings: Settings) -> Finding:
    seen, wanted = migrate.current(settings) or "none", migrate.head()
    return Finding("migrations", seen == wanted, seen, wanted, "Run `trading-ops init`; it keeps everything there is.")


def _calendar(today: dt.date) -> Finding:
    left = (calendar.LAST_DAY - today).days
    wanted = f"{CALENDAR_DAYS_LEFT} days or more"
    return Finding("exchange calendar ahead", left >= CALENDAR_DAYS_LEFT, f"{left} days", wanted,
                   "Install a newer exchange_calendars: a release of this product brings it.")  # fmt: skip
