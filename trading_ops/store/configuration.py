"""Policy and universe in the database: imported, versioned, hashed, never changed."""

import datetime as dt
import functools
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from trading_ops.domain import policy as policies
from trading_ops.domain import universe as universes
from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused
from trading_ops.domain.policy import Policy
from trading_ops.domain.universe import Universe
from trading_ops.store import audit

FIRST_DAY = dt.date(1900, 1, 1)
"""The first universe of a home holds for all of history: there is no older one."""


@dataclass(frozen=True)
class StoredPolicy:
    """A policy with the version under which it was imported."""

    version: int
    policy: Policy
    policy_hash: str
    body: str
    canonical: str


@dataclass(frozen=True)
class StoredUniverse:
    """A universe with the version under which it was imported."""

    version: int
    universe: Universe
    universe_hash: str


def config_hash(policy_hash: str, universe_hash: str) -> str:
    """One hash for everything a person configured."""
    return sha256_hex(canonical_bytes({"policy": policy_hash, "universe": universe_hash}))


def import_policy(conn: psycopg.Connection[Any], body: str, source: str) -> StoredPolicy:
    """Validate and store a policy; importing the one in force changes nothing.

    Raises:
        ConfigError: Something in it is wrong; the text names line and column.
    """
    policy = policies.parse(body, source)
    digest = policies.policy_hash(policy)
    newest = conn.execute("SELECT version, policy_hash FROM ops.config_policy ORDER BY version DESC LIMIT 1").fetchone()
    if newest and newest["policy_hash"] == digest:
        return policy_version(conn, newest["version"])
    version = (newest["version"] if newest else 0) + 1
    text = canonical_bytes(policies.canonical(policy)).decode()
    seq = audit.append(conn, "config.policy", str(version), {"policy_hash": digest, "source": source})
    conn.execute(
        "INSERT INTO ops.config_policy (version, policy_hash, body, canonical, source, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (version, digest, body, text, source, seq),
    )
    return StoredPolicy(version, policy, digest, body, text)


@functools.lru_cache(maxsize=8)
def _parsed_policy(body: str, where: str) -> Policy:
    return policies.parse(body, where)


@functools.lru_cache(maxsize=8)
def _parsed_universe(body: str, where: str) -> Universe:
    return universes.parse_universe(body, where)


def policy_version(conn: psycopg.Connection[Any], version: int) -> StoredPolicy:
    """A stored policy, parsed from the text as imported."""
    row = conn.execute("SELECT * FROM ops.config_policy WHERE version = %s", (version,)).fetchone()
    if row is None:
        raise Refused(f"There is no policy version {version}. Run `trading-ops init`.")
    policy = _parsed_policy(row["body"], f"policy version {version}")
    return StoredPolicy(version, policy, row["policy_hash"], row["body"], row["canonical"])


def policy_in_force(conn: psycopg.Connection[Any]) -> StoredPolicy:
    """The newest policy: the one the next plan to open will take.

    Raises:
        Refused: None was imported yet.
    """
    row = conn.execute("SELECT max(version) AS version FROM ops.config_policy").fetchone()
    if row is None or row["version"] is None:
        raise Refused("No policy was imported yet. Run `trading-ops init`.")
    return policy_version(conn, row["version"])


def import_universe(
    conn: psycopg.Connection[Any], body: str, source: str, valid_from: dt.date | None = None
) -> StoredUniverse:
    """Validate and store a universe; the first holds for all of history, later ones from a day on.

    Raises:
        ConfigError: Something in it is wrong; the text names line and column.
    """
    universe = universes.parse_universe(body, source)
    digest = universes.universe_hash(universe)
    newest = conn.execute(
        "SELECT version, universe_hash FROM ops.config_universe_versions ORDER BY version DESC LIMIT 1"
    ).fetchone()
    if newest and newest["universe_hash"] == digest and not _switched_off_since(conn, newest["version"]):
        return StoredUniverse(newest["version"], universe, digest)
    version = (newest["version"] if newest else 0) + 1
    day = FIRST_DAY if newest is None else (valid_from or dt.datetime.now(dt.UTC).date())
    seq = audit.append(
        conn,
        "config.universe",
        str(version),
        {"universe_hash": digest, "valid_from": day.isoformat(), "source": source},
    )
    conn.execute(
        "INSERT INTO ops.config_universe_versions (version, universe_hash, valid_from, source, body, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (version, digest, day, source, body, seq),
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.instruments (symbol) VALUES (%s) ON CONFLICT DO NOTHING",
            [(symbol,) for symbol in sorted(universe.instruments)],
        )
        cursor.executemany(
            "INSERT INTO ops.config_universe (version, internal_symbol, stooq_symbol, yahoo_symbol, etoro_search_name, "
            "currency, instrument_type, tradable_underlying, enabled, listed_from, verified_on, notes) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    version, i.symbol, i.stooq_symbol, i.yahoo_symbol, i.etoro_search_name, i.currency,
                    i.instrument_type, i.tradable_underlying, i.enabled, i.listed_from, i.verified_on, i.notes,
                )
                for _, i in sorted(universe.instruments.items())
            ],
        )  # fmt: skip
    return StoredUniverse(version, universe, digest)


def _switched_off_since(conn: psycopg.Connection[Any], version: int) -> bool:
    """Names were switched off since that version: importing the same file again is a person's word against it."""
    row = conn.execute(
        "SELECT 1 FROM (SELECT audit_seq FROM ops.universe_disablements UNION ALL "
        "SELECT audit_seq FROM ops.name_checks WHERE outcome <> 'found') d "
        "JOIN ops.config_universe_versions v ON d.audit_seq > v.audit_seq WHERE v.version = %s LIMIT 1",
        (version,),
    ).fetchone()
    return row is not None


def universe_version(conn: psycopg.Connection[Any], version: int) -> StoredUniverse:
    """A stored universe, from the text as imported."""
    row = conn.execute("SELECT * FROM ops.config_universe_versions WHERE version = %s", (version,)).fetchone()
    if row is None:
        raise Refused(f"There is no universe version {version}. Run `trading-ops universe import`.")
    universe = _parsed_universe(row["body"], f"universe version {version}")
    return StoredUniverse(version, universe, row["universe_hash"])


def universe_of_day(conn: psycopg.Connection[Any], day: dt.date) -> StoredUniverse:
    """The universe as it was on a day: a plan of the past sees the names of its time.

    Raises:
        Refused: No universe was imported yet.
    """
    row = conn.execute(
        "SELECT version FROM ops.config_universe_versions WHERE valid_from <= %s "
        "ORDER BY valid_from DESC, version DESC LIMIT 1",
        (day,),
    ).fetchone()
    if row is None:
        raise Refused("No universe was imported yet. Run `trading-ops init`.")
    return universe_version(conn, row["version"])


def as_looked_up(conn: psycopg.Connection[Any], stored: StoredUniverse, asof: dt.date, facts_seq: int) -> Universe:
    """The universe with what people found on eToro since it was imported, as known at a watermark.

    A name that an executor's line could not find is switched off; so is one whose newest look-up says missing or only
    a CFD. A look-up that found the name dates its verification, and puts an earlier one of either kind right.
    """
    names = dict(stored.universe.instruments)
    for symbol in _not_found(conn, stored, asof, facts_seq) & names.keys():
        names[symbol] = replace(names[symbol], enabled=False)
    for row in _newest_checks(conn, stored, facts_seq):
        known = names.get(row["symbol"])
        if known is None:
            continue
        if row["outcome"] == "found":
            days = [day for day in (known.verified_on, row["day"]) if day]
            was = stored.universe.instruments[row["symbol"]]
            enabled = was.enabled if row["newest"] else known.enabled
            names[row["symbol"]] = replace(known, enabled=enabled, verified_on=max(days))
        else:
            names[row["symbol"]] = replace(known, enabled=False)
    return stored.universe if names == stored.universe.instruments else Universe(names)


def _not_found(conn: psycopg.Connection[Any], stored: StoredUniverse, asof: dt.date, facts_seq: int) -> set[str]:
    rows = conn.execute(
        "SELECT d.symbol FROM ops.universe_disablements d "
        "JOIN ops.config_universe_versions v ON v.version = %(version)s "
        "WHERE d.from_day <= %(asof)s AND d.audit_seq <= %(seq)s AND d.audit_seq > v.audit_seq AND NOT EXISTS ("
        "SELECT 1 FROM ops.confirmations c WHERE c.corrects = d.confirmation_id AND c.audit_seq <= %(seq)s)",
        {"version": stored.version, "asof": asof, "seq": facts_seq},
    )
    return {r["symbol"] for r in rows}


def _newest_checks(conn: psycopg.Connection[Any], stored: StoredUniverse, facts_seq: int) -> list[dict[str, Any]]:
    """The newest look-up of each name. One that did not find it counts until a newer universe says otherwise.

    `newest` is true when no line of a ticket failed to find the name after it.
    """
    return conn.execute(
        "SELECT * FROM (SELECT DISTINCT ON (c.symbol) c.symbol, c.outcome, c.day, c.audit_seq > v.audit_seq AS counts, "
        "NOT EXISTS (SELECT 1 FROM ops.universe_disablements d WHERE d.symbol = c.symbol AND d.audit_seq > c.audit_seq "
        "AND d.audit_seq <= %(seq)s AND NOT EXISTS (SELECT 1 FROM ops.confirmations n "
        "WHERE n.corrects = d.confirmation_id AND n.audit_seq <= %(seq)s)) AS newest "
        "FROM ops.name_checks c JOIN ops.config_universe_versions v ON v.version = %(version)s "
        "WHERE c.audit_seq <= %(seq)s ORDER BY c.symbol, c.audit_seq DESC) newest_of_each "
        "WHERE outcome = 'found' OR counts ORDER BY symbol",
        {"version": stored.version, "seq": facts_seq},
    ).fetchall()  # type: ignore[return-value]
