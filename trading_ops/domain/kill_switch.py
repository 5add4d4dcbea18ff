"""The kill switch: which state holds at a session, which pauses stand, and since when the drawdown is measured.

Two things are set: the state (ACTIVE, REDUCING, HALTED), of which the newest change counts, and pauses, which lie over
it. Within a pause no plan trades whatever the state is, or becomes; only an entry that ends this very pause ends it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trading_ops.domain.risk import KillSwitch
from trading_ops.domain.values import Session


@dataclass(frozen=True, slots=True)
class KillSwitchEvent:
    """An entry of the kill switch.

    Attributes:
        state: ACTIVE, REDUCING, HALTED, or PAUSED for an entry about a pause.
        session: The session from which the state holds; the first session of the pause, by which it is named.
        until: The last session of the pause; None for a state. Before `session`, the entry ends the pause of that name.
        reason: Why.
        set_by: Who.
    """

    state: str
    session: Session
    until: Session | None
    reason: str
    set_by: str

    @property
    def ends_pause(self) -> bool:
        """True for the entry that ends every pause entered before it that begins at its session."""
        return self.until is not None and self.until < self.session

    def covers(self, asof: Session) -> bool:
        """True when the as-of session lies within the pause, both ends included."""
        return self.until is not None and self.session <= asof <= self.until


def end_of_pause(first: Session) -> Session:
    """The `until` of an entry that ends the pause that begins at a session: the day before it."""
    return first - dt.timedelta(days=1)


def standing_pauses(events: Sequence[KillSwitchEvent]) -> tuple[KillSwitchEvent, ...]:
    """Pauses that nobody ended, over or to come, in the order in which they were entered."""
    standing: list[KillSwitchEvent] = []
    for event in events:
        if event.ends_pause:
            standing = [pause for pause in standing if pause.session != event.session]
        elif event.until is not None:
            standing.append(event)
    return tuple(standing)


def followed_by_a_state(events: Sequence[KillSwitchEvent], asof: Session) -> tuple[KillSwitchEvent, ...]:
    """Standing pauses, not over at a session, after which a state was set: that once ended them, and no longer does."""
    last_state = max((n for n, event in enumerate(events) if event.until is None), default=-1)
    before = set(events[: last_state + 1])
    return tuple(p for p in standing_pauses(events) if p in before and p.until is not None and p.until >= asof)


def state_at(events: Sequence[KillSwitchEvent], asof: Session) -> KillSwitch:
    """The state at a session: HALTED before PAUSED before REDUCING before ACTIVE, as to what may trade.

    Args:
        events: All entries in the order they were made.
        asof: The as-of session.

    Returns:
        ACTIVE when nothing was ever set. A halt within a pause is the state; its reason tells the pause as well.
    """
    changes = [e for e in events if e.until is None and e.session <= asof]
    newest = changes[-1] if changes else None
    pause = next((p for p in reversed(standing_pauses(events)) if p.covers(asof)), None)
    if pause is None:
        return _of(newest)
    if newest is None or newest.state != "HALTED":
        return _of(pause)
    both = f"{newest.reason}; paused as well from {pause.session} until {pause.until}: {pause.reason}"
    return KillSwitch(state="HALTED", since=newest.session, reason=both)


def newest_entry_at(events: Sequence[KillSwitchEvent], asof: Session) -> KillSwitch:
    """The state as plans saw it before pauses lay over it: the newest entry counts, a pause only within its days.

    Only a ticket that was decided so is replayed so.
    """
    held = [e for e in events if e.session <= asof and (e.until is None or e.covers(asof))]
    return _of(held[-1] if held else None)


def _of(event: KillSwitchEvent | None) -> KillSwitch:
    if event is None:
        return KillSwitch(state="ACTIVE", since=None, reason="")
    return KillSwitch(state=event.state, since=event.session, reason=event.reason)  # type: ignore[arg-type]


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
