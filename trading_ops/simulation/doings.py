"""A week between two plans at account and desk, as it is before and after something goes wrong in it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from trading_ops.domain import calendar
from trading_ops.domain.made_up_account import Credit, MadeUpAccount
from trading_ops.domain.policy import Policy

CASH = "CASH"


@dataclass
class Doings:
    """A week between two plans, up to the moment at which a snapshot is entered.

    Attributes:
        asof: The session of the snapshot.
        credits: Dividends of the week that are about to be booked, as they are booked.
        size_gbp: What the book began with; the size of deposits and purchases follows it.
        names: Names that may be bought.
        quiet: Held names that were not traded since the snapshot before.
        first: Held names of which all was bought with the newest ticket, in one piece.
        taken: Names that a planted difference is about already.
        typed_cash: Cash as it is typed into the snapshot, None for what the account shows.
        typed_units: Units that are typed wrong, by name; 0 leaves the name out.
    """

    conn: psycopg.Connection[Any]
    account: MadeUpAccount
    policy: Policy
    asof: dt.date
    credits: list[Credit]
    size_gbp: Decimal
    names: Sequence[str]
    quiet: Sequence[str]
    first: Sequence[str] = ()
    taken: set[str] = field(default_factory=set)
    typed_cash: Decimal | None = None
    typed_units: dict[str, Decimal] = field(default_factory=dict)

    @property
    def opened(self) -> dt.datetime:
        """The open of the snapshot's session."""
        return calendar.open_utc(self.asof)
