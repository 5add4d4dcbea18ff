"""Leading the roll-out on or back: an operator's acts, which the criteria must allow.

A live book that has not been promoted to small capital is paused: no weekly plan of it trades. In small capital its
policy never trades more than the phase's share.
Does not belong here: whether the criteria hold (`rollout_state`), what the phases are (`domain.rollout`).
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.desk import books_now, rollout_certificate, rollout_state
from trading_ops.desk.rollout_state import RolloutState
from trading_ops.desk.switching import require_reason
from trading_ops.domain import calendar
from trading_ops.domain import policy as policies
from trading_ops.domain.canonical import canonical_bytes
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.kill_switch import end_of_pause, standing_pauses
from trading_ops.domain.policy import Policy
from trading_ops.domain.rollout import (
    PHASES,
    ROLLOUT,
    Phase,
    PhaseName,
    strategy_hash,
    target_per_name,
)
from trading_ops.domain.ticket_words import pounds
from trading_ops.domain.values import ONE, ZERO, fixed, plain
from trading_ops.store import audit, configuration, desk, rollout
from trading_ops.store.configuration import StoredPolicy
from trading_ops.store.rollout import Act

WHY_PAUSED = "Pre-flight of the roll-out: a live book trades once it is promoted to small capital."
_SHARE = re.compile(r"(\bphase_share\s*:\s*)[0-9.]+")


def begin(conn: psycopg.Connection[Any], now: dt.datetime) -> str:
    """Begin the roll-out of a live book that has none; returns what was done as a sentence, empty for nothing.

    A book that has traded before goes on as it did: its phase follows from its policy's share.
    """
    if desk.book(conn) != "live" or rollout.phase(conn) is not None:
        return ""
    policy = configuration.policy_in_force(conn).policy
    share = policy.sizing.phase_share
    if books_now.books(conn).facts.fills:
        phase: PhaseName = "scale" if share == ONE else "small_capital"
        said = "This book traded before it had a roll-out."
        _record(conn, "begun", PHASES[phase], share, said, ROLLOUT, policy, {})
        return f"{said} It goes on in the phase {PHASES[phase].title}, with {plain(share)} of full size."
    _record(conn, "begun", PHASES["preflight"], ZERO, WHY_PAUSED, ROLLOUT, policy, {})
    _pause(conn, now)
    return f"{WHY_PAUSED} See `trading-ops rollout status`."


def promote(
    conn: psycopg.Connection[Any],
    now: dt.datetime,
    reason: str,
    by: str,
    share: Decimal | None = None,
    certificate: bytes | None = None,
) -> str:
    """Lead the book into the next phase; returns what was done, as a sentence.

    Args:
        conn: A connection inside a transaction.
        now: The moment by the book's clock, aware UTC.
        reason: Why, in a few words.
        by: Who.
        share: Share of full size, where the next phase leaves a choice; its least where left out.
        certificate: Of the paper book's dry run; asked for by a live book's pre-flight.

    Raises:
        BadInput: The reason is missing, the share lies outside the phase's, or the certificate is none.
        Refused: A criterion does not hold, there is no next phase, or the capital is too small for it.
    """
    require_reason(reason)
    audit.one_writer(conn)
    policy = configuration.policy_in_force(conn).policy
    handed_in = (
        {} if certificate is None else {"DRY_RUN_CERTIFIED": rollout_certificate.worth(certificate, policy, now)}
    )
    found = rollout_state.require_state(conn, now, handed_in)
    following = found.phase.next.get(found.book)
    if following is None:
        raise Refused(_no_further(found))
    if found.missing:
        raise Refused(f"{found.phase.title} cannot be left yet. {' '.join(found.missing)}")
    phase = PHASES[following]
    chosen = _share(phase, share, policy) if found.book == "live" else policy.sizing.phase_share
    _require_capital(conn, now, policy, phase, chosen)
    more = {"certificate": certificate.decode()} if certificate else {}
    act = _record(conn, "promoted", phase, chosen, reason, by, policy, more, found)
    if found.book == "live":
        _put_in_force(conn, chosen, f"roll-out: {phase.title}")
        _end_pause(conn, reason, by)
    return _done(act, phase, found.book == "live")


def back(
    conn: psycopg.Connection[Any], now: dt.datetime, to: str, reason: str, by: str, share: Decimal | None = None
) -> str:
    """Go back to an earlier phase, or begin the present one anew; always allowed. Returns a sentence.

    Raises:
        BadInput: There is no such phase in this book, the reason is missing, or the share lies outside the phase's.
        Refused: The phase lies ahead.
    """
    require_reason(reason)
    audit.one_writer(conn)
    found, policy = rollout_state.require_state(conn, now), configuration.policy_in_force(conn).policy
    names = [name for name, phase in PHASES.items() if found.book in phase.books]
    if to not in names:
        raise BadInput(f"--to {to!r}: a {found.book} book knows {', '.join(names)}.")
    if names.index(to) > names.index(found.phase.name):
        raise Refused(f"{PHASES[to].title} lies ahead: `trading-ops rollout promote` leads there.")
    phase, live = PHASES[to], found.book == "live"
    chosen = _share(phase, share, policy) if live else policy.sizing.phase_share
    act = _record(conn, "returned", phase, chosen, reason, by, policy, {}, found)
    if live and phase.most == ZERO:
        _pause(conn, now)
    elif live:
        _put_in_force(conn, chosen, f"roll-out: back to {phase.title}")
    return _done(act, phase, live)


def import_policy(conn: psycopg.Connection[Any], text: str, where: str) -> tuple[StoredPolicy, tuple[str, ...]]:
    """Put a policy in force, as far as the roll-out allows; returns it with what a person has to know.

    Raises:
        ConfigError: Something in it is wrong.
    """
    led = rollout.phase(conn)
    if led is None or led.phase != "small_capital":
        return configuration.import_policy(conn, text, where), ()
    policy, said = policies.parse(text, where), []
    if policy.sizing.phase_share > led.share:
        text = with_share(text, led.share, where)
        said.append(
            f"{where}, sizing.phase_share: {plain(policy.sizing.phase_share)} is more than the phase Small capital "
            f"trades, so {plain(led.share)} is in force. `trading-ops rollout promote` leads to full size."
        )
    if json.loads(led.document)["strategy"] != strategy_hash(policy):
        said.append(
            "Signals, sizing or risk differ from what Small capital began with, so STRATEGY_FROZEN does not hold. "
            "Put them back, or begin the phase anew: `trading-ops rollout return --to small_capital --reason …`."
        )
    return configuration.import_policy(conn, text, where), tuple(said)


def with_share(text: str, share: Decimal, where: str) -> str:
    """A policy's text with another phase share, every other number and comment as it was.

    Raises:
        Refused: The text writes it in a way that cannot be replaced safely.
    """
    before = policies.parse(text, where)
    for found in _SHARE.finditer(text):
        changed = f"{text[: found.start()]}{found.group(1)}{plain(share)}{text[found.end() :]}"
        after = policies.parse(changed, where)
        wanted = before.model_copy(update={"sizing": before.sizing.model_copy(update={"phase_share": share})})
        if policies.canonical(after) == policies.canonical(wanted):
            return changed
    raise Refused(
        f"{where}: write sizing.phase_share as `phase_share: {plain(before.sizing.phase_share)}`, on one line."
    )


# ---------------------------------------------------------------- what the acts have in common
def _no_further(found: RolloutState) -> str:
    if found.phase.name == "dry_run" and found.book == "paper":
        return (
            "A paper book's roll-out ends here. `trading-ops rollout certificate` certifies the dry run, and its file "
            "leads a live book on."
        )
    if found.phase.name == "dry_run":
        return "A simulated book's roll-out ends here: real money follows on a paper book's dry run alone."
    return f"{found.phase.title} is the last phase."


def _share(phase: Phase, wanted: Decimal | None, policy: Policy) -> Decimal:
    chosen = phase.least if wanted is None else wanted
    if not phase.least <= chosen <= phase.most:
        allowed = plain(phase.least) if phase.least == phase.most else f"{plain(phase.least)} to {plain(phase.most)}"
        raise BadInput(f"--share {plain(chosen)}: {phase.title} trades {allowed} of full size.")
    return chosen


def _require_capital(
    conn: psycopg.Connection[Any], now: dt.datetime, policy: Policy, phase: Phase, share: Decimal
) -> None:
    of = books_now.books(conn)
    equity = books_now.values(conn, of, books_now.newest_session(conn, now)).equity_gbp
    target, least = target_per_name(policy, share, equity), policy.sizing.minimum_order_gbp
    if target < least:
        raise Refused(
            f"{phase.title} at {plain(share)} of full size would buy {pounds(fixed(target, 2))} a name of an equity of "
            f"{pounds(fixed(equity, 2))}, and the smallest order is {pounds(fixed(least, 2))}. Pay in more, choose a "
            "larger share, or trade fewer names (sizing.seats)."
        )


def _record(
    conn: psycopg.Connection[Any], act: rollout.ActName, phase: Phase, share: Decimal, reason: str, by: str,
    policy: Policy, more: Mapping[str, object], judged: RolloutState | None = None,
) -> Act:  # fmt: skip
    document = {
        "strategy": strategy_hash(policy),
        "left": judged.phase.name if judged else None,
        "answers": rollout_state.answers_of(judged) if judged else [],
        **more,
    }
    return rollout.record(conn, act, phase.name, share, reason.strip(), by, canonical_bytes(document))


def _put_in_force(conn: psycopg.Connection[Any], share: Decimal, source: str) -> None:
    stored = configuration.policy_in_force(conn)
    configuration.import_policy(conn, with_share(stored.body, share, f"policy version {stored.version}"), source)


def _pause(conn: psycopg.Connection[Any], now: dt.datetime) -> None:
    first = calendar.last_closed(now)
    desk.set_kill_switch(conn, "PAUSED", first, WHY_PAUSED, ROLLOUT, until=calendar.LAST_DAY)


def _end_pause(conn: psycopg.Connection[Any], reason: str, by: str) -> None:
    """End the roll-out's own pauses; a holiday that begins at the same session is entered again."""
    standing = standing_pauses(desk.kill_switch_events(conn, audit.head(conn).seq))
    for first in sorted({pause.session for pause in standing if pause.set_by == ROLLOUT}):
        desk.set_kill_switch(conn, "PAUSED", first, reason.strip(), by, until=end_of_pause(first))
        for pause in standing:
            if pause.session == first and pause.set_by != ROLLOUT:
                desk.set_kill_switch(conn, "PAUSED", first, pause.reason, pause.set_by, until=pause.until)


def _done(act: Act, phase: Phase, live: bool) -> str:
    size = f" It trades {plain(act.share)} of full size from the next plan on." if live and act.share else ""
    stands = " No plan trades until it is promoted again." if live and not act.share else ""
    return f"{phase.title}. {phase.means}{size}{stands}"
