"""What sources' clocks show: two that are wrong by the same outvote this machine, and one alone never does."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.clock_evidence import Reading, against, sentence
from trading_ops.providers.web_answer import clocks_of

NOW = dt.datetime(2026, 12, 1, 5, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def readings(**minutes: float) -> dict[str, Reading]:
    return {name: Reading(NOW, NOW + each * MINUTE) for name, each in minutes.items()}


@pytest.mark.parametrize(
    ("minutes", "witnesses"),
    [
        ({}, []),
        ({"yahoo": 0, "ecb": 1}, []),
        ({"yahoo": 5, "ecb": 5}, []),
        ({"yahoo": 5.1, "ecb": 5.1}, ["ecb", "yahoo"]),
        ({"yahoo": -60, "ecb": -61}, ["ecb", "yahoo"]),
        ({"yahoo": 600}, []),
        ({"yahoo": 600, "ecb": 0}, []),
        ({"yahoo": 600, "ecb": -600}, []),
        ({"yahoo": 600, "ecb": 606}, []),
        ({"yahoo": 60, "ecb": 61, "tiingo": 0}, ["ecb", "yahoo"]),
        ({"yahoo": 60, "ecb": 61, "tiingo": 0, "stooq": 0}, []),
        ({"yahoo": 60, "ecb": 61, "tiingo": -9999}, ["ecb", "yahoo"]),
    ],
    ids=str,
)
def test_two_that_are_wrong_by_the_same_and_more_than_the_others(
    minutes: dict[str, float], witnesses: list[str]
) -> None:
    assert sorted(against(readings(**minutes))) == witnesses


@given(st.dictionaries(st.sampled_from(["ecb", "stooq", "tiingo", "yahoo"]), st.integers(-5, 5)), st.integers())
def test_one_clock_however_absurd_never_stops_a_desk_whose_other_sources_agree(
    minutes: dict[str, int], absurd: int
) -> None:
    assert against(readings(**minutes, odd=max(-(10**6), min(absurd, 10**6)))) == {}


def test_both_times_and_the_source_are_named() -> None:
    assert sentence(readings(ecb=61)) == (
        "ecb said 2026-12-01 06:01:00 UTC when this machine said 2026-12-01 05:00:00 UTC"
    )


@pytest.mark.parametrize(
    ("headers", "apart"),
    [
        ({"date": "Tue, 01 Dec 2026 05:00:10 GMT"}, 10),
        ({"date": "Tue, 01 Dec 2026 04:00:00 GMT"}, -3600),
        ({"date": "Tue, 01 Dec 2026 04:00:00 GMT", "age": "3600"}, 0),
        ({"date": "Thu, 01 Jan 1970 00:00:00 GMT"}, -1_796_101_200),
        ({}, None),
        ({"date": ""}, None),
        ({"date": "2026-12-01T05:00:10Z"}, None),
        ({"date": "Tue, 01 Dec 2026 05:00:10 +0000"}, None),
        ({"date": "Tue, 31 Feb 2026 05:00:10 GMT"}, None),
        ({"date": "Fri, 31 Dec 9999 23:59:59 GMT", "age": "99999999"}, None),
        ({"date": "Tue, 01 Dec 2026 04:00:00 GMT, Tue, 01 Dec 2026 04:00:00 GMT"}, None),
        ({"date": "Tue, 01 Dec 2026 04:00:00 GMT", "age": "soon"}, None),
        ({"date": "Tue, 01 Dec 2026 04:00:00 GMT", "age": "-5"}, None),
    ],
    ids=str,
)
def test_a_date_is_read_strictly_and_a_cache_s_age_is_added(headers: dict[str, str], apart: int | None) -> None:
    reading = clocks_of(headers, NOW)
    assert (reading and reading.apart.total_seconds()) == apart
