"""Policy and universe as they are in force, with what they were before."""

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.universe import Instrument
from trading_ops.store import audit, configuration, name_checks
from trading_ops.store.name_checks import NameCheck


@dataclass(frozen=True)
class Name:
    """A name of the universe in force, as looked up.

    Attributes:
        instrument: With the newest look-up applied.
        check: The newest look-up, or None.
        why_off: Why it may not be bought; empty when it may.
        by_file: The universe file itself says so, and no person found it out.
    """

    instrument: Instrument
    check: NameCheck | None
    why_off: str
    by_file: bool = False


def policy_versions(conn: psycopg.Connection[Any]) -> Sequence[dict[str, Any]]:
    """Every version of the policy, newest first, without its text."""
    return conn.execute(
        "SELECT c.version, c.policy_hash, c.source, c.created_at, a.actor FROM ops.config_policy c "
        "JOIN ops.audit_log a ON a.seq = c.audit_seq ORDER BY c.version DESC"
    ).fetchall()


def policy_diff(conn: psycopg.Connection[Any], older: int, newer: int) -> str:
    """What changed between two versions, as a unified diff; empty when nothing did."""
    before = configuration.policy_version(conn, older).body.splitlines()
    after = configuration.policy_version(conn, newer).body.splitlines()
    return "\n".join(
        difflib.unified_diff(before, after, f"policy version {older}", f"policy version {newer}", lineterm="", n=2)
    )


def universe_versions(conn: psycopg.Connection[Any]) -> Sequence[dict[str, Any]]:
    """Every version of the universe, newest first, with how many names it has."""
    return conn.execute(
        "SELECT v.version, v.universe_hash, v.valid_from, v.source, v.created_at, a.actor, "
        "(SELECT count(*) FROM ops.config_universe u WHERE u.version = v.version) AS names "
        "FROM ops.config_universe_versions v JOIN ops.audit_log a ON a.seq = v.audit_seq ORDER BY v.version DESC"
    ).fetchall()


def names(conn: psycopg.Connection[Any], day: dt.date) -> tuple[int, tuple[Name, ...]]:
    """The version of the universe that holds on a day, and its names by symbol with what people found on eToro."""
    stored = configuration.universe_of_day(conn, day)
    known = configuration.as_looked_up(conn, stored, day, audit.head(conn).seq)
    checks = name_checks.newest(conn)
    disabled = {
        r["symbol"]: r["why"]
        for r in conn.execute("SELECT symbol, why FROM ops.universe_disablements ORDER BY audit_seq").fetchall()
    }
    listed = tuple(
        _name(found, stored.universe.instruments[symbol], checks, disabled)
        for symbol, found in sorted(known.instruments.items())
    )
    return stored.version, listed


def _name(now: Instrument, imported: Instrument, checks: dict[str, NameCheck], disabled: dict[str, str]) -> Name:
    by_file = not (imported.tradable_underlying and imported.enabled)
    return Name(now, checks.get(now.symbol), _why_off(now, imported, checks, disabled), by_file)


def _why_off(now: Instrument, imported: Instrument, checks: dict[str, NameCheck], disabled: dict[str, str]) -> str:
    if not now.tradable_underlying:
        return "not for trading (universe file)"
    if now.enabled:
        return ""
    if not imported.enabled:
        return "switched off in the universe file"
    check = checks.get(now.symbol)
    if check is not None and check.outcome != "found":
        what = "only as a CFD" if check.outcome == "cfd" else "not found"
        return f"{what} on eToro, {check.day:%d %b %Y}, {check.checked_by}"
    return disabled.get(now.symbol, "switched off")
