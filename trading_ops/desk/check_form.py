"""The account check's form: what is typed, what is missing, and what to look at again on the eToro screen.

Nothing here raises for odd text. What the ledger has is never told: she reads the screen, she does not copy us.
Does not belong here: storing it (`account_check`), how a text becomes a number (`domain.typed`), widgets.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading_ops.desk.account_check import Against, Expected
from trading_ops.domain.broker_snapshot import SnapshotHolding
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.slips import likely_slip
from trading_ops.domain.ticket_words import long_day
from trading_ops.domain.typed import Kind, typed_number, typed_time
from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, ZERO, half_even, plain

Fields = Mapping[str, Any]
"""The form as it is kept in a draft: `cash`, `units` and `gone` by symbol, `more` (a list of mappings with `name` and
`units`), `when` (`now` or `earlier`), `day`, `time`; texts and booleans."""

KEEP_IT = "If eToro really shows this, keep it: the operator looks into it."
LOOK_AT_UNITS = 'Look at "Units" in the position on eToro once more.'


@dataclass(frozen=True)
class Item:
    """One field as it reads now.

    Attributes:
        key: `cash`, `units:AAPL`, `more:0`, `when`.
        label: What the page calls it.
        raw: As typed.
        value: The number, None while there is none.
        places: How many decimals were typed.
        mend: What must be typed or changed before it can be saved.
        ask: What deserves a second look; it may be kept.
        note: How it was read, where it could be read otherwise.
        symbol: The desk's name, None for one it does not know.
        gone: Ticked as not there.
    """

    key: str
    label: str
    raw: str = ""
    value: Decimal | None = None
    places: int = 0
    mend: str = ""
    ask: str = ""
    note: str = ""
    symbol: str | None = None
    gone: bool = False


@dataclass(frozen=True)
class CheckReading:
    """The whole form as it reads now. `taken_at` is None while its time cannot be told; `late` warns of an old day."""

    cash: Item
    holdings: tuple[Item, ...]
    more: tuple[Item, ...]
    when: Item
    taken_at: dt.datetime | None
    late: str

    @property
    def items(self) -> tuple[Item, ...]:
        """Every field, from the top of the page."""
        return (self.cash, *self.holdings, *self.more, self.when)

    @property
    def complete(self) -> bool:
        """Nothing must be typed or changed any more."""
        return not any(item.mend for item in self.items)

    @property
    def asked(self) -> tuple[str, ...]:
        """What a second look holds for: the fields that are asked about, each with its content."""
        return tuple(f"{item.key}={item.raw}{'-' if item.gone else ''}" for item in self.items if item.ask)

    def snapshot(self) -> dict[str, SnapshotHolding]:
        """Units and digits by symbol, of names that the desk knows; what is not there is 0."""
        known = [i for i in (*self.holdings, *self.more) if i.symbol is not None and i.value is not None]
        return {str(i.symbol): SnapshotHolding(i.value or ZERO, i.places) for i in known}

    def unknown(self) -> tuple[tuple[str, str], ...]:
        """Names that the desk does not know, with what was typed as their units."""
        return tuple((i.label, i.raw) for i in self.more if i.symbol is None and i.label)


def read_check(fields: Fields, known: Against, at: dt.datetime, now: dt.datetime) -> CheckReading:
    """Read the form.

    Args:
        fields: What was typed.
        known: What the ledger has at that moment; see `looked_at`.
        at: What `just now` means, aware UTC.
        now: The moment, aware UTC.
    """
    when, taken_at = _when(fields, at, now)
    late = ""
    if taken_at is not None and (age := (now.date() - taken_at.date()).days) > known.max_age_days:
        late = (
            f"This is {age} days ago. It is kept for its day and helps to find differences, but it cannot clear this "
            "week's check: for that, look at the account now."
        )
    return CheckReading(
        _cash(str(fields.get("cash") or ""), known),
        tuple(_holding(fields, symbol, known) for symbol in listed(fields, known)),
        tuple(_more(place, row, known, fields) for place, row in enumerate(fields.get("more") or ())),
        when, taken_at, late,
    )  # fmt: skip


def looked_at(fields: Fields, at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """When the account was looked at, as the form says; None while that cannot be told. See `read_check`."""
    return _when(fields, at, now)[1]


def listed(fields: Fields, known: Against) -> list[str]:
    """The holdings to fill in: what the ledger has, and what was typed before the ledger changed."""
    typed = {s for s, text in (fields.get("units") or {}).items() if str(text).strip() and s in known.names}
    return sorted({*known.holdings, *typed})


def _number(text: str, kind: Kind, near: Decimal | None, most_places: int) -> tuple[Decimal | None, int, str, str, str]:
    """Value, decimals typed, what to mend, what to ask, and how it was read."""
    found = typed_number(text, kind, near)
    note = f"Read as {plain(found.value)}." if found.note and found.value is not None else ""
    if found.value is None:
        return None, 0, found.question or found.note, "", ""
    exponent = found.value.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    if places > most_places:
        return None, places, found.question, "", note
    return found.value, places, "", found.question, note


def _cash(text: str, known: Against) -> Item:
    value, places, mend, ask, note = _number(text, "cash", known.cash_gbp, PENCE_PLACES)
    slip = likely_slip(value, known.cash_gbp, ZERO) if value is not None and value > ZERO else None
    outside = value is not None and not known.cash_lowest <= value <= known.cash_highest
    if not ask and (slip or outside):
        first = slip.sentence if slip else "The desk has another amount."
        ask = f'{first} Look at "Available" at the foot of the eToro portfolio once more. {KEEP_IT}'
    return Item("cash", "Cash: Available", text, value, places, mend, ask, note)


def _holding(fields: Fields, symbol: str, known: Against) -> Item:
    text, label = str((fields.get("units") or {}).get(symbol) or ""), known.names.get(symbol, symbol)
    held = known.holdings.get(symbol)
    if (fields.get("gone") or {}).get(symbol):
        ask = f"The desk has {symbol} as held. Look through the whole portfolio once more. {KEEP_IT}" if held else ""
        return Item(f"units:{symbol}", label, text, ZERO, 0, "", ask, "", symbol, gone=True)
    value, places, mend, ask, note = _number(text, "units", held.units if held else None, UNIT_PLACES)
    ask = ask or (_odd(held, value, places) if value is not None else "")
    return Item(f"units:{symbol}", label, text, value, places, mend, ask, note, symbol)


def _odd(held: Expected | None, value: Decimal, places: int) -> str:
    """What to look at again; empty when the ledger has the same at the digits typed."""
    if held is None:
        return f"The desk does not know that you hold this. Is it the right name? {KEEP_IT}"
    ours = half_even(held.units, min(places, UNIT_PLACES))
    if value == ours:
        return ""
    slip = likely_slip(value, ours, ZERO) or likely_slip(value, held.units, ZERO)
    return f"{slip.sentence if slip else 'The desk has another number.'} {LOOK_AT_UNITS} {KEEP_IT}"


def _more(place: int, row: Mapping[str, Any], known: Against, fields: Fields) -> Item:
    key, name, text = f"more:{place}", str(row.get("name") or "").strip(), str(row.get("units") or "")
    symbol = name if name in known.names else None
    if not name:
        return Item(key, "", text, mend="Choose its name, or type it as eToro shows it.")
    value, places, mend, ask, note = _number(text, "units", None, UNIT_PLACES)
    twice = [r for r in fields.get("more") or () if str(r.get("name") or "").strip() == name]
    if symbol in listed(fields, known) or len(twice) > 1:
        mend = f"{name} is on this page twice. Add its positions up in one field, and take the other away."
    if symbol is None:
        note = f"The desk does not know {name}. The operator is told; nothing waits for it."
    elif value is not None:
        ask = ask or _odd(None, value, places)
    return Item(key, name, text, value, places, mend, ask, note, symbol)


def _when(fields: Fields, at: dt.datetime, now: dt.datetime) -> tuple[Item, dt.datetime | None]:
    if fields.get("when") != "earlier":
        return Item("when", "When you looked"), at
    day, text = _day(fields, now), str(fields.get("time") or "")
    found = typed_time(text, day)
    if found.value is None:
        return Item("when", "When you looked", text, mend="Type the time when you looked, like 14:50."), None
    said = f"{day.isoformat()} {text}"
    if found.value > now + dt.timedelta(minutes=5):
        sentence = f"{text} on {long_day(day)} has not come yet. Type the time when you looked."
        return Item("when", "When you looked", said, mend=sentence), None
    ask = f"{found.question.split('?', maxsplit=1)[0]}? If the time is right, keep it." if found.question else ""
    return Item("when", "When you looked", said, ask=ask), found.value


def _day(fields: Fields, now: dt.datetime) -> dt.date:
    try:
        return dt.date.fromisoformat(str(fields.get("day") or ""))
    except ValueError:
        return now.astimezone(LONDON).date()
