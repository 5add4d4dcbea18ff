"""The roll-out lived through on real prices: a paper book from its first week to its certificate, and a live book."""

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.backup import making, proving
from trading_ops.commands.home import now
from trading_ops.desk import paper_account, rolling_out, rollout_certificate, rollout_state, switching
from trading_ops.domain import calendar
from trading_ops.domain.canonical import canonical_bytes
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.kill_switch import state_at
from trading_ops.domain.report_facts import MonthlyFacts, parse
from trading_ops.domain.rollout import ROLLOUT
from trading_ops.planning import direct
from trading_ops.reports import writing
from trading_ops.reports.writing import write_owed
from trading_ops.settings import Settings
from trading_ops.simulation import weeks as lived
from trading_ops.simulation.people import People
from trading_ops.simulation.rollout_walk import RolloutWalk
from trading_ops.simulation.weeks import Simulation
from trading_ops.store import announced, audit, configuration, desk, ledger, reports, rollout
from trading_ops.store.server import Server
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import lived_factory
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.lived_factory import MARKET, needs_real_prices

FIRST, LAST = dt.date(2014, 5, 2), dt.date(2014, 7, 18)
"""Eleven weeks; Apple splits 7 for 1 in the seventh."""
ENDED = dt.datetime(2014, 7, 19, 12, tzinfo=dt.UTC)
pytestmark = needs_real_prices


@dataclass(frozen=True)
class Rehearsed:
    """A paper book that passed its dry run.

    Attributes:
        checked: At each week's close: what the broker of the simulation had, and what the paper account showed.
    """

    home: Settings
    walk: RolloutWalk
    certificate: bytes
    checked: tuple[tuple[tuple[Decimal, dict[str, Decimal]], tuple[Decimal, dict[str, Decimal]]], ...]


@functools.cache
def rehearsed(server: Server, administrator: psycopg.Connection[Any]) -> Rehearsed:
    """Live through the weeks once a test process; every ticket is issued by the clock of its week."""
    home = lived_factory.fresh_book(server, administrator, "rehearsed_2014", "paper")
    checked = []
    with opened(home) as conn, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lived, "require_fresh", lambda _: None)  # `simulate` itself lives in sim books only
        lived_factory.deliver(conn, lived_factory.real_prices(dt.date(2013, 7, 1), dt.date(2014, 7, 25)))
        policy = configuration.policy_in_force(conn).policy
        walk = RolloutWalk(conn, lambda session: _test(conn, home, session), lambda: _back_up(conn, home))
        book = Simulation(
            conn, home.snapshots_dir, policy, People("perfect", 1), lambda asof: _plan(conn, home, asof),
            FIRST, LAST, Decimal(20000), before_week=walk.before, after_week=walk.after,
            written=lambda at: write_owed(conn, at),
        )  # fmt: skip
        for week in book.run():
            at = calendar.close_utc(week.asof)
            shown = paper_account.seen(conn, at)
            checked.append(((book.account.cash_gbp, book.account.units()), (shown.cash_gbp, dict(shown.units))))
        with conn.transaction():
            certificate = rollout_certificate.certify(conn, ENDED, "four clean weeks", "op")
    return Rehearsed(home, walk, certificate, tuple(checked))


def _plan(conn: psycopg.Connection[Any], home: Settings, asof: dt.date) -> Ticket:
    opens = calendar.plan_times(asof, configuration.policy_in_force(conn).policy).opens_at
    return direct.plan_now(conn, home.tickets_dir, home.snapshots_dir, asof, at=opens)


def _test(conn: psycopg.Connection[Any], home: Settings, session: dt.date) -> Ticket:
    at = calendar.close_utc(session) + dt.timedelta(hours=1)
    return direct.test_now(conn, home.tickets_dir, home.snapshots_dir, session, at=at)


def _back_up(conn: psycopg.Connection[Any], home: Settings) -> None:
    with making.one_at_a_time(home):
        made = making.create(conn, home, now())
        proving.prove(conn, home.backups_dir / made.backup_id, now)


@pytest.fixture(scope="module")
def paper(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Rehearsed:
    return rehearsed(embedded_server, administrator)


def weeks_of(act: rollout.Act) -> dict[str, str | None]:
    return {a["code"]: a["since"] for a in json.loads(act.document)["answers"]}


def test_every_criterion_is_met_in_exactly_the_week_in_which_its_fact_came(paper: Rehearsed) -> None:
    with opened(paper.home) as conn:
        promoted, certified = rollout.acts(conn)
        found = rollout_state.require_state(conn, ENDED)
    assert (promoted.act, promoted.phase, promoted.set_by) == ("promoted", "dry_run", "simulated operator")
    assert weeks_of(promoted) == {
        "ACCOUNT_CONFIRMED": "2014-W19",  # week 1 of weeks 0 to 11
        "NAMES_VERIFIED": "2014-W22",  # 20 names a week from week 2 on: the 50th in week 4
        "RUNBOOK_THERE": "with this version",
        "BACKUP_PROVEN": "2014-W22",
        "TEST_ANSWERED": "2014-W23",
    }
    # Promoted after the ticket of W23: the four weeks of the dry run are W24 to W27.
    assert (certified.act, certified.phase) == ("certified", "dry_run")
    assert {a.criterion.code: (a.met, a.since) for a in found.answers} == {
        "CLEAN_WEEKS": (True, "2014-W27"), "NO_CRITICAL_DEFECT": (True, "2014-W27"),
        "REPORTS_PRODUCED": (True, "2014-W27"), "ON_TIME": (True, "2014-W27"),
    }  # fmt: skip
    assert [w.week for w in found.facts.weeks] == [f"2014-W{n}" for n in range(24, 30)]


def test_asking_too_early_names_everything_that_is_missing(paper: Rehearsed) -> None:
    said = paper.walk.asked_too_early
    assert said.startswith("Pre-flight cannot be left yet.")
    for code in ("ACCOUNT_CONFIRMED", "NAMES_VERIFIED", "BACKUP_PROVEN", "TEST_ANSWERED"):
        assert f"{code}: " in said
    assert "RUNBOOK_THERE" not in said


def test_the_paper_account_is_what_a_broker_of_its_own_would_have(paper: Rehearsed) -> None:
    for of_broker, on_paper in paper.checked:
        assert on_paper == of_broker
    held = [units.get("AAPL") for _, (_, units) in paper.checked]
    assert any(held), "a name that splits is held"


def test_the_acts_are_announced_and_stand(paper: Rehearsed) -> None:
    with opened(paper.home) as conn:
        assert announced.tampered(conn, ("rollout.act",)) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("UPDATE ops.rollout_acts SET share = 1")
    lived_factory.tamper(paper.home, "rollout_acts", "UPDATE ops.rollout_acts SET reason = 'x' WHERE act = 'promoted'")
    try:
        with opened(paper.home) as conn:
            (fault,) = announced.tampered(conn, ("rollout.act",))
        assert "reason is x, announced was every criterion holds" in fault
    finally:
        lived_factory.tamper(
            paper.home, "rollout_acts",
            "UPDATE ops.rollout_acts SET reason = 'every criterion holds' WHERE act = 'promoted'",
        )  # fmt: skip


def test_the_paper_book_s_own_roll_out_ends_with_its_certificate(paper: Rehearsed) -> None:
    with opened(paper.home) as conn, conn.transaction(force_rollback=True):
        with pytest.raises(Refused, match="rollout certificate"):
            rolling_out.promote(conn, ENDED, "go", "op")
        desk.open_incident(conn, "RUN_FAILED", "a run broke off", {}, blocking=False, key="x")
        with pytest.raises(Refused, match=r"NO_CRITICAL_DEFECT: 6 in a row; now RUN_FAILED"):
            rollout_certificate.certify(conn, ENDED, "again", "op")


def test_a_week_that_was_lived_in_hindsight_is_not_on_time(paper: Rehearsed) -> None:
    with opened(paper.home) as conn:
        before = rollout.weeks(conn, 0)
    lived_factory.tamper(
        paper.home, "tickets", "UPDATE ops.tickets SET issued_at = issued_at + interval '2 years' WHERE ticket_id = %s",
        ("2014-W26",),
    )  # fmt: skip
    try:
        with opened(paper.home) as conn:
            late = [w.week for w in rollout.weeks(conn, 0) if not w.on_time]
    finally:
        lived_factory.tamper(
            paper.home, "tickets",
            "UPDATE ops.tickets SET issued_at = issued_at - interval '2 years' WHERE ticket_id = %s", ("2014-W26",),
        )  # fmt: skip
    assert all(w.on_time for w in before)
    assert late == ["2014-W26"]


def test_every_report_shows_what_was_missing_when_it_was_written(paper: Rehearsed) -> None:
    with opened(paper.home) as conn:
        written = list(reports.every(conn))
        early = reports.newest(conn, "daily", dt.date(2014, 5, 8))
        late = reports.newest(conn, "weekly", dt.date(2014, 7, 3))
    assert all(writing.same_again(report) for report in written)
    assert all("Roll-out" in report.markdown for report in written)
    assert early is not None
    assert late is not None
    assert "Pre-flight: 2 of 5 criteria hold." in early.markdown
    assert "TEST_ANSWERED: none answered yet" in early.markdown
    assert "Dry run, week 4: 4 of 4 criteria hold." in late.markdown


def test_the_review_pack_of_a_month_counts_what_happened_between_its_tickets(paper: Rehearsed) -> None:
    with opened(paper.home) as conn:
        assert reports.days(conn, "monthly") == {dt.date(2014, 5, 30), dt.date(2014, 6, 30)}
        found = {r.day.month: parse("monthly", r.facts) for r in reports.every(conn) if r.kind == "monthly"}
    may, june = found[5], found[6]
    assert isinstance(may, MonthlyFacts)
    assert isinstance(june, MonthlyFacts)
    # Monday's window decides: W22 closed on Friday 30 May is carried out on 2 June.
    assert [t.ticket_id for t in may.tickets] == ["2014-W18", "2014-W19", "2014-W20", "2014-W21"]
    assert [t.ticket_id for t in june.tickets] == [f"2014-W{n}" for n in range(22, 27)]
    assert (may.policies, june.policies) == (2, 0), "imported, and the account confirmed in W19"
    assert (may.proven_backups, june.proven_backups) == (0, 1), "in W22"
    assert (may.account_checks, june.account_checks) == (4, 6), "one a week, and one before the test ticket"
    assert may.incidents == june.incidents == ()
    assert june.head.headline.startswith("June 2014: £")
    assert june.rollout is not None


# ---------------------------------------------------------------- a live book
NOW = ENDED + dt.timedelta(days=3)


@pytest.fixture
def live(fresh_home: Settings, tmp_path: Path) -> Iterator[psycopg.Connection[Any]]:
    """A live book that lacks nothing for small capital but the certificate: 20,000 pounds and no names held."""
    text = policy_text().replace("confirmed_on: null", "confirmed_on: 2014-06-01")
    (tmp_path / "policy.yml").write_text(text)
    header, *rows = (MARKET / "universe.csv").read_text().splitlines()
    place = header.split(",").index("verified_on")
    named = [",".join([*cells[:place], "2014-06-01", *cells[place + 1 :]]) for cells in (r.split(",") for r in rows)]
    (tmp_path / "universe.csv").write_text("\n".join([header, *named]) + "\n")
    done = run(fresh_home, "init", "--book", "live", "--universe", str(tmp_path / "universe.csv"),
               "--policy", str(tmp_path / "policy.yml"))  # fmt: skip
    assert done.code == 0, done.err
    assert rolling_out.WHY_PAUSED in done.out
    with opened(fresh_home) as conn:
        _back_up(conn, fresh_home)
        with conn.transaction():
            ledger.record_movement(conn, _deposit(20000), recorded_by="op", why="the first money")
        yield conn


def _deposit(pounds: int) -> ledger.CashMovement:
    day = dt.date(2014, 7, 18)
    return ledger.CashMovement(
        f"00000000-0000-0000-0000-{pounds:012}", "deposit", Decimal(pounds), day, calendar.open_utc(day)
    )


def share_in_force(conn: psycopg.Connection[Any]) -> Decimal:
    return configuration.policy_in_force(conn).policy.sizing.phase_share


def switch(conn: psycopg.Connection[Any]) -> str:
    return state_at(desk.kill_switch_events(conn, audit.head(conn).seq), calendar.last_closed(now())).state


def test_a_live_book_is_paused_until_it_is_promoted(live: psycopg.Connection[Any], paper: Rehearsed) -> None:
    assert switch(live) == "PAUSED"
    (pause,) = desk.kill_switch_events(live, audit.head(live).seq)
    assert pause.set_by == ROLLOUT
    with live.transaction(force_rollback=True):
        with pytest.raises(Refused, match="the roll-out's"):
            switching.end_pause(live, pause.session, "I want to trade", "op")
        switching.set_state(live, "ACTIVE", pause.session, "I want to trade", "op")
        assert switch(live) == "PAUSED"
    with live.transaction():
        said = rolling_out.promote(live, NOW, "ready", "op", certificate=paper.certificate)
    assert "0.1 of full size" in said
    assert switch(live) == "ACTIVE"
    assert share_in_force(live) == Decimal("0.1")
    assert "a person answers" not in said
    stored = configuration.policy_in_force(live).body
    assert "# share of the full size during roll-out; 1 is full size" in stored, "its comments are kept"
    act = rollout.acts(live)[-1]
    assert json.loads(act.document)["certificate"] == paper.certificate.decode()


def without(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def altered(certificate: bytes) -> bytes:
        said = json.loads(certificate)
        change(said)
        return canonical_bytes(said)

    return altered


@pytest.mark.parametrize(
    ("forged", "error", "why"),
    [
        (lambda _: None, Refused, "no certificate was handed in"),
        (lambda _: b"not json", BadInput, "is no file of"),
        (lambda c: c + b"\n", BadInput, "was altered"),
        (without(lambda said: said.update(book="sim")), Refused, "of a sim book"),
        (without(lambda said: said["answers"][0].update(met=False)), Refused, "did not hold"),
        (without(lambda said: said.update(strategy="0" * 64)), Refused, "other signals, sizing or risk"),
        (without(lambda said: said.update(written_utc="2014-05-01T00:00:00+00:00")), Refused, "the last 31 days"),
    ],
    ids=["none", "no json", "altered", "sim", "not passed", "other strategy", "old"],
)
def test_a_live_book_needs_the_certificate_of_a_dry_run_of_its_own_strategy(
    live: psycopg.Connection[Any], paper: Rehearsed, forged: Callable[[bytes], bytes | None], error: Any, why: str
) -> None:
    with pytest.raises(error, match=why), live.transaction():
        rolling_out.promote(live, NOW, "ready", "op", certificate=forged(paper.certificate))
    assert switch(live) == "PAUSED"
    assert [act.act for act in rollout.acts(live)] == ["begun"]


def test_a_capital_too_small_for_the_phase_is_refused_with_its_figures(
    fresh_home: Settings, live: psycopg.Connection[Any], paper: Rehearsed
) -> None:
    with live.transaction():
        out = replace(_deposit(17000), kind="withdrawal", amount_gbp=Decimal(-17000))
        ledger.record_movement(live, out, recorded_by="op", why="a car")
    with pytest.raises(Refused, match=r"would buy £19\.40 a name of an equity of £3,000.*smallest order is £25"):
        rolling_out.promote(live, NOW, "ready", "op", certificate=paper.certificate)
    with live.transaction():
        rolling_out.promote(live, NOW, "ready", "op", Decimal("0.15"), paper.certificate)
    assert share_in_force(live) == Decimal("0.15")


@pytest.mark.parametrize("share", ["0.05", "0.21", "1", "0"])
def test_small_capital_is_a_tenth_to_a_fifth(live: psycopg.Connection[Any], paper: Rehearsed, share: str) -> None:
    with pytest.raises(BadInput, match=r"Small capital trades 0\.1 to 0\.2 of full size"):
        rolling_out.promote(live, NOW, "ready", "op", Decimal(share), paper.certificate)


def test_in_small_capital_no_policy_trades_more_and_another_strategy_is_told_of(
    fresh_home: Settings, live: psycopg.Connection[Any], paper: Rehearsed, tmp_path: Path
) -> None:
    with live.transaction():
        rolling_out.promote(live, NOW, "ready", "op", certificate=paper.certificate)
    text = (tmp_path / "policy.yml").read_text()
    done = run(fresh_home, "policy", "import", str(tmp_path / "policy.yml"))
    assert "sizing.phase_share: 1 is more than the phase Small capital trades, so 0.1 is in force" in done.out
    assert share_in_force(live) == Decimal("0.1")
    (tmp_path / "other.yml").write_text(
        text.replace("seats: 15 ", "seats: 12 ").replace("phase_share: 1 ", "phase_share: 0.05 ")
    )
    done = run(fresh_home, "policy", "import", str(tmp_path / "other.yml"))
    assert "STRATEGY_FROZEN does not hold" in done.out
    assert share_in_force(live) == Decimal("0.05"), "less is always allowed"
    with pytest.raises(Refused, match=r"WEEKS_WITHOUT_INCIDENT: 0 in a row.*STRATEGY_FROZEN: changed since"):
        rolling_out.promote(live, NOW, "ready", "op")


def test_the_way_back_is_always_open_and_never_leads_on(
    fresh_home: Settings, live: psycopg.Connection[Any], paper: Rehearsed
) -> None:
    with live.transaction():
        rolling_out.promote(live, NOW, "ready", "op", certificate=paper.certificate)
    with pytest.raises(Refused, match="lies ahead"):
        rolling_out.back(live, NOW, "scale", "faster", "op")
    with pytest.raises(BadInput, match="a live book knows preflight, small_capital, scale"):
        rolling_out.back(live, NOW, "dry_run", "practise", "op")
    with pytest.raises(BadInput, match="reason is missing"):
        rolling_out.back(live, NOW, "preflight", " ", "op")
    done = run(fresh_home, "rollout", "return", "--to", "preflight", "--reason", "the fills look odd")
    assert "No plan trades until it is promoted again" in done.out
    assert switch(live) == "PAUSED"
    assert "FAULT" not in run(fresh_home, "audit", "verify").out
    status = json.loads(run(fresh_home, "rollout", "status", "--json").out)
    assert [act["act"] for act in status["acts"]] == ["begun", "promoted", "returned"]


def test_a_live_book_that_traded_before_there_was_a_roll_out_goes_on_as_it_did(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path
) -> None:
    stage = lived_factory.live(embedded_server, administrator).lived
    with lived_factory.own_home(stage, administrator, tmp_path / "was_sim") as home:
        lived_factory.tamper(home, "books", "UPDATE ops.books SET book = 'live'")
        with opened(home) as conn, conn.transaction():
            assert "goes on in the phase Scale, with 1 of full size" in rolling_out.begin(conn, now())
            assert rolling_out.begin(conn, now()) == ""
            assert switch(conn) == "ACTIVE"


def test_init_again_leaves_the_policy_that_is_in_force(
    fresh_home: Settings, live: psycopg.Connection[Any], tmp_path: Path
) -> None:
    stood = configuration.policy_in_force(live).version
    done = run(fresh_home, "init", "--book", "live")
    assert done.code == 0, done.err
    assert "Pre-flight of the roll-out" not in done.out, "it has begun already"
    assert configuration.policy_in_force(live).version == stood
    assert len(rollout.acts(live)) == 1
