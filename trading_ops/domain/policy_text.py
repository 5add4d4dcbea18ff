"""From the text of `config/policy.yml` to a `Policy`, and what a person reads when that fails.

Belongs here: messages with places, and rules between two keys. What one key may hold is in `policy`.
"""

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trading_ops.domain.errors import ConfigError
from trading_ops.domain.yaml_text import Document, Path, complaint, read_yaml

if TYPE_CHECKING:
    from trading_ops.domain.policy import Policy

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_REGULAR_SESSION = 390
"""Minutes of a full New York session, 09:30 to 16:00."""
_CLOSE_OF_WEEK = (4 * 24 + 21) * 60
"""Friday 21:00 London, the usual close of D, in minutes since Monday 00:00."""
_WEEK = 7 * 24 * 60
_MONDAY_OPEN = (2 * 24 + 13 + 3) * 60 + 30
"""Minutes from D's usual close to Monday 13:30 London, the earliest New York open there is."""

_Model = TypeVar("_Model", bound=BaseModel)


def read(text: str, where: str) -> Document:
    """The file as exact text with places; see `yaml_text.read_yaml`."""
    return read_yaml(text, where)


def build(model: type[_Model], document: Document, where: str) -> _Model:
    """Validate a document.

    Raises:
        ConfigError: The first problem by its place in the file.
    """
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        problems = [_problem(model, detail, document, where) for detail in error.errors()]
        _, first = min(problems, key=lambda problem: problem[0])
        raise first from None


def refuse_contradictions(policy: "Policy", document: Document, where: str) -> None:
    """Check the rules between two keys.

    Raises:
        ConfigError: The first contradiction by its place in the file.
    """
    found = sorted(
        ((document.places[path], path, sentence) for path, sentence in _contradictions(policy)),
        key=lambda item: (item[0].line, item[0].column),
    )
    for place, path, sentence in found:
        raise complaint(where, place, path, sentence)


def _contradictions(policy: "Policy") -> Iterable[tuple[Path, str]]:
    sizing, window, signals, data = policy.sizing, policy.window, policy.signals, policy.data
    if sizing.keep_rank < sizing.seats:
        yield (
            ("sizing", "keep_rank"),
            f"{sizing.keep_rank} is below seats, {sizing.seats}. A name would lose the seat it has just been given; "
            f"use {sizing.seats} or more.",
        )
    if policy.risk.max_positions < sizing.seats:
        yield (
            ("risk", "max_positions"),
            f"{policy.risk.max_positions} is below sizing.seats, {sizing.seats}. Every full plan would be refused; "
            f"use {sizing.seats} or more.",
        )
    if signals.stub_far <= signals.stub_near:
        yield (
            ("signals", "stub_far"),
            f"{signals.stub_far} is not above stub_near, {signals.stub_near}. The look-back must begin before it ends.",
        )
    if window.closes_after <= window.opens_after:
        yield (
            ("window", "closes_after"),
            f"{window.closes_after} is not above opens_after, {window.opens_after}. The window would never be open.",
        )
    elif window.closes_after > _REGULAR_SESSION:
        yield (
            ("window", "closes_after"),
            f"{window.closes_after} is after the New York close. Use {_REGULAR_SESSION} minutes or less.",
        )
    if _after_close(policy.schedule.decide_by) <= _after_close(policy.schedule.plan_opens):
        yield (
            ("schedule", "decide_by"),
            f"{policy.schedule.decide_by!r} is not after plan_opens, {policy.schedule.plan_opens!r}, counted from "
            "Friday's close. Move it later in the weekend.",
        )
    elif _after_close(policy.schedule.decide_by) >= _MONDAY_OPEN:
        yield (
            ("schedule", "decide_by"),
            f"{policy.schedule.decide_by!r} is after Monday's open. Use a time on Saturday or Sunday.",
        )
    if len(set(data.source_order)) < len(data.source_order):
        yield ("data", "source_order"), "a source is named twice. Name each once, the preferred first."
    yield from _fetch_contradictions(policy)
    if sizing.sell_haircut == 0:
        yield ("sizing", "sell_haircut"), "0 would keep every sale's pounds from being spent. Use 0.98 or the like."


def _fetch_contradictions(policy: "Policy") -> Iterable[tuple[Path, str]]:
    """Only between keys that the file has: the defaults of older policies fit by themselves."""
    fetch, data = policy.fetch, policy.data
    for key, order, where in (
        ("sources", data.source_order, "data.source_order"),
        ("fx_sources", data.fx_order, "data.fx_source_order"),
    ):
        if key not in fetch.model_fields_set:
            continue
        names: tuple[str, ...] = getattr(fetch, key)
        strange = next((name for name in names if name not in order), None)
        if strange is not None:
            yield ("fetch", key), f"{strange} is not in {where}, so what it says would never be used. Add it there."
        elif len(set(names)) < len(names):
            yield ("fetch", key), "a source is named twice. Name each once, the preferred first."
    if "history" in fetch.model_fields_set and fetch.history <= policy.signals.stub_far:
        yield (
            ("fetch", "history"),
            f"{fetch.history} is not above signals.stub_far, {policy.signals.stub_far}. A new name could never be "
            "ranked; ask for more.",
        )


def _after_close(week_time: str) -> int:
    """Minutes from D's usual close to a weekday and time."""
    day, clock = week_time.split(" ")
    hour, minute = clock.split(":")
    return (WEEKDAYS.index(day) * 24 * 60 + int(hour) * 60 + int(minute) - _CLOSE_OF_WEEK) % _WEEK


def _problem(
    model: type[BaseModel], detail: ErrorDetails, document: Document, where: str
) -> tuple[tuple[bool, int, int], ConfigError]:
    path: Path = detail["loc"]
    known = path
    while known not in document.places:
        known = known[:-1]
    place = document.places[known]
    # A misspelt key is also a missing one: the misspelling is what helps.
    order = (detail["type"] == "missing", place.line, place.column)
    return order, complaint(where, place, path, _sentence(model, path, detail))


def _sentence(model: type[BaseModel], path: Path, detail: ErrorDetails) -> str:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "missing":
        sentence = _missing(model, path)
    elif kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), _keys(model, path[:-1]), n=1)
        sentence = f"the key is unknown. {f'Did you mean {near[0]}? ' if near else ''}Correct or remove it."
    elif kind == "model_type":
        sentence = "a section is expected here. Write its keys, each on a line of its own."
    elif kind == "tuple_type":
        sentence = "a list is expected here. Write it as [first, second]."
    elif kind == "too_short":
        sentence = "the list is empty. Name at least one."
    elif given is None:
        sentence = "the value is missing. Write it after the colon."
    elif isinstance(given, (dict, list)):
        sentence = "a single value is expected here. Write it after the colon."
    elif kind == "value_error":
        sentence = f"{given!r} {context['error']}"
    elif kind == "literal_error":
        sentence = f"{given!r} is not allowed. Use {context['expected']}."
    elif kind == "string_pattern_mismatch":
        sentence = f"{given!r} {_pattern_hint(path)}"
    elif kind in _LIMITS:
        key, words = _LIMITS[kind]
        sentence = f"{given} is too {words} {context[key]}. Correct the number."
    else:
        sentence = f"{given!r} cannot be read: {detail['msg'].lower()}. Correct it."
    return sentence


_LIMITS = {
    "greater_than_equal": ("ge", "small, the least allowed is"),
    "less_than_equal": ("le", "large, the most allowed is"),
    "greater_than": ("gt", "small, it must be above"),
}


def _missing(model: type[BaseModel], path: Path) -> str:
    if len(path) == 1:
        return f"the section is missing. Add it with its keys: {', '.join(_keys(model, path))}."
    return "the key is missing from the section that begins here. Add it with its value."


def _pattern_hint(path: Path) -> str:
    key = path[-1] if isinstance(path[-1], str) else path[-2]
    if key in ("plan_opens", "decide_by"):
        return "is not a weekday and a London time. Write it as 'Saturday 08:00'."
    if key == "confirm_by":
        return "is not a London time. Write it as 21:00."
    if key == "page_url":
        return "is not a page's address. Write it as http://desk.lan:8501, without a slash at the end."
    return "is not a name. Use letters, digits, point and hyphen."


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    inner: Any = model
    for part in path:
        inner = inner.model_fields[part].annotation
    return list(inner.model_fields)
