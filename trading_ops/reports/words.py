"""How reports say amounts, shares and moments, out of the text that facts hold."""

import datetime as dt
from decimal import Decimal

from trading_ops.domain.calendar import LONDON
from trading_ops.domain.ticket_words import close_day
from trading_ops.domain.values import exact, fixed

MINUS = "−"
NONE = "–"


def pounds(amount: str | None, places: int = 2, *, sign: bool = False) -> str:
    """`£20,412.33`; with `sign` also `+£61.20`; a dash for None."""
    if amount is None:
        return NONE
    text = fixed(Decimal(amount), places)
    mark = MINUS if text.startswith("-") else "+" if sign and Decimal(text) else ""
    whole, point, rest = text.lstrip("-").partition(".")
    return f"{mark}£{int(whole):,}{point}{rest}"


def percent(share: str | None, places: int = 1, *, sign: bool = False) -> str:
    """`12.3 %`; with `sign` also `+0.3 %`; a dash for None."""
    if share is None:
        return NONE
    with exact():
        text = fixed(Decimal(share) * 100, places)
    mark = MINUS if text.startswith("-") else "+" if sign and Decimal(text) else ""
    return f"{mark}{text.lstrip('-')} %"


def bps(amount: str) -> str:
    """`41 bps`."""
    return f"{fixed(Decimal(amount), 0).replace('-', MINUS)} bps"


def day(date: dt.date) -> str:
    """`Fri 2 Feb 2018`."""
    return f"{close_day(date)} {date.year}"


def when(instant: dt.datetime) -> str:
    """`Mon 5 Feb 2018, 14:45`, in London."""
    london = instant.astimezone(LONDON)
    return f"{day(london.date())}, {london:%H:%M}"


def hour(instant: dt.datetime) -> str:
    """`14:45`, in London."""
    return f"{instant.astimezone(LONDON):%H:%M}"


def age(then: dt.datetime, now: dt.datetime) -> str:
    """`6 hours`, `3 days`."""
    hours = max(0, int((now - then).total_seconds() // 3600))
    if hours < 48:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{hours // 24} days"


def counted(number: int, one: str, many: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {one if number == 1 else many}"
