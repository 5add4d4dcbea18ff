"""What the network does to an answer of Yahoo, and where its client may go."""

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.domain.errors import ConfigError
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.providers.protocol import RefusalKind, RefusedData
from trading_ops.providers.yahoo import Yahoo
from trading_ops.providers.yahoo_client import YahooClient
from trading_ops.providers.yahoo_session import Forbidden, GuardedSession
from trading_ops_tests.integration.yahoo_answers import (
    CRUMB,
    WEEK,
    answer,
    body,
    closes,
    error_reply,
    fetched,
    flat,
    make_ask,
    make_chart,
    play,
    refused,
    reply,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = WEEK
Kind = RefusalKind

HTML = b"<html><body>Oops, something went wrong</body></html>"
GOOD = body(make_chart(flat()))
DELISTED = error_reply(404, "Not Found", "No data found, symbol may be delisted")
EMPTY_RANGE = error_reply(400, "Bad Request", "Data doesn't exist for startDate = 1710129600, endDate = 1710648000")
REPLIES: dict[str, tuple[Reply, RefusalKind, str]] = {
    "unknown": (DELISTED, Kind.UNKNOWN_TO_SOURCE, "does not know this symbol"),
    "unknown with 200": (error_reply(200, "Not Found", "No data found"), Kind.UNKNOWN_TO_SOURCE, "does not know"),
    "empty range": (EMPTY_RANGE, Kind.NO_DATA, "nothing on these days"),
    "another 400": (error_reply(400, "Bad Request", "Invalid input"), Kind.HTTP_ERROR, "Invalid input"),
    "404 page": (Reply(HTML, 404), Kind.HTTP_ERROR, "HTTP 404"),
    "429": (Reply(b"Too Many Requests", 429, {"Retry-After": "120"}), Kind.RATE_LIMITED, "Retry-After: 120"),
    "429 as json": (error_reply(429, "Too Many Requests", "slow down"), Kind.RATE_LIMITED, "HTTP 429"),
    "429 with 200": (Reply(b"Edge: Too Many Requests"), Kind.RATE_LIMITED, "HTTP 200"),
    "500": (Reply(b"", 500), Kind.SERVER_ERROR, "HTTP 500"),
    "502 page": (Reply(HTML, 502), Kind.SERVER_ERROR, "HTTP 502"),
    "503 as json": (error_reply(503, "Unavailable", "No data found"), Kind.SERVER_ERROR, "HTTP 503"),
    "down": (Reply(b"<h1>Will be right back...</h1>"), Kind.SERVER_ERROR, "Will be right back"),
    "401": (Reply(b'{"finance":{"error":{"code":"Unauthorized"}}}', 401), Kind.CHALLENGE, "turns this machine away"),
    "403 page": (Reply(HTML, 403), Kind.CHALLENGE, "turns this machine away"),
    "consent page": (Reply(b"<form action='https://consent.yahoo.com/v2/'>"), Kind.CHALLENGE, "in a browser"),
    "page with 200": (Reply(HTML), Kind.NOT_MARKET_DATA, "a page"),
    "text with 200": (Reply(b"no"), Kind.NOT_MARKET_DATA, "no JSON"),
    "another json": (Reply(b'{"quoteResponse":{}}'), Kind.NOT_MARKET_DATA, "no chart"),
    "not utf-8": (Reply(GOOD.replace(b"EST", b"\xff\xfe")), Kind.NOT_MARKET_DATA, "no JSON"),
    "empty": (Reply(b""), Kind.CUT_OFF, "empty"),
    "cut": (Reply(GOOD, cut_after=len(GOOD) // 2), Kind.CUT_OFF, "before the answer was whole"),
    "ends in the middle": (Reply(GOOD[: len(GOOD) // 2]), Kind.CUT_OFF, "in the middle"),
    "says too little": (Reply(GOOD, says_length=len(GOOD) - 40), Kind.CUT_OFF, "in the middle"),
    "says too much": (Reply(GOOD, says_length=len(GOOD) + 40), Kind.CUT_OFF, "before the answer was whole"),
    "packed and not": (Reply(GOOD, headers={"Content-Encoding": "gzip"}), Kind.CUT_OFF, "curl 61"),
    "sent on": (Reply(b"", 302, {"Location": "https://example.com/"}), Kind.FOREIGN_REDIRECT, "example.com"),
    "sent to consent": (Reply(b"", 307, {"Location": "https://guce.yahoo.com/consent"}), Kind.CHALLENGE, "agree"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_an_answer_that_holds_no_chart_is_refused_by_name(name: str) -> None:
    given_reply, kind, says = REPLIES[name]
    with play(given_reply) as (yahoo, source):
        refusal = refused(yahoo.fetch(make_ask()), kind, says)
    assert refusal.where.startswith(f"{source.url}/v8/finance/chart/ABC?period1=")
    charts = [asked for asked in source.asked if asked.path.startswith("/v8/")]
    assert len(charts) == (2 if given_reply.status in (401, 403) else 1)


def test_silence_ends_when_the_patience_does() -> None:
    with play(Reply(silent=True), timeout=0.2) as (yahoo, _):
        refused(yahoo.fetch(make_ask()), Kind.TIMED_OUT, "within 0.2 seconds")
    with LocalSource(lambda asked: Reply(silent=True)) as source:
        yahoo = Yahoo(source.url, timeout=0.2)
        refused(yahoo.fetch(make_ask()), Kind.TIMED_OUT)
        yahoo.close()


def test_nobody_there_is_unreachable() -> None:
    with LocalSource(lambda asked: Reply()) as source:
        address = source.url
    yahoo = Yahoo(address)
    refused(yahoo.fetch(make_ask()), Kind.UNREACHABLE, "curl 7")
    yahoo.close()


def test_a_body_beyond_its_limit_is_not_read_on() -> None:
    with LocalSource(lambda asked: Reply(GOOD)) as source:
        client = YahooClient(source.url, size=500)
        with pytest.raises(RefusedData) as error:
            client.ask("ABC", "America/New_York", MONDAY, FRIDAY)
        client.close()
    assert error.value.refusal.kind is Kind.TOO_LARGE


def test_a_small_packed_body_that_unpacks_beyond_the_limit_is_not_read_on() -> None:
    import gzip

    packed = gzip.compress(b"0" * 10_000_000)
    with LocalSource(lambda asked: Reply(packed, headers={"Content-Encoding": "gzip"})) as source:
        client = YahooClient(source.url, size=100_000)
        with pytest.raises(RefusedData) as error:
            client.ask("ABC", "America/New_York", MONDAY, FRIDAY)
        client.close()
    assert len(packed) < 20_000
    assert error.value.refusal.kind is Kind.TOO_LARGE


def test_three_requests_for_the_first_name_and_one_for_each_after_it() -> None:
    with play(reply(make_chart(flat()))) as (yahoo, source):
        for _ in range(3):
            fetched(yahoo.fetch(make_ask()))
    paths = [asked.path for asked in source.asked]
    assert paths == ["/", "/v1/test/getcrumb", *["/v8/finance/chart/ABC"] * 3]


def test_the_same_question_is_asked_anew_each_time() -> None:
    """yfinance would answer questions about the past from its memory."""
    with play(reply(make_chart(flat(close="100")))) as (yahoo, source):
        assert closes(yahoo.fetch(make_ask()))[FRIDAY] == 100
        source.answer = lambda asked: reply(make_chart(flat(close="101")))
        assert closes(yahoo.fetch(make_ask()))[FRIDAY] == 101


def test_the_crumb_is_sent_and_never_shown() -> None:
    with play(reply(make_chart(flat()))) as (yahoo, source):
        outcome = fetched(yahoo.fetch(make_ask()))
        source.answer = lambda asked: Reply(f"<p>{CRUMB}</p>".encode(), 503)
        refusal = refused(yahoo.fetch(make_ask()), Kind.SERVER_ERROR)
    assert source.asked[-1].query["crumb"] == CRUMB
    assert CRUMB not in str(refusal) + str(refusal.answer) + str(outcome.provenance)
    assert "crumb" not in str(refusal)


@pytest.mark.parametrize("crumb", [Reply(b"Too Many Requests", 429), Reply(HTML), Reply(b"", 404), Reply(silent=True)])
def test_a_chart_comes_without_cookie_and_crumb(crumb: Reply) -> None:
    def partly(asked: Asked) -> Reply:
        return reply(make_chart(flat())) if asked.path.startswith("/v8/") else crumb

    with LocalSource(partly) as source:
        yahoo = Yahoo(source.url, timeout=1.0)
        assert len(closes(yahoo.fetch(make_ask()))) == 5
        assert len(closes(yahoo.fetch(make_ask()))) == 5
        yahoo.close()
    assert len(source.asked) <= 4
    assert "crumb" not in source.asked[-1].query


def test_one_clients_crumb_is_not_anothers() -> None:
    with play(reply(make_chart(flat()))) as (yahoo, _):
        fetched(yahoo.fetch(make_ask()))
        with LocalSource(lambda asked: reply(make_chart(flat())) if "chart" in asked.path else Reply()) as other:
            second = Yahoo(other.url)
            fetched(second.fetch(make_ask()))
            second.close()
    assert "crumb" not in other.asked[-1].query


def test_provenance_names_the_body_by_its_address_and_hash() -> None:
    import hashlib

    chart = make_chart(flat())
    with play(reply(chart)) as (yahoo, source):
        (fact,) = fetched(yahoo.fetch(make_ask())).provenance.files
    assert fact.name.startswith(f"{source.url}/v8/finance/chart/ABC?period1=1710129600&period2=1710648000&interval=1d")
    assert (fact.sha256, fact.size) == (hashlib.sha256(body(chart)).hexdigest(), len(body(chart)))
    assert (fact.format, fact.rows) == ("Yahoo chart", 5)


def test_a_second_client_waits_until_the_first_has_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """yfinance has one session for the whole process: the first client's chart would be asked by the second."""
    import yfinance

    found: dict[dt.date, Decimal] = {}

    def fetch_second() -> None:
        with play(reply(make_chart(flat(close="200")))) as (yahoo, _):
            found.update(closes(yahoo.fetch(make_ask())))

    second = threading.Thread(target=fetch_second)
    plain_ticker = yfinance.Ticker

    def ticker_while_a_second_client_comes(*args: Any, **more: Any) -> Any:
        made = plain_ticker(*args, **more)
        if second.ident is None:
            second.start()
            second.join(0.5)
        return made

    monkeypatch.setattr(yfinance, "Ticker", ticker_while_a_second_client_comes)
    assert closes(answer(make_chart(flat(close="100"))))[FRIDAY] == 100
    second.join()
    assert found[FRIDAY] == 200


@pytest.mark.parametrize("symbol", ["", "US0378331005", "../v7/finance", "A B", "abc", "ABC?x=1"])
def test_a_symbol_that_is_none_of_yahoos_is_not_asked(symbol: str) -> None:
    with play(reply(make_chart(flat()))) as (yahoo, source):
        refused(yahoo.fetch(make_ask(symbol=symbol)), Kind.UNKNOWN_TO_SOURCE, "no symbol of Yahoo's")
    assert source.asked == []


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://guce.yahoo.com/consent"),
        ("POST", "https://consent.yahoo.com/v2/collectConsent?sessionId=1"),
        ("POST", "https://query2.finance.yahoo.com/v8/finance/chart/ABC"),
        ("GET", "https://query2.finance.yahoo.com/v10/finance/quoteSummary/ABC"),
        ("GET", "http://query2.finance.yahoo.com/v8/finance/chart/ABC"),
        ("GET", "https://query2.finance.yahoo.com.example.com/v8/finance/chart/ABC"),
        ("GET", "https://finance.yahoo.com/"),
    ],
)
def test_the_session_goes_nowhere_else(method: str, url: str) -> None:
    with LocalSource(lambda asked: Reply()) as source:
        session = GuardedSession(source.url)
        session.begin()
        with pytest.raises(Forbidden):
            session.request(method, url)
        session.close()
    assert source.asked == []


def test_only_this_machine_may_play_yahoo() -> None:
    with pytest.raises(ConfigError, match="only a server on this machine"):
        Yahoo("http://example.com")


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(closes(answer(make_chart(flat())))) == 5


def test_a_proxy_that_is_named_is_the_only_way() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            for _ in range(2):  # cookie and chart
                line, _ = server.accept()
                with line:
                    heard.append(line.recv(1000).split(b"\r\n")[0])

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yahoo = Yahoo(proxy=f"http://127.0.0.1:{server.getsockname()[1]}")
        refused(yahoo.fetch(make_ask()), Kind.UNREACHABLE, "ProxyError")
        yahoo.close()
        thread.join()
    assert heard[0] == b"CONNECT fc.yahoo.com:443 HTTP/1.1"
    assert heard[-1] == b"CONNECT query2.finance.yahoo.com:443 HTTP/1.1"


def test_yfinance_leaves_nothing_in_the_home_and_says_nothing(tmp_path: Any) -> None:
    """In a process of its own, because yfinance finds its folder when it is imported."""
    program = (
        "from trading_ops_tests.integration.yahoo_answers import *\n"
        "with play(reply(make_chart(flat()))) as (yahoo, _): print(yahoo.fetch(make_ask()).bars.num_rows)\n"
        "with play(Reply(b'', 500)) as (yahoo, _): print(yahoo.fetch(make_ask()).kind)\n"
        "with LocalSource(lambda asked: Reply(silent=True)) as source:\n"
        "    print(Yahoo(source.url, timeout=0.2).fetch(make_ask()).kind)\n"
    )
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("5\nSERVER_ERROR\nTIMED_OUT\n", "")
    assert list(tmp_path.iterdir()) == []
