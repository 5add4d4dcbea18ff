"""Fetching and picking up through Dagster: rounds by the clock, a dead source as a warning, the inbox as a run."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from email.utils import format_datetime

import dagster as dg
import pytest

from trading_ops.build import build_defs
from trading_ops.defs.alerts import pass_on
from trading_ops.defs.market.jobs import dropped_files, due_now
from trading_ops.defs.resources import Desk
from trading_ops.domain import calendar
from trading_ops.domain.clock_evidence import BELIEVED_FOR
from trading_ops.domain.prices import Bar, CorporateAction
from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.intake.sources import Addresses
from trading_ops.store import fetches, incidents, source_keys
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.integration.intake_factory import failing
from trading_ops_tests.orchestration.loop_home import Loop
from trading_ops_tests.orchestration.watch_factory import look

SATURDAY = dt.datetime(2025, 2, 15, 7, tzinfo=dt.UTC)
FRIDAY = dt.date(2025, 2, 14)
"""The week after the one that the home's prices end with."""


def market_of(loop: Loop) -> PlayedMarket:
    """The home's market, going on unmoved for another week."""
    rows = loop.conn.execute(
        "SELECT symbol, session, open, high, low, close, adj_close, volume FROM ops.market_prices_eod ORDER BY session"
    ).fetchall()
    bars: dict[str, dict[dt.date, Bar]] = {}
    for r in rows:
        bars.setdefault(r["symbol"], {})[r["session"]] = Bar(source="played", **r)
    for of_symbol in bars.values():
        newest = of_symbol[max(of_symbol)]
        for session in calendar.window_of_sessions(FRIDAY, 5):
            of_symbol[session] = replace(newest, session=session)
    actions: dict[str, list[CorporateAction]] = {}
    for r in loop.conn.execute("SELECT symbol, ex_date, kind, value, source FROM ops.corporate_actions").fetchall():
        actions.setdefault(r["symbol"], []).append(CorporateAction(**r))
    days = [FRIDAY - dt.timedelta(days=n) for n in range(430)]
    return PlayedMarket(bars, actions, {day: Decimal("1.25") for day in days if day.weekday() < 5}, FRIDAY)


@contextmanager
def played(loop: Loop) -> Iterator[tuple[Desk, LocalSource, PlayedMarket]]:
    """The home's desk with every source played."""
    write_secret(loop.home.secrets_dir / source_keys.FILE, "TIINGO_TOKEN=t11ngo\n")
    market = market_of(loop)
    with LocalSource(market.answer) as server:
        at = Addresses(server.url, server.url, server.url, server.url)
        yield replace(loop.desk(SATURDAY), addresses=at, sleep=lambda seconds: None), server, market


def run(loop: Loop, desk: Desk, job: str) -> dg.ExecuteInProcessResult:
    return build_defs().resolve_job_def(job).execute_in_process(
        instance=loop.instance, resources={"desk": desk}, raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )  # fmt: skip


def shown(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, dg.MetadataValue]:
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(asset)]
    return dict(event.materialization.metadata)


def check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_a_round_is_a_run_with_its_sources_and_the_universe_beside_it(paper: Loop) -> None:
    with played(paper) as (desk, server, _):
        result = run(paper, desk, "fetch_job")
        assert result.success
        about = shown(result, "source_prices")
        assert about["session"].value == FRIDAY.isoformat()
        assert about["without a bar of the session"].value == "none"
        assert about["given up"].value == "none"
        sources = {r.data["source"]: r.data["state"] for r in about["sources"].records}  # type: ignore[union-attr]
        assert sources["tiingo"] == "answers"
        assert sources["stooq"] == "waits"
        assert check(result).passed
        names = shown(result, "universe_state")
        assert names["problems"].value == 0
        assert "## Universe at 2025-02-14" in str(names["report"].value)
        assert server.asked


def test_a_dead_source_is_a_warning_in_the_ui(paper: Loop) -> None:
    with played(paper) as (desk, server, market):
        server.answer = failing(market, "tiingo", Reply(json.dumps({"detail": "Invalid token."}).encode(), 403))
        result = run(paper, desk, "fetch_job")
        assert result.success  # Yahoo has everything
        evaluation = check(result)
        assert not evaluation.passed
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert "tiingo was given up" in str(evaluation.description)
        assert "KEY_REFUSED" in str(evaluation.metadata) or "key" in str(evaluation.metadata)
        run(paper, desk, "fetch_job")
        pass_on(desk, paper.instance, 0)
        assert paper.count("outbox") == 0, "the watch opens its incident"


def test_two_sources_with_another_time_block_every_plan_until_they_agree_with_the_machine(paper: Loop) -> None:
    three_hours = dt.timedelta(hours=3)
    thursday = SATURDAY - dt.timedelta(days=2)

    def later(asked: Asked) -> Reply:
        said = market.answer(asked)
        at = format_datetime(dt.datetime.now(dt.UTC) + three_hours, usegmt=True)
        return replace(said, headers={**said.headers, "Date": at})

    with played(paper) as (saturday, server, market):
        market.through, server.answer = FRIDAY - dt.timedelta(days=2), later
        assert run(paper, replace(saturday, now=lambda: thursday), "fetch_job").success
        read = fetches.clock_readings(paper.conn, thursday - dt.timedelta(hours=24), thursday)
        assert set(read) == {"tiingo", "yahoo", "ecb"}
        assert all(abs(each.apart - three_hours) < dt.timedelta(minutes=1) for each in read.values())
        look(paper, thursday)
        (made,) = incidents.open_ones(paper.conn)
        assert (made.kind, made.blocking) == ("CLOCK_WRONG", True)
        assert "ecb said " in made.details["sentence"]
        assert "when this machine said " in made.details["sentence"]

        market.through, server.answer = FRIDAY, market.answer
        assert run(paper, saturday, "fetch_job").success
        look(paper, SATURDAY)
        assert incidents.open_ones(paper.conn) == ()


def test_readings_older_than_a_day_say_nothing_of_the_clock_as_it_is(paper: Loop) -> None:
    with played(paper) as (desk, _, __):
        run(paper, desk, "fetch_job")
    day_later = SATURDAY + dt.timedelta(hours=24, minutes=1)
    assert fetches.clock_readings(paper.conn, day_later - BELIEVED_FOR, day_later) == {}
    before = SATURDAY - dt.timedelta(minutes=1)
    assert fetches.clock_readings(paper.conn, before - BELIEVED_FOR, before) == {}, "made by a clock that was ahead"


def test_the_hourly_schedule_asks_only_while_something_is_missing(paper: Loop) -> None:
    with played(paper) as (desk, _, __):
        assert isinstance(due_now(desk), dg.RunRequest)
        run(paper, desk, "fetch_job")
        assert isinstance(due_now(desk), dg.SkipReason)


def test_a_simulated_book_asks_nobody(sim: Loop) -> None:
    with played(sim) as (desk, server, _):
        assert isinstance(due_now(desk), dg.SkipReason)
        assert run(sim, desk, "fetch_job").success
        assert server.asked == []


@pytest.mark.parametrize("good", [True, False])
def test_a_dropped_file_becomes_one_run(paper: Loop, good: bool) -> None:
    inbox = paper.home.inbox_dir / "as-traded"
    inbox.mkdir(parents=True)
    text = "Date,Open,High,Low,Close,Volume\n2025-02-10,10,11,9,10,100\n" if good else "<html>no</html>\n"
    (inbox / "aapl_us.csv").write_text(text)
    desk = paper.desk(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    with dg.build_sensor_context(instance=paper.instance, resources={"desk": desk}) as context:
        first, again = dropped_files(context), dropped_files(context)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key
    result = run(paper, desk, "pickup_job")
    assert result.success == good
    assert not (inbox / "aapl_us.csv").exists()
    with dg.build_sensor_context(instance=paper.instance, resources={"desk": desk}) as context:
        assert isinstance(dropped_files(context), dg.SkipReason)


def test_a_plan_shows_its_coverage_report_and_the_origin_of_each_bar(sim: Loop) -> None:
    sim.plan()
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey("data_quality"))
    (record,) = sim.instance.fetch_materializations(asked, limit=1).records
    about = record.asset_materialization.metadata  # type: ignore[union-attr]
    assert "data:image/png;base64," in str(about["coverage"].value)
    assert "## Data quality at 2025-02-07" in str(about["report"].value)
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey("eod_prices"))
    (record,) = sim.instance.fetch_materializations(asked, limit=1).records
    origin = record.asset_materialization.metadata["where each bar came from"].records  # type: ignore[union-attr]
    assert {r.data["symbol"] for r in origin} >= {"AAPL", "SPY"}  # type: ignore[union-attr]
    assert sim.count("quality_reports") == 1


def test_a_plan_exports_its_dataset_once_and_notes_it(sim: Loop) -> None:
    sim.plan()
    row = sim.conn.execute("SELECT snapshot_id, dataset_sha256, symbols FROM ops.qlib_exports").fetchone()
    assert row is not None
    folder = sim.home.qlib_dir / row["snapshot_id"]
    assert (folder / "manifest.json").exists()
    assert row["symbols"] == 25
