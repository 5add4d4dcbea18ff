"""What one run of a plan found: rule results, signals, targets, intended trades. Written once, never changed."""

import json
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain.calendar import Session
from trading_ops.domain.quality_report import QualityReport
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.signals import RankedSignal
from trading_ops.domain.sizing import Deferred, LotClose, Order, Target
from trading_ops.domain.values import plain


def save_results(conn: psycopg.Connection[Any], run_id: uuid.UUID, results: Iterable[CheckResult]) -> None:
    """Store rule results of a run; a result that is there stays."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.risk_checks (run_id, code, gate, outcome, seen, allowed, sentence, remedy, subjects) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (
                    run_id, r.code, RULES[r.code].gate, r.outcome, r.seen, r.allowed, r.sentence, r.remedy,
                    json.dumps(list(r.subjects)),
                )
                for r in results
            ],
        )  # fmt: skip


def results(conn: psycopg.Connection[Any], run_id: uuid.UUID) -> dict[str, CheckResult]:
    """Stored rule results of a run by code."""
    rows = conn.execute(
        "SELECT code, outcome, seen, allowed, sentence, remedy, subjects FROM ops.risk_checks WHERE run_id = %s",
        (run_id,),
    )
    return {
        r["code"]: CheckResult(
            r["code"], Outcome(r["outcome"]), r["seen"], r["allowed"], r["sentence"], r["remedy"], tuple(r["subjects"])
        )
        for r in rows
    }


def save_quality_report(conn: psycopg.Connection[Any], run_id: uuid.UUID, report: QualityReport) -> None:
    """Store what a run says of its data; the report that is there stays."""
    conn.execute(
        "INSERT INTO ops.quality_reports (run_id, asof, body) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (run_id, report.asof, json.dumps(report.as_dict())),
    )


def save_qlib_export(
    conn: psycopg.Connection[Any], snapshot_id: str, *, dataset_sha256: str, symbols: int, rows: int
) -> None:
    """Note that a dataset was exported from a data snapshot; the same one twice changes nothing."""
    conn.execute(
        "INSERT INTO ops.qlib_exports (snapshot_id, dataset_sha256, symbols, rows) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (snapshot_id, dataset_sha256, symbols, rows),
    )


def save_signals(conn: psycopg.Connection[Any], run_id: uuid.UUID, ranked: Sequence[RankedSignal]) -> None:
    """Store the ranking of a run."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.signals_ranked (run_id, symbol, rank, score, source, model_version, session) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(run_id, s.symbol, s.rank, s.score, s.source, s.model_version, s.session) for s in ranked],
        )


def save_targets(conn: psycopg.Connection[Any], run_id: uuid.UUID, targets: Sequence[Target]) -> None:
    """Store what the book should hold."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.portfolio_targets (run_id, symbol, seat, rank, weight, target_gbp, value_gbp, units, "
            "price_usd, difference_gbp, note) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [
                (
                    run_id, t.symbol, t.seat, t.rank, t.weight, t.target_gbp, t.value_gbp, t.units, t.price_usd,
                    t.difference_gbp, t.note,
                )
                for t in targets
            ],
        )  # fmt: skip


def save_sizing(
    conn: psycopg.Connection[Any],
    run_id: uuid.UUID,
    *,
    orders: Sequence[Order],
    deferred: Sequence[Deferred],
    equity_gbp: Decimal,
    cash_gbp: Decimal,
    usd_per_gbp: Decimal,
    fx_day: Session,
) -> None:
    """Store the intended trades in line order, with what was left for a later week."""
    later = [
        {"symbol": d.symbol, "side": d.side, "amount_gbp": plain(d.amount_gbp), "code": d.code, "sentence": d.sentence}
        for d in deferred
    ]
    conn.execute(
        "INSERT INTO ops.portfolio_sizings (run_id, equity_gbp, cash_gbp, usd_per_gbp, fx_day, deferred) "
        "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (run_id, equity_gbp, cash_gbp, usd_per_gbp, fx_day, json.dumps(later)),
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.ledger_trades_intended (run_id, line, symbol, side, trade_group, units, amount_gbp, "
            "price_usd, price_session, whole, lots) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [
                (
                    run_id, o.line, o.symbol, o.side, o.group, o.units, o.amount_gbp, o.price_usd, o.price_session,
                    o.exit, json.dumps([_lot(lot) for lot in o.lots]),
                )
                for o in orders
            ],
        )  # fmt: skip


def _lot(lot: LotClose) -> dict[str, object]:
    return {
        "lot_id": lot.lot_id, "opened_on": lot.opened_on.isoformat(), "units": plain(lot.units),
        "position_id": lot.position_id, "whole": lot.whole,
    }  # fmt: skip


def intended_differs(conn: psycopg.Connection[Any], run_id: uuid.UUID, orders: Sequence[Order]) -> bool:
    """True when the stored intended trades are not exactly these orders."""
    rows = conn.execute(
        "SELECT line, symbol, side, units, amount_gbp, price_usd FROM ops.ledger_trades_intended WHERE run_id = %s "
        "ORDER BY line",
        (run_id,),
    )
    stored = [(r["line"], r["symbol"], r["side"], r["units"], r["amount_gbp"], r["price_usd"]) for r in rows]
    return stored != [(o.line, o.symbol, o.side, o.units, o.amount_gbp, o.price_usd) for o in orders]
