"""What a diagnosis looks at: the comparison that drifts, and everything that may explain it.

Belongs here: the evidence as data. Does not belong here: what follows from it (`diagnosis`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.broker_snapshot import BrokerSnapshot
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.drift import Comparison
from trading_ops.domain.ledger_facts import FillSide, LedgerFacts
from trading_ops.domain.policy import Policy
from trading_ops.domain.prices import CorporateAction
from trading_ops.domain.values import Session, Symbol

RowKind: TypeAlias = Literal[
    "deposit", "withdrawal", "dividend", "fee", "interest", "open", "close", "split", "adjustment"
]
Status: TypeAlias = Literal["DONE", "PARTIAL", "SKIPPED", "FAILED"]


@dataclass(frozen=True, slots=True)
class AnsweredLine:
    """A line of a recent TRADE ticket with its answer, if it has one.

    Attributes:
        amount_gbp: Pounds of the line; a BUY spends exactly these.
        units: Units of the line; a SELL sells exactly these.
        reference_price_usd: The close of the as-of session.
        status: The answer, None while there is none.
        session: The window's session.
        withdrawn: The ticket was withdrawn.
        confirmed_units: Units of the answer, if any; likewise price in USD and value in pounds.
        fill_ids: The fills that the answer booked, one a piece.
    """

    plan_id: str
    line: int
    symbol: Symbol
    side: FillSide
    amount_gbp: Decimal
    units: Decimal
    reference_price_usd: Decimal
    status: Status | None
    session: Session
    withdrawn: bool = False
    confirmed_units: Decimal | None = None
    confirmed_price_usd: Decimal | None = None
    confirmed_value_gbp: Decimal | None = None
    fill_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One row of the broker's statement.

    Attributes:
        at: The row's moment, aware UTC.
        units: Units opened or closed; a split's row has none.
        amount_gbp: Pounds, signed as cash moves for what is no trade; of a trade its pounds, without sign.
        key: What tells the row from all others of the statement.
    """

    kind: RowKind
    at: dt.datetime
    symbol: Symbol | None
    units: Decimal | None
    amount_gbp: Decimal | None
    position_id: str | None
    key: str


@dataclass(frozen=True)
class DriftEvidence:
    """Everything a diagnosis may look at. The order within the tuples means nothing.

    Attributes:
        previous: The snapshot before, or None; where it agreed with the ledger, nothing older is suspected.
        facts: Every fact of the ledger in force, also those after the snapshot.
        comparison: From `drift.compare` of this snapshot with these facts.
        expected: Expected dividends, booked or not.
        lines: Lines of recent tickets with their answers.
        closes: Raw close in USD at the snapshot's session, by symbol.
        usd_per_gbp: The last fixing on or before that session, None when there is none.
        known_splits: Splits that any source knows with an ex-date near the snapshot, applied in `facts` or not.
        statement: Rows of an imported statement; empty without one.
    """

    snapshot: BrokerSnapshot
    previous: BrokerSnapshot | None
    facts: LedgerFacts
    comparison: Comparison
    policy: Policy
    expected: tuple[ExpectedDividend, ...] = ()
    lines: tuple[AnsweredLine, ...] = ()
    closes: Mapping[Symbol, Decimal] = field(default_factory=dict)
    usd_per_gbp: Decimal | None = None
    known_splits: tuple[CorporateAction, ...] = ()
    statement: tuple[StatementRow, ...] = ()
