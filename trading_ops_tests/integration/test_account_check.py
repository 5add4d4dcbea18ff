"""The account check: read as typed, asked gently without telling what the ledger has, stored once."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from trading_ops.desk.account_check import Against, CheckedMeanwhile, against, newest_check, record
from trading_ops.desk.check_form import CheckReading, looked_at, read_check
from trading_ops.domain import calendar
from trading_ops.domain.broker_snapshot import SnapshotHolding
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput, UnknownSymbol
from trading_ops.settings import Settings
from trading_ops.store import audit, broker, submissions
from trading_ops.store.submissions import Sent, SentAlready
from trading_ops_tests.integration import desk_factory as desk
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.household_factory import CASH, HELD, NOW, set_up_household

D = Decimal
AT = NOW.replace(microsecond=0)
HOLDINGS = {s: SnapshotHolding(D(units), len(units.partition(".")[2])) for s, units in HELD.items()}
Form = dict[str, Any]


@pytest.fixture
def home(fresh_home: Settings) -> Settings:
    set_up_household(fresh_home)
    return fresh_home


@pytest.fixture
def conn(home: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The executor's page's own connection."""
    with opened(home, "executor_ui") as conn:
        yield conn


@pytest.fixture
def known(conn: psycopg.Connection[Any]) -> Against:
    return against(conn, AT)


def form(cash: str = CASH, **units: str) -> Form:
    """A form filled in as the ledger has it, but for what is given."""
    return {"cash": cash, "units": dict(HELD) | units}


def reading(known: Against, fields: Form, now: dt.datetime = AT) -> CheckReading:
    return read_check(fields, known, now, now)


def send(
    conn: psycopg.Connection[Any], key: uuid.UUID, *, cash: str = CASH, at: dt.datetime = AT, seen: str | None = None,
    holdings: dict[str, SnapshotHolding] | None = None, unknown: tuple[tuple[str, str], ...] = (),
) -> Sent:  # fmt: skip
    with conn.transaction():
        audit.speaking_as(conn, "anna")
        return record(
            conn, key, taken_at=at, cash_gbp=D(cash), holdings=holdings or HOLDINGS, username="anna", now=AT, seen=seen,
            unknown=unknown,
        )  # fmt: skip


# ---- as it is read
def test_a_form_as_the_ledger_has_it_asks_nothing(known: Against) -> None:
    found = reading(known, form())
    assert found.complete
    assert found.asked == ()
    assert [i.key for i in found.holdings] == [f"units:{s}" for s in sorted(HELD)]
    assert found.holdings[0].label == "Apple"
    assert found.snapshot() == HOLDINGS


def test_an_empty_form_says_what_is_missing_and_tells_no_number_of_the_ledger(known: Against) -> None:
    found = reading(known, {})
    assert [i.key for i in found.items if i.mend] == ["cash", *(f"units:{s}" for s in sorted(HELD))]
    told = " ".join(repr(item) for item in found.items)
    assert not any(units in told for units in HELD.values() if len(units) > 5)


@pytest.mark.parametrize("typed", ["3", "3.1", "3.10", "3.105", "3.104512", "3,104512", " 3.1045 units"])
def test_units_are_compared_at_the_digits_typed(known: Against, typed: str) -> None:
    item = reading(known, form(ABBV=typed)).holdings[1]
    assert (item.mend, item.ask) == ("", "")


@pytest.mark.parametrize(
    ("typed", "asks"),
    [
        ("3.140512", "Are two digits swapped in 3.140512?"),
        ("31.04512", "is the point right?"),
        ("3.2", "The desk has another number."),
        ("3.104513", "The desk has another number."),
        ("0.5", "The desk has another number."),
    ],
)
def test_other_units_are_asked_about_once_and_may_be_kept(known: Against, typed: str, asks: str) -> None:
    found = reading(known, form(ABBV=typed))
    item = found.holdings[1]
    assert asks in item.ask
    assert "keep it" in item.ask
    assert HELD["ABBV"] not in item.ask, "what the ledger has is not told"
    assert found.complete
    assert found.asked == (f"units:ABBV={typed}",)


@pytest.mark.parametrize(
    ("typed", "mend"),
    [
        ("", "Nothing is typed here yet"), ("abc", "letter"), ("0", "This is 0"), ("-3", "minus"),
        ("3.104512000001", "eToro shows at most 6 decimals"), ("£12", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_units_has_to_be_mended(known: Against, typed: str, mend: str) -> None:
    found = reading(known, form(ABBV=typed))
    item = found.holdings[1]
    assert mend in (item.mend or "")
    assert found.complete is not bool(mend)
    assert item.mend or item.ask


@pytest.mark.parametrize(
    ("typed", "value", "asks"),
    [
        ("998.50", "998.50", ""), ("£998.5", "998.5", ""), ("998,50", "998.50", ""), ("1003", "1003", ""),
        ("99850", "99850", "in pence"), ("99850p", "998.50", "pence"), ("989.50", "989.50", "Are two digits swapped"),
        ("1200", "1200", "another amount"), ("98.5055", None, "two decimals"),
    ],
)  # fmt: skip
def test_cash_is_read_in_pounds(known: Against, typed: str, value: str | None, asks: str) -> None:
    item = reading(known, form(typed)).cash
    assert item.value == (None if value is None else D(value))
    assert asks in (item.mend or item.ask)
    assert bool(asks) == bool(item.mend or item.ask)


def test_a_holding_that_is_not_there_counts_as_none_and_is_asked_about(known: Against) -> None:
    found = reading(known, form() | {"gone": {"ABBV": True}})
    assert found.snapshot()["ABBV"].units == 0
    assert found.asked == (f"units:ABBV={HELD['ABBV']}-",)


def test_one_more_is_a_known_name_or_a_note_to_the_operator(known: Against) -> None:
    rows = [{"name": "ADI", "units": "2.5"}, {"name": "ZZZZ", "units": "1,5"}, {"name": "", "units": "3"}]
    found = reading(known, form() | {"more": rows})
    adi, stranger, nameless = found.more
    assert "does not know that you hold this" in adi.ask
    assert "The operator is told" in stranger.note
    assert (stranger.ask, stranger.mend) == ("", "")
    assert nameless.mend
    assert found.snapshot()["ADI"] == SnapshotHolding(D("2.5"), 1)
    assert found.unknown() == (("ZZZZ", "1,5"),)


@pytest.mark.parametrize("rows", [[{"name": "AAPL", "units": "1"}], [{"name": "ADI", "units": "1"}] * 2])
def test_a_name_twice_has_to_be_added_up(known: Against, rows: list[dict[str, str]]) -> None:
    found = reading(known, form() | {"more": rows})
    assert "twice" in found.more[0].mend


# ---- when it was read
def test_now_is_the_moment_itself(known: Against) -> None:
    assert reading(known, form()).taken_at == AT


def test_last_month_is_kept_for_its_day_and_says_that_it_clears_nothing(known: Against) -> None:
    day = (AT - dt.timedelta(days=30)).date()
    found = reading(known, form() | {"when": "earlier", "day": day.isoformat(), "time": "16:30"})
    assert found.taken_at == dt.datetime.combine(day, dt.time(16, 30), LONDON)
    assert "cannot clear this week's check" in found.late
    assert found.complete


def test_eight_days_ago_still_clears_it(known: Against) -> None:
    for days, late in ((known.max_age_days, False), (known.max_age_days + 1, True)):
        day = AT.date() - dt.timedelta(days=days)
        found = reading(known, form() | {"when": "earlier", "day": day.isoformat(), "time": "16:30"})
        assert bool(found.late) is late


@pytest.mark.parametrize("time", ["", "25:00", "later"])
def test_a_time_that_is_none_has_to_be_mended(known: Against, time: str) -> None:
    fields = form() | {"when": "earlier", "day": (AT.date() - dt.timedelta(days=1)).isoformat(), "time": time}
    assert reading(known, fields).when.mend
    assert looked_at(fields, AT, AT) is None


def test_a_time_to_come_has_to_be_mended(known: Against) -> None:
    at = AT.replace(hour=12)
    fields = form() | {"when": "earlier", "day": at.date().isoformat(), "time": "23:00"}
    assert "has not come yet" in reading(known, fields, at).when.mend


def test_an_earlier_moment_is_held_against_the_ledger_of_that_moment(conn: psycopg.Connection[Any]) -> None:
    before = against(conn, calendar.open_utc(calendar.sessions_back(calendar.last_closed(NOW), 16)))
    assert dict(before.holdings) == {}


# ---- stored
def test_it_is_stored_as_typed_by_the_one_who_typed_it(conn: psycopg.Connection[Any]) -> None:
    holdings = HOLDINGS | {"ABBV": SnapshotHolding(D("3.10"), 2), "AAPL": SnapshotHolding(D(0), 0)}
    send(conn, uuid.uuid4(), holdings=holdings)
    stored = broker.newest_of_all(conn, AT)
    assert stored is not None
    assert stored.holdings["ABBV"] == SnapshotHolding(D("3.10"), 2)
    assert "AAPL" not in stored.holdings, "what is not there is not listed"
    (row,) = desk.rows(conn, "broker_snapshots")
    assert (row["entered_by"], row["origin"], row["taken_at"]) == ("anna", "the page", AT)
    (said,) = conn.execute("SELECT actor FROM ops.audit_log WHERE kind = 'broker.snapshot'").fetchall()
    assert said["actor"] == "executor_ui:anna"


def test_the_same_form_sent_again_stores_nothing(conn: psycopg.Connection[Any]) -> None:
    key = uuid.uuid4()
    first, second = send(conn, key), send(conn, key)
    assert (first.first, second.first) == (True, False)
    assert first.result == second.result
    with pytest.raises(SentAlready):
        send(conn, key, cash="1.00")
    assert desk.counts(conn, "broker_snapshots", "submissions") == (1, 1)


def test_sixteen_presses_at_once_store_one(home: Settings) -> None:
    key = uuid.uuid4()

    def press() -> object:
        with opened(home, "executor_ui") as conn:
            return send(conn, key, seen="").first

    found = desk.at_once(*[press] * 16)
    assert sorted(found, key=str) == [False] * 15 + [True]
    with opened(home) as conn:
        assert desk.counts(conn, "broker_snapshots") == (1,)


def test_two_tabs_with_the_same_numbers_are_one_check(conn: psycopg.Connection[Any]) -> None:
    seen = newest_check(conn)
    first = send(conn, uuid.uuid4(), seen=seen)
    second = send(conn, uuid.uuid4(), seen=seen, at=AT - dt.timedelta(seconds=30))
    assert first.result == second.result
    assert desk.counts(conn, "broker_snapshots") == (1,)


def test_the_second_of_two_tabs_with_other_numbers_is_told(conn: psycopg.Connection[Any]) -> None:
    seen = newest_check(conn)
    send(conn, uuid.uuid4(), seen=seen)
    with pytest.raises(CheckedMeanwhile, match=r"anna entered an account check at \d\d:\d\d"):
        send(conn, uuid.uuid4(), seen=seen, cash="1.00")
    assert desk.counts(conn, "broker_snapshots", "submissions") == (1, 1)
    send(conn, uuid.uuid4(), seen=newest_check(conn), cash="1.00")
    assert desk.counts(conn, "broker_snapshots") == (2,)


def test_a_stranger_tells_the_operator_and_blocks_nothing(conn: psycopg.Connection[Any]) -> None:
    key, name = uuid.uuid4(), "<script>alert(1)</script>"
    for _ in range(2):
        send(conn, key, unknown=((name, "1,5"),))
    (incident,) = desk.rows(conn, "incidents")
    assert (incident["class"], incident["blocking"]) == ("UNKNOWN_NAME", False)
    assert incident["details"]["name"] == name
    assert incident["details"]["units_typed"] == "1,5"


def test_what_cannot_be_a_check_is_refused(conn: psycopg.Connection[Any]) -> None:
    with pytest.raises(BadInput, match="has not come yet"):
        send(conn, uuid.uuid4(), at=AT + dt.timedelta(hours=1))
    with pytest.raises(BadInput, match="ABBV has 12 decimals"):
        send(conn, uuid.uuid4(), holdings={"ABBV": SnapshotHolding(D("3.104512000001"), 12)})
    with pytest.raises(UnknownSymbol):
        send(conn, uuid.uuid4(), holdings={"ZZZZ": SnapshotHolding(D(1), 0)})
    assert desk.counts(conn, "broker_snapshots", "submissions") == (0, 0)


def test_a_draft_is_one_person_s_own(conn: psycopg.Connection[Any]) -> None:
    submissions.save_draft(conn, "anna", "snapshot", "check", form())
    assert submissions.draft(conn, "omar", "snapshot", "check") is None
