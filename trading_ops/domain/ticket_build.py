"""From a plan's decision to the content of its ticket. Pure: replaying the same inputs gives the same bytes.

Does not belong here: the verdict (`gates`), the numbers of a line (`ticket_lines`), the wording (`ticket_text`).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.books import Book
from trading_ops.domain.calendar import PlanTimes
from trading_ops.domain.errors import TradingOpsError
from trading_ops.domain.gates import NOTHING_TO_DO, Decision
from trading_ops.domain.orders import Deferred, Order, Sizing
from trading_ops.domain.policy import Policy
from trading_ops.domain.reasons import RULES
from trading_ops.domain.results import CheckResult, Verdict
from trading_ops.domain.ticket_lines import line_of
from trading_ops.domain.ticket_model import DeferredPart, GatePart, InputsPart, TicketContent, WindowPart
from trading_ops.domain.universe import Universe
from trading_ops.domain.values import PENCE_PLACES, ZERO, Session, exact, fixed, plain


class TicketError(TradingOpsError):
    """A ticket that contradicts itself or its hash; it must not be issued or trusted."""


@dataclass(frozen=True)
class TicketInputs:
    """What the plan was computed from; None where the plan never got so far.

    Attributes:
        snapshot_id: The market data, by content.
        config_hash: Policy and universe together.
        policy_hash: Policy alone.
        universe_hash: Universe alone.
        ledger_hash: The ledger facts up to the plan.
        evidence_hash: What people said and decided: answers, the account check, the kill switch, incidents, bars.
        pauses_hash: The pauses with their last sessions; None when none was ever entered.
        lookups_hash: Names looked up on eToro or switched off; None when there was none.
        kill_switch: Its state at D, since when and why, in words; None where it was not looked at.
        model_version: Version of what ranked the names.
        signal_source: Which ranker decided.
        usd_per_gbp: Dollars for one pound, the fixing used.
        fx_day: The fixing's day.
        equity_gbp: E, pounds.
        cash_gbp: Ledger cash, pounds.
        cross_checked: Two sources agreed about the prices.
    """

    snapshot_id: str | None = None
    config_hash: str | None = None
    policy_hash: str | None = None
    universe_hash: str | None = None
    ledger_hash: str | None = None
    evidence_hash: str | None = None
    pauses_hash: str | None = None
    lookups_hash: str | None = None
    kill_switch: str | None = None
    model_version: str | None = None
    signal_source: str | None = None
    usd_per_gbp: Decimal | None = None
    fx_day: dt.date | None = None
    equity_gbp: Decimal | None = None
    cash_gbp: Decimal | None = None
    cross_checked: bool = False


def build_content(
    *,
    times: PlanTimes,
    plan_id: str,
    book: Book,
    simulated: bool,
    policy: Policy,
    universe: Universe,
    decision: Decision,
    sizing: Sizing | None,
    inputs: TicketInputs,
    next_plan: Session,
) -> TicketContent:
    """The content of a ticket: pure, so that replaying the same inputs gives the same bytes.

    Args:
        times: The plan's times.
        plan_id: The plan's key, its as-of session as text.
        book: The home's book.
        simulated: Any of the market data was made by the simulator.
        policy: The numbers.
        universe: The names.
        decision: The verdict and every rule's answer.
        sizing: Orders and deferred orders; None when the plan stopped before.
        inputs: Hashes and values the plan was computed from.
        next_plan: As-of session of the next plan.

    Returns:
        The content. A NO-TRADE has no lines, whatever sizing says: what is printed might be executed.

    Raises:
        TicketError: TRADE without orders.
        UnknownSymbol: A line's name is not in the universe.
    """
    orders = sizing.orders if sizing is not None and decision.verdict is Verdict.TRADE else ()
    if decision.verdict is Verdict.TRADE and not orders:
        raise TicketError(f"plan {plan_id}: TRADE without a line. Decide with the orders that go on the ticket.")
    equity_gbp = sizing.equity_gbp if sizing is not None else inputs.equity_gbp
    shows_deferred = decision.verdict is Verdict.TRADE or decision.reasons == (NOTHING_TO_DO,)
    deferred = sizing.deferred if sizing is not None and shows_deferred else ()
    return TicketContent(
        schema_version=1,
        ticket_id=times.week,
        plan_id=plan_id,
        book=book,
        simulated=simulated,
        verdict=decision.verdict,
        asof=times.asof,
        window=_window(times),
        decide_by_utc=times.decide_by,
        next_plan=next_plan,
        next_plan_opens_utc=calendar.plan_times(next_plan, policy).opens_at,
        account_currency=policy.account.currency,
        inputs=_inputs(inputs),
        equity_gbp=_pence(equity_gbp),
        cash_gbp=_pence(inputs.cash_gbp),
        buys_gbp=_sum(orders, "BUY"),
        sells_gbp=_sum(orders, "SELL"),
        why=_why(orders, sizing),
        lines=tuple(line_of(order, equity_gbp or ZERO, universe, policy) for order in orders),
        deferred=tuple(_deferred(d) for d in deferred),
        gates=tuple(_gate(result) for result in decision.results),
        reasons=decision.reasons,
        cross_checked=inputs.cross_checked,
        page_url=f"{policy.ticket.page_url}/confirm/{times.week}",
    )


def _window(times: PlanTimes) -> WindowPart:
    return WindowPart(
        session=times.window_session,
        open_utc=times.window_open,
        close_utc=times.window_close,
        confirm_by_utc=times.confirm_by,
        market_open_utc=times.market_open,
        market_close_utc=times.market_close,
        half_day=times.half_day,
        clock_note=times.clock_note,
    )


def _inputs(inputs: TicketInputs) -> InputsPart:
    return InputsPart(
        snapshot_id=inputs.snapshot_id,
        config_hash=inputs.config_hash,
        policy_hash=inputs.policy_hash,
        universe_hash=inputs.universe_hash,
        ledger_hash=inputs.ledger_hash,
        evidence_hash=inputs.evidence_hash,
        pauses_hash=inputs.pauses_hash,
        lookups_hash=inputs.lookups_hash,
        kill_switch=inputs.kill_switch,
        model_version=inputs.model_version,
        signal_source=inputs.signal_source,
        usd_per_gbp=None if inputs.usd_per_gbp is None else plain(inputs.usd_per_gbp),
        fx_day=inputs.fx_day,
    )


def _deferred(deferred: Deferred) -> DeferredPart:
    return DeferredPart(
        side=deferred.side,
        symbol=deferred.symbol,
        amount_gbp=fixed(deferred.amount_gbp, PENCE_PLACES),
        code=deferred.code,
        sentence=deferred.sentence,
    )


def _gate(result: CheckResult) -> GatePart:
    rule = RULES.get(result.code)
    remedy = result.remedy or (rule.remedy if rule is not None else "")
    return GatePart(
        code=result.code,
        gate=rule.gate if rule is not None else "unknown",
        outcome=result.outcome,
        seen=result.seen,
        allowed=result.allowed,
        sentence=result.sentence,
        remedy="" if result.passed else remedy,
    )


def _pence(amount_gbp: Decimal | None) -> str | None:
    return None if amount_gbp is None else fixed(amount_gbp, PENCE_PLACES)


def _sum(orders: Iterable[Order], side: str) -> str:
    with exact():
        return fixed(sum((order.amount_gbp for order in orders if order.side == side), ZERO), PENCE_PLACES)


def _why(orders: tuple[Order, ...], sizing: Sizing | None) -> str:
    """Which names leave, come, or are brought back to their target, in line order; empty without orders."""
    held = {target.symbol for target in sizing.targets if target.units > ZERO} if sizing is not None else set()
    groups = (
        ("no longer allowed", [o.symbol for o in orders if o.group == "must_sell" and o.exit]),
        ("too large", [o.symbol for o in orders if o.group == "must_sell" and not o.exit]),
        ("sold, no seat left", [_ranked(o) for o in orders if o.group == "exit"]),
        ("cut back to target", [o.symbol for o in orders if o.group == "trim"]),
        ("new", [_ranked(o) for o in orders if o.group == "buy" and o.symbol not in held]),
        ("topped up to target", [o.symbol for o in orders if o.group == "buy" and o.symbol in held]),
    )
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in groups if names)


def _ranked(order: Order) -> str:
    return f"{order.symbol} ({'not ranked' if order.rank is None else f'rank {order.rank}'})"
