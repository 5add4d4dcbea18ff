"""Rounds of asking: order, fallback, resumption, budgets, a loud word when a source dies; through the real clients."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from trading_ops.domain.errors import Refused
from trading_ops.domain.prices import CorporateAction
from trading_ops.drill.server import Asked, Reply
from trading_ops.intake import of_home, telling
from trading_ops.planning.direct import plan_now
from trading_ops.planning.replay import replay
from trading_ops.providers.protocol import RefusalKind
from trading_ops.settings import Settings
from trading_ops.store import chosen, configuration, restatements, snapshot_view, snapshots, tickets
from trading_ops_tests.integration import home_factory as factory
from trading_ops_tests.integration.intake_factory import FRIDAY, KEYS, SATURDAY, Desk, a_market, desk, failing

STOOQ_AND_YAHOO = {"STOOQ_APIKEY": KEYS["STOOQ_APIKEY"]}
TWO = {"sources_min": "2"}


def test_a_new_home_is_filled_and_then_nothing_is_asked_again(fresh_home: Settings) -> None:
    with desk(fresh_home, **TWO) as d:
        first = d.fetch()
        assert not first.lacking
        assert not first.unconfirmed
        assert not first.holes
        assert not first.down
        d.forget()
        again = d.fetch()
        assert (again.bars, again.requests) == (0, 0)
        assert d.server.asked == []


def test_sources_are_asked_in_the_policys_order_until_enough_have_it(fresh_home: Settings) -> None:
    with desk(fresh_home, **TWO) as d:
        d.fetch()
        d.forget()
        next_day(d)
        d.fetch()
        names = ["SPY", "N00", "N01", "N02"]
        assert d.asked("stooq")[:4] == names
        assert d.asked("tiingo") == names
        assert [name for name in d.asked("yahoo") if name != "GBPUSD=X"] == []


def test_with_one_source_wanted_the_second_is_still_asked_where_the_first_tells_of_no_actions(
    fresh_home: Settings,
) -> None:
    with desk(fresh_home) as d:
        d.fetch()
        next_day(d)
        d.forget()
        d.fetch()
        assert d.asked("stooq")[:4] == ["SPY", "N00", "N01", "N02"]
        assert d.asked("tiingo") == ["SPY", "N00", "N01", "N02"]


def test_a_source_that_needs_something_to_be_compared_with_comes_last_in_an_empty_home(fresh_home: Settings) -> None:
    with desk(fresh_home, keys=STOOQ_AND_YAHOO, **TWO) as d:
        done = d.fetch()
        assert not done.unconfirmed
        assert done.tallies["stooq"].answered == 5
        first_of = [a.path for a in d.server.asked if a.path not in {"/v1/test/getcrumb", "/"}]
        assert first_of[0].startswith("/v8/")


def test_only_a_new_session_with_some_overlap_is_asked_for(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        d.fetch()
        next_day(d)
        d.forget()
        d.fetch()
        (first, *_) = [a for a in d.server.asked if a.path == "/q/d/l/"]
        assert (first.query["d1"], first.query["d2"]) == ("20260105", "20260112")


def test_a_source_without_its_key_is_left_out_and_says_so(fresh_home: Settings) -> None:
    with desk(fresh_home, keys={}) as d:
        done = d.fetch()
        assert "STOOQ_APIKEY" in done.tallies["stooq"].waits
        assert "TIINGO_TOKEN" in done.tallies["tiingo"].waits
        assert not done.down
        assert not done.lacking


def test_a_policy_that_would_never_use_a_source_keeps_it_from_being_asked(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        older = "".join(
            line.replace("[files, stooq, tiingo, yahoo, simulated]", "[files, simulated]")
            for line in factory.policy_text().partition("\nfetch:")[0].splitlines(keepends=True)
        )
        with d.conn.transaction():
            configuration.import_policy(d.conn, older + "\n", "policy.yml")
        done = d.fetch()
        assert "policy import" in done.tallies["yahoo"].waits
        assert d.asked("tiingo") == []
        assert d.asked("yahoo") == ["GBPUSD=X"]  # of fixings the policy would use it
        assert done.lacking


# ---------------------------------------------------------------- fallback, one name at a time
def test_a_name_that_the_first_source_does_not_have_comes_from_the_next(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        d.fetch()
        next_day(d)
        answer = d.market.answer

        def without_n01(asked: Asked) -> Reply:
            return Reply(b"No data") if asked.query.get("s") == "n01.us" else answer(asked)

        d.server.answer = without_n01
        done = d.fetch()
        assert done.tallies["stooq"].refused["N01"].kind is RefusalKind.NO_DATA
        assert not done.lacking
        last = "SELECT count(DISTINCT source) FROM ops.market_prices_eod WHERE session = '2026-01-12' AND symbol = "
        assert d.count(f"{last} 'N01'") == 1
        assert d.count(f"{last} 'N00'") == 2


def test_a_session_that_one_source_lost_comes_from_the_next(fresh_home: Settings) -> None:
    lost = dt.date(2026, 1, 7)
    with desk(fresh_home, keys={"TIINGO_TOKEN": "t"}) as d:
        answer = d.market.answer

        def with_a_hole(asked: Asked) -> Reply:
            if asked.path.startswith("/tiingo/"):
                symbol = asked.path.split("/")[3].upper()
                rows = [b for b in d.market.rows(symbol, dt.date(2000, 1, 1), FRIDAY) if b.session != lost]
                return Reply(json.dumps(d.market.tiingo_rows(symbol, rows)).encode())
            return answer(asked)

        d.server.answer = with_a_hole
        done = d.fetch()
        assert not done.holes
        rows = d.conn.execute(
            "SELECT DISTINCT source FROM ops.market_prices_eod WHERE session = %s", (lost,)
        ).fetchall()
        assert [r["source"] for r in rows] == ["yahoo"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"<html>This site requires JavaScript to verify your browser</html>"), RefusalKind.CHALLENGE),
        (Reply(b"Exceeded the daily hits limit"), RefusalKind.QUOTA_SPENT),
        (Reply(b"Get your apikey:"), RefusalKind.KEY_WANTED),
        (Reply(b"", 503), RefusalKind.SERVER_ERROR),
        (Reply(b"", 429), RefusalKind.RATE_LIMITED),
    ],
    ids=lambda value: value.value if isinstance(value, RefusalKind) else "",
)
def test_a_dead_source_is_given_up_once_and_is_known_to_be_dead(
    fresh_home: Settings, reply: Reply, kind: RefusalKind
) -> None:
    with desk(fresh_home, **TWO) as d:
        d.server.answer = failing(d.market, "stooq", reply)
        done = d.fetch()
        assert [(t.source, t.down.kind) for t in done.down if t.down] == [("stooq", kind)]
        assert len(set(d.asked("stooq"))) == 1  # one name, perhaps several times; never the next
        assert not done.lacking
        assert not done.unconfirmed  # Tiingo and Yahoo have everything
        d.fetch()
        (dead,) = telling.dead_sources(d.conn, d.at)
        assert (dead.source, dead.outcome) == ("stooq", kind.value)
        assert telling.remedy_of(dead.outcome)
        assert d.count("SELECT count(*) FROM ops.outbox") == 0, "the watch tells of it"


def test_a_simulated_book_tells_nobody(fresh_home: Settings) -> None:
    with desk(fresh_home, book="sim") as d:
        d.server.answer = failing(d.market, "stooq", Reply(b"", 503))
        assert d.fetch().down
        assert d.count("SELECT count(*) FROM ops.outbox") == 0


def test_no_key_is_in_any_table_or_message(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        d.server.answer = failing(d.market, "stooq", Reply(b"<html>nothing</html>"))
        d.fetch()
        for table in ("price_fetches", "price_loads", "outbox", "audit_log", "market_prices_eod"):
            assert d.count(f"SELECT count(*) FROM ops.{table} t WHERE t::text ~ 'sentinel'") == 0, table


# ---------------------------------------------------------------- patience
def test_a_source_that_stutters_is_asked_again_ever_more_slowly(fresh_home: Settings) -> None:
    with desk(fresh_home, keys={"TIINGO_TOKEN": "t"}, sources="[tiingo, yahoo]") as d:
        answer, failures = d.market.answer, iter([503, 503, None])

        def stutter(asked: Asked) -> Reply:
            if asked.path.lower().startswith("/tiingo/daily/spy"):
                status = next(failures)
                if status:
                    return Reply(b"", status)
            return answer(asked)

        d.server.answer = stutter
        done = d.fetch()
        assert not done.down
        assert done.tallies["tiingo"].requests == done.tallies["tiingo"].asked + 2
        waits = [s for s in d.slept if s >= 2]
        assert 2 <= waits[0] <= 3
        assert 4 <= waits[1] <= 6


def test_requests_to_one_source_are_paced(fresh_home: Settings) -> None:
    with desk(fresh_home, keys={"TIINGO_TOKEN": "t"}) as d:
        done = d.fetch()
        tiingo = done.tallies["tiingo"].requests
        assert len(d.slept) >= tiingo - 1
        assert all(1.5 <= s <= 2.25 for s in d.slept)


def test_too_many_requests_is_waited_out_for_minutes(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        d.server.answer = failing(d.market, "yahoo", Reply(b"", 429))
        d.fetch()
        assert max(d.slept) >= 60


# ---------------------------------------------------------------- budgets
def test_an_hourly_budget_is_kept_and_the_next_hour_goes_on(fresh_home: Settings) -> None:
    with desk(fresh_home, names=60, keys={"TIINGO_TOKEN": "t"}, sources="[tiingo, yahoo]") as d:
        d.server.answer = failing(d.market, "yahoo", Reply(b'{"chart":{"result":null,"error":null}}'))
        done = d.fetch()
        assert len(d.asked("tiingo")) == 45
        assert "budget of 45 requests an hour" in done.tallies["tiingo"].waits
        assert not any(t.source == "tiingo" for t in done.down)
        d.at += dt.timedelta(minutes=61)
        d.forget()
        done = d.fetch()
        assert len(d.asked("tiingo")) == 61 - 45
        assert not done.lacking


def test_a_daily_cap_holds_whatever_happens(fresh_home: Settings) -> None:
    with desk(fresh_home, names=9, keys={"TIINGO_TOKEN": "t"}, sources="[tiingo, yahoo]", daily_cap="4") as d:
        d.server.answer = failing(d.market, "yahoo", Reply(b'{"chart":{"result":null,"error":null}}'))
        done = d.fetch()
        assert len(d.asked("tiingo")) == 4
        assert "a day" in done.tallies["tiingo"].waits
        d.at += dt.timedelta(days=1)
        d.forget()
        d.fetch()
        assert len(d.asked("tiingo")) == 4


# ---------------------------------------------------------------- interruption
def test_a_source_that_dies_half_way_leaves_the_rest_to_the_next_round(fresh_home: Settings) -> None:
    with desk(fresh_home, names=9, keys={"TIINGO_TOKEN": "t"}, sources="[tiingo]", fx_sources="[ecb]") as d:
        answer = d.market.answer

        def dies(asked: Asked) -> Reply:
            alive = len(d.asked("tiingo")) <= 4
            return answer(asked) if alive or not asked.path.startswith("/tiingo/") else Reply(b"", 503)

        d.server.answer = dies
        first = d.fetch()
        served = d.asked("tiingo")[:4]
        assert [t.source for t in first.down] == ["tiingo"]
        assert len(first.lacking) == 6
        d.server.answer = answer
        d.forget()
        second = d.fetch()
        assert not second.lacking
        assert sorted(d.asked("tiingo")) == sorted(set(first.lacking))
        assert not set(served) & set(d.asked("tiingo"))


KILLED = """
import datetime as dt, os, random, sys
from trading_ops.intake.of_home import fetch_round
from trading_ops.intake.pacing import Clock
from trading_ops.intake.sources import Addresses
from trading_ops.settings import Settings
from trading_ops.store.connect import connect
home, url = Settings.from_env(), sys.argv[1]
at = dt.datetime.fromisoformat(sys.argv[2])
with connect(home, "app_writer") as conn:
    conn.autocommit = True
    fetch_round(conn, home, clock=Clock(lambda: at, lambda s: None, random.Random(1)),
                addresses=Addresses(url, url, url, url))
"""


def test_a_round_that_is_killed_loses_nothing_that_had_come(fresh_home: Settings) -> None:
    with desk(fresh_home, names=9, keys={"TIINGO_TOKEN": "t"}, sources="[tiingo]", fx_sources="[ecb]") as d:
        answer = d.market.answer
        process: list[subprocess.Popen[bytes]] = []

        def kills(asked: Asked) -> Reply:
            if len(d.asked("tiingo")) == 6:
                os.kill(process[0].pid, signal.SIGKILL)
            return answer(asked)

        d.server.answer = kills
        process.append(
            subprocess.Popen(
                [sys.executable, "-c", KILLED, d.server.url, SATURDAY.isoformat()],
                env={**os.environ, **fresh_home.to_env()}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )
        )  # fmt: skip
        assert process[0].wait(120) == -signal.SIGKILL
        stored = {r["symbol"] for r in d.conn.execute("SELECT DISTINCT symbol FROM ops.market_prices_eod").fetchall()}
        assert stored == set(d.asked("tiingo")[:5])
        d.server.answer = answer
        d.forget()
        assert not d.fetch().lacking
        assert set(d.asked("tiingo")).isdisjoint(stored)
        assert len(d.asked("tiingo")) == 10 - 5


def test_two_rounds_at_once_are_one(fresh_home: Settings) -> None:
    with desk(fresh_home) as d, factory.opened(fresh_home) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (of_home.LOCK,))
        with pytest.raises(Refused, match="Another round"):
            d.fetch()
        assert d.server.asked == []
        other.execute("SELECT pg_advisory_unlock(%s)", (of_home.LOCK,))
        assert not d.fetch().lacking


# ---------------------------------------------------------------- what comes of it
def test_yahoos_adjusted_closes_and_stooqs_prices_become_one_series_as_traded(fresh_home: Settings) -> None:
    ex_date = dt.date(2025, 12, 1)
    with desk(fresh_home, keys=STOOQ_AND_YAHOO, **TWO) as d:
        split = CorporateAction("N00", ex_date, "split", Decimal(4), "played")
        d.server.answer = a_market(list(d.market.bars), FRIDAY, split).answer
        done = d.fetch()
        assert not done.unconfirmed
        policy = configuration.policy_in_force(d.conn).policy
        with d.conn.transaction():
            snapshot = snapshots.build(
                d.conn, fresh_home.snapshots_dir, asof=FRIDAY, actions_through=FRIDAY, policy=policy
            )  # fmt: skip
        seen = snapshot_view.view(
            fresh_home.snapshots_dir, snapshot, policy, dt.date(2025, 1, 1), frozenset({"N00"})
        )  # fmt: skip
        before, after = seen.bar("N00", dt.date(2025, 11, 28)), seen.bar("N00", ex_date)
        assert before is not None
        assert after is not None
        assert before.close > 3 * after.close
        assert abs(before.adj_close / after.adj_close - 1) < Decimal("0.02")
        assert [(a.kind, a.value) for a in seen.actions["N00"]] == [("split", 4)]


def test_a_restated_bar_that_a_ticket_used_is_noted(fresh_home: Settings) -> None:
    with desk(fresh_home, **TWO) as d:
        d.fetch()
        ticket = plan_now(d.conn, fresh_home.tickets_dir, fresh_home.snapshots_dir, FRIDAY, at=d.at)
        next_day(d)
        bars = d.market.bars["N01"]
        bars[FRIDAY] = replace(bars[FRIDAY], close=bars[FRIDAY].close + Decimal("0.25"))  # type: ignore[index]
        done = d.fetch()
        assert [(r.symbol, r.session, r.source) for r in done.restated] == [("N01", "2026-01-09", "tiingo")]
        assert all(r.tickets == (ticket.ticket_id,) for r in done.restated)
        assert "close 51." in done.restated[0].sentence()
        (noted,) = restatements.since(d.conn, d.at - dt.timedelta(days=30)).values()
        assert noted == tuple(done.restated)
        with factory.opened(fresh_home, "replayer") as blind:
            stored = tickets.get(d.conn, ticket.plan_id)
            assert replay(blind, d.conn, fresh_home.snapshots_dir, stored).identical


def test_an_ex_date_that_its_source_moves_does_not_count_twice(fresh_home: Settings) -> None:
    thursday = dt.date(2026, 1, 8)
    with desk(fresh_home, keys={"TIINGO_TOKEN": KEYS["TIINGO_TOKEN"]}) as d:
        paid = CorporateAction("N01", thursday, "dividend", Decimal("1.5"), "played")
        d.market.actions["N01"] = [paid]  # type: ignore[index]
        d.fetch(only="tiingo")
        next_day(d)
        d.market.actions["N01"] = [replace(paid, ex_date=FRIDAY)]  # type: ignore[index]
        d.fetch(only="tiingo")
        data = configuration.policy_in_force(d.conn).policy.data
        known = chosen.actions(d.conn, data, chosen.FIRST_DAY, chosen.LAST_DAY, ["N01"])
        assert [(a.ex_date, a.value) for a in known] == [(FRIDAY, Decimal("1.5"))]
        assert d.count("SELECT count(*) FROM ops.corporate_actions WHERE symbol = 'N01'") == 3


def next_day(d: Desk) -> None:
    """The next session has been, and its bars are due."""
    monday = dt.date(2026, 1, 12)
    for of_symbol in d.market.bars.values():
        of_symbol[monday] = replace(of_symbol[FRIDAY], session=monday)  # type: ignore[index]
    d.market.fixings[monday] = Decimal("1.351")  # type: ignore[index]
    d.market.through = monday
    d.at = dt.datetime(2026, 1, 13, 7, tzinfo=dt.UTC)
