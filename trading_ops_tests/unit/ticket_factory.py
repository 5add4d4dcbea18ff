"""Plans and tickets for tests: every rule passed unless a test says otherwise."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading_ops.domain.books import Book
from trading_ops.domain.calendar import plan_times
from trading_ops.domain.gates import decide, required_codes
from trading_ops.domain.orders import Deferred, LotClose, Order, Sizing, Target
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.domain.ticket import Envelope, TicketContent, TicketInputs, build_content, seal
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import down, exact, half_even
from trading_ops_tests.unit.market_factory import committed_policy, make_instrument

D = Decimal
ASOF = dt.date(2018, 2, 2)
USD_PER_GBP = D("1.4199")
NAMES = {
    "ABBV": "AbbVie", "AMZN": "Amazon", "BRK.B": "Berkshire Hathaway B", "COST": "Costco", "MSFT": "Microsoft",
    "NVDA": "NVIDIA", "T": "",
}  # fmt: skip
PRICES = {
    "ABBV": D("115.17"), "AMZN": D("1429.95"), "BRK.B": D("208.70"), "COST": D("191.14"), "MSFT": D("91.78"),
    "NVDA": D("233.52"), "T": D("38.6"),
}  # fmt: skip


def make_names(**changes: str) -> Universe:
    """The universe of these tests; a keyword changes a name's notes."""
    notes = NAMES | changes
    return Universe({symbol: make_instrument(symbol, notes=notes[symbol]) for symbol in notes})


def make_result(code: str, outcome: Outcome = Outcome.PASS, **fields: Any) -> CheckResult:
    """A rule's answer."""
    result = CheckResult(code, outcome, "seen text", "allowed text", f"{code} sentence.", "", ())
    return replace(result, **fields)


def all_passed(book: Book = "live", but: Iterable[CheckResult] = (), without: Iterable[str] = ()) -> list[CheckResult]:
    """Evidence in which every rule passed, but some, and without some."""
    evidence = {code: make_result(code) for code in required_codes(book)}
    evidence |= {result.code: result for result in but}
    return [result for code, result in evidence.items() if code not in set(without)]


def make_lot(symbol: str, units: str, opened_on: dt.date, position_id: str | None, whole: bool = True) -> LotClose:
    """A lot that a SELL closes."""
    return LotClose(f"lot-{symbol}-{opened_on}", symbol, opened_on, D(units), position_id, whole)


def make_sell(line: int, symbol: str, *lots: LotClose, exit: bool = False, rank: int | None = 31) -> Order:
    """A sale of these lots at the reference price."""
    with exact():
        units = sum((lot.units for lot in lots), D(0))
        pounds = units * PRICES[symbol] / USD_PER_GBP
    group = "exit" if exit else "trim"
    return Order(line, symbol, "SELL", group, units, pounds, PRICES[symbol], ASOF, rank, exit, lots)


def make_buy(line: int, symbol: str, pounds: str, rank: int = 3) -> Order:
    """A purchase for whole pounds at the reference price."""
    with exact():
        units = half_even(D(pounds) * USD_PER_GBP / PRICES[symbol], 6)
    return Order(line, symbol, "BUY", "buy", units, down(D(pounds), 0), PRICES[symbol], ASOF, rank, False)


def usual_orders() -> tuple[Order, ...]:
    """An exit of one position, a trim over two, a new name and a top-up."""
    return (
        make_sell(1, "ABBV", make_lot("ABBV", "3.104512", dt.date(2018, 1, 2), "2272508626"), exit=True),
        make_sell(
            2,
            "MSFT",
            make_lot("MSFT", "2.5", dt.date(2017, 11, 6), "2201938475"),
            make_lot("MSFT", "1.208333", dt.date(2017, 12, 11), None, whole=False),
            rank=9,
        ),
        make_buy(3, "NVDA", "310", rank=4),
        make_buy(4, "AMZN", "1240", rank=7),
    )


def make_sizing(orders: Iterable[Order] = (), deferred: Iterable[Deferred] = ()) -> Sizing:
    """Sizing's result with AMZN, ABBV and MSFT held before."""
    held = [Target(s, 1, True, D(0), D(0), D(1), D(1), PRICES[s], D(0), "") for s in ("ABBV", "AMZN", "MSFT")]
    return Sizing(D("20412.3349"), tuple(held), tuple(orders), tuple(deferred))


def deferred_costco() -> Deferred:
    """A purchase that the turnover cap left for later."""
    return Deferred("COST", "BUY", D(310), "TURNOVER_CAP", "turnover cap of 30 % reached")


def make_content(
    *,
    orders: Iterable[Order] | None = None,
    deferred: Iterable[Deferred] = (),
    book: Book = "live",
    evidence: Iterable[CheckResult] | None = None,
    sized: bool = True,
    asof: dt.date = ASOF,
    next_plan: dt.date = dt.date(2018, 2, 9),
    **changes: Any,
) -> TicketContent:
    """A ticket's content: TRADE with the usual orders unless told otherwise."""
    policy = committed_policy()
    times = plan_times(asof, policy)
    lines = tuple(usual_orders() if orders is None else orders)
    results = all_passed(book) if evidence is None else evidence
    arguments: dict[str, Any] = {
        "times": times,
        "plan_id": str(asof),
        "book": book,
        "simulated": book == "sim",
        "policy": policy,
        "universe": make_names(),
        "decision": decide(results, bool(lines), book),
        "sizing": make_sizing(lines, deferred) if sized else None,
        "inputs": usual_inputs(asof),
        "next_plan": next_plan,
    }
    return build_content(**(arguments | changes))


def usual_inputs(asof: dt.date = ASOF) -> TicketInputs:
    """Inputs of a plan that was computed to its end."""
    return TicketInputs(
        snapshot_id="3f67" + "0" * 60,
        config_hash="5d1e" + "1" * 60,
        policy_hash="aa11" + "2" * 60,
        universe_hash="bb22" + "3" * 60,
        ledger_hash="cc33" + "4" * 60,
        evidence_hash="dd44" + "5" * 60,
        kill_switch="ACTIVE",
        model_version="stub-1",
        signal_source="stub",
        usd_per_gbp=USD_PER_GBP,
        fx_day=asof,
        equity_gbp=D("20412.3349"),
        cash_gbp=D("640.10"),
    )


def make_envelope(content: TicketContent, **changes: Any) -> Envelope:
    """An envelope with fixed values around a content."""
    values: dict[str, Any] = {
        "run_id": "8f3c0d52-7a11-4c7e-9a40-1f2b3c4d5e6f",
        "git_commit": "34d7661f0c2b4a59b8c1d2e3f405162738495a6b",
        "git_dirty": False,
        "issued_at": dt.datetime(2018, 2, 3, 8, 4, 11, 250000, tzinfo=dt.UTC),
        "audit_seq": 1841,
        "audit_hash": "9ac2" + "6" * 60,
    }
    return seal(content, **(values | changes))


def rule_failed(code: str, seen: str, allowed: str, sentence: str) -> CheckResult:
    """A failed rule with the remedy of the closed list."""
    return CheckResult(code, Outcome.FAIL, seen, allowed, sentence, RULES[code].remedy)
