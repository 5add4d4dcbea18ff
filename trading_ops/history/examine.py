"""The examination of a whole history: every rule over all of it, in one answer."""

from collections.abc import Collection
from decimal import Decimal

import numpy as np
import pyarrow as pa

from trading_ops.domain.move_facts import Move
from trading_ops.domain.moves import classify
from trading_ops.domain.policy import Data
from trading_ops.domain.values import exact
from trading_ops.history.bar_rules import bar_findings, coverage, invalid, on_sessions
from trading_ops.history.columns import chosen_actions, columns, days_of, order_of_sources
from trading_ops.history.findings import Code, Finding, History, LargeMove
from trading_ops.history.margin import margin
from trading_ops.history.price_rules import (
    Pairs,
    gate_code,
    moves_between,
    pairs,
    special_distributions,
    split_noise,
    unexplained_adjustments,
)


def examine(
    bars: pa.Table,
    actions: pa.Table,
    benchmark: str,
    data: Data,
    *,
    funds: Collection[str] = (),
    with_margin: bool = False,
) -> History:
    """Run every quality rule over a history.

    Args:
        bars: In the schema `providers.protocol.BARS`, in any order, of any number of sources.
        actions: In the schema `providers.protocol.ACTIONS`.
        benchmark: The market's yardstick; its bars are looked at like any other's.
        data: The policy's `data` section.
        funds: Names that are counted apart from stocks.
        with_margin: Whether to measure how far the classes can be trusted, too.

    Raises:
        CalendarError: A bar is dated beyond the exchange calendar.
    """
    order = order_of_sources(bars, actions, data)
    every, chosen = columns(bars, order)
    bad_of_all = invalid(every)
    bad = invalid(chosen)
    found = pairs(chosen.at(~bad & on_sessions(chosen)), chosen_actions(actions, every, order, data))
    view, moves = moves_between(found, data.jump_max, None, benchmark)
    findings = [
        *bar_findings(every, chosen, bad),
        *special_distributions(found, data, benchmark),
        *unexplained_adjustments(found),
        *split_noise(actions, data),
    ]
    return History(
        coverage=tuple(coverage(every, bad_of_all, funds)),
        findings=_in_order(findings),
        moves=tuple(
            LargeMove(
                move, classify(move, data), gate_code(view, move, data), _after(found, move), move.symbol in funds
            )
            for move in moves
        ),
        jump_max=data.jump_max,
        margin=margin(found, benchmark, data) if with_margin else None,
    )


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    codes = list(Code)
    return tuple(sorted(findings, key=lambda f: (codes.index(f.code), f.symbol, f.session)))


def _after(found: Pairs, move: Move) -> Decimal | None:
    """The next valid close over the move's, splits considered."""
    name = found.bars.names.index(move.symbol)
    place = int(found.bars.place(np.array([name]), days_of([move.session]))[0]) + 1
    if place >= len(found.bars) or not found.follows[place]:
        return None
    with exact():
        return Decimal(repr(float(found.ratio[place])))
