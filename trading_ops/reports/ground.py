"""What all reports of one pass stand on, read and worked out once: the books, the curves, the costs.

Does not belong here: what one report picks out of it (`parts`, `daily`, `weekly`).
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

import psycopg

from trading_ops.desk import books_now, costs_now, returns_now, rollout_state
from trading_ops.desk.books_now import Books
from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.costs import FillCost
from trading_ops.domain.errors import BadInput
from trading_ops.domain.kill_switch import KillSwitchEvent
from trading_ops.domain.ledger_facts import Fill
from trading_ops.domain.performance import IndexPoint, twr_index
from trading_ops.domain.report_facts import RolloutPart
from trading_ops.domain.report_figures import benchmark_in_pounds
from trading_ops.domain.valuation import EquityPoint
from trading_ops.domain.values import ZERO, Session, exact
from trading_ops.store import audit, chosen, desk, rollout
from trading_ops.store.audit import AuditHead

MORNING = dt.time(6, 30)
"""London, on the day after a session: when its report is due."""


@dataclass(frozen=True)
class Ground:
    """One moment's knowledge.

    Attributes:
        sessions: Every session from the first fact through the last one asked for.
        points: Equity at each of them.
        index: The time-weighted index, from the first money on.
        benchmark: The benchmark in pounds on the days of the index; empty when its prices do not reach back so far.
        costs: Of every fill, with the fill.
        rollout: Where the roll-out stands; None in a simulated book that has none.
    """

    conn: psycopg.Connection[Any]
    book: Book
    of: Books
    head: AuditHead
    sessions: tuple[Session, ...]
    points: tuple[EquityPoint, ...]
    index: tuple[IndexPoint, ...]
    benchmark: tuple[IndexPoint, ...]
    costs: tuple[tuple[Fill, FillCost], ...]
    switch: tuple[KillSwitchEvent, ...]
    rollout: RolloutPart | None

    def point(self, session: Session) -> EquityPoint:
        """Equity at a session of `sessions`."""
        return self.points[bisect_right(self.sessions, session) - 1]


def morning_of(session: Session) -> dt.datetime:
    """When a session's report is due: the London morning after it, in UTC."""
    day = session + dt.timedelta(days=1)
    return dt.datetime.combine(day, MORNING, tzinfo=calendar.LONDON).astimezone(dt.UTC)


def first_session(of: Books) -> Session | None:
    """The first session of a book's life; None in an empty book."""
    if of.first_day is None:
        return None
    return of.first_day if calendar.is_session(of.first_day) else calendar.next_session(of.first_day)


def ground(conn: psycopg.Connection[Any], through: Session, now: dt.datetime) -> Ground | None:
    """Read what reports through a session stand on; None in a book whose first session lies later.

    Args:
        conn: A connection.
        through: The newest session that a report is about.
        now: The moment by the book's clock, aware UTC.

    Raises:
        LedgerError: The facts do not fit together.
    """
    head = audit.head(conn)
    of = books_now.books(conn)
    first = first_session(of)
    if first is None or first > through:
        return None
    sessions = calendar.sessions(first, through)
    points = _points(conn, of, sessions)
    index = twr_index(points)
    return Ground(
        conn=conn,
        book=cast("Book", desk.book(conn)),
        of=of,
        head=head,
        sessions=sessions,
        points=points,
        index=index,
        benchmark=_benchmark(conn, of, tuple(p.session for p in index)),
        costs=_costs(conn, of),
        switch=desk.kill_switch_events(conn, head.seq),
        rollout=_rollout(conn, now),
    )


def _rollout(conn: psycopg.Connection[Any], now: dt.datetime) -> RolloutPart | None:
    if desk.book(conn) == "sim" and rollout.phase(conn) is None:
        return None
    found = rollout_state.state(conn, now)
    return RolloutPart(sentence=found.sentence, missing=found.missing) if found else None


@dataclass(frozen=True)
class _Valued:
    """Points that were worked out, and all that they rest on."""

    basis: tuple[object, ...]
    facts: frozenset[tuple[dt.date, object]]
    points: tuple[EquityPoint, ...]


_LAST: dict[str, _Valued] = {}
"""A book's last curve: a later pass works out again only what lies behind the oldest fact that changed since."""


def _points(conn: psycopg.Connection[Any], of: Books, sessions: tuple[Session, ...]) -> tuple[EquityPoint, ...]:
    where = f"{conn.info.host}:{conn.info.port}/{conn.info.dbname}"
    load = conn.execute("SELECT max(load_id) AS newest FROM ops.price_loads").fetchone()
    basis = (of.policy, load["newest"] if load else None, sessions[0])
    facts = frozenset(
        [(f.session, f) for f in of.facts.fills] + [(m.day, m) for m in of.facts.movements]
        + [(e.day, e) for e in of.facts.events] + [(s.ex_date, s) for s in of.facts.splits]
    )  # fmt: skip
    known = _LAST.get(where)
    kept: tuple[EquityPoint, ...] = ()
    if known is not None and known.basis == basis:
        changed = min((day for day, _ in facts ^ known.facts), default=None)
        kept = tuple(p for p in known.points if p.session <= sessions[-1] and (changed is None or p.session < changed))
    points = (*kept, *_going_on(kept, returns_now.valued(conn, of, sessions[len(kept) :]), of))
    _LAST.clear()
    _LAST[where] = _Valued(basis, facts, points)
    return points


def _going_on(kept: tuple[EquityPoint, ...], new: tuple[EquityPoint, ...], of: Books) -> tuple[EquityPoint, ...]:
    """Points that go on from others: what flowed since the last of those is the first one's flow, not its opening."""
    if not kept or not new:
        return new
    since, day = kept[-1].session, new[0].session
    with exact():
        flow = sum((m.amount_gbp for m in of.facts.movements if m.is_flow and since < m.day <= day), ZERO)
    return (replace(new[0], flow_gbp=flow, opening_gbp=None), *new[1:])


def _costs(conn: psycopg.Connection[Any], of: Books) -> tuple[tuple[Fill, FillCost], ...]:
    try:
        found = costs_now.costs(conn, of).fills
    except BadInput:  # no fixing reaches back to the first fill: a report without costs says so
        return ()
    by_id = {fill.fill_id: fill for fill in of.facts.fills}
    return tuple((by_id[cost.fill_id], cost) for cost in found)


def _benchmark(conn: psycopg.Connection[Any], of: Books, sessions: tuple[Session, ...]) -> tuple[IndexPoint, ...]:
    if not sessions:
        return ()
    data = of.policy.data
    rows = conn.execute(
        "SELECT DISTINCT ON (session) session, close FROM ops.market_prices_eod WHERE symbol = %(symbol)s "
        "AND session BETWEEN %(first)s AND %(last)s AND source = ANY(%(order)s) AND close > 0 "
        "ORDER BY session, array_position(%(order)s::text[], source), revision DESC",
        {"symbol": data.benchmark, "first": sessions[0], "last": sessions[-1], "order": list(data.source_order)},
    )
    closes = {r["session"]: r["close"] for r in rows}
    actions = chosen.actions(conn, data, sessions[0], sessions[-1], [data.benchmark])
    return benchmark_in_pounds(closes, actions, _rates(of, sessions), sessions)


def _rates(of: Books, sessions: tuple[Session, ...]) -> Mapping[Session, Decimal]:
    days = [f.day for f in of.fixings]
    places = {session: bisect_right(days, session) for session in sessions}
    return {session: of.fixings[place - 1].usd_per_gbp for session, place in places.items() if place}
