"""The kill switch: which state holds at a session, and since when the drawdown is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from trading_ops.domain.risk import KillSwitch
from trading_ops.domain.values import Session


@dataclass(frozen=True, slots=True)
class KillSwitchEvent:
    """A change of the state from a session on; `until` only for PAUSED (a holiday)."""

    state: str
    session: Session
    until: Session | None
    reason: str
    set_by: str


def state_at(events: Sequence[KillSwitchEvent], asof: Session) -> KillSwitch:
    """The state at a session: the newest change counts, a pause only within its days.

    Args:
        events: All changes in the order they were made.
        asof: The as-of session.

    Returns:
        ACTIVE when nothing was ever set. A pause that is over, or not yet there, gives way to the change before it.
    """
    for event in reversed(events):
        if event.session > asof:
            continue
        if event.state == "PAUSED" and event.until is not None and asof > event.until:
            continue
        return KillSwitch(state=event.state, since=event.session, reason=event.reason)  # type: ignore[arg-type]
    return KillSwitch(state="ACTIVE", since=None, reason="")


def armed_since(events: Sequence[KillSwitchEvent], asof: Session) -> Session | None:
    """The session of the last re-arming: a change to ACTIVE after HALTED or REDUCING; None without one.

    A pause is no halt: coming back from one starts no new running maximum.
    """
    since = None
    before = "ACTIVE"
    for event in events:
        if event.session > asof or event.state == "PAUSED":
            continue
        if event.state == "ACTIVE" and before != "ACTIVE":
            since = event.session
        before = event.state
    return since
