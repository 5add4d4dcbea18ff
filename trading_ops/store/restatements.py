"""Raw bars that a source changed after a ticket had used them: noted with the difference. The watch tells people.

The ticket itself stays what it was: it is rebuilt from its data snapshot, which keeps the old revision.
"""

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.values import plain

_COLUMNS = ("open", "high", "low", "close", "volume")

# A ticket used a bar when its run's data snapshot held the older revision and its names were judged by it: the session
# lies within the look-back of the signals. The name on one of its lines matters most and is said.
_RESTATED = """
    SELECT n.symbol, n.session, n.source, n.revision,
           o.open AS old_open, o.high AS old_high, o.low AS old_low, o.close AS old_close, o.volume AS old_volume,
           n.open, n.high, n.low, n.close, n.volume,
           array_agg(t.ticket_id ORDER BY t.plan_id) AS tickets,
           array_agg(t.ticket_id ORDER BY t.plan_id) FILTER (WHERE l.symbol IS NOT NULL) AS with_line
    FROM ops.market_prices_eod n
    JOIN ops.market_prices_eod o ON o.session = n.session AND o.symbol = n.symbol AND o.source = n.source
                                AND o.revision = n.revision - 1
    JOIN ops.run_snapshots s ON s.load_watermark >= o.load_id AND s.load_watermark < n.load_id
    JOIN ops.tickets t ON t.run_id = s.run_id
    JOIN ops.plans p ON p.plan_id = t.plan_id AND p.asof >= n.session AND p.asof <= n.session + %(days)s
    LEFT JOIN ops.ticket_lines l ON l.plan_id = t.plan_id AND l.symbol = n.symbol
    WHERE n.load_id = %(load)s AND n.revision > 1
      AND (o.open, o.high, o.low, o.close, o.volume) IS DISTINCT FROM (n.open, n.high, n.low, n.close, n.volume)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
    ORDER BY n.session, n.symbol"""

LOOK_BACK_DAYS = 200
"""Calendar days before its as-of session whose bars a plan's signals and gates look at; 127 sessions are 185 days."""


@dataclass(frozen=True)
class Restatement:
    """One restated bar: what changed, and the tickets that had used the old one.

    Attributes:
        symbol: The name.
        session: The session.
        source: Who restated it.
        revision: The new revision.
        differences: Column to (old, new), as text; only columns that differ.
        tickets: Tickets that had the old bar among their data.
        with_line: Those of them that bought or sold the name.
    """

    symbol: str
    session: str
    source: str
    revision: int
    differences: dict[str, tuple[str, str]]
    tickets: tuple[str, ...]
    with_line: tuple[str, ...]

    def sentence(self) -> str:
        """What happened, for the operator."""
        changed = ", ".join(f"{column} {old} to {new}" for column, (old, new) in self.differences.items())
        traded = f"; traded on {', '.join(self.with_line)}" if self.with_line else ""
        newest = self.tickets[-1]
        used = f"used by {newest}" if len(self.tickets) == 1 else f"used by {len(self.tickets)} tickets up to {newest}"
        return f"{self.symbol} {self.session} ({self.source}): {changed}; {used}{traded}."


def note(conn: psycopg.Connection[Any], load_id: int) -> tuple[Restatement, ...]:
    """Note the restated bars of a load that past tickets had used.

    Args:
        conn: A connection inside the load's transaction.
        load_id: The load.
    """
    rows = conn.execute(_RESTATED, {"load": load_id, "days": LOOK_BACK_DAYS}).fetchall()
    found = tuple(_of(row) for row in rows)
    if not found:
        return ()
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.restatements (symbol, session, source, revision, differences, tickets, load_id) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    r.symbol, r.session, r.source, r.revision, json.dumps(r.differences),
                    json.dumps({"used": r.tickets, "with_line": r.with_line}), load_id,
                )
                for r in found
            ],
        )  # fmt: skip
    return found


def since(conn: psycopg.Connection[Any], moment: dt.datetime) -> dict[int, tuple[Restatement, ...]]:
    """Restated bars that were noted after a moment, by load, oldest first."""
    rows = conn.execute(
        "SELECT symbol, session, source, revision, differences, tickets, load_id FROM ops.restatements "
        "WHERE created_at > %s ORDER BY load_id, session, symbol",
        (moment,),
    )
    found: dict[int, list[Restatement]] = {}
    for row in rows:
        used = row["tickets"]
        bar = Restatement(
            row["symbol"], row["session"].isoformat(), row["source"], row["revision"],
            {column: (old, new) for column, (old, new) in row["differences"].items()},
            tuple(used["used"]), tuple(used["with_line"]),
        )  # fmt: skip
        found.setdefault(row["load_id"], []).append(bar)
    return {load_id: tuple(bars) for load_id, bars in found.items()}


def _of(row: dict[str, Any]) -> Restatement:
    differences = {
        column: (_text(row[f"old_{column}"]), _text(row[column]))
        for column in _COLUMNS
        if row[f"old_{column}"] != row[column]
    }
    return Restatement(
        row["symbol"], row["session"].isoformat(), row["source"], row["revision"], differences,
        tuple(row["tickets"]), tuple(row["with_line"] or ()),
    )  # fmt: skip


def _text(value: Decimal) -> str:
    return plain(value)
