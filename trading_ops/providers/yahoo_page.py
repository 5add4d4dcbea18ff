"""Fields of a JSON body, each of which is what it should be, or is refused by its name.

Does not belong here: what the fields mean (`yahoo_chart`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from trading_ops.domain.values import ZERO
from trading_ops.providers.protocol import RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer, shown

_LARGEST, _SMALLEST = 12, -12
"""Powers of ten of the first digit: no price in USD and no number of shares of one session comes near them."""
_DIGITS = 60
"""A float's shortest text has 17."""


@dataclass(frozen=True, slots=True)
class Page:
    """The body while it is read: every field is what it should be, or the refusal names it."""

    answer: Answer
    zone: ZoneInfo

    def refuse(self, kind: RefusalKind, sentence: str) -> RefusedData:
        return self.answer.refuse(kind, sentence)

    def shapeless(self, what: str) -> RefusedData:
        return self.refuse(RefusalKind.NOT_MARKET_DATA, f"this is no chart: {what}. Nothing was kept.")

    def items(self, value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.shapeless(f"its {name} is {_kind_of(value)}")
        return value

    def mapping(self, value: Any, name: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.shapeless(f"its {name} is {_kind_of(value)}")
        return value

    def mapping_or_none(self, value: Any, name: str) -> Mapping[str, Any]:
        """Yahoo leaves out, or sends as null, what there is none of."""
        return {} if value is None else self.mapping(value, name)

    def events(self, events: Mapping[str, Any], name: str) -> list[tuple[dt.date, Mapping[str, Any]]]:
        """Events of one kind with their day."""
        told = self.mapping_or_none(events.get(name), name)
        found = [self.mapping(event, name) for event in told.values()]
        return [(self.moment(event.get("date")).date(), event) for event in found]

    def moment(self, stamp: Any) -> dt.datetime:
        """Seconds since 1970 as an instant in the chart's zone."""
        if isinstance(stamp, int) and not isinstance(stamp, bool):
            try:
                return dt.datetime.fromtimestamp(stamp, self.zone)
            except (ValueError, OverflowError, OSError):
                pass
        raise self.refuse(RefusalKind.BAD_DATE, f"{shown(str(stamp), (), 40)!r} is no time. Nothing was kept.")

    def number(self, value: Any, day: dt.date, name: str) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            sentence = f"{name} of {day} is {_kind_of(value)}, not a number. Nothing was kept."
            kind = RefusalKind.MISSING_VALUE if value is None else RefusalKind.NOT_A_NUMBER
            raise self.refuse(kind, sentence)
        number = Decimal(value)
        # Zero has no digit to judge, and its exponent would be worked out in full.
        if number and not (_SMALLEST <= number.adjusted() < _LARGEST and len(number.as_tuple().digits) <= _DIGITS):
            sentence = f"{name} of {day} is {shown(str(value), (), 40)}, which cannot be real. Nothing was kept."
            raise self.refuse(RefusalKind.OUT_OF_RANGE, sentence)
        return number or ZERO


def _kind_of(value: Any) -> str:
    return "missing" if value is None else f"{type(value).__name__} {shown(repr(value), (), 30)}"
