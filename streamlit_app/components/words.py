"""How the operator's pages say amounts, shares and times: every amount with its currency, every time London's."""

import datetime as dt
import re
from decimal import Decimal

from trading_ops.domain.calendar import LONDON
from trading_ops.domain.ticket_words import MONTHS, close_day
from trading_ops.domain.values import exact, fixed, plain

MINUS = "−"
NONE = "–"
_UTC = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}) UTC", re.ASCII)


def gbp(amount: Decimal | None, places: int = 2) -> str:
    """`£1,234.50`, `−£3.20`; a dash for None."""
    return NONE if amount is None else _signed(amount, places, "£")


def usd(amount: Decimal | None, places: int = 2) -> str:
    """`$115.17`; a dash for None."""
    return NONE if amount is None else _signed(amount, places, "$")


def _signed(amount: Decimal, places: int, mark: str) -> str:
    text = fixed(amount, places)
    sign = MINUS if text.startswith("-") else ""
    whole, point, rest = text.lstrip("-").partition(".")
    return f"{sign}{mark}{int(whole):,}{point}{rest}"


def units(amount: Decimal | None) -> str:
    """`3.104512`; a dash for None."""
    return NONE if amount is None else plain(amount).replace("-", MINUS)


def percent(share: Decimal | None, places: int = 1) -> str:
    """A fraction as `12.3 %`; a dash for None."""
    if share is None:
        return NONE
    with exact():
        return fixed(share * 100, places).replace("-", MINUS) + " %"


def bps(amount: Decimal | None) -> str:
    """`41 bps`; a dash for None."""
    return NONE if amount is None else f"{fixed(amount, 0).replace('-', MINUS)} bps"


def day(date: dt.date) -> str:
    """`Fri 2 Feb 2018`."""
    return f"{close_day(date)} {date.year}"


def month(name: str) -> str:
    """`2018-02` as `February 2018`."""
    year, _, number = name.partition("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def when(instant: dt.datetime) -> str:
    """`Mon 5 Feb 2018, 14:45`: London's, as its column or sentence says."""
    london = instant.astimezone(LONDON)
    return f"{day(london.date())}, {london:%H:%M}"


def hour(instant: dt.datetime) -> str:
    """`14:45`, London."""
    return f"{instant.astimezone(LONDON):%H:%M}"


def in_london(sentence: str) -> str:
    """A rule's sentence with its moments said as London's."""

    def said(found: re.Match[str]) -> str:
        return f"{when(dt.datetime.fromisoformat(found.group(1)).replace(tzinfo=dt.UTC))} London"

    return _UTC.sub(said, sentence)
