"""Every rule, on real prices: one planted fault gives a NO-TRADE by that rule alone, the same week without it a TRADE.

Where a rule cannot be broken by data or people, because correct sizing never gives the risk engine anything to refuse,
the fault is a defect of sizing (`wrong_sizings`). A live book cannot trade before its backups are proven and its
account is confirmed, so live rules are judged on the same week's inputs with the book replaced.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.domain.calendar import plan_times
from trading_ops.domain.judgement import PlanInputs
from trading_ops.domain.ledger import CashMovement, Fill, complete_fill
from trading_ops.domain.reasons import FREEZE_CODES, RULES
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.domain.universe import Universe
from trading_ops.planning import direct, issue, steps
from trading_ops.settings import Settings
from trading_ops.store import configuration, desk, plans, snapshot_view
from trading_ops.store.server import Server
from trading_ops.store.tickets import Ticket
from trading_ops_tests.integration import fault_factory as factory
from trading_ops_tests.integration import wrong_sizings as wrong
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.fault_factory import Plant, Played, Week, nothing
from trading_ops_tests.integration.lived_factory import (
    ASOF,
    AT,
    Lived,
    live,
    needs_real_prices,
    own_home,
    tamper,
)

pytestmark = needs_real_prices

SATURDAY = dt.date(2018, 1, 27)
WEDNESDAY = dt.date(2018, 1, 31)
THURSDAY = dt.date(2018, 2, 1)
MONDAY = dt.date(2018, 2, 5)


@dataclass(frozen=True)
class Fault:
    """One row: the rule, what goes wrong, and what else is so in the week with the fault and in the one without.

    `freeze` is why names are frozen then, `switch` what the kill switch is afterwards.
    """

    code: str
    plant: Plant
    given: Plant = nothing
    freeze: str = ""
    switch: str = "ACTIVE"


# ---------------------------------------------------------------- data: the week's delivery
def bars_missing(week: Week) -> None:
    week.leave_out(*week.not_held[:3])


def benchmark_missing(week: Week) -> None:
    week.leave_out("SPY")


def saturday_bar(week: Week) -> None:
    week.bars.append({**week.bar(week.not_held[0]), "session": SATURDAY})


def bar_twice(week: Week) -> None:
    week.without_key = "market_prices_eod"  # which forbids it
    week.bars.append(dict(week.bar(week.not_held[0])))


def fixings_missing(week: Week) -> None:
    week.fixings.clear()


def held_bar_missing(week: Week) -> None:
    week.leave_out(week.held[0])


def held_bar_broken(week: Week) -> None:
    row = week.bar(week.held[0])
    row["low"] = row["high"] + 1


def held_jump(week: Week) -> None:
    week.move(week.held[0], "0.6")


def held_split_unrecorded(week: Week) -> None:
    week.move(week.held[0], "0.5")


def held_spin_off(week: Week) -> None:
    name = week.held[0]
    week.announce(name, WEDNESDAY, "dividend", round(week.bar(name, WEDNESDAY)["close"] * Decimal("0.15"), 2))


def benchmark_jump(week: Week) -> None:
    week.move("SPY", "1.5")


def many_jumps(week: Week) -> None:
    for name in week.not_held[:3]:
        week.move(name, "0.6")


def history_missing(week: Week) -> None:
    week.leave_out(*week.not_held[:6], session=WEDNESDAY)


def two_sources(week: Week) -> None:
    week.second_source()


def held_apart(week: Week) -> None:
    week.second_bar(week.held[0])["close"] *= Decimal("1.003")


def held_confirmed_by_nobody(week: Week) -> None:
    week.second.remove(week.second_bar(week.held[0]))


def held_split_in_one_source(week: Week) -> None:
    action = {"symbol": week.held[0], "ex_date": WEDNESDAY, "kind": "split", "value": Decimal(2)}
    week.second_actions.append({**action, "source": factory.SECOND})


def benchmark_apart(week: Week) -> None:
    week.second_bar("SPY")["close"] *= Decimal("0.99")


def many_apart(week: Week) -> None:
    for name in week.not_held[:3]:
        week.second_bar(name)["close"] *= Decimal("1.01")


# ---------------------------------------------------------------- people: answers, snapshot, dividends
def line_skipped(week: Week) -> None:
    week.not_done("SKIPPED", "no time")


def line_unanswered(week: Week) -> None:
    week.answers.pop()


def no_snapshot(week: Week) -> None:
    week.snapshot = False


def strange_holding(week: Week) -> None:
    week.holdings[week.not_held[0]] = Decimal("3.5")


def holding_forgotten(week: Week) -> None:
    del week.holdings[week.held[0]]


def digits_swapped(week: Week) -> None:
    week.holdings[week.held[0]] += Decimal("0.9")


def cash_short(week: Week) -> None:
    week.cash_gbp -= 500


def old_position(week: Week) -> None:
    """Held since before Christmas, with a dividend of 28 December that the broker paid at once."""
    bought, ex_date = dt.date(2017, 12, 20), dt.date(2017, 12, 28)
    units, value, _ = complete_fill(None, Decimal(400), DIVIDEND_PRICE, factory.USD_PER_GBP)
    fill = Fill(
        "0b1f6e1c-52c5-4f0a-9a39-0f4bb1f5a1a1", DIVIDEND_NAME, "BUY", units, DIVIDEND_PRICE, value, Decimal(0),
        dt.datetime(2017, 12, 20, 15, tzinfo=dt.UTC), bought, None, (), None, False,
    )  # fmt: skip
    paid = Decimal("1.83")
    week.facts.append(lambda conn: factory.opening_position(conn, fill))
    week.dividends.append(
        CashMovement(
            "7f6c2c9e-3c43-4b7c-8d53-6d6f0f4f2b10", "dividend", paid, ex_date,
            dt.datetime(2017, 12, 28, 15, tzinfo=dt.UTC), DIVIDEND_NAME, ex_date,
        )
    )  # fmt: skip
    week.holdings[DIVIDEND_NAME] = units
    week.cash_gbp += paid


def dividend_not_booked(week: Week) -> None:
    week.dividends.pop()


# ---------------------------------------------------------------- the desk and the course of the plan
def switch(state: str, until: dt.date | None = None) -> Plant:
    def plant(week: Week) -> None:
        week.facts.append(lambda conn: desk.set_kill_switch(conn, state, ASOF, "looking into it", "operator", until))

    plant.__name__ = state.lower()
    return plant


def crash(week: Week) -> None:
    """Held names lose 13 % a day on top of what they did."""
    days = sorted({row["session"] for row in week.bars})
    for k, day in enumerate(days, start=1):
        for name in week.held:
            week.move(name, str(round(Decimal("0.87") ** k, 8)), day)


def incident(week: Week) -> None:
    week.facts.append(lambda conn: desk.open_incident(conn, "LEDGER", "It disagrees", {}, blocking=True, key="a"))


def too_late(week: Week) -> None:
    with factory.opened(week.home) as conn:
        week.clock = plan_times(ASOF, configuration.policy_in_force(conn).policy).no_trade_after


def stopped(week: Week) -> None:
    week.course = "stopped"


def never_ran(week: Week) -> None:
    week.course = "never ran"


# ---------------------------------------------------------------- sizing with a defect
def sizing(defect: wrong.WrongSizing, name: str) -> Plant:
    def plant(week: Week) -> None:
        week.sizing = defect

    plant.__name__ = name
    return plant


def orders(rewrite: wrong.Rewrite) -> Plant:
    return sizing(wrong.rewritten(rewrite), rewrite.__name__)


def little_cash(week: Week) -> None:
    """Most of the cash was withdrawn on the as-of session."""
    week.facts.append(lambda conn: factory.move_cash(conn, "withdrawal", Decimal(-7000), ASOF))
    week.cash_gbp -= 7000


def half_phase(week: Week) -> None:
    week.policy["phase_share"] = "0.5"


def split_announced(week: Week) -> None:
    week.announce(FIRST_BUY, MONDAY, "split", Decimal(2))


def only_as_cfd(week: Week) -> None:
    """The last line's name was only to be had as a CFD, which switches it off."""
    week.not_done("FAILED", "CFD")


def buy_what_was_switched_off(week: Week) -> None:
    week.sizing = wrong.rewritten(wrong.buying(SWITCHED_OFF))


# ---------------------------------------------------------------- live: the same week's inputs, the book replaced
def live_with(**changes: Any) -> Plant:
    """A live book with everything that live rules ask for, but for the changes."""

    def see(inputs: PlanInputs) -> PlanInputs:
        account = inputs.policy.account.model_copy(update={"confirmed_on": changes.get("confirmed_on", ASOF)})
        verified = {
            symbol: replace(i, verified_on=changes.get("verified_on", ASOF))
            for symbol, i in inputs.universe.instruments.items()
        }
        return replace(
            inputs,
            book="live",
            policy=inputs.policy.model_copy(update={"account": account}),
            universe=Universe(verified),
            backup_proven_at=inputs.times.decide_by - dt.timedelta(hours=changes.get("backup_age", 24)),
        )

    def live_book(week: Week) -> None:
        week.inputs = see

    return live_book


def live_unverified(week: Week) -> None:
    live_with(verified_on=dt.date(2017, 1, 2))(week)
    week.sizing = wrong.blind_to_verification


LIVE = live_with()
FIRST_BUY = "PYPL"
SWITCHED_OFF = "WMT"
DIVIDEND_NAME = "MDLZ"
DIVIDEND_PRICE = Decimal("43.12")

FAULTS = (
    Fault("DATA_COVERAGE", bars_missing),
    Fault("BENCHMARK_MISSING", benchmark_missing),
    Fault("OFF_CALENDAR_BAR", saturday_bar),
    Fault("DUPLICATE_BAR", bar_twice),
    Fault("FX_STALE", fixings_missing),
    Fault("VALUATION_INCOMPLETE", held_bar_missing),
    Fault("VALUATION_INCOMPLETE", held_bar_broken),
    Fault("NAMES_FROZEN", held_apart, given=two_sources, freeze="CROSS_CHECK"),
    Fault("NAMES_FROZEN", held_confirmed_by_nobody, given=two_sources, freeze="CROSS_CHECK"),
    Fault("NAMES_FROZEN", held_split_in_one_source, given=two_sources, freeze="CROSS_CHECK"),
    Fault("NAMES_FROZEN", benchmark_apart, given=two_sources, freeze="CROSS_CHECK"),
    Fault("NAMES_FROZEN", many_apart, given=two_sources, freeze="CROSS_CHECK"),
    Fault("NAMES_FROZEN", held_jump, freeze="SUSPECT_JUMP"),
    Fault("NAMES_FROZEN", held_split_unrecorded, freeze="SUSPECT_SPLIT"),
    Fault("NAMES_FROZEN", held_spin_off, freeze="SPECIAL_DISTRIBUTION"),
    Fault("NAMES_FROZEN", benchmark_jump, freeze="SUSPECT_SPLIT"),
    Fault("NAMES_FROZEN", many_jumps, freeze="SUSPECT_JUMP"),
    Fault("SIGNALS_STALE", history_missing),
    Fault("CONFIRMATION_MISSING", line_unanswered, given=line_skipped),
    Fault("SNAPSHOT_STALE", no_snapshot),
    Fault("UNKNOWN_POSITION", strange_holding),
    Fault("UNKNOWN_POSITION", holding_forgotten),
    Fault("UNITS_DRIFT", digits_swapped),
    Fault("CASH_DRIFT", cash_short),
    Fault("DIVIDEND_UNRESOLVED", dividend_not_booked, given=old_position),
    Fault("MAX_POSITIONS", orders(wrong.too_many_names)),
    Fault("MAX_WEIGHT", orders(wrong.too_much_of_one)),
    Fault("CASH_FLOOR", orders(wrong.into_the_floor), given=little_cash),
    Fault("TURNOVER_CAP", sizing(wrong.with_policy(turnover_cap=Decimal("0.36")), "more_turnover")),
    Fault("NO_SHORT", orders(wrong.more_than_is_held)),
    Fault("NO_LEVERAGE", orders(wrong.with_leverage)),
    Fault("NO_CFD", orders(wrong.an_etf)),
    Fault("UNKNOWN_SYMBOL", buy_what_was_switched_off, given=only_as_cfd),
    Fault("TRADE_SIZE", orders(wrong.too_small)),
    Fault("TRADE_SIZE", orders(wrong.too_large)),
    Fault("STALE_PRICE", orders(wrong.yesterdays_price)),
    Fault("STALE_PRICE", orders(wrong.another_price)),
    Fault("SPLIT_PENDING", sizing(wrong.blind_to_splits, "blind_to_splits"), given=split_announced),
    Fault("PHASE_CAP", sizing(wrong.with_policy(phase_share=Decimal(1)), "full_size"), given=half_phase),
    Fault("KILL_SWITCH", switch("HALTED"), switch="HALTED"),
    Fault("KILL_SWITCH", switch("PAUSED", until=MONDAY), switch="PAUSED"),
    Fault("DRAWDOWN", crash, switch="HALTED"),
    Fault("INCIDENT_OPEN", incident),
    Fault("NOTHING_TO_DO", switch("REDUCING"), switch="REDUCING"),
    Fault("NOTHING_TO_DO", orders(wrong.no_orders)),
    Fault("TICKET_TOO_LATE", too_late),
    Fault("RUN_FAILED", stopped),
    Fault("PLAN_MISSED", never_ran),
    Fault("BACKUP_UNPROVEN", live_with(backup_age=49), given=LIVE),
    Fault("ACCOUNT_UNCONFIRMED", live_with(confirmed_on=None), given=LIVE),
    Fault("UNVERIFIED_NAME", live_unverified, given=LIVE),
)

IN_A_WEEK_OF_THEIR_OWN = {"OPENING_SNAPSHOT_MISSING"}
"""Cannot fail once there was a snapshot: `test_the_first_plan_of_a_book_needs_its_opening_snapshot`."""


@pytest.fixture(scope="module")
def book(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Lived:
    return live(embedded_server, administrator)


Play = Callable[..., Played]


@pytest.fixture
def play(book: Lived) -> Play:
    return lambda *plants: factory.play(book, plants)


def name_of(plant: object) -> str:
    return getattr(plant, "__name__", str(plant))


@pytest.mark.parametrize("given", dict.fromkeys(fault.given for fault in FAULTS), ids=name_of)
def test_the_week_without_the_fault_trades(play: Play, given: Plant) -> None:
    ticket = play(given).ticket
    assert (ticket.verdict, ticket.reasons) == ("TRADE", ())
    assert ticket.lines
    assert all(gate.outcome == "PASS" for gate in ticket.gates)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{name_of(fault.plant)}")
def test_one_fault_refuses_the_week_by_its_own_rule(play: Play, fault: Fault) -> None:
    played = play(fault.given, fault.plant)
    ticket = played.ticket
    assert (ticket.verdict, ticket.reasons) == ("NO-TRADE", (fault.code,))
    assert ticket.lines == ()
    (gate,) = (gate for gate in ticket.gates if gate.code == fault.code)
    assert all((gate.outcome == "FAIL", gate.seen, gate.allowed, gate.sentence, gate.remedy))
    assert set(played.frozen.values()) == ({fault.freeze} if fault.freeze else set())
    assert played.switch == fault.switch


@pytest.mark.parametrize("snapshot", [True, False])
def test_the_first_plan_of_a_book_needs_its_opening_snapshot(book: Lived, snapshot: bool) -> None:
    ticket = factory.play_first_week(book, snapshot=snapshot)
    refused = ("NO-TRADE", ("OPENING_SNAPSHOT_MISSING",))
    assert (ticket.verdict, ticket.reasons) == (("TRADE", ()) if snapshot else refused)


def part_lost(home: Settings) -> None:
    for path in home.snapshots_dir.glob("bars/2018-01-*"):
        path.unlink()


def purchase_lost(home: Settings) -> None:
    """The ledger says that a name was sold which was never bought."""
    tamper(home, "ledger_trades_fills", "UPDATE ops.ledger_trades_fills SET side = 'SELL' WHERE symbol = 'MU'")


@pytest.mark.parametrize("damage", [part_lost, purchase_lost], ids=name_of)
def test_a_plan_whose_inputs_cannot_be_judged_any_more_still_ends_in_its_ticket(
    book: Lived, administrator: psycopg.Connection[Any], tmp_path: Path, damage: Callable[[Settings], None]
) -> None:
    with own_home(book.lived, administrator, tmp_path / "home") as home, factory.opened(home) as conn:
        factory.happen(conn, factory.week(book, home))
        plan = direct.register(conn, ASOF, AT)
        direct.run_plan(conn, home.snapshots_dir, plan.plan_id)
        damage(home)
        with pytest.MonkeyPatch.context() as patch:  # another process decides: it remembers nothing of the run
            patch.setattr(steps, "_LAST", {})
            patch.setattr(snapshot_view, "_LAST_VIEW", {})
            patch.setattr(snapshot_view, "_bars", snapshot_view._bars.__wrapped__)
            ticket = issue.decide_plan(
                conn, home.tickets_dir, home.snapshots_dir, plan.plan_id, at=AT, final=True, clock=plan.decide_by
            )
        assert isinstance(ticket, Ticket)
        content = TicketContent.model_validate_json(ticket.content)
        assert (content.verdict, content.reasons, content.lines) == ("NO-TRADE", ("RUN_FAILED",), ())
        if damage is part_lost:
            judged = plans.newest_run(conn, plan.plan_id)
            assert judged is not None
            assert run(home, "data", "rebuild", str(judged.snapshot_id)).code == 0
            assert run(home, "ticket", "replay", "2018-W05").code == 0


def test_the_table_has_every_rule() -> None:
    assert {fault.code for fault in FAULTS} | IN_A_WEEK_OF_THEIR_OWN == set(RULES)


def test_the_table_has_every_reason_of_freezing() -> None:
    planted = {fault.freeze for fault in FAULTS if fault.freeze}
    assert planted == set(FREEZE_CODES)


def test_one_name_apart_is_left_out_and_the_others_trade(play: Play) -> None:
    def one_apart(week: Week) -> None:
        week.second_bar(bought)["close"] *= Decimal("1.01")

    whole = play(two_sources).ticket
    assert whole.cross_checked
    bought = next(line.symbol for line in whole.lines if line.side == "BUY")
    played = play(two_sources, one_apart)
    assert played.ticket.verdict == "TRADE"
    assert played.frozen == {bought: "CROSS_CHECK"}
    assert bought not in {line.symbol for line in played.ticket.lines}


def test_a_jump_that_a_second_source_confirms_freezes_nobody(play: Play) -> None:
    """The jump of `held_jump` alone refuses the plan; the second source's same close clears it."""

    def confirmed_jump(week: Week) -> None:
        held_jump(week)
        week.second_source()
        for session in (WEDNESDAY, THURSDAY):
            assert week.second_bar(week.held[0], session)

    played = play(confirmed_jump)
    assert played.frozen == {}
    assert (played.ticket.verdict, played.ticket.reasons) != ("NO-TRADE", ("NAMES_FROZEN",))
