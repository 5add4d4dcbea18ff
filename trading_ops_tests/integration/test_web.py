"""The HTTP client against real servers on loopback: one whole body, or one named refusal, and never a secret."""

import asyncio
import gzip
import hashlib
import logging
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from trading_ops.domain.errors import ConfigError
from trading_ops.drill.server import Asked, LocalSource, Reply
from trading_ops.providers.protocol import Refusal, RefusalKind, RefusedData
from trading_ops.providers.web import USER_AGENT, Limits, Web
from trading_ops.providers.web_answer import secret_text
from trading_ops.providers.web_body import Body, BodyTrouble
from trading_ops_tests.integration.answers import HASTY, SENTINEL, RawSource, closed_port


def refusal(url: str, limits: Limits = HASTY, **asked: object) -> Refusal:
    """What became of a question that cannot be answered."""
    with pytest.raises(RefusedData) as caught:
        Web.of(url, limits).get(f"{url}/q", **asked)  # type: ignore[arg-type]
    return caught.value.refusal


def replying(body: bytes = b"", status: int = 200, **headers: str) -> LocalSource:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return LocalSource(lambda _: Reply(body, status, headers=named))


# A good answer


def test_an_answer_is_its_body_with_a_name_a_hash_and_a_size() -> None:
    with replying(b"Date,Open\n") as source:
        answer = Web.of(source.url).get(f"{source.url}/q/d/l/", {"s": "aapl.us"})
    assert (answer.status, answer.body) == (200, b"Date,Open\n")
    assert answer.fact.name == f"{source.url}/q/d/l/?s=aapl.us"
    assert answer.fact.sha256 == hashlib.sha256(b"Date,Open\n").hexdigest()
    assert answer.fact.size == 10
    assert source.asked[0].headers["user-agent"] == USER_AGENT
    assert source.asked[0].headers["connection"] == "close"


def test_a_packed_body_is_unpacked_and_hashed_as_what_it_holds() -> None:
    with replying(gzip.compress(b"Date" * 1000, mtime=0), Content_Encoding="gzip") as source:
        answer = Web.of(source.url).get(source.url)
    assert answer.body == b"Date" * 1000
    assert answer.fact.sha256 == hashlib.sha256(b"Date" * 1000).hexdigest()


def test_a_status_that_the_caller_reads_itself_is_an_answer() -> None:
    with replying(b'{"detail": "Not found."}', 404) as source:
        assert Web.of(source.url).get(source.url, passed={404}).status == 404


# Statuses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, RefusalKind.RATE_LIMITED),
        (500, RefusalKind.SERVER_ERROR),
        (503, RefusalKind.SERVER_ERROR),
        (403, RefusalKind.HTTP_ERROR),
        (404, RefusalKind.HTTP_ERROR),
        (206, RefusalKind.HTTP_ERROR),
        (304, RefusalKind.HTTP_ERROR),
    ],
)
def test_a_status_without_data_is_named(status: int, kind: RefusalKind) -> None:
    with replying(b"" if status == 304 else b"sorry", status) as source:
        refused = refusal(source.url)
    assert refused.kind is kind
    assert str(status) in refused.sentence
    assert refused.answer is not None


def test_how_long_to_wait_is_kept() -> None:
    with replying(b"", 429, Retry_After="120") as source:
        assert "Retry-After: 120" in refusal(source.url).sentence


# Time


def test_a_silent_server_is_given_up() -> None:
    with LocalSource(lambda _: Reply(silent=True)) as source:
        refused = refusal(source.url)
    assert (refused.kind, refused.sentence[:31]) == (RefusalKind.TIMED_OUT, "nothing came for 0.3 seconds. N")


@pytest.mark.parametrize(
    "sent", [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500], ids=["body", "head"]
)
def test_an_answer_that_only_drips_ends_too(sent: bytes) -> None:
    began = time.monotonic()
    with RawSource(sent, drip=0.02) as source:
        refused = refusal(source.url)
    assert refused.kind is RefusalKind.TIMED_OUT
    assert "not whole within 0.6 seconds" in refused.sentence
    assert time.monotonic() - began < 5


# The line


def test_nobody_listening_is_unreachable() -> None:
    refused = refusal(f"http://127.0.0.1:{closed_port()}")
    assert refused.kind is RefusalKind.UNREACHABLE
    assert "refused" in refused.sentence


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=["nothing", "cut head", "length too long", "cut chunks", "no HTTP"],
)
def test_a_cut_line_is_cut_off(sent: bytes) -> None:
    with RawSource(sent) as source:
        assert refusal(source.url).kind is RefusalKind.CUT_OFF


@pytest.mark.parametrize("reply", [Reply(b"x" * 100, says_length=200), Reply(b"x" * 100, cut_after=50)])
def test_a_length_that_says_too_much_is_cut_off(reply: Reply) -> None:
    with LocalSource(lambda _: reply) as source:
        assert refusal(source.url).kind is RefusalKind.CUT_OFF


def test_a_length_that_says_too_little_leaves_nothing_for_the_next_answer() -> None:
    left_over = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse"
    with RawSource(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + left_over) as source:
        web = Web.of(source.url)
        assert [web.get(source.url).body for _ in range(2)] == [b"true", b"true"]


# Size and packing


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(100_000_000), mtime=0),
    ],
    ids=["said", "sent", "gzip bomb"],
)
def test_a_huge_answer_is_not_read_on(sent: bytes) -> None:
    with RawSource(sent) as source:
        assert refusal(source.url, Limits(size=200_000)).kind is RefusalKind.TOO_LARGE


def test_a_gzip_bomb_is_not_unpacked_beyond_the_limit() -> None:
    body = Body(200_000, {"content-encoding": "gzip"})
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTrouble):
            body.add(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("body", "packing", "kind"),
    [
        (b"plain", "gzip", RefusalKind.DAMAGED_FILE),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", RefusalKind.CUT_OFF),
        (gzip.compress(b"x", mtime=0) + b"y", "gzip", RefusalKind.DAMAGED_FILE),
        (b"x", "br", RefusalKind.DAMAGED_FILE),
    ],
)
def test_a_badly_packed_answer_is_named(body: bytes, packing: str, kind: RefusalKind) -> None:
    with replying(body, Content_Encoding=packing) as source:
        assert refusal(source.url).kind is kind


# Redirects


def test_a_redirect_on_the_same_host_is_followed() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(b"here") if asked.path == "/new" else Reply(b"", 302, headers={"Location": "/new"})

    with LocalSource(answer) as source:
        assert Web.of(source.url).get(f"{source.url}/old", headers={"Authorization": "Token x"}).body == b"here"
    assert [asked.headers["authorization"] for asked in source.asked] == ["Token x"] * 2


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/",
        "http://elsewhere.example/",
        "//elsewhere.example/",
        "http://localhost:{port}/",
        "http://127.0.0.1/",
        "http://user:password@127.0.0.1:{port}/",
        "javascript:alert(1)",
        "http://[broken/",
    ],
)
def test_a_redirect_off_the_source_is_not_followed(location: str) -> None:
    asked: list[Asked] = []
    with LocalSource(lambda a: asked.append(a) or Reply(b"", 302, headers={"Location": where})) as source:
        where = location.format(port=source.url.rpartition(":")[2])
        refused = refusal(source.url)
    assert refused.kind is RefusalKind.FOREIGN_REDIRECT
    assert len(asked) == 1


def test_a_redirect_in_a_circle_ends() -> None:
    with replying(b"", 301, Location="/again") as source:
        refused = refusal(source.url)
    assert (refused.kind, len(source.asked)) == (RefusalKind.HTTP_ERROR, HASTY.redirects + 1)


# Only the source's own hosts, and nothing from the environment


@pytest.mark.parametrize(
    "url", ["http://stooq.com", "ftp://stooq.com", "https://u:p@stooq.com", "stooq.com", "https://a:b:c"]
)
def test_a_base_url_must_be_secure(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Web.of(url)
    assert "u:p" not in str(caught.value)


def test_another_host_is_never_asked() -> None:
    with pytest.raises(ConfigError, match=r"only asked at stooq\.com"):
        Web.of("https://stooq.com").get("https://elsewhere.example/")


def test_the_environment_brings_no_proxy_and_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with replying(b"direct") as source:
        assert Web.of(source.url).get(source.url).body == b"direct"
    assert "authorization" not in source.asked[0].headers


def test_a_proxy_is_used_when_it_is_named() -> None:
    with replying(b"through the proxy") as proxy:
        url = f"http://127.0.0.1:{closed_port()}"
        assert Web.of(url, proxy=proxy.url).get(f"{url}/x").body == b"through the proxy"


# Secrets


def echo(asked: Asked, status: int, headers: Mapping[str, str]) -> Reply:
    """An answer that repeats everything it was told."""
    told = f"you said {dict(asked.query)} {asked.headers.get('authorization')}"
    return Reply(told.encode(), status, headers={name: value.format(told=told) for name, value in headers.items()})


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {"Retry-After": "{told}"}),
        (500, {"Retry-After": "{told}"}),
        (400, {}),
        (302, {"Location": f"https://{'a' * 5}.example/?{SENTINEL}"}),
    ],
)
def test_no_text_shows_a_secret(status: int, headers: Mapping[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with LocalSource(lambda asked: echo(asked, status, headers)) as source:
        refused = refusal(
            source.url,
            params={"s": "aapl.us", "apikey": SENTINEL},
            headers={"Authorization": f"Token {SENTINEL}"},
            secrets=(SENTINEL,),
        )
    assert source.asked[0].query["apikey"] == SENTINEL
    assert refused.where == f"{source.url}/q?s=aapl.us"
    for text in (repr(refused), str(refused), caplog.text):
        assert "s3ntinel0key" not in text
    assert ("(secret)" in refused.sentence) == (status in {400, 500})


def test_an_answer_shows_its_beginning_without_the_secret() -> None:
    with LocalSource(lambda asked: Reply(f"key\x00\x1b[31m {asked.query['apikey']}\n{'x' * 500}".encode())) as source:
        answer = Web.of(source.url).get(source.url, {"apikey": SENTINEL}, secrets=(SENTINEL,))
    assert answer.excerpt().startswith("key [31m (secret) xxx")
    assert len(answer.excerpt()) == 121
    assert "s3ntinel0key" not in repr(answer)


def test_a_secret_written_as_in_a_url_is_not_shown_either() -> None:
    spelled = f"{quote(SENTINEL, safe='')} {quote_plus(SENTINEL)} {SENTINEL}"
    with replying(spelled.encode()) as source:
        answer = Web.of(source.url).get(source.url, secrets=(SENTINEL,))
    assert answer.excerpt() == "(secret) (secret) (secret)"


@pytest.mark.parametrize("text", ["", "   ", "two words", "line\nbreak", "käse", "tab\tbed"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        secret_text("Tiingo's token", text)
    assert not text.strip() or text not in str(caught.value)
    assert secret_text("key", " abc\n") == "abc"


def test_asking_leaves_no_event_loop_behind() -> None:
    with replying(b"x") as source:
        Web.of(source.url).get(source.url)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
