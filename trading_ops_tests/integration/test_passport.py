"""A bar's passport: every revision with its origin, what was found, what was refused, and which tickets used it."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from trading_ops.domain.errors import UnknownSymbol
from trading_ops.drill.server import Asked, Reply
from trading_ops.planning.direct import plan_now
from trading_ops.settings import Settings
from trading_ops.store import configuration, desk
from trading_ops.store.passport import Passport, passport
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.intake_factory import FRIDAY, Desk
from trading_ops_tests.integration.intake_factory import desk as played_desk

TWO = {"sources_min": "2"}


def of(d: Desk, symbol: str = "N01", session: dt.date = FRIDAY) -> Passport:
    return passport(d.conn, symbol, session, configuration.policy_in_force(d.conn).policy.data)


def test_it_names_source_time_hash_verdict_and_revision(fresh_home: Settings) -> None:
    with played_desk(fresh_home, **TWO) as d:
        d.fetch()
        found = of(d)
        assert [(s.source, s.revision, s.chosen) for s in found.stamps] == [("tiingo", 1, True), ("yahoo", 1, False)]
        tiingo = found.stamps[0]
        assert tiingo.prices["close"] == str(d.market.bars["N01"][FRIDAY].close.normalize())
        assert tiingo.fetched_at == d.at
        ((url, digest),) = tiingo.body
        assert "/tiingo/daily/" in url
        assert "sentinel" not in url
        assert len(digest) == 64
        assert tiingo.requests == 1
        assert found.verdicts == ("Cross-checked: tiingo and yahoo agree.",)
        assert found.tickets == ()


def test_a_restated_bar_shows_both_revisions_and_the_ticket_that_used_the_old_one(fresh_home: Settings) -> None:
    from dataclasses import replace

    with played_desk(fresh_home, **TWO) as d:
        d.fetch()
        ticket = plan_now(d.conn, fresh_home.tickets_dir, fresh_home.snapshots_dir, FRIDAY, at=d.at)
        bars = d.market.bars["N01"]
        bars[FRIDAY] = replace(bars[FRIDAY], close=bars[FRIDAY].close + Decimal("0.5"))  # type: ignore[index]
        d.at += dt.timedelta(days=3)
        monday = dt.date(2026, 1, 12)
        bars[monday] = replace(bars[FRIDAY], session=monday)  # type: ignore[index]
        d.market.through = monday
        d.fetch()
        found = of(d)
        assert [(s.source, s.revision) for s in found.stamps if s.source == "tiingo"] == [("tiingo", 2), ("tiingo", 1)]
        assert found.tickets == (ticket.ticket_id,)
        assert any(v.startswith("CROSS_CHECK") for v in found.verdicts)
        assert any(v.startswith("Restated by tiingo (revision 2)") for v in found.verdicts)


def test_freezes_and_acceptances_are_verdicts(fresh_home: Settings) -> None:
    with played_desk(fresh_home, **TWO) as d:
        d.fetch()
        with d.conn.transaction():
            desk.accept_bar(d.conn, "N01", FRIDAY, "looked it up", "anna")
        assert any("Accepted by anna" in verdict for verdict in of(d).verdicts)


def test_refused_answers_about_the_session_are_shown(fresh_home: Settings) -> None:
    with played_desk(fresh_home) as d:
        answer = d.market.answer

        def gone(asked: Asked) -> Reply:
            return Reply(b"{}", 404) if asked.path.lower().startswith("/tiingo/daily/n01") else answer(asked)

        d.server.answer = gone
        d.fetch()
        assert [r.split()[3:5] for r in of(d).refusals] == [["tiingo", "UNKNOWN_TO_SOURCE:"]]


def test_a_session_without_a_bar_says_so(fresh_home: Settings) -> None:
    with played_desk(fresh_home) as d:
        found = of(d)
        assert found.stamps == ()
        assert "no bar" in found.verdicts[0]


def test_a_name_nobody_knows_is_refused(fresh_home: Settings) -> None:
    with played_desk(fresh_home) as d, pytest.raises(UnknownSymbol, match="NOPE"):
        of(d, "NOPE")


def test_the_command_prints_it_for_people_and_for_programs(fresh_home: Settings) -> None:
    with played_desk(fresh_home, **TWO) as d:
        d.fetch()
        shown = run(fresh_home, "prices", "passport", "N01", FRIDAY.isoformat())
        assert shown.code == 0
        for words in ("tiingo, revision 1 (counts)", "sha256 ", "Cross-checked", "Corporate actions:\n  none"):
            assert words in shown.out
        told = json.loads(run(fresh_home, "prices", "passport", "N01", FRIDAY.isoformat(), "--json").out)
        assert told["stamps"][0]["source"] == "tiingo"
        saturday = run(fresh_home, "prices", "passport", "N01", "2026-01-10")
        assert saturday.code == 1
        assert "2026-01-10" in saturday.err
