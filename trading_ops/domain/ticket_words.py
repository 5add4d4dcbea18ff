"""How days, times and amounts are said on a ticket: one way each, the same on a screen and over the phone.

Words are spelled out here and never taken from the machine's locale.
"""

import datetime as dt
from decimal import Decimal

from trading_ops.domain.calendar import LONDON, WEEKDAYS
from trading_ops.domain.values import half_even, plain

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SHORT_ID = 8


def long_day(day: dt.date) -> str:
    """`Monday 5 February 2018`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def short_day(day: dt.date) -> str:
    """`2 Jan 2018`, as the broker shows a date of opening."""
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def close_day(day: dt.date) -> str:
    """`Fri 2 Feb`."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def clock(instant: dt.datetime) -> str:
    """An instant's time of day in London, `14:45`."""
    return f"{instant.astimezone(LONDON):%H:%M}"


def london_day(instant: dt.datetime) -> dt.date:
    """An instant's date in London."""
    return instant.astimezone(LONDON).date()


def london_moment(instant: dt.datetime) -> str:
    """An instant in full, `Fri 02 Feb 2018 05:30 London`."""
    day = london_day(instant)
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day:02d} {MONTHS[day.month - 1][:3]} {day.year} {clock(instant)} London"


def typed_pounds(amount: str) -> str:
    """Pounds as they are typed into a field: `£1240`, pence only when there are any."""
    return "£" + plain(Decimal(amount))


def pounds(amount: str) -> str:
    """Pounds as they are read: `£20,412.33`, `£510`."""
    value = Decimal(amount)
    sign = "-" if value < 0 else ""
    return f"{sign}£{_grouped(value.copy_abs())}"  # copy_abs: abs() would round to the thread's own precision


def about_pounds(amount: str) -> str:
    """Pounds to the nearest pound, `about £251`; pence below one pound."""
    value = Decimal(amount)
    return "about " + pounds(amount if value.copy_abs() < 1 else plain(half_even(value, 0)))


def typed_units(units: str) -> str:
    """Units as they are typed or compared: `3.104512`, `12`."""
    return plain(Decimal(units))


def about_units(units: str) -> str:
    """Units to three decimals, `about 1.887`; all of them when three show nothing."""
    value = Decimal(units)
    return "about " + plain(half_even(value, 3) or value)


def count(number: int, one: str, many: str) -> str:
    """`1 instruction`, `4 instructions`."""
    return f"{number} {one if number == 1 else many}"


def short_id(identifier: str | None) -> str:
    """The first characters of a hash or run, enough to recognise it by eye."""
    if identifier is None:
        return "none"
    return identifier if len(identifier) <= _SHORT_ID + 4 else identifier[:_SHORT_ID] + "…"


def _grouped(value: Decimal) -> str:
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"
