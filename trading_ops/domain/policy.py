"""`config/policy.yml` as a typed object with a canonical hash.

Field names are the file's own; `policy.sizing.seats` is `sizing: seats:`.
How its text becomes this object, and what a person reads when it does not, is in `policy_text`.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from trading_ops.domain import policy_text
from trading_ops.domain.values import plain

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,8})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,12})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _whole(value: object) -> object:
    """Digits only: no `1_000`, `1e3`, `010` or `15.0`, which people and programs read differently."""
    if isinstance(value, (float, bool)) or (isinstance(value, str) and not _WHOLE.fullmatch(value)):
        raise ValueError("is not a whole number. Write digits only, for example 15.")
    return value


def _number(value: object) -> object:
    """Plain decimal text becomes exactly that Decimal; NaN, infinity, exponents and floats do not pass."""
    if isinstance(value, (float, bool)) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        raise ValueError("is not a number. Write digits with at most one point, for example 0.02.")
    return value


def _day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("is not a date. Write it as 2026-03-31, or null.")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Day = Annotated[dt.date, BeforeValidator(_day)]
Share = Annotated[Number, Field(ge=0, le=1)]
Amount = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
Ratio = Annotated[Number, Field(ge=1)]
Days = Annotated[Whole, Field(ge=0)]
Hours = Annotated[Whole, Field(ge=0)]
Minutes = Annotated[Whole, Field(ge=0)]
Count = Annotated[Whole, Field(ge=1)]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_WEEKDAY = "|".join(policy_text.WEEKDAYS)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
ClockTime = Annotated[str, Field(pattern=f"^{_CLOCK}$")]
WeekTime = Annotated[str, Field(pattern=f"^({_WEEKDAY}) {_CLOCK}$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(_Section):
    currency: Literal["GBP"]
    confirmed_on: Day | None
    commission_usd: Amount
    fx_fee: Share


class Schedule(_Section):
    plan_opens: WeekTime
    decide_by: WeekTime
    no_trade_before_window: Minutes


class Window(_Section):
    opens_after: Minutes
    closes_after: Minutes
    early_close_margin: Minutes
    confirm_by: ClockTime


class Data(_Section):
    source_order: Annotated[tuple[Name, ...], Field(min_length=1)]
    benchmark: Name
    coverage_min: Share
    fx_max_age: Days
    jump_max: Ratio
    split_tolerance: Share
    usual_splits: tuple[Ratio, ...]
    special_distribution: Share
    frozen_max: Share
    cross_check_tolerance: Share
    split_max_denominator: Count
    split_noise: Share
    # Keys of later versions have a meaning where they are missing, so that policies on record keep theirs.
    sources_min: Annotated[Whole, Field(ge=1, le=3)] = 1
    fx_source_order: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    fx_cross_tolerance: Share = Decimal(1)

    @property
    def fx_order(self) -> tuple[str, ...]:
        """The order of sources for fixings; that of prices where the policy names none."""
        return self.fx_source_order or self.source_order


class Signals(_Section):
    source: Literal["stub"]
    scored_min: Share
    stub_near: Count
    stub_far: Count


class Sizing(_Section):
    seats: Count
    keep_rank: Count
    buffer: Share
    cash_floor: Share
    max_weight: Share
    turnover_cap: Share
    band: Share
    minimum_order_gbp: Positive
    sell_haircut: Share
    phase_share: Share


class Risk(_Section):
    max_positions: Count
    max_weight_tolerance: Share
    verified_max_age: Days
    drawdown_max: Share
    phase_tolerance: Ratio


class Confirmation(_Section):
    price_question: Share


class Reconciliation(_Section):
    snapshot_max_age: Days
    units_abs: Amount
    units_rel: Share
    cash_abs_gbp: Amount
    cash_rel: Share
    dividend_unresolved_days: Days


class Ledger(_Section):
    withholding: Share


class Ticket(_Section):
    buy_limit: Share
    sell_limit: Share
    available_share: Share
    page_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]


class Desk(_Section):
    backup_max_age: Hours
    rearm_after: Count


class Fetch(_Section):
    sources: Annotated[tuple[Name, ...], Field(min_length=1)] = ("stooq", "tiingo", "yahoo")
    fx_sources: Annotated[tuple[Name, ...], Field(min_length=1)] = ("ecb", "yahoo", "stooq")
    pause: Amount = Decimal("1.5")
    tries: Count = 4
    daily_cap: Count = 600
    history: Count = 300
    overlap: Count = 5


class Policy(_Section):
    """Every number of the rules. Frozen; two policies with equal numbers have equal hashes."""

    account: Account
    schedule: Schedule
    window: Window
    data: Data
    signals: Signals
    sizing: Sizing
    risk: Risk
    confirmation: Confirmation
    reconciliation: Reconciliation
    ledger: Ledger
    ticket: Ticket
    desk: Desk
    fetch: Fetch = Fetch()


def parse(text: str, where: str) -> Policy:
    """Read `config/policy.yml`.

    Args:
        text: The file's text.
        where: The file's name for messages, such as `config/policy.yml`.

    Raises:
        ConfigError: The first problem of the file, with line, column, key and the way out.
    """
    document = policy_text.read(text, where)
    policy = policy_text.build(Policy, document, where)
    policy_text.refuse_contradictions(policy, document, where)
    return policy


def canonical(policy: Policy) -> dict[str, object]:
    """The policy as sections of plain strings: `sizing.seats` is `"15"`, `risk.drawdown_max` is `"0.2"`.

    Keys that the file does not have are left out: a policy keeps its hash when later versions know more keys.
    """
    sections: dict[str, object] = {}
    for name in _stated(policy):
        section: BaseModel = getattr(policy, name)
        sections[name] = {key: _text(getattr(section, key)) for key in _stated(section)}
    return sections


def _stated(model: BaseModel) -> list[str]:
    return [name for name in type(model).model_fields if name in model.model_fields_set]


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_text(item) for item in value]
    return None if value is None else unicodedata.normalize("NFC", str(value))


def policy_hash(policy: Policy) -> str:
    """SHA-256 (hex) of the canonical policy as RFC 8785 JSON; comments and `0.20` for `0.2` do not change it."""
    content: Any = canonical(policy)
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def describe_difference(a: Mapping[str, object], b: Mapping[str, object]) -> list[str]:
    """Name every number that differs between two canonical policies, `sizing.seats: 15 -> 12`, sorted by key."""
    before, after = _flat(a), _flat(b)
    return [
        f"{key}: {before.get(key, 'absent')} -> {after.get(key, 'absent')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, (list, tuple)):
            flat[prefix + key] = "[" + ", ".join(map(str, value)) + "]"
        else:
            flat[prefix + key] = "null" if value is None else str(value)
    return flat
