"""Tiingo through the real client: prices as traded with their dividends and splits, or a refusal by name."""

import json
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.domain.errors import ConfigError
from trading_ops.drill.server import LocalSource, Reply
from trading_ops.providers.protocol import Ask, Outcome, RefusalKind
from trading_ops.providers.tiingo import Tiingo
from trading_ops.providers.web import Web
from trading_ops_tests.integration.answers import (
    CLOSES,
    HASTY,
    MONDAY,
    SENTINEL,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    closed_port,
    fetched,
    make_ask,
    refused,
    tiingo_json,
    tiingo_rows,
)
from trading_ops_tests.unit.market_factory import make_instrument

Rows = list[dict[str, Any]]
GOOD = tiingo_json(tiingo_rows())


def ask_tiingo(reply: Reply, ask: Ask | None = None) -> Outcome:
    """One question to a Tiingo on loopback that answers with one reply."""
    with LocalSource(lambda _: reply) as source:
        return Tiingo(SENTINEL, source.url, Web.of(source.url, HASTY)).fetch(ask or make_ask())


def changed(row: int = 0, **values: Any) -> bytes:
    """A good answer with one row changed."""
    rows = tiingo_rows()
    rows[row] |= values
    return tiingo_json(rows)


def with_split() -> Rows:
    """A 4:1 split on Wednesday and a dividend of 1.53 on Thursday; adjusted as of Friday."""
    rows = tiingo_rows({day: close / (4 if day >= WEDNESDAY else 1) for day, close in CLOSES.items()})
    rows[2] |= {"splitFactor": 4.0}
    rows[3] |= {"divCash": 1.53}
    dividend = 1 - 1.53 / rows[2]["close"]
    for row, factor in zip(rows, (dividend / 4, dividend / 4, dividend, 1, 1), strict=True):
        row["adjClose"] = row["close"] * factor
    return rows


# Good answers


def test_rows_become_bars_as_traded() -> None:
    got = fetched(ask_tiingo(Reply(GOOD)))
    assert got.bars.to_pylist()[1] == {
        "symbol": "AAPL", "session": TUESDAY, "open": Decimal("101.5"), "high": Decimal("102.5"),
        "low": Decimal("100.5"), "close": Decimal("101.5"), "adj_close": Decimal("101.5"),
        "volume": Decimal(1000000), "source": "tiingo", "flags": "NOT_ADJUSTED",
    }  # fmt: skip
    assert (got.bars.num_rows, got.actions.num_rows) == (5, 0)
    assert got.provenance.files[0].rows == 5
    assert got.provenance.files[0].size == len(GOOD)


def test_dividends_and_splits_come_with_the_rows() -> None:
    rows = with_split()
    known = {day: Decimal(repr(row["close"])) for day, row in zip(CLOSES, rows, strict=True)}
    got = fetched(ask_tiingo(Reply(tiingo_json(rows)), make_ask(known=known)))
    assert [(a["ex_date"], a["kind"], a["value"], a["source"]) for a in got.actions.to_pylist()] == [
        (WEDNESDAY, "split", Decimal(4), "tiingo"),
        (THURSDAY, "dividend", Decimal("1.53"), "tiingo"),
    ]
    assert got.bars["close"].to_pylist()[1:3] == [Decimal("101.5"), Decimal("24.95")]
    assert got.bars["adj_close"] == got.bars["close"]


def test_the_token_travels_in_a_header_and_the_name_with_a_dash() -> None:
    with LocalSource(lambda _: Reply(GOOD)) as source:
        tiingo = Tiingo("abc", source.url)
        fetched(tiingo.fetch(make_ask(instrument=make_instrument("BRK.B", yahoo_symbol="BRK-B"))))
        assert tiingo.spelling(make_instrument("BRK.B", yahoo_symbol="")) == "BRK-B"
    asked = source.asked[0]
    assert asked.path == "/tiingo/daily/BRK-B/prices"
    assert asked.query == {"startDate": "2026-11-16", "endDate": "2026-11-20", "format": "json"}
    assert asked.headers["authorization"] == "Token abc"


def test_numbers_are_the_text_that_was_sent() -> None:
    body = changed(close=0.1).replace(b'"close": 0.1', b'"close": 100.12345678')
    assert fetched(ask_tiingo(Reply(body))).bars["close"][0].as_py() == Decimal("100.12345678")
    body = changed(close=0.1).replace(b'"close": 0.1', b'"close": 1.0012345678901e2')
    got = fetched(ask_tiingo(Reply(body)))
    assert got.bars["close"][0].as_py() == Decimal("100.12345679")
    assert got.provenance.rounded == 1


# Statuses and sentences


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b'{"detail":"Invalid token."}', 401), RefusalKind.KEY_REFUSED),
        (Reply(b'{"detail":"Please supply a token"}', 403), RefusalKind.KEY_REFUSED),
        (Reply(b'{"detail":"Not found."}', 404), RefusalKind.UNKNOWN_TO_SOURCE),
        (Reply(b"Error: Ticker 'XYZ' not found"), RefusalKind.UNKNOWN_TO_SOURCE),
        (Reply(b"", 429), RefusalKind.QUOTA_SPENT),
        (Reply(b"Error: You have run over your hourly request allocation."), RefusalKind.QUOTA_SPENT),
        (Reply(b'{"detail":"Error: You have run over your 500 symbol look up"}'), RefusalKind.QUOTA_SPENT),
        (Reply(b'{"detail":"You have run over your hourly request allocation."}', 403), RefusalKind.QUOTA_SPENT),
        (Reply(b"[]"), RefusalKind.NO_DATA),
        (Reply(b""), RefusalKind.EMPTY_FILE),
        (Reply(b"{}"), RefusalKind.NOT_MARKET_DATA),
        (Reply(b'{"detail":"maintenance"}'), RefusalKind.NOT_MARKET_DATA),
        (Reply(b"<html>404 not found</html>"), RefusalKind.NOT_MARKET_DATA),
        (Reply(b"null"), RefusalKind.NOT_MARKET_DATA),
        (Reply(b"[1, 2]"), RefusalKind.NOT_MARKET_DATA),
        (Reply(b"[" * 100_000), RefusalKind.CUT_OFF),
        (Reply(b"[" * 90_000 + b"]" * 90_000), RefusalKind.NOT_MARKET_DATA),
        (Reply(GOOD[:-1]), RefusalKind.CUT_OFF),
        (Reply(GOOD[:500]), RefusalKind.CUT_OFF),
        (Reply(GOOD, says_length=len(GOOD) - 1), RefusalKind.CUT_OFF),
        (Reply(GOOD, says_length=len(GOOD) + 1), RefusalKind.CUT_OFF),
        (Reply(GOOD, cut_after=300), RefusalKind.CUT_OFF),
        (Reply(GOOD + GOOD), RefusalKind.NOT_MARKET_DATA),
        (Reply(b"", 500), RefusalKind.SERVER_ERROR),
        (Reply(b"Error: Invalid date", 400), RefusalKind.HTTP_ERROR),
        (Reply(silent=True), RefusalKind.TIMED_OUT),
        (Reply(b" " * 300_000), RefusalKind.TOO_LARGE),
        (Reply(b"", 302, headers={"Location": "https://elsewhere.example/"}), RefusalKind.FOREIGN_REDIRECT),
    ],
)
def test_each_other_answer_has_its_name(reply: Reply, kind: RefusalKind) -> None:
    refusal = refused(ask_tiingo(reply))
    assert refusal.kind is kind, refusal


def test_how_long_to_wait_is_kept() -> None:
    assert "Retry-After: 1800" in refused(ask_tiingo(Reply(b"", 429, headers={"Retry-After": "1800"}))).sentence


def test_a_dead_tiingo_is_unreachable() -> None:
    tiingo = Tiingo("abc", f"http://127.0.0.1:{closed_port()}")
    assert refused(tiingo.fetch(make_ask())).kind is RefusalKind.UNREACHABLE


# Cells


@pytest.mark.parametrize(
    ("body", "kind", "place"),
    [
        (changed(close=None), RefusalKind.MISSING_VALUE, "row 1, column close"),
        (changed(close=float("nan")), RefusalKind.MISSING_VALUE, "row 1, column close"),
        (changed(1, high=float("inf")), RefusalKind.OUT_OF_RANGE, "row 2, column high"),
        (changed(adjClose=float("nan")), RefusalKind.MISSING_VALUE, "row 1, column adjClose"),
        (changed(close=7e77).replace(b"7e+77", b"1e400"), RefusalKind.OUT_OF_RANGE, "row 1, column close"),
        (changed(close=7e77).replace(b"7e+77", b"1" * 5000), RefusalKind.OUT_OF_RANGE, "row 1, column close"),
        (changed(close=7e77).replace(b"7e+77", b"1e99999999999"), RefusalKind.NOT_A_NUMBER, "row 1, column close"),
        (changed(close="100.0"), RefusalKind.NOT_A_NUMBER, "row 1, column close"),
        (changed(close=True), RefusalKind.NOT_A_NUMBER, "row 1, column close"),
        (changed(close=[1]), RefusalKind.NOT_A_NUMBER, "row 1, column close"),
        (changed(date=20261116), RefusalKind.BAD_DATE, "row 1, column date"),
        (changed(date="16.11.2026"), RefusalKind.BAD_DATE, "row 1, column date"),
        (changed(date="2026-11-16T05:00:00.000Z"), RefusalKind.BAD_DATE, "row 1, column date"),
        (changed(date="2026-11-16T00:00:00+09:00"), RefusalKind.BAD_DATE, "row 1, column date"),
        (changed(date="2026-11-15T00:00:00.000Z"), RefusalKind.OFF_CALENDAR, "2026-11-15"),
        (changed(date="2026-11-17T00:00:00.000Z"), RefusalKind.DUPLICATE_ROW, "2026-11-17"),
        (changed(4, date="2026-11-27T00:00:00.000Z"), RefusalKind.NOT_ASKED_FOR, "2026-11-27"),
        (changed(close=0), RefusalKind.IMPOSSIBLE_BAR, "2026-11-16"),
        (changed(close=1e-400), RefusalKind.IMPOSSIBLE_BAR, "2026-11-16"),
        (changed(low=101, high=99), RefusalKind.IMPOSSIBLE_BAR, "2026-11-16"),
        (changed(adjClose=0), RefusalKind.IMPOSSIBLE_BAR, "row 1, column adjClose"),
        (changed(splitFactor=0.0), RefusalKind.BAD_ACTION, "2026-11-16"),
        (changed(splitFactor=-4.0), RefusalKind.BAD_ACTION, "2026-11-16"),
        (changed(divCash=-0.26), RefusalKind.BAD_ACTION, "2026-11-16"),
        (changed(2, divCash=567.97), RefusalKind.BAD_ACTION, "2026-11-18"),
        (tiingo_json(tiingo_rows({d: c * 100 for d, c in CLOSES.items()})), RefusalKind.WRONG_SCALE, "2026-11-16"),
        (tiingo_json(tiingo_rows({d: c * 3 for d, c in CLOSES.items()})), RefusalKind.WRONG_SYMBOL, "2026-11-16"),
        (GOOD.replace(b'"volume"', b'"close"'), RefusalKind.NOT_MARKET_DATA, "prices"),
    ],
)
def test_a_cell_that_cannot_be_kept_is_named(body: bytes, kind: RefusalKind, place: str) -> None:
    refusal = refused(ask_tiingo(Reply(body)))
    assert (refusal.kind, place in refusal.where) == (kind, True), refusal
    assert len(refusal.sentence) < 600


@pytest.mark.parametrize("field", ["date", "close", "volume", "adjClose", "divCash", "splitFactor"])
def test_a_missing_field_is_named(field: str) -> None:
    rows = tiingo_rows()
    del rows[3][field]
    refusal = refused(ask_tiingo(Reply(tiingo_json(rows))))
    assert (refusal.kind, refusal.where.rpartition(", ")[2]) == (RefusalKind.MISSING_COLUMN, f"column {field}")


# The adjusted closes as a witness


def forgotten_split(rows: Rows) -> None:
    rows[2]["splitFactor"] = 1.0


def split_on_the_wrong_day(rows: Rows) -> None:
    rows[2]["splitFactor"], rows[3]["splitFactor"] = 1.0, 4.0


def split_the_wrong_way_round(rows: Rows) -> None:
    rows[2]["splitFactor"] = 0.25


def split_that_was_not_adjusted_for(rows: Rows) -> None:
    for row in rows[:2]:
        row["adjClose"] *= 4


@pytest.mark.parametrize(
    "wrong", [forgotten_split, split_on_the_wrong_day, split_the_wrong_way_round, split_that_was_not_adjusted_for]
)
def test_rows_that_contradict_their_own_adjusted_closes_are_refused(wrong: Callable[[Rows], None]) -> None:
    rows = with_split()
    wrong(rows)
    refusal = refused(ask_tiingo(Reply(tiingo_json(rows)), make_ask(known={})))
    assert refusal.kind is RefusalKind.SPLIT_CONTRADICTION
    assert "row 3, column adjClose" in refusal.where


def test_a_move_without_an_action_is_not_judged_here() -> None:
    moved = {day: close * (3 if day >= WEDNESDAY else 1) for day, close in CLOSES.items()}
    assert fetched(ask_tiingo(Reply(tiingo_json(tiingo_rows(moved))), make_ask(known={}))).bars.num_rows == 5


# The token


@pytest.mark.parametrize("token", ["", "two words", "new\nline"])
def test_a_token_that_cannot_be_one_is_refused_before_anything_is_asked(token: str) -> None:
    with pytest.raises(ConfigError, match="Tiingo's token"):
        Tiingo(token)


def test_the_token_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    echoed = json.dumps({"detail": SENTINEL}).encode()
    said = [Reply(echoed), Reply(echoed, 401), Reply(echoed, 404), Reply(echoed, 500), Reply(echoed, 400)]
    said += [Reply(changed(date=SENTINEL)), Reply(GOOD, headers={"X-You": SENTINEL})]
    with LocalSource(lambda _: said.pop()) as source:
        tiingo = Tiingo(SENTINEL, source.url)
        outcomes = [tiingo.fetch(make_ask()) for _ in range(len(said))]
    assert source.asked[0].headers["authorization"] == f"Token {SENTINEL}"
    assert all("s3ntinel0key" not in str(asked.query) for asked in source.asked)
    for text in (repr(outcomes), *map(str, outcomes), repr(tiingo), caplog.text, *capsys.readouterr()):
        assert "s3ntinel0key" not in text
    assert fetched(outcomes[0]).bars["session"][0].as_py() == MONDAY
    assert sum("(secret)" in str(outcome) for outcome in outcomes) == 5
