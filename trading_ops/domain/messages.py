"""Who is told of what: every kind of message and the roles that get it.

Belongs here: kinds and audiences. Does not belong here: wording (`comms`), addresses and deliveries (`store.outbox`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Role: TypeAlias = Literal["executor", "operator"]

ISSUED: Final = "ticket.issued"
WITHDRAWN: Final = "ticket.withdrawn"
WINDOW_OPEN: Final = "ticket.window"
REMINDER: Final = "ticket.reminder"
DEADLINE: Final = "ticket.deadline"
ESCALATION: Final = "ticket.escalation"
ACCOUNT_CHECK: Final = "snapshot.reminder"
REPORT_DAILY: Final = "report.daily"
REPORT_WEEKLY: Final = "report.weekly"
REPORT_MONTHLY: Final = "report.monthly"

REMINDERS: Final = frozenset({WINDOW_OPEN, REMINDER, DEADLINE, ESCALATION})
"""About answers that are missing; without a missing answer there is nothing left to say."""

REPORT_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"daily": REPORT_DAILY, "weekly": REPORT_WEEKLY, "monthly": REPORT_MONTHLY}
)
"""The message that tells of a kind of report."""

AUDIENCES: Final[Mapping[str, tuple[Role, ...]]] = MappingProxyType(
    {
        ISSUED: ("executor", "operator"),
        WITHDRAWN: ("executor", "operator"),
        WINDOW_OPEN: ("executor",),
        REMINDER: ("executor",),
        DEADLINE: ("executor",),
        ESCALATION: ("operator",),
        ACCOUNT_CHECK: ("executor", "operator"),
        REPORT_DAILY: ("operator",),
        REPORT_WEEKLY: ("operator",),
        REPORT_MONTHLY: ("operator",),
    }
)


def audience(kind: str) -> tuple[Role, ...]:
    """The roles that are told; a kind that is not listed is an alert, and alerts are the operator's."""
    return AUDIENCES.get(kind, ("operator",))


def is_alert(kind: str) -> bool:
    """True for what only the operator has to deal with; several alerts of a kind may share a mail."""
    return kind not in AUDIENCES
