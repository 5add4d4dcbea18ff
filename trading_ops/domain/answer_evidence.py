"""An answer as it was typed, what it is held against, and the question that may come of it.

Belongs here: these three shapes. Does not belong here: what is asked and why (`plausibility`, `price_questions`).
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_ops.domain.policy import Policy
from trading_ops.domain.ticket_model import WindowPart

Field: TypeAlias = Literal["status", "units", "price", "value", "time"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the person says of one line. Price in USD, value in pounds, time aware UTC; None where nothing is typed."""

    status: str
    units: Decimal | None = None
    price_usd: Decimal | None = None
    value_gbp: Decimal | None = None
    executed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer is held against.

    Attributes:
        usd_per_gbp: Dollars for one pound on the day of the fill, or the last known before it.
        window: The ticket's window.
        now: The moment of asking, aware UTC.
        policy: `confirmation.price_question` is the share beyond which it asks.
        low_usd: The session's low as traded, None while its bar is not known.
        high_usd: The session's high as traded, None while its bar is not known.
    """

    usd_per_gbp: Decimal
    window: WindowPart
    now: dt.datetime
    policy: Policy
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None

    @property
    def share(self) -> Decimal:
        """The share of a number beyond which it asks."""
        return self.policy.confirmation.price_question


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to look at again: its code, the field it is about, and the sentence that the person reads."""

    code: str
    field: Field
    sentence: str
