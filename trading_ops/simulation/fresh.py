"""Where a simulation may run: in a sim book that nothing has happened in."""

from typing import Any

import psycopg

from trading_ops.domain.errors import Refused
from trading_ops.store import desk


def require_fresh(conn: psycopg.Connection[Any]) -> None:
    """A simulation only ever runs in a sim book that nothing has happened in.

    Raises:
        Refused: The home holds something else.
    """
    held = desk.book(conn)
    if held != "sim":
        raise Refused(
            f"This home holds a {held} book; simulate runs in a fresh sim book only. Use another TRADING_OPS_HOME."
        )
    for table, what in (
        ("plans", "plans"),
        ("ledger_cash_movements", "cash movements"),
        ("ledger_trades_fills", "fills"),
    ):
        if conn.execute(f"SELECT 1 FROM ops.{table} LIMIT 1").fetchone():
            raise Refused(
                f"This sim book already has {what}; simulate runs in a fresh one. Use another TRADING_OPS_HOME, "
                "then `trading-ops init --book sim` and `trading-ops prices load`."
            )
