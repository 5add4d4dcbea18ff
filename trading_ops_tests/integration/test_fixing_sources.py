"""GBPUSD from the European Central Bank and from Stooq, through the real client: dollars for a pound, or a refusal."""

import datetime as dt
from decimal import Decimal

import pytest

from trading_ops.domain.values import from_float
from trading_ops.drill.server import LocalSource, Reply
from trading_ops.providers.ecb import EcbFixings
from trading_ops.providers.protocol import FixingSource, Outcome, RefusalKind
from trading_ops.providers.stooq import StooqFixings
from trading_ops.providers.web import Limits, Web
from trading_ops_tests.integration.answers import (
    AT,
    FRIDAY,
    HASTY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    closed_port,
    ecb_csv,
    fetched,
    refused,
    stooq_csv,
)
from trading_ops_tests.unit.market_factory import real_rows

RATES = [
    ("USD", MONDAY, "1.1172"), ("USD", TUESDAY, "1.1201"), ("USD", WEDNESDAY, "1.1188"),
    ("GBP", MONDAY, "0.8338"), ("GBP", TUESDAY, "0.83455"), ("GBP", WEDNESDAY, "0.83515"),
]  # fmt: skip
GOOD = ecb_csv(RATES)
VALUES_LAST = b"\r\n".join(b",".join(line.split(b",")[:8]) for line in GOOD.splitlines())
"""The same without the columns behind the rate, and without a last line end: a cut could not be seen in the row."""
POUNDS = {day: Decimal(rate) for day, rate in zip((MONDAY, TUESDAY), ("1.33990", "1.34212"), strict=True)}


def ask(source: FixingSource) -> Outcome:
    return source.fetch_fixings(MONDAY, FRIDAY, AT)


def ask_ecb(reply: Reply) -> Outcome:
    with LocalSource(lambda _: reply) as source:
        return ask(EcbFixings(source.url, Web.of(source.url, HASTY)))


def ask_stooq(reply: Reply) -> Outcome:
    with LocalSource(lambda _: reply) as source:
        return ask(StooqFixings("key", source.url, Web.of(source.url, HASTY)))


# The European Central Bank


def test_a_fixing_is_the_quotient_of_two_rates() -> None:
    got = fetched(ask_ecb(Reply(GOOD)))
    assert got.fixings.to_pylist() == [
        {"day": MONDAY, "usd_per_gbp": Decimal("1.33989"), "source": "ecb"},
        {"day": TUESDAY, "usd_per_gbp": Decimal("1.342160"), "source": "ecb"},
        {"day": WEDNESDAY, "usd_per_gbp": Decimal("1.33964"), "source": "ecb"},
    ]
    assert (got.bars.num_rows, got.actions.num_rows, got.provenance.notes) == (0, 0, ())
    assert got.provenance.files[0].rows == 6


def test_both_series_are_asked_for_at_once() -> None:
    with LocalSource(lambda _: Reply(GOOD)) as source:
        fetched(ask(EcbFixings(source.url)))
    assert source.asked[0].path == "/service/data/EXR/D.USD+GBP.EUR.SP00.A"
    assert source.asked[0].query == {"startPeriod": "2026-11-16", "endPeriod": "2026-11-20", "format": "csvdata"}


def test_a_day_with_one_rate_has_no_fixing_and_is_named() -> None:
    got = fetched(ask_ecb(Reply(ecb_csv([*RATES, ("USD", THURSDAY, "1.12"), ("GBP", THURSDAY, "")]))))
    assert got.fixings.num_rows == 3
    assert got.provenance.notes == ("2026-11-19: no fixing, only USD has a rate",)


@pytest.mark.parametrize("rate", ["", "NaN"])
def test_a_holidays_row_is_no_fixing(rate: str) -> None:
    rows = [*RATES, ("USD", THURSDAY, rate), ("GBP", THURSDAY, rate)]
    body = ecb_csv(rows).replace(b"NaN,A", b"NaN,H")
    got = fetched(ask_ecb(Reply(body)))
    assert (got.fixings.num_rows, got.provenance.notes) == (3, ())


def test_the_last_line_may_have_no_end_when_it_is_whole() -> None:
    assert fetched(ask_ecb(Reply(GOOD.rstrip()))).fixings.num_rows == 3


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", RefusalKind.EMPTY_FILE),
        (GOOD.split(b"\n")[0] + b"\n", RefusalKind.HEADER_ONLY),
        (b"<html>maintenance</html>", RefusalKind.NOT_MARKET_DATA),
        (b'{"dataSets": []}', RefusalKind.NOT_MARKET_DATA),
        (GOOD.replace(b"OBS_VALUE", b"VALUE"), RefusalKind.MISSING_COLUMN),
        (GOOD[:-60], RefusalKind.CUT_OFF),
        (GOOD[:-90], RefusalKind.CUT_OFF),
        (VALUES_LAST[:-3], RefusalKind.CUT_OFF),
        (GOOD + b"<br />\n", RefusalKind.DAMAGED_FILE),
        (ecb_csv([*RATES, ("USD", MONDAY, "1.12")]), RefusalKind.DUPLICATE_ROW),
        (ecb_csv([*RATES, ("JPY", MONDAY, "176.85")]), RefusalKind.NOT_ASKED_FOR),
        (GOOD.replace(b"USD,EUR", b"USD,CHF"), RefusalKind.NOT_ASKED_FOR),
        (GOOD.replace(b",D,USD", b",M,USD"), RefusalKind.NOT_ASKED_FOR),
        (GOOD.replace(b"2026-11-18", b"2026-11-23"), RefusalKind.NOT_ASKED_FOR),
        (GOOD.replace(b"2026-11-18", b"2026-11"), RefusalKind.BAD_DATE),
        (GOOD.replace(b"1.1172", b"NaN"), RefusalKind.MISSING_VALUE),
        (GOOD.replace(b"1.1172", b"1e400"), RefusalKind.OUT_OF_RANGE),
        (GOOD.replace(b"1.1172", b"-"), RefusalKind.MISSING_VALUE),
        (GOOD.replace(b"1.1172", b"0"), RefusalKind.BAD_FIXING),
        (GOOD.replace(b"1.1172", b"-1.1"), RefusalKind.BAD_FIXING),
        (GOOD.replace(b"0.83515", b"83.515"), RefusalKind.BAD_FIXING),
        (GOOD.replace(b"1.1188", b"111.88"), RefusalKind.BAD_FIXING),
        (GOOD.replace(b"USD", b"XXX").replace(b"GBP", b"USD").replace(b"XXX", b"GBP"), RefusalKind.BAD_FIXING),
        (ecb_csv(RATES[:3]), RefusalKind.NO_DATA),
        (ecb_csv([("USD", MONDAY, ""), ("GBP", MONDAY, "")]), RefusalKind.NO_DATA),
    ],
)
def test_each_other_body_of_the_bank_has_its_name(body: bytes, kind: RefusalKind) -> None:
    refusal = refused(ask_ecb(Reply(body)))
    assert refusal.kind is kind, refusal
    assert refusal.answer is not None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b'{"title":"Not Found"}', 404), RefusalKind.NO_DATA),
        (Reply(b"", 500), RefusalKind.SERVER_ERROR),
        (Reply(GOOD, cut_after=200), RefusalKind.CUT_OFF),
        (Reply(silent=True), RefusalKind.TIMED_OUT),
    ],
)
def test_trouble_with_the_bank_has_its_name(reply: Reply, kind: RefusalKind) -> None:
    assert refused(ask_ecb(reply)).kind is kind


def test_the_quotient_is_rounded_as_the_shared_fixings_are() -> None:
    first, last = dt.date(1999, 1, 4), dt.date(2026, 10, 30)
    rows = real_rows("gbpusd_1999_2026.parquet", first, last)
    rates = [
        (c, row["date"], str(from_float(row[name])))
        for c, name in (("USD", "eurusd"), ("GBP", "eurgbp"))
        for row in rows
    ]
    with LocalSource(lambda _: Reply(ecb_csv(rates))) as source:
        got = fetched(EcbFixings(source.url, Web.of(source.url, Limits())).fetch_fixings(first, last, AT))
    assert got.fixings["usd_per_gbp"].to_pylist() == [from_float(row["gbpusd"]) for row in rows]


# Stooq


@pytest.mark.parametrize("polish", [False, True])
def test_stooqs_close_is_a_fixing(polish: bool) -> None:
    with LocalSource(lambda _: Reply(stooq_csv(POUNDS, volume="", polish=polish))) as source:
        got = fetched(ask(StooqFixings("abc", source.url)))
    assert source.asked[0].query["s"] == "gbpusd"
    assert got.fixings.to_pylist() == [
        {"day": MONDAY, "usd_per_gbp": Decimal("1.3399"), "source": "stooq"},
        {"day": TUESDAY, "usd_per_gbp": Decimal("1.34212"), "source": "stooq"},
    ]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"No data"), RefusalKind.NO_DATA),
        (Reply(b"Exceeded the daily hits limit"), RefusalKind.QUOTA_SPENT),
        (Reply(b"This site requires JavaScript to verify your browser"), RefusalKind.CHALLENGE),
        (Reply(stooq_csv({MONDAY: Decimal("133.99")}, volume="")), RefusalKind.BAD_FIXING),
        (Reply(stooq_csv({MONDAY: Decimal("0.7463")}, volume="")), RefusalKind.BAD_FIXING),
        (Reply(stooq_csv({dt.date(2026, 11, 23): Decimal("1.34")}, volume="")), RefusalKind.NOT_ASKED_FOR),
        (Reply(stooq_csv(POUNDS, volume="")[:-2]), RefusalKind.CUT_OFF),
        (Reply(stooq_csv(POUNDS, volume="").replace(b"Close", b"Last")), RefusalKind.MISSING_COLUMN),
        (
            Reply(stooq_csv(POUNDS, volume=""), headers={"Content-Disposition": "attachment;filename=gbpeur_d.csv"}),
            RefusalKind.WRONG_SYMBOL,
        ),
    ],
)
def test_each_other_answer_of_stooq_has_its_name(reply: Reply, kind: RefusalKind) -> None:
    assert refused(ask_stooq(reply)).kind is kind


def test_dead_sources_are_unreachable() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    for source in (EcbFixings(url), StooqFixings("key", url)):
        assert refused(ask(source)).kind is RefusalKind.UNREACHABLE
        source.close()
