"""What a person read off the broker: cash and holdings at one moment, and the ledger as it stood then."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading_ops.domain.errors import BadInput
from trading_ops.domain.ledger import LedgerFacts, LedgerState, ledger_at
from trading_ops.domain.values import ZERO, Session, Symbol, plain


@dataclass(frozen=True, slots=True)
class SnapshotHolding:
    """Units of one name as typed, and how many decimals were typed (`10.50` has 2)."""

    units: Decimal
    places: int


@dataclass(frozen=True)
class BrokerSnapshot:
    """The broker's cash and holdings at one moment.

    Attributes:
        taken_at: The moment, aware UTC.
        session: The session whose close it reflects, splits of that session included.
        cash_gbp: Cash in pounds.
        holdings: By symbol. A name that is absent was not reported; that is never taken for 0 units.

    Raises:
        BadInput: Units below 0, or a time without zone.
    """

    snapshot_id: str
    taken_at: dt.datetime
    session: Session
    cash_gbp: Decimal
    holdings: Mapping[Symbol, SnapshotHolding]

    def __post_init__(self) -> None:
        if self.taken_at.tzinfo is None:
            raise BadInput(f"snapshot {self.snapshot_id}: its time has no time zone. Enter it with one.")
        for symbol, holding in self.holdings.items():
            if not holding.units.is_finite() or holding.units < ZERO or holding.places < 0:
                raise BadInput(
                    f"snapshot {self.snapshot_id}: {symbol} has {plain(holding.units)} units. Enter 0 or more."
                )


def compared_session(snapshot: BrokerSnapshot, facts: LedgerFacts) -> Session:
    """The session through which splits count: the snapshot's, or that of a later fill that it already contains."""
    filled = (f.session for f in facts.fills if f.filled_at <= snapshot.taken_at)
    return max((snapshot.session, *filled))


def ledger_as_seen(snapshot: BrokerSnapshot, facts: LedgerFacts) -> LedgerState:
    """The ledger at the snapshot's own time.

    Fills and cash count by their moment, a deposit on a Saturday included; splits and corporate events by their
    session, so one with an ex-date after it is in neither of the two sides.

    Raises:
        LedgerError: The facts up to then do not fit together.
    """
    session = compared_session(snapshot, facts)
    fills = tuple(f for f in facts.fills if f.filled_at <= snapshot.taken_at)
    movements = tuple(m for m in facts.movements if m.at <= snapshot.taken_at)
    seen = LedgerFacts(
        fills,
        movements,
        tuple(s for s in facts.splits if s.ex_date <= session),
        tuple(e for e in facts.events if e.day <= session),
    )
    return ledger_at(seen, max((session, *(m.day for m in movements))))
