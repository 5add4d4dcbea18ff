"""Which sources can be asked: those that the policy names and whose key is there, each with its budget and pace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from trading_ops.domain.policy import Fetch, Policy
from trading_ops.intake.pacing import Budget
from trading_ops.providers.protocol import FixingSource, Source
from trading_ops.store.source_keys import FILE

if TYPE_CHECKING:
    from trading_ops.providers.web import Web

TIINGO_HOURLY = 45
"""Of about 50 on the free tier; what is left is for a person who looks something up."""
TIINGO_DAILY = 900
STOOQ_DAILY = 400
"""Stooq's own limit is not published; it answers "daily hits limit" somewhere above this."""


@dataclass(frozen=True)
class Configured:
    """A source that can be asked.

    Attributes:
        source: The client.
        budget: How often it may be asked.
        seconds: The pause it wants between two requests, when that is longer than the policy's.
        needs_known: Its answers only count beside closes that another source gave before.
    """

    source: Source
    budget: Budget
    seconds: float = 0.0
    needs_known: bool = False


@dataclass(frozen=True)
class ConfiguredFixings:
    """A source of fixings that can be asked."""

    source: FixingSource
    budget: Budget
    seconds: float = 0.0


@dataclass(frozen=True)
class Sources:
    """Sources in the policy's order; those that cannot be asked, with the reason and the way out."""

    prices: tuple[Configured, ...]
    fixings: tuple[ConfiguredFixings, ...]
    left_out: Mapping[str, str]

    def close(self) -> None:
        """Let go of every connection."""
        for configured in (*self.prices, *self.fixings):
            configured.source.close()


@dataclass(frozen=True)
class Addresses:
    """Where the sources are; the drill and tests put a server of their own there. None is the real one.

    Attributes:
        patience: Seconds after which a source is given up, by its name; the client's own limits where it is missing.
    """

    stooq: str | None = None
    tiingo: str | None = None
    yahoo: str | None = None
    ecb: str | None = None
    patience: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


_KEY_OF = {"stooq": "STOOQ_APIKEY", "tiingo": "TIINGO_TOKEN"}
_WHERE_FROM = {
    "stooq": "its site gives one free of charge, on the CSV download page of any name",
    "tiingo": "a free account shows it on its API page",
}


def configured(policy: Policy, keys: Mapping[str, str], addresses: Addresses | None = None) -> Sources:
    """The sources that the policy names, as far as they can be asked.

    Args:
        policy: The order of asking and of using, and the daily cap.
        keys: Keys by name, as `store.source_keys.read` gives them.
        addresses: Other addresses than the real ones.
    """
    left_out: dict[str, str] = {}
    at, fetch = addresses or Addresses(), policy.fetch

    def chosen(names: tuple[str, ...], known: Mapping[str, object], used: tuple[str, ...]) -> list[str]:
        found = []
        for name in names:
            key = _KEY_OF.get(name)
            if name not in known:
                left_out[name] = f"the desk knows no source {name!r}; known are {', '.join(known)}. Correct the policy."
            elif name not in used:
                # A policy from before there were sources on the network: what they say would never be looked at.
                left_out[name] = (
                    "the policy in force would never use what it says: it is in no order of sources. "
                    "Run `trading-ops policy import config/policy.yml`."
                )
            elif key and not keys.get(key):
                left_out[name] = f"its key is missing: put {key}= into secrets/{FILE} ({_WHERE_FROM[name]})."
            else:
                found.append(name)
        return found

    def key_of(name: str) -> str:
        return keys.get(_KEY_OF.get(name, ""), "")

    prices = [
        _PRICES[name](key_of(name), fetch, at) for name in chosen(fetch.sources, _PRICES, policy.data.source_order)
    ]
    fixings = [
        _FIXINGS[name](key_of(name), fetch, at) for name in chosen(fetch.fx_sources, _FIXINGS, policy.data.fx_order)
    ]
    return Sources(tuple(prices), tuple(fixings), left_out)


def _stooq(key: str, fetch: Fetch, at: Addresses) -> Configured:
    from trading_ops.providers.stooq import BASE_URL, Stooq

    base, budget = at.stooq or BASE_URL, Budget(a_day=min(fetch.daily_cap, STOOQ_DAILY))
    return Configured(Stooq(key, base, _web(base, at, "stooq")), budget, needs_known=True)


def _tiingo(key: str, fetch: Fetch, at: Addresses) -> Configured:
    from trading_ops.providers.tiingo import BASE_URL, Tiingo

    base, budget = at.tiingo or BASE_URL, Budget(an_hour=TIINGO_HOURLY, a_day=min(fetch.daily_cap, TIINGO_DAILY))
    return Configured(Tiingo(key, base, _web(base, at, "tiingo")), budget)


def _yahoo(_key: str, fetch: Fetch, at: Addresses) -> Configured:
    from trading_ops.providers.yahoo import Yahoo

    return Configured(Yahoo(at.yahoo, **_timeout(at)), Budget(a_day=fetch.daily_cap))


def _ecb_fixings(_key: str, fetch: Fetch, at: Addresses) -> ConfiguredFixings:
    from trading_ops.providers.ecb import BASE_URL, EcbFixings

    base = at.ecb or BASE_URL
    return ConfiguredFixings(EcbFixings(base, _web(base, at, "ecb")), Budget(a_day=fetch.daily_cap))


def _yahoo_fixings(_key: str, fetch: Fetch, at: Addresses) -> ConfiguredFixings:
    from trading_ops.providers.yahoo import YahooFixings

    return ConfiguredFixings(YahooFixings(at.yahoo, **_timeout(at)), Budget(a_day=fetch.daily_cap))


def _stooq_fixings(key: str, fetch: Fetch, at: Addresses) -> ConfiguredFixings:
    from trading_ops.providers.stooq import BASE_URL, StooqFixings

    base, budget = at.stooq or BASE_URL, Budget(a_day=min(fetch.daily_cap, STOOQ_DAILY))
    return ConfiguredFixings(StooqFixings(key, base, _web(base, at, "stooq")), budget)


def _web(base: str, at: Addresses, name: str) -> "Web | None":
    """A client that is less patient than usual, where that is wanted."""
    from trading_ops.providers.web import Limits, Web

    seconds = at.patience.get(name)
    return None if seconds is None else Web.of(base, Limits(connect=seconds, read=seconds, whole=seconds))


def _timeout(at: Addresses) -> dict[str, float]:
    return {"timeout": at.patience["yahoo"]} if "yahoo" in at.patience else {}


_PRICES: Mapping[str, Callable[[str, Fetch, Addresses], Configured]] = {
    "stooq": _stooq, "tiingo": _tiingo, "yahoo": _yahoo,
}  # fmt: skip
_FIXINGS: Mapping[str, Callable[[str, Fetch, Addresses], ConfiguredFixings]] = {
    "ecb": _ecb_fixings, "yahoo": _yahoo_fixings, "stooq": _stooq_fixings,
}  # fmt: skip
