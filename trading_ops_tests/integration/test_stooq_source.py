"""Stooq through the real client: prices as traded and proven to be, or each of its many other bodies by its name."""

import datetime as dt
import logging
import os
from decimal import Decimal
from pathlib import Path

import pytest

from trading_ops.drill.server import LocalSource, Reply
from trading_ops.providers.protocol import Ask, Outcome, RefusalKind
from trading_ops.providers.stooq import Stooq
from trading_ops.providers.web import Web
from trading_ops_tests.integration.answers import (
    CLOSES,
    FRIDAY,
    HASTY,
    MONDAY,
    SENTINEL,
    TUESDAY,
    closed_port,
    fetched,
    make_ask,
    refused,
    stooq_csv,
)
from trading_ops_tests.unit.market_factory import ROOT, make_instrument, real_rows

SHARED = Path(os.environ.get("TRADING_OPS_SHARED", ROOT.parent / "shared"))
RECORDED = SHARED / "recorded" / "stooq" / "spy_us.csv"
STATED = "a person, 2026-11-20"
CHALLENGE = (
    b'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><noscript>This site requires JavaScript to verify '
    b"your browser.</noscript><script>(async()=>{})()</script></body></html>"
)
WARNING = (
    b"<br />\n<b>Warning</b>:  mysqli_connect(): (HY000/2002) in <b>/q/d/l/index.php</b> on line <b>12</b><br />\n"
)


def ask_stooq(reply: Reply, ask: Ask | None = None, confirmed_by: str = "") -> Outcome:
    """One question to a Stooq on loopback that answers with one reply."""
    with LocalSource(lambda _: reply) as source:
        stooq = Stooq(SENTINEL, source.url, Web.of(source.url, HASTY), confirmed_by)
        return stooq.fetch(ask or make_ask())


# Good answers


@pytest.mark.parametrize("polish", [False, True])
def test_bars_come_as_traded_in_both_languages(polish: bool) -> None:
    got = fetched(ask_stooq(Reply(stooq_csv(polish=polish))))
    assert got.bars.to_pylist()[0] == {
        "symbol": "AAPL", "session": MONDAY, "open": Decimal(100), "high": Decimal(101), "low": Decimal(99),
        "close": Decimal(100), "adj_close": Decimal(100), "volume": Decimal(1000000), "source": "stooq",
        "flags": "NOT_ADJUSTED,ACTIONS_UNKNOWN",
    }  # fmt: skip
    assert dict(zip(got.bars["session"].to_pylist(), got.bars["close"].to_pylist(), strict=True)) == CLOSES
    assert (got.actions.num_rows, got.fixings.num_rows) == (0, 0)
    assert got.provenance.notes == ("basis: as traded, agrees with the close on record of 2026-11-16",)


def test_prices_as_traded_are_asked_for() -> None:
    with LocalSource(lambda _: Reply(stooq_csv())) as source:
        instrument = make_instrument("BRK.B", stooq_symbol="brk-b.us")
        fetched(Stooq("key", source.url).fetch(make_ask(instrument=instrument)))
        fetched(Stooq("", source.url).fetch(make_ask()))
    assert (source.asked[0].path, source.asked[0].query) == (
        "/q/d/l/",
        {"s": "brk-b.us", "d1": "20261116", "d2": "20261120", "i": "d", "o": "1111111", "apikey": "key"},
    )
    assert "apikey" not in source.asked[1].query


def test_the_body_is_on_record_without_the_key() -> None:
    fact = fetched(ask_stooq(Reply(stooq_csv()))).provenance.files[0]
    assert fact.name.endswith("/q/d/l/?s=aapl.us&d1=20261116&d2=20261120&i=d&o=1111111")
    assert (fact.size, fact.format, fact.rows) == (len(stooq_csv()), "Stooq CSV", 5)


def test_rows_may_stand_in_any_order() -> None:
    got = fetched(ask_stooq(Reply(stooq_csv(dict(reversed(CLOSES.items()))))))
    assert got.bars["session"].to_pylist() == list(CLOSES)


def test_the_name_that_the_answer_gives_itself_is_compared() -> None:
    right = {"Content-Disposition": "attachment;filename=aapl_us_d.csv"}
    fetched(ask_stooq(Reply(stooq_csv(), headers=right)))
    for named in ("msft_us_d.csv", "aapl_us_w.csv", f"{SENTINEL}.csv"):
        wrong = {"Content-Disposition": f'attachment; filename="{named}"'}
        refusal = refused(ask_stooq(Reply(stooq_csv(), headers=wrong)))
        assert refusal.kind is RefusalKind.WRONG_SYMBOL


# Every other body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"No data", RefusalKind.NO_DATA),
        (b"Brak danych\r\n", RefusalKind.NO_DATA),
        (b"Exceeded the daily hits limit", RefusalKind.QUOTA_SPENT),
        (b"Przekroczony dzienny limit wywolan", RefusalKind.QUOTA_SPENT),
        ("Przekroczony dzienny limit wywołań".encode(), RefusalKind.QUOTA_SPENT),
        ("Przekroczony dzienny limit wywołań".encode("cp1250"), RefusalKind.QUOTA_SPENT),
        (b"Get your apikey:\n\n1. Open https://stooq.com/q/d/?s=aapl.us&get_apikey\n", RefusalKind.KEY_WANTED),
        (CHALLENGE, RefusalKind.CHALLENGE),
        (b"Date,Open,High,Low,Close,Volume\r\n", RefusalKind.HEADER_ONLY),
        (b"Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\r\n", RefusalKind.HEADER_ONLY),
        (b"", RefusalKind.EMPTY_FILE),
        (b" \r\n\r\n", RefusalKind.EMPTY_FILE),
        (b"\xef\xbb\xbf", RefusalKind.EMPTY_FILE),
        (WARNING + stooq_csv(), RefusalKind.NOISE_BEFORE_DATA),
        (WARNING + stooq_csv(polish=True), RefusalKind.NOISE_BEFORE_DATA),
        (WARNING, RefusalKind.NOT_MARKET_DATA),
        (b"<html><body>503 Service Unavailable</body></html>", RefusalKind.NOT_MARKET_DATA),
        (b'{"error": "not found"}', RefusalKind.NOT_MARKET_DATA),
        (b"Symbol,Date,Time,Open\r\nAAPL.US,N/D,N/D,N/D\r\n", RefusalKind.NOT_MARKET_DATA),
        (bytes(range(256)), RefusalKind.NOT_MARKET_DATA),
        (stooq_csv()[:-2], RefusalKind.CUT_OFF),
        (stooq_csv()[:-9], RefusalKind.CUT_OFF),
        (stooq_csv()[:60], RefusalKind.CUT_OFF),
        (b"Date,Open,High,L", RefusalKind.CUT_OFF),
        (b"Date,O", RefusalKind.CUT_OFF),
        (stooq_csv() + WARNING, RefusalKind.DAMAGED_FILE),
        (stooq_csv().replace(b"High", b"H\xecgh"), RefusalKind.DAMAGED_FILE),
        (stooq_csv().replace(b"101.00", b"101\xff00"), RefusalKind.DAMAGED_FILE),
        (stooq_csv(volume=""), RefusalKind.MISSING_COLUMN),
        (stooq_csv().replace(b"Volume", b"OpenInt"), RefusalKind.MISSING_COLUMN),
        (stooq_csv(volume="1234.56"), RefusalKind.ADJUSTED_BASIS),
        (stooq_csv().replace(b"100.00", b"NaN"), RefusalKind.MISSING_VALUE),
        (stooq_csv().replace(b"100.00", b"N/D"), RefusalKind.NOT_A_NUMBER),
        (stooq_csv().replace(b"100.00", b"1e400"), RefusalKind.OUT_OF_RANGE),
        (stooq_csv().replace(b"100.00", b"100,00"), RefusalKind.DAMAGED_FILE),
        (stooq_csv().replace(b"2026-11-16", b"16/11/2026"), RefusalKind.BAD_DATE),
        (stooq_csv().replace(b"2026-11-16", b"2026-11-15"), RefusalKind.OFF_CALENDAR),
        (stooq_csv().replace(b"2026-11-16", b"2026-11-17"), RefusalKind.DUPLICATE_ROW),
        (stooq_csv().replace(b"2026-11-20", b"2026-11-27"), RefusalKind.NOT_ASKED_FOR),
        (stooq_csv().replace(b"High,Low", b"Low,High"), RefusalKind.IMPOSSIBLE_BAR),
        (stooq_csv().replace(b"Close,Volume", b"Volume,Close"), RefusalKind.ADJUSTED_BASIS),  # fractions of shares
        (stooq_csv({day: close * 100 for day, close in CLOSES.items()}), RefusalKind.WRONG_SCALE),
        (stooq_csv({day: close * 2 for day, close in CLOSES.items()}), RefusalKind.WRONG_SYMBOL),
    ],
)
def test_each_other_body_has_its_name(body: bytes, kind: RefusalKind) -> None:
    refusal = refused(ask_stooq(Reply(body), confirmed_by=STATED))
    assert refusal.kind is kind, refusal
    assert refusal.answer is not None
    assert refusal.answer.size == len(body)


def test_a_length_that_says_too_little_is_seen_by_the_line_it_cuts() -> None:
    body = stooq_csv()
    assert refused(ask_stooq(Reply(body, says_length=len(body) - 5))).kind is RefusalKind.CUT_OFF


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(stooq_csv(), says_length=5000), RefusalKind.CUT_OFF),
        (Reply(stooq_csv(), cut_after=100), RefusalKind.CUT_OFF),
        (Reply(silent=True), RefusalKind.TIMED_OUT),
        (Reply(b"x" * 300_000), RefusalKind.TOO_LARGE),
        (Reply(b"", 429), RefusalKind.RATE_LIMITED),
        (Reply(b"", 502), RefusalKind.SERVER_ERROR),
        (Reply(b"", 403), RefusalKind.HTTP_ERROR),
        (Reply(b"", 302, headers={"Location": "https://consent.example/"}), RefusalKind.FOREIGN_REDIRECT),
    ],
)
def test_trouble_on_the_line_has_its_name(reply: Reply, kind: RefusalKind) -> None:
    assert refused(ask_stooq(reply)).kind is kind


def test_a_dead_stooq_is_unreachable() -> None:
    stooq = Stooq("key", f"http://127.0.0.1:{closed_port()}")
    assert refused(stooq.fetch(make_ask())).kind is RefusalKind.UNREACHABLE


def test_a_name_without_a_stooq_symbol_is_not_asked_for() -> None:
    with LocalSource(lambda _: Reply(stooq_csv())) as source:
        ask = make_ask(instrument=make_instrument("AAPL", stooq_symbol=""))
        assert refused(Stooq("key", source.url).fetch(ask)).kind is RefusalKind.UNKNOWN_TO_SOURCE
    assert source.asked == []


# The basis


def test_without_any_confirmation_there_is_no_bar() -> None:
    refusal = refused(ask_stooq(Reply(stooq_csv()), make_ask(known={})))
    assert refusal.kind is RefusalKind.UNCONFIRMED_BASIS
    assert "no close on record confirms 2026-11-16" in refusal.sentence


def test_agreement_on_a_later_session_confirms_nothing_before_it() -> None:
    known = {day: close for day, close in CLOSES.items() if day > MONDAY}
    refusal = refused(ask_stooq(Reply(stooq_csv()), make_ask(known=known)))
    assert refusal.kind is RefusalKind.UNCONFIRMED_BASIS
    assert "Ask from 2026-11-17" in refusal.sentence


def test_the_first_session_confirms_all_that_follow() -> None:
    fetched(ask_stooq(Reply(stooq_csv()), make_ask(known={MONDAY: CLOSES[MONDAY]})))


def test_a_person_may_confirm_but_not_against_a_close_on_record() -> None:
    got = fetched(ask_stooq(Reply(stooq_csv()), make_ask(known={}), STATED))
    assert got.provenance.notes == (f"basis: as traded, confirmed by {STATED}",)
    known = {TUESDAY: CLOSES[TUESDAY] * Decimal("1.005")}
    assert refused(ask_stooq(Reply(stooq_csv()), make_ask(known=known), STATED)).kind is RefusalKind.ADJUSTED_BASIS


@pytest.mark.parametrize(("share", "agrees"), [("0.001", True), ("0.0011", False), ("-0.001", True), ("-0.02", False)])
def test_agreement_has_a_limit(share: str, agrees: bool) -> None:
    known = {MONDAY: Decimal(100)}
    closes = CLOSES | {MONDAY: Decimal(100) * (1 + Decimal(share))}
    outcome = ask_stooq(Reply(stooq_csv(closes)), make_ask(known=known))
    if agrees:
        fetched(outcome)
    else:
        assert refused(outcome).kind is RefusalKind.ADJUSTED_BASIS


def test_a_later_difference_is_left_to_the_cross_check() -> None:
    fetched(ask_stooq(Reply(stooq_csv()), make_ask(known=CLOSES | {FRIDAY: CLOSES[FRIDAY] * Decimal("1.01")})))


# The recorded answer: SPY, adjusted, with whole volumes


def recorded(known: dict[dt.date, Decimal], confirmed_by: str = "") -> Outcome:
    if not RECORDED.is_file():
        pytest.skip(f"no recorded Stooq answer at {RECORDED}; set TRADING_OPS_SHARED to the folder with recorded/")
    first, last = dt.date(2018, 2, 26), dt.date(2026, 2, 9)
    ask = make_ask("SPY", first=first, last=last, at=dt.datetime(2026, 2, 9, 23, tzinfo=dt.UTC), known=known)
    return ask_stooq(Reply(RECORDED.read_bytes()), ask, confirmed_by)


def test_the_recorded_answer_has_no_confirmed_basis() -> None:
    assert refused(recorded({})).kind is RefusalKind.UNCONFIRMED_BASIS
    assert fetched(recorded({}, STATED)).bars.num_rows == 2000


def test_the_recorded_answers_last_close_proves_nothing() -> None:
    refusal = refused(recorded({dt.date(2026, 2, 9): Decimal("695.16")}))
    assert refusal.kind is RefusalKind.UNCONFIRMED_BASIS


def test_the_recorded_answer_is_adjusted_and_real_closes_say_so() -> None:
    rows = real_rows("benchmarks_2005_2021.parquet", dt.date(2018, 2, 26), dt.date(2021, 3, 31), ["SPY"])
    known = {row["date"]: Decimal(repr(row["close"])) for row in rows}
    refusal = refused(recorded(known, STATED))
    assert refusal.kind is RefusalKind.ADJUSTED_BASIS
    assert "2018-02-26" in refusal.where
    assert "close 247.373, as traded on record is 277.9, 10.98 % apart" in refusal.sentence


# The key


def test_the_key_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)

    header = "Date,Open,High,Low,Close,Volume\r\n"
    said = ["<html>{key}</html>", header + "{key},1,1,1,1,1\r\n", "{key}\n" + stooq_csv().decode()]
    said.append(stooq_csv().decode().replace("100.00", "{key}"))
    with LocalSource(lambda asked: Reply(said.pop().replace("{key}", asked.query["apikey"]).encode())) as source:
        stooq = Stooq(SENTINEL, source.url)
        outcomes = [refused(stooq.fetch(make_ask())) for _ in range(4)]
    assert source.asked[0].query["apikey"] == SENTINEL
    for text in (repr(outcomes), *map(str, outcomes), repr(stooq), caplog.text, *capsys.readouterr()):
        assert "s3ntinel0key" not in text
    assert sum("(secret)" in refusal.sentence for refusal in outcomes) == 4
