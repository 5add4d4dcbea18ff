"""The ledger's facts: fills, cash movements and what voids them. What they add up to is `domain.ledger`."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.errors import BadInput, Refused, UnknownSymbol
from trading_ops.domain.ledger import CashMovement, CorporateEvent, Fill, LedgerFacts, ledger_at
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import ZERO, plain
from trading_ops.store import audit, chosen, configuration

INCOMING = ("deposit", "dividend")
OUTGOING = ("withdrawal", "fee")


def fill_payload(row: Mapping[str, Any]) -> dict[str, object]:
    """A fill as it is announced; the stored row must always give the same."""
    piece = {} if row["part"] == 1 else {"part": row["part"]}
    return piece | {
        "symbol": row["symbol"], "side": row["side"], "units": plain(row["units"]),
        "price_usd": plain(row["price_usd"]), "value_gbp": plain(row["value_gbp"]), "fee_gbp": plain(row["fee_gbp"]),
        "filled_at": row["filled_at"].astimezone(dt.UTC).isoformat(), "session": row["session"].isoformat(),
        "estimated": row["estimated"], "position_id": row["position_id"], "lots": list(row["lots"]),
        "plan_id": row["plan_id"], "line": row["line"], "recorded_by": row["recorded_by"], "why": row["why"],
    }  # fmt: skip


def movement_payload(row: Mapping[str, Any]) -> dict[str, object]:
    """A cash movement as it is announced; the stored row must always give the same."""
    return {
        "kind": row["kind"], "amount_gbp": plain(row["amount_gbp"]), "day": row["day"].isoformat(),
        "at": row["at"].astimezone(dt.UTC).isoformat(), "symbol": row["symbol"],
        "ex_date": row["ex_date"].isoformat() if row["ex_date"] else None,
        "recorded_by": row["recorded_by"], "why": row["why"],
    }  # fmt: skip


def event_payload(row: Mapping[str, Any]) -> dict[str, object]:
    """A corporate event as it is announced; the stored row must always give the same."""
    return {
        "kind": row["kind"], "symbol": row["symbol"], "day": row["day"].isoformat(), "new_symbol": row["new_symbol"],
        "new_units": plain(row["new_units"]), "cost_share": plain(row["cost_share"]),
        "cash_gbp": plain(row["cash_gbp"]), "recorded_by": row["recorded_by"], "why": row["why"],
    }  # fmt: skip


def void_payload(row: Mapping[str, Any]) -> dict[str, object]:
    """What takes a fact out of force as it is announced, under the fact's own id."""
    return {"why": row["why"], "recorded_by": row["recorded_by"]}


def record_fill(
    conn: psycopg.Connection[Any],
    fill: Fill,
    *,
    recorded_by: str,
    why: str = "",
    plan_id: str | None = None,
    line: int | None = None,
    confirmation_id: uuid.UUID | None = None,
    part: int = 1,
) -> int:
    """Store a fill; returns its number in the audit chain. `part` counts the pieces of one answer from 1."""
    row: dict[str, Any] = {
        "fill_id": fill.fill_id, "symbol": fill.symbol, "side": fill.side, "units": fill.units,
        "price_usd": fill.price_usd, "value_gbp": fill.value_gbp, "fee_gbp": fill.fee_gbp,
        "filled_at": fill.filled_at, "session": fill.session, "estimated": fill.estimated,
        "position_id": fill.position_id, "lots": list(fill.lot_ids), "plan_id": plan_id, "line": line,
        "recorded_by": recorded_by, "why": why, "part": part,
    }  # fmt: skip
    seq = audit.append(conn, "ledger.fill", fill.fill_id, fill_payload(row))
    conn.execute(
        "INSERT INTO ops.ledger_trades_fills (fill_id, symbol, side, units, price_usd, value_gbp, fee_gbp, filled_at, "
        "session, estimated, position_id, lots, plan_id, line, confirmation_id, part, recorded_by, why, audit_seq) "
        "VALUES "
        "(%(fill_id)s, %(symbol)s, %(side)s, %(units)s, %(price_usd)s, %(value_gbp)s, %(fee_gbp)s, %(filled_at)s, "
        "%(session)s, %(estimated)s, %(position_id)s, %(lots)s, %(plan_id)s, %(line)s, %(confirmation_id)s, "
        "%(part)s, %(recorded_by)s, %(why)s, %(seq)s)",
        {**row, "lots": json.dumps(row["lots"]), "confirmation_id": confirmation_id, "seq": seq},
    )
    return seq


def record_movement(conn: psycopg.Connection[Any], movement: CashMovement, *, recorded_by: str, why: str) -> int:
    """Store a cash movement; returns its number in the audit chain.

    Raises:
        BadInput: The amount is 0, or of the wrong sign for its kind.
        Refused: A dividend of that name and ex-date is booked already.
    """
    require_sign(movement.kind, movement.amount_gbp)
    if movement.kind == "dividend":
        audit.one_writer(conn)
        booked = conn.execute(
            "SELECT m.movement_id FROM ops.ledger_cash_movements m LEFT JOIN ops.ledger_voids v USING (movement_id) "
            "WHERE m.kind = 'dividend' AND m.symbol = %s AND m.ex_date = %s AND v.void_id IS NULL",
            (movement.symbol, movement.ex_date),
        ).fetchone()
        if booked:
            raise Refused(
                f"The dividend of {movement.symbol} with ex-date {movement.ex_date} is booked already "
                f"({booked['movement_id']}). Void that entry first if it is wrong."
            )
    row: dict[str, Any] = {
        "movement_id": movement.movement_id, "kind": movement.kind, "amount_gbp": movement.amount_gbp,
        "day": movement.day, "at": movement.at, "symbol": movement.symbol, "ex_date": movement.ex_date,
        "recorded_by": recorded_by, "why": why,
    }  # fmt: skip
    seq = audit.append(conn, "ledger.movement", movement.movement_id, movement_payload(row))
    conn.execute(
        "INSERT INTO ops.ledger_cash_movements (movement_id, kind, amount_gbp, day, at, symbol, ex_date, recorded_by, "
        "why, audit_seq) VALUES (%(movement_id)s, %(kind)s, %(amount_gbp)s, %(day)s, %(at)s, %(symbol)s, %(ex_date)s, "
        "%(recorded_by)s, %(why)s, %(seq)s)",
        {**row, "seq": seq},
    )
    return seq


def record_event(conn: psycopg.Connection[Any], event: CorporateEvent, *, recorded_by: str, why: str) -> int:
    """Store a corporate event that a person looked up; returns its number in the audit chain."""
    row: dict[str, Any] = {
        "event_id": event.event_id, "kind": event.kind, "symbol": event.symbol, "day": event.day,
        "new_symbol": event.new_symbol, "new_units": event.new_units, "cost_share": event.cost_share,
        "cash_gbp": event.cash_gbp, "recorded_by": recorded_by, "why": why,
    }  # fmt: skip
    seq = audit.append(conn, "ledger.event", event.event_id, event_payload(row))
    conn.execute(
        "INSERT INTO ops.ledger_events (event_id, kind, symbol, day, new_symbol, new_units, cost_share, cash_gbp, "
        "recorded_by, why, audit_seq) VALUES (%(event_id)s, %(kind)s, %(symbol)s, %(day)s, %(new_symbol)s, "
        "%(new_units)s, %(cost_share)s, %(cash_gbp)s, %(recorded_by)s, %(why)s, %(seq)s)",
        {**row, "seq": seq},
    )
    return seq


def require_sign(kind: str, amount_gbp: Decimal) -> None:
    """The sign of a kind that goes one way only. A wrong one is not turned round: it may be the kind that is wrong.

    Args:
        kind: Of the movement.
        amount_gbp: Pounds, signed as cash moves.

    Raises:
        BadInput: It contradicts the kind, or is 0 where cash must have moved; the text says what to enter.
    """
    said = f"A {kind} of {plain(amount_gbp)} GBP"
    if amount_gbp == ZERO and kind != "dividend":  # 0 says that it was not paid
        raise BadInput(f"{said} moves no cash. Enter the amount.")
    if kind in INCOMING and amount_gbp < ZERO:
        raise BadInput(f"{said} is negative, but it comes into the account. Enter {plain(-amount_gbp)}.")
    if kind in OUTGOING and amount_gbp > ZERO:
        raise BadInput(f"{said} must be negative: it leaves the account. Enter {plain(-amount_gbp)}.")


def void(
    conn: psycopg.Connection[Any],
    *,
    why: str,
    recorded_by: str,
    fill_id: str | None = None,
    movement_id: str | None = None,
    event_id: str | None = None,
) -> None:
    """Take a fill, a cash movement or an event out of force by an entry that names it; the wrong entry stays.

    Raises:
        Refused: It is void already.
    """
    fact = fill_id or movement_id or event_id
    void_id = uuid.uuid5(uuid.NAMESPACE_URL, f"void:{fact}")
    found = conn.execute("SELECT recorded_by, why FROM ops.ledger_voids WHERE void_id = %s", (void_id,)).fetchone()
    if found:
        raise Refused(f"{fact} is void already, by {found['recorded_by']}: {found['why']}.")
    seq = audit.append(conn, "ledger.void", str(fact), {"why": why, "recorded_by": recorded_by})
    conn.execute(
        "INSERT INTO ops.ledger_voids (void_id, fill_id, movement_id, event_id, recorded_by, why, audit_seq) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (void_id, fill_id, movement_id, event_id, recorded_by, why, seq),
    )


_IN_FORCE = (
    "NOT EXISTS (SELECT 1 FROM ops.ledger_voids v WHERE v.{key} = f.{key} AND v.audit_seq <= %(seq)s) "
    "AND f.audit_seq <= %(seq)s"
)


def fills(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[Fill, ...]:
    """Fills in force at a watermark, in the order they were announced."""
    rows = conn.execute(
        f"SELECT f.* FROM ops.ledger_trades_fills f WHERE {_IN_FORCE.format(key='fill_id')} ORDER BY f.audit_seq",
        {"seq": facts_seq},
    )
    return tuple(
        Fill(
            fill_id=str(r["fill_id"]), symbol=r["symbol"], side=r["side"], units=r["units"], price_usd=r["price_usd"],
            value_gbp=r["value_gbp"], fee_gbp=r["fee_gbp"], filled_at=r["filled_at"], session=r["session"],
            position_id=r["position_id"], lot_ids=tuple(r["lots"]),
            ticket_line=f"{r['plan_id']}/{r['line']}" if r["plan_id"] else None, estimated=r["estimated"],
        )
        for r in rows
    )  # fmt: skip


def movements(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[CashMovement, ...]:
    """Cash movements in force at a watermark, in the order they were announced."""
    rows = conn.execute(
        f"SELECT f.* FROM ops.ledger_cash_movements f WHERE {_IN_FORCE.format(key='movement_id')} ORDER BY f.audit_seq",
        {"seq": facts_seq},
    )
    return tuple(
        CashMovement(
            movement_id=str(r["movement_id"]), kind=r["kind"], amount_gbp=r["amount_gbp"], day=r["day"], at=r["at"],
            symbol=r["symbol"], ex_date=r["ex_date"],
        )
        for r in rows
    )  # fmt: skip


def events(conn: psycopg.Connection[Any], facts_seq: int) -> tuple[CorporateEvent, ...]:
    """Corporate events in force at a watermark, in the order they were announced."""
    rows = conn.execute(
        f"SELECT f.* FROM ops.ledger_events f WHERE {_IN_FORCE.format(key='event_id')} ORDER BY f.audit_seq",
        {"seq": facts_seq},
    )
    return tuple(
        CorporateEvent(
            event_id=str(r["event_id"]), kind=r["kind"], symbol=r["symbol"], day=r["day"], new_symbol=r["new_symbol"],
            new_units=r["new_units"], cost_share=r["cost_share"], cash_gbp=r["cash_gbp"],
        )
        for r in rows
    )  # fmt: skip


def require_known(conn: psycopg.Connection[Any], symbol: str, where: str) -> None:
    """The desk knows the name.

    Raises:
        UnknownSymbol: It does not.
    """
    if not conn.execute("SELECT 1 FROM ops.instruments WHERE symbol = %s", (symbol,)).fetchone():
        raise UnknownSymbol(symbol, where)


def require_possible(conn: psycopg.Connection[Any]) -> None:
    """The facts in force add up: nothing is sold that is not held. Called before a sale or a void is committed.

    Raises:
        LedgerError: Names the fill; rolling back keeps the books as they were.
    """
    known = facts(conn)
    days = [*(fill.session for fill in known.fills), *(event.day for event in known.events)]
    if days:
        ledger_at(LedgerFacts(known.fills, (), known.splits, known.events), max(days))


def facts(conn: psycopg.Connection[Any]) -> LedgerFacts:
    """Every fact in force, with the splits of every name ever held."""
    head = audit.head(conn).seq
    booked, happened = fills(conn, head), events(conn, head)
    splits = _splits(conn, booked, happened) if booked else ()
    return LedgerFacts(booked, movements(conn, head), splits, happened)


def _splits(
    conn: psycopg.Connection[Any], booked: tuple[Fill, ...], happened: tuple[CorporateEvent, ...]
) -> tuple[CorporateAction, ...]:
    """Splits of the names ever held, as the policy in force chooses among the sources."""
    data = configuration.policy_in_force(conn).policy.data
    names = sorted({fill.symbol for fill in booked} | {e.new_symbol for e in happened if e.new_symbol})
    known = chosen.actions(conn, data, min(fill.session for fill in booked), chosen.LAST_DAY, names)
    return tuple(action for action in known if action.kind == "split")


def tampered(conn: psycopg.Connection[Any]) -> list[str]:
    """Facts that differ from what was announced of them, each as a sentence."""
    found = []
    for kind, table, key, payload in (
        ("ledger.fill", "ledger_trades_fills", "fill_id", fill_payload),
        ("ledger.movement", "ledger_cash_movements", "movement_id", movement_payload),
        ("ledger.event", "ledger_events", "event_id", event_payload),
        ("ledger.void", "ledger_voids", "coalesce(fill_id, movement_id, event_id)", void_payload),
    ):
        said = audit.announcements(conn, kind)
        rows = conn.execute(f"SELECT {key}::text AS subject, * FROM ops.{table}")
        stored = {(r["audit_seq"], r["subject"]): audit.as_announced(payload(r)) for r in rows}
        for place in sorted(said.keys() | stored.keys()):
            subject = place[1]
            if place not in stored:
                found.append(f"{table} {subject}: announced, but no longer there")
            elif place not in said:
                found.append(f"{table} {subject}: never announced")
            else:
                found += [
                    f"{table} {subject}{_named(stored[place])}: {field} is {value}, announced was "
                    f"{said[place].get(field)}"
                    for field, value in stored[place].items()
                    if value != said[place].get(field)
                ]
    return found


def _named(stored: Mapping[str, Any]) -> str:
    name = stored.get("symbol") or stored.get("kind")
    return f" ({name})" if name else ""
