"""The closed list of incident classes: what each means, what to do, how it closes, and what it blocks.

Belongs here: the words, which rule of the gates an incident tells of, and when one is told of again.
Does not belong here: whether one is there (`watching`), storing it (`store.incidents`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from trading_ops.domain.reasons import rules_of

ITSELF: Final = "itself"
PERSON: Final = "person"
Closes: TypeAlias = Literal["itself", "person"]

WATCH: Final = "the watch"
"""Who closes an incident whose cause is gone; no person can have this name."""


@dataclass(frozen=True, slots=True)
class IncidentClass:
    """One class of incident, as people read it.

    Attributes:
        code: The class, the same in code, mail, page and `docs/INCIDENTS.md`.
        title: Its title, with the fields that the cause fills in.
        means: What it means, for the operator.
        do: What to do.
        closes: Closed by the watch when the cause is gone, or only by a person.
        how: How it is closed, as a sentence.
        blocking: No plan trades while it is open.
        why: Why it blocks, or why it need not.
        note: What whoever closes it writes down.
        escalate: Without an acknowledgement it is told of again after so many hours.
    """

    code: str
    title: str
    means: str
    do: str
    closes: Closes
    how: str
    why: str
    note: str
    escalate: int = 24
    blocking: bool = False

    @property
    def page(self) -> str:
        """Where the handbook tells of it."""
        return f"docs/RUNBOOK.md#{self.code.lower()}"


_GATE = "It blocks nothing itself: the gate refuses every plan as long as the cause is there."
_BY_A_PERSON = "A person closes it with a note on what was done."

_LISTED: tuple[IncidentClass, ...] = (
    IncidentClass(
        "DATA_STALE", "Plan {plan}: the market data will not do",
        "The newest plan cannot be priced or ranked: bars, fixings or scores are missing, late or doubtful.",
        "Read the failed rule. Run `trading-ops prices fetch`; if a source stays empty, drop its files into the inbox. "
        "The plan runs again by itself until it is decided.",
        ITSELF, "By itself, when every data and signal rule of the newest plan's run passed.", _GATE,
        note="which bars or fixings were missing, where they came from, and which run used them"),
    IncidentClass(
        "CONFIRMATION_MISSING", "Plan {plan}: answers to an earlier ticket are missing",
        "Nobody told what was done with some lines of a ticket, so the desk does not know what it holds.",
        "Ask the executor what was done and have it entered on the ticket's page. Do not guess.",
        ITSELF, "By itself, when every line has its answer.", _GATE, escalate=12,
        note="which lines had no answer, who was asked, and what was really done"),
    IncidentClass(
        "RECONCILIATION_DRIFT", "Plan {plan}: account and ledger do not agree",
        "The account check is missing, too old, or shows other cash or units than the ledger.",
        "Open the page Reconciliation, follow `docs/RECONCILIATION_SOP.md`, and have the account looked at once more.",
        ITSELF, "By itself, when every reconciliation rule of the newest plan's run passed.", _GATE, escalate=12,
        note="what differed, the class of the difference, and the entry that settled it"),
    IncidentClass(
        "UNTRADABLE_SYMBOL", "{symbol} was not found on eToro, or only as a CFD",
        "A name of the universe was not found on eToro, or is offered only as a CFD. It is switched off already.",
        "Look it up once more on the page Check names. If it was renamed, correct the universe.",
        PERSON, _BY_A_PERSON, "It blocks nothing: only that name is left out, the others trade.", escalate=72,
        note="what eToro showed, when it was looked up again, and what was changed in the universe"),
    IncidentClass(
        "KILL_SWITCH", "The kill switch is {state}",
        "The desk stopped itself because the book lost more than the policy allows, or a person stopped it.",
        "Find out why. Then set the state on the home page or with `trading-ops desk set`, with a reason: REDUCING to "
        "sell only, ACTIVE to trade again, which starts a new maximum.",
        ITSELF, "By itself, when a named person has set ACTIVE with a reason and the drawdown is allowed again.",
        "It blocks nothing itself: the kill switch does.", escalate=12,
        note="why the desk stood still, what was decided, and by whom"),
    IncidentClass(
        "RUN_FAILED", "Plan {plan}: its run did not complete",
        "A run of the plan broke off or is stuck, so not everything was proven and nothing may be traded on it.",
        "Read the run's error in Dagster and clear it. `trading-ops plan --asof DAY` runs the plan here and now.",
        ITSELF, "By itself, when a run of this plan or of the next one completed.",
        "It blocks nothing itself: a plan that is not proven ends as NO-TRADE.", escalate=6,
        note="the error of the run, what caused it, and what was changed"),
    IncidentClass(
        "PLAN_MISSED", "Plan {plan}: nothing ran it in time",
        "The plan was open and nothing ran it, or it was due and has no ticket: the desk or its schedule stood still.",
        "Look whether Dagster's daemon runs (`trading-ops dev`, `trading-ops doctor`). "
        "`trading-ops plan --asof DAY` runs the plan here and now. Without a ticket nothing is traded.",
        ITSELF, "By itself, when the newest plan has run and, once due, has its ticket.",
        "It blocks nothing itself: without a run there is no TRADE.", escalate=6,
        note="what stood still, since when, and what keeps it from standing still again"),
    IncidentClass(
        "SOURCE_DEAD", "{source} gives no prices",
        "A source of prices was given up: it does not answer, refuses the desk, or wants a key.",
        "Do what the message says of this source. The other sources go on; with too few of them the data gate refuses.",
        ITSELF, "By itself, when the source answered well, or has not been asked for two days.",
        "It blocks nothing: whether the other sources are enough is the data gate's question.",
        note="what the source answered, and what was done: a key, another source, or nothing"),
    IncidentClass(
        "BACKUP_UNPROVEN", "No backup was proven recently enough",
        "If this machine were lost now, the ledger would be lost since the newest proven backup.",
        "Run `trading-ops backup create`; it proves itself. If it fails, read why: disk space, or damage.",
        ITSELF, "By itself, when a backup was proven that is recent enough.", _GATE, escalate=12,
        note="why no backup was proven, and which one is proven now"),
    IncidentClass(
        "RESTATEMENT", "{count} bars were changed after tickets had used them",
        "A source changed prices that a past ticket was made from. The ticket stays as it is and can be replayed.",
        "Compare the new figures with another source. If a fill was judged by a wrong price, look at its slippage "
        "again.",
        PERSON, _BY_A_PERSON, "It blocks nothing: the coming plans use the new bars, the old tickets keep theirs.",
        escalate=72,
        note="which bars changed, what a second source says, and whether a fill is judged otherwise now"),
    IncidentClass(
        "OUTBOX_STUCK", "Messages do not leave the desk",
        "Mail or push waits for hours: nobody is told of tickets, reminders or incidents.",
        "Run `trading-ops mail status`, then `trading-ops mail send`, and read what the server answers.",
        ITSELF, "By itself, when nothing waits longer than two hours.",
        "It blocks nothing: a ticket that nobody read is not executed.", escalate=12,
        note="what the mail server answered, what was changed, and who was not told meanwhile"),
    IncidentClass(
        "DISK_FILLING", "The disk of the desk's home is nearly full",
        "The database stops when the disk is full, and no backup can be made.",
        "Free space on the disk of the desk's home: `trading-ops backup list` shows the backups, logs are in `logs`.",
        ITSELF, "By itself, when there is enough space again.",
        "It blocks nothing: what cannot be stored is not decided.", escalate=6,
        note="what filled the disk, what was removed, and how much is free now"),
    IncidentClass(
        "CLOCK_WRONG", "The clock of the desk is wrong",
        "The machine's clock differs from the database's or from those of two sources of prices, or stands before "
        "things that have happened already.",
        "Correct the machine's clock and let it be kept by NTP (`timedatectl`). Do not trade meanwhile.",
        ITSELF, "By itself, when the clocks agree again.",
        "It blocks: sessions, deadlines and ages are told by the clock, so a wrong one may trade on the wrong day.",
        escalate=6, blocking=True,
        note="how far the clock was off and since when, and which tickets or answers fall into that time"),
    IncidentClass(
        "WATCH_BLIND", "The watch cannot look at: {sense}",
        "A part of the watch failed, so what it looks after may be wrong without anybody being told.",
        "Read the error in the message and clear it; `trading-ops watch` looks again at once.",
        ITSELF, "By itself, when the watch could look at everything.",
        "It blocks nothing: the gates look for themselves.",
        note="the error, and what could have gone unseen meanwhile"),
    IncidentClass(
        "OVERFILLED", "A fill is larger than its line",
        "More was bought or sold than the ticket asked for. The fill is booked as it was answered.",
        "Look at the account. If the answer was mistyped, correct it on the ticket's page.",
        PERSON, _BY_A_PERSON, "It blocks nothing: the ledger holds what was done, and reconciliation proves it.",
        escalate=72,
        note="what the account shows, and whether the answer was right or mistyped"),
    IncidentClass(
        "UNBOOKED_TRADE", "A trade was made that the ledger does not have",
        "A trade was made that the desk cannot book as a stock, so cash and units are not those of the ledger.",
        "Undo it on eToro or book what it did to the cash on the page Cash and events.",
        PERSON, _BY_A_PERSON, "It blocks: the books are known to be wrong.", escalate=12, blocking=True,
        note="what was traded, how it was undone or booked, and that account and ledger agree again"),
    IncidentClass(
        "UNKNOWN_NAME", "A name was seen that the desk does not know",
        "A name stands in the account or a statement that is in no universe.",
        "Add it to the universe, or correct the account check.",
        PERSON, _BY_A_PERSON, "It blocks only when it says so: money moved that the ledger does not have.",
        note="what the name is, where it came from, and whether it is in the universe now"),
)  # fmt: skip

CLASSES: Final[Mapping[str, IncidentClass]] = MappingProxyType({c.code: c for c in _LISTED})
"""Every class by its code, in the order in which the runbook tells of them."""

CLASS_OF_RULE: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{rule.code: "DATA_STALE" for gate in ("data", "signals") for rule in rules_of(gate)},
        **{rule.code: "RECONCILIATION_DRIFT" for rule in rules_of("reconciliation")},
        "CONFIRMATION_MISSING": "CONFIRMATION_MISSING",
        "KILL_SWITCH": "KILL_SWITCH",
        "DRAWDOWN": "KILL_SWITCH",
        "BACKUP_UNPROVEN": "BACKUP_UNPROVEN",
        "RUN_FAILED": "RUN_FAILED",
        "PLAN_MISSED": "PLAN_MISSED",
    }
)
"""Rules whose failing is told of by an incident; every other one is told of by a message of its own."""

LEVELS: Final = (1, 3, 7)
"""An incident that nobody acknowledged is told of again after so many times its class's hours."""


def escalations_due(code: str, opened_at: dt.datetime, now: dt.datetime) -> int:
    """How often an incident that nobody acknowledged should have been told of again by now.

    Args:
        code: Its class; one that is not listed is treated as one of a day.
        opened_at: When it was opened, aware.
        now: The moment, aware.
    """
    known = CLASSES.get(code)
    hours = known.escalate if known else 24
    return sum(now - opened_at >= dt.timedelta(hours=hours * level) for level in LEVELS)
