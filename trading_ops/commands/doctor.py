"""doctor: is the home sound, and does the desk run? One row a question; each that is answered badly says what to do."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, cast

import psycopg
import typer

from trading_ops.backup import encryption
from trading_ops.commands import show
from trading_ops.commands.home import now
from trading_ops.comms import setup as mail
from trading_ops.comms import smtp
from trading_ops.domain.books import Book
from trading_ops.domain.desk import check_backup_unproven
from trading_ops.domain.errors import TradingOpsError
from trading_ops.intake import sources
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, configuration, doctor, source_keys
from trading_ops.store.connect import connect
from trading_ops.store.doctor import Finding
from trading_ops.store.roles import DAGSTER
from trading_ops.store.server import Server

HEARTBEAT = dt.timedelta(minutes=5)
NOT_ASKED = "a simulated book needs none"


def examine_home(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Check the home and the desk; the exit code is 1 when anything is wrong."""
    settings = Settings.from_env()
    with Server(settings).use():
        found = [*doctor.examine(settings), *_of_the_desk(settings)]
    rows: list[dict[str, Any]] = [
        {
            "check": f.name,
            "ok": "yes" if f.ok else "NO",
            "seen": f.seen,
            "wanted": f.wanted,
            "fix": "" if f.ok else f.fix,
        }
        for f in found
    ]
    show.rows(rows, "json" if json else "table", "nothing to check")
    if not all(f.ok for f in found):
        raise typer.Exit(1)


def _of_the_desk(settings: Settings) -> Iterator[Finding]:
    try:
        with connect(settings, "app_writer") as conn:
            conn.autocommit = True
            held = conn.execute("SELECT book FROM ops.books").fetchone()
            if held is None:
                yield Finding("book", False, "none", "live, paper or sim", "Run `trading-ops init --book …`.")
                return
            book = cast("Book", held["book"])
            yield _backup(conn, book)
            yield from _backup_key(conn, settings)
            yield _sources(conn, settings, book)
        yield _mail(settings, book)
        yield _daemon(settings, book)
    except (TradingOpsError, psycopg.Error) as exc:
        yield Finding("desk", False, str(exc).strip(), "can be looked at", "Mend what stands above first.")


def _backup(conn: psycopg.Connection[Any], book: Book) -> Finding:
    policy = configuration.policy_in_force(conn).policy
    checked = check_backup_unproven(backups.holds_until(conn, audit.head(conn).seq), now(), policy, book)
    return Finding("proven backup", checked.passed, checked.seen, checked.allowed, "Run `trading-ops backup create`.")


def _backup_key(conn: psycopg.Connection[Any], settings: Settings) -> Iterator[Finding]:
    """Nothing where backups are plain. Only a person who holds the private key can show that it opens one."""
    try:
        asked = encryption.wanted(settings)
    except TradingOpsError as exc:
        yield Finding(
            "key of the backups", False, str(exc), "a public key of age", "Correct the line, or leave it empty."
        )
        return
    if asked is not None:
        opened = backups.last_opened(conn, asked.recipient)
        seen = f"opened one on {opened:%Y-%m-%d}" if opened else "has opened none yet"
        fix = (
            "Run `trading-ops backup verify --identity FILE` with the private key, then take it off this machine again."
        )
        yield Finding("key of the backups", opened is not None, seen, "has opened one", fix)


def _sources(conn: psycopg.Connection[Any], settings: Settings, book: Book) -> Finding:
    wanted, fix = "one that can be asked", "See `trading-ops prices sources`: it says what is in the way of each."
    if book == "sim":
        return Finding("sources of prices", True, NOT_ASKED, "", "")
    try:
        there = sources.configured(configuration.policy_in_force(conn).policy, source_keys.read(settings))
    except TradingOpsError as exc:
        return Finding("sources of prices", False, str(exc), wanted, fix)
    there.close()
    usable = [each.source.name for each in there.prices]
    return Finding("sources of prices", bool(usable), ", ".join(usable) or "none", wanted, fix)


def _mail(settings: Settings, book: Book) -> Finding:
    wanted, fix = "a server that answers", "See Mail in the README; then `trading-ops mail test ADDRESS`."
    try:
        comms = mail.read(settings)
    except TradingOpsError as exc:
        return Finding("mail", False, str(exc), wanted, fix)
    if comms.smtp is None:
        return Finding("mail", book == "sim", "off", "" if book == "sim" else wanted, fix)
    trouble = smtp.knock(comms.smtp)
    if trouble is not None:
        return Finding("mail", False, f"{comms.smtp.where} does not answer: {trouble}", wanted, fix)
    return Finding("mail", True, f"{comms.smtp.where} answers", wanted, fix)


def _daemon(settings: Settings, book: Book) -> Finding:
    wanted = f"heard of within {HEARTBEAT.total_seconds() / 60:.0f} minutes"
    fix = "Start `trading-ops dev`, and have the machine start it by itself."
    if book == "sim":
        return Finding("Dagster's daemon", True, NOT_ASKED, "", "")
    try:
        at = _heard_of(settings)
    except (TradingOpsError, psycopg.Error) as exc:
        return Finding("Dagster's daemon", False, str(exc).strip(), wanted, fix)
    if at is None:
        return Finding("Dagster's daemon", False, "never heard of", wanted, fix)
    return Finding("Dagster's daemon", now() - at <= HEARTBEAT, f"last heard of {at:%Y-%m-%d %H:%M} UTC", wanted, fix)


def _heard_of(settings: Settings) -> dt.datetime | None:
    """When the part of the daemon that was silent for longest was last heard of, aware UTC."""
    with connect(settings, DAGSTER) as conn:
        there = conn.execute("SELECT to_regclass('public.daemon_heartbeats') AS t").fetchone()
        if there is None or there["t"] is None:
            return None
        row = conn.execute("SELECT min(timestamp) AS at FROM public.daemon_heartbeats").fetchone()
    # Dagster stores UTC without saying so.
    return row["at"].replace(tzinfo=dt.UTC) if row and row["at"] else None
