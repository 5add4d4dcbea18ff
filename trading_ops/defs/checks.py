"""The gates: one asset check a rule, its text the operator's sentence. A failed rule of a plan stops what is behind it.

A check reads what its own run group stored and judges nothing again; evidence that is not there fails the check.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import dagster as dg

from trading_ops.defs.partitions import PLANS
from trading_ops.defs.plan_run import run_id_of
from trading_ops.defs.resources import Desk
from trading_ops.domain.reasons import RULES, Rule, rules_of
from trading_ops.domain.results import CheckResult, Outcome
from trading_ops.store import evidence, tickets

Stored = Mapping[str, CheckResult]

AT_ISSUE: Final = ("RUN_FAILED", "PLAN_MISSED", "NOTHING_TO_DO", "TICKET_TOO_LATE")
"""Rules about the ticket itself. Nothing stands behind them, so they block nothing and are shown beside it."""

GATES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "data_quality": rules_of("data"),
    "signals_ranked": rules_of("signals"),
    "intended_trades": rules_of("risk"),
    "broker_reconciliation": rules_of("reconciliation"),
    "previous_answers": rules_of("confirmation"),
    "desk_standing": tuple(rule for rule in rules_of("desk") if rule.code not in AT_ISSUE),
}
"""The asset behind which each gate stands."""


def check_name(rule: Rule) -> str:
    """A rule's check: its code in small letters."""
    return rule.code.lower()


def evidence_of_run(context: dg.AssetCheckExecutionContext, desk: Desk) -> Stored:
    """What this run group stored about the plan."""
    return evidence.results(desk.conn, run_id_of(context.run))


def evidence_of_ticket(context: dg.AssetCheckExecutionContext, desk: Desk) -> Stored:
    """What the plan's ticket says of its rules."""
    content = json.loads(tickets.get(desk.conn, context.partition_key).content)
    return {
        g["code"]: CheckResult(g["code"], Outcome(g["outcome"]), g["seen"], g["allowed"], g["sentence"], g["remedy"])
        for g in content["gates"]
    }


def answer(rule: Rule, asset: str, result: CheckResult | None, trouble: Exception | None = None) -> dg.AssetCheckResult:
    """A rule's stored answer as Dagster shows it; without one, a failure that says so."""
    if result is not None:
        description, seen, allowed, remedy = result.sentence, result.seen, result.allowed, result.remedy
        subjects = ", ".join(result.subjects)
    else:
        description = "There is no evidence of this rule: the plan's run did not get as far, or could not be read."
        seen = f"{type(trouble).__name__}: {trouble}" if trouble else "no evidence of this run"
        allowed, remedy, subjects = "evidence of this run, passed", RULES["RUN_FAILED"].remedy, ""
    return dg.AssetCheckResult(
        passed=result is not None and result.passed,
        asset_key=asset,
        check_name=check_name(rule),
        severity=dg.AssetCheckSeverity.ERROR,
        description=description,
        metadata={
            "outcome": result.outcome.value if result else "MISSING",
            "seen": seen,
            "allowed": allowed,
            **({"remedy": remedy} if remedy else {}),
            **({"subjects": subjects} if subjects else {}),
        },
    )


def gate(
    asset: str,
    rules: tuple[Rule, ...],
    *,
    blocking: bool = True,
    read: Callable[[dg.AssetCheckExecutionContext, Desk], Stored] = evidence_of_run,
) -> dg.AssetChecksDefinition:
    """The rules of one gate as the checks of one asset, read together and answered one by one.

    They always run together: a subset would let a rule that was left out count as passed.
    """
    with warnings.catch_warnings():
        # Partitions of checks are new in Dagster; without them a check of one plan would show for every plan.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        specs = [
            dg.AssetCheckSpec(
                check_name(rule), asset=asset, description=rule.sentence, blocking=blocking, partitions_def=PLANS,
                metadata={"policy": rule.policy_key} if rule.policy_key else None,
            )
            for rule in rules
        ]  # fmt: skip

        @dg.multi_asset_check(name=f"{asset}_gate", specs=specs)
        def checks(
            context: dg.AssetCheckExecutionContext, desk: dg.ResourceParam[Desk]
        ) -> Iterator[dg.AssetCheckResult]:
            stored: Stored = {}
            trouble: Exception | None = None
            try:
                stored = read(context, desk)
            except Exception as exc:  # whatever it is: what cannot be read did not pass
                trouble = exc
            for rule in rules:
                yield answer(rule, asset, stored.get(rule.code), trouble)

    return checks


PLAN_GATES = tuple(gate(asset, rules) for asset, rules in GATES.items())
TICKET_GATE = gate("ticket", tuple(RULES[code] for code in AT_ISSUE), blocking=False, read=evidence_of_ticket)
