"""Nothing but the sign-in page and the health answer leaves the server without a session; asked over the wire."""

import datetime as dt
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from starlette.testclient import TestClient

from streamlit_app.auth import cookies, door
from streamlit_app.auth.gate import Gate
from streamlit_app.person import SIGNED_OUT
from streamlit_app.pool import Pool
from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.command_line import run
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.page_server import (
    PASSWORD,
    Served,
    add_person,
    own_home,
    serving,
    sign_in_cookie,
)
from trading_ops_tests.integration.wire import handshake, raw, visiting

CLOSED = (
    "/", "/index.html", "/manifest.json", "/favicon.png", "/static/js/index.js", "/static/", "/app/static/x",
    "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/stream",
    "/_stcore/upload_file/a/b", "/_stcore/allowed-message-origins", "/_stcore/bidi-components/a/b.js",
    "/_stcore/agent/openapi.json", "/_stcore/agent/interact", "/_stcore/agent/mcp", "/media/a.csv", "/component/a/b",
    "/auth/login", "/auth/logout", "/oauth2callback", "/healthz", "/confirm", "/confirm/2018-W05", "/ledger",
    "/no-such-page",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "MADEUP")
TRICKS = (
    "//evil.example/", "//_stcore/host-config", "/%2e%2e/", "/%2e%2e/_stcore/host-config", "/static/../",
    "/static/../_stcore/host-config", "/static/%2e%2e/_stcore/host-config", "/static/..%2f..%2fetc/passwd",
    "/SIGN-IN", "/Sign-In", "/sign-in/", "/sign-in/..", "/sign-in/../_stcore/host-config", "/sign-in//",
    "/sign-in/x", "/sign-in%00", "/sign-in%2f..%2f_stcore%2fhost-config", "/sign-in;/../_stcore/host-config",
    "/_stcore/health/", "/_stcore/health/../host-config", "/_stcore/health%2f..%2fhost-config", "/_STCORE/HEALTH",
    "/_STCORE/HOST-CONFIG", "/_stcore//health", "/_stcore/./host-config", "/_stcore/health;x", "\\\\evil\\share",
    "/\\evil.example", "/%5c%5cevil", "/static/%00", "/confirm/_stcore/host-config", "/confirm/%2e%2e/ledger",
)  # fmt: skip
FORGED = (
    "X-Forwarded-User", "X-Forwarded-Email", "X-Streamlit-User", "X-Ops-User", "Remote-User", "X-Remote-User",
    "X-Auth-Request-User", "X-User", "X-WebAuth-User", "X-Original-URL", "X-Rewrite-URL", "Authorization",
)  # fmt: skip
ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example",
    "javascript:alert(1)", "/\t/evil.example", "/\r\nSet-Cookie: a=b", " //evil.example", "/ /evil", "/\u00e9",
    "/sign-out", "/sign-in?next=/x", "//127.0.0.1@evil.example", "/" + "a" * 600, "",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    with own_home(embedded_server, administrator, tmp_path_factory.mktemp("gate")) as made:
        add_person(made, "anna", "executor")
        add_person(made, "otto", "operator")
        yield made


@pytest.fixture(scope="module")
def served(home: Settings) -> Iterator[Served]:
    with serving(home) as server:
        yield server


@pytest.fixture
def client(served: Served) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.url, timeout=20) as made:
        yield made


def form_of(client: httpx2.Client, next_path: str = "/") -> dict[str, str]:
    text = client.get("/sign-in", params={"next": next_path}).text
    return dict(re.findall(r'name="(form|next)" value="([^"]*)"', text))


def sign_in(client: httpx2.Client, username: str = "anna", password: str = PASSWORD, **headers: str) -> httpx2.Response:
    fields = {**form_of(client), "username": username, "password": password}
    origin = {"Origin": str(client.base_url).rstrip("/")}
    return client.post("/sign-in", data=fields, headers=origin | headers)


def count(home: Settings, table: str, where: str = "true") -> int:
    with opened(home, "sign_in") as conn:
        row = conn.execute(f"SELECT count(*) AS n FROM ops.{table} WHERE {where}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row["n"])


# ---------------------------------------------------------------- without a session


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_is_served_to_a_stranger(served: Served, path: str) -> None:
    for method in METHODS:
        got = raw(served, f"{method} {path} HTTP/1.1", {"Origin": served.url} if method == "POST" else {})
        assert got.status in (401, 400), (method, got)  # 400: no method that HTTP knows
        assert got.body in (b"", b"Sign in first.\n", b"Invalid HTTP request received.")
        assert "set-cookie" not in got.headers


@pytest.mark.parametrize("path", [p for p in CLOSED if p != "/_stcore/stream"])
def test_a_browser_is_led_to_the_door_and_back(served: Served, path: str) -> None:
    got = raw(served, f"GET {path}?a=1&b=%2F HTTP/1.1", {"Accept": "text/html,*/*"})
    assert (got.status, got.body) == (303, b"")
    assert got.headers["location"] == "/sign-in?next=" + quote(f"{path}?a=1&b=%2F", safe="")


@pytest.mark.parametrize("path", TRICKS)
def test_no_way_of_writing_a_path_leads_past_the_door(served: Served, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        got = raw(served, f"{method} {path} HTTP/1.1", {"Origin": served.url})
        assert got.status in (400, 401), (method, path, got)
        assert got.body in (b"", b"Sign in first.\n", b"Invalid HTTP request received.")


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/_stcore/host-config", "http://evil.example/", "*"])
def test_neither_does_an_absolute_address(served: Served, target: str) -> None:
    for method in ("GET", "OPTIONS"):
        got = raw(served, f"{method} {target.format(port=served.port)} HTTP/1.1")
        assert got.status in (400, 401)
        assert b"<" not in got.body


def test_only_health_and_the_door_are_open(served: Served) -> None:
    assert raw(served, "GET /_stcore/health HTTP/1.1").body == b"ok"
    assert raw(served, "HEAD /sign-in HTTP/1.1").status == 200
    assert b"<h1>Sign in</h1>" in raw(served, "GET /sign%2Din HTTP/1.1").body  # the same page, and nothing else
    assert b"<h1>Sign out</h1>" in raw(served, "GET /sign-out HTTP/1.1").body
    for line in ("OPTIONS /sign-in", "PUT /sign-in", "DELETE /sign-out", "POST /_stcore/health"):
        assert raw(served, f"{line} HTTP/1.1", {"Origin": served.url}).status == 401


def test_with_a_session_the_same_addresses_answer(served: Served, home: Settings) -> None:
    held = {"Cookie": sign_in_cookie(home, "anna").header}
    page = raw(served, "GET / HTTP/1.1", held)
    assert page.status == 200
    assert page.headers["cache-control"] == "no-store"
    (script, *_) = re.findall(rb'"\.?(/static/js/[^"]+\.js)"', page.body)
    asset = raw(served, f"GET {script.decode()} HTTP/1.1", held)
    assert asset.status == 200
    assert len(asset.body) > 1000
    assert raw(served, f"GET {script.decode()} HTTP/1.1").status == 401
    assert raw(served, "GET /_stcore/host-config HTTP/1.1", held).status == 200
    assert handshake(served, **held) == 101


@pytest.mark.parametrize(
    "forged", ["", "a", "0" * 64, "null", "anna", "../../etc/passwd", "a" * 5000, "' OR 1=1 --", "%00", "\xff\xfe"]
)
def test_a_forged_cookie_is_nobodys(served: Served, forged: str) -> None:
    for name in (cookies.PLAIN, cookies.SECURE):
        held = {"Cookie": f"{name}={forged}"}
        assert raw(served, "GET / HTTP/1.1", held).status == 401
        assert handshake(served, **held) == 403


def test_what_the_database_keeps_is_no_cookie(served: Served, home: Settings) -> None:
    token = sign_in_cookie(home, "anna").value
    assert handshake(served, Cookie=f"desk={token}") == 101
    assert handshake(served, Cookie=f"desk={cookies.digest(token)}") == 403
    assert handshake(served, Cookie=f"desk={token[:-1]}") == 403
    assert handshake(served, Cookie=f"{cookies.SECURE}={token}") == 403  # a name for TLS, and there is none here
    assert count(home, "sign_ins", f"session_sha256 = '{cookies.digest(token)}'") == 1


def test_a_session_lasts_a_month(served: Served, home: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    for age, status in ((dt.timedelta(days=30, seconds=-60), 101), (dt.timedelta(days=30, seconds=1), 403)):
        cookie = sign_in_cookie(home, "anna", at=now - age)
        assert handshake(served, Cookie=cookie.header) == status


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_is_not_believed(served: Served, home: Settings, name: str) -> None:
    for value in ("otto", "127.0.0.1", "/_stcore/health"):
        assert raw(served, "GET / HTTP/1.1", {name: value}).status == 401
        assert handshake(served, **{name: value}) == 403


def test_a_session_stays_its_persons_whatever_the_headers_say(served: Served, home: Settings) -> None:
    claims = {name.replace("-", "_"): "otto" for name in FORGED}
    with visiting(served, sign_in_cookie(home, "anna"), **claims) as visit:
        said = visit.run()
    assert "Anna, executor" in said
    assert "Otto" not in said


# ---------------------------------------------------------------- from somebody else's page


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}",
     "https://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1:{port}@evil.example", ""],
)  # fmt: skip
def test_a_foreign_origin_is_refused_even_with_a_good_cookie(served: Served, home: Settings, origin: str) -> None:
    cookie = sign_in_cookie(home, "anna")
    foreign = {"Origin": origin.format(port=served.port), "Cookie": cookie.header}
    assert handshake(served, **foreign) == 403
    for line in ("GET /", "POST /", "PUT /_stcore/upload_file/a/b", "POST /sign-out", "POST /sign-in", "OPTIONS /"):
        got = raw(served, f"{line} HTTP/1.1", foreign)
        assert (got.status, "access-control-allow-origin" in got.headers) == (403, False)
    assert handshake(served, Cookie=cookie.header) == 101  # it was not signed out


def test_a_websocket_must_say_where_it_comes_from(served: Served, home: Settings) -> None:
    assert handshake(served, Cookie=sign_in_cookie(home, "anna").header, Origin=None) == 403


def test_a_form_from_elsewhere_signs_nobody_in(client: httpx2.Client, home: Settings) -> None:
    before = count(home, "sign_ins"), count(home, "sign_in_attempts")
    assert sign_in(client, Origin="https://evil.example").status_code == 403
    fields = {**form_of(client), "username": "anna", "password": PASSWORD}
    for site in ("cross-site", "same-site"):
        assert client.post("/sign-in", data=fields, headers={"Sec-Fetch-Site": site}).status_code == 403
    without = {k: v for k, v in fields.items() if k != "form"}
    assert client.post("/sign-in", data=without).status_code == 400
    assert client.post("/sign-in", data={**fields, "form": "0" * 64}).status_code == 400
    with httpx2.Client(base_url=client.base_url) as other:  # a form made for another browser
        assert other.post("/sign-in", data=fields).status_code == 400
    assert client.post("/sign-in", content=b"form=" + b"x" * 9000).status_code == 400
    assert (count(home, "sign_ins"), count(home, "sign_in_attempts")) == before
    assert client.post("/sign-in", data=fields).status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "localhost:x", "a b"]
)
def test_the_server_answers_to_its_own_names_only(served: Served, host: str) -> None:
    for path in ("/sign-in", "/_stcore/health", "/"):
        assert raw(served, f"GET {path} HTTP/1.1", {"Host": host.format(port=served.port)}).status == 400
    assert raw(served, "GET /sign-in HTTP/1.1", {"Host": f"LOCALHOST:{served.port}"}).status == 200


# ---------------------------------------------------------------- signing in


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(
    client: httpx2.Client, served: Served, home: Settings
) -> None:
    client.cookies.set(cookies.PLAIN, "chosen-by-an-attacker")
    got = sign_in(client)
    assert (got.status_code, got.headers["location"]) == (303, "/")
    given = got.headers["set-cookie"]
    assert re.fullmatch(r"desk=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax", given)
    token = given.split(";")[0].removeprefix("desk=")
    assert handshake(served, Cookie=f"desk={token}") == 101
    assert handshake(served, Cookie="desk=chosen-by-an-attacker") == 403
    assert count(home, "sign_ins", f"session_sha256 = '{token}'") == 0
    with opened(home) as conn:
        row = conn.execute("SELECT actor, payload FROM ops.audit_log WHERE kind = 'people.signed_in' ORDER BY seq DESC")
        newest = row.fetchone()
    assert newest is not None
    assert newest["actor"] == "sign_in:anna"
    assert token not in newest["payload"]


@pytest.mark.parametrize(
    "path", ["/confirm/2018-W05", "/confirm?ticket=2018-W05", "/ledger?asof=2018-02-02&x=%2F%2F", "/"]
)
def test_after_signing_in_one_is_where_one_wanted_to_be(client: httpx2.Client, path: str) -> None:
    fields = {**form_of(client, path), "username": "anna", "password": PASSWORD, "next": path}
    assert client.post("/sign-in", data=fields).headers["location"] == path
    assert client.get("/sign-in", params={"next": path}).headers["location"] == path


@pytest.mark.parametrize("path", ELSEWHERE)
def test_after_signing_in_one_is_never_elsewhere(client: httpx2.Client, path: str) -> None:
    assert form_of(client, path)["next"] == "/"
    fields = {**form_of(client), "username": "anna", "password": PASSWORD, "next": path}
    got = client.post("/sign-in", data=fields)
    assert (got.status_code, got.headers["location"]) == (303, "/")
    assert client.get("/sign-in", params={"next": path}).headers["location"] == "/"


def test_the_link_in_a_mail_names_a_ticket(client: httpx2.Client) -> None:
    sign_in(client)
    assert client.get("/confirm/2018-W05").headers["location"] == "/confirm?ticket=2018-W05"
    got = client.get("/confirm/%3Cscript%3E")
    assert (got.status_code, "script" in got.text) == (404, False)


def test_what_was_typed_is_shown_as_text(client: httpx2.Client) -> None:
    got = sign_in(client, username='"><script>alert(1)</script>', password="wrong")
    assert got.status_code == 403
    assert "<script" not in got.text
    assert "&lt;script&gt;" in got.text
    assert "script-src" not in got.headers["content-security-policy"]  # default-src 'none' covers it


def test_every_answer_carries_the_safe_headers(served: Served, home: Settings) -> None:
    held = {"Cookie": sign_in_cookie(home, "anna").header}
    for line, more in (("GET /sign-in", {}), ("GET /", {}), ("GET /", held), ("GET /", {"Host": "evil"})):
        got = raw(served, f"{line} HTTP/1.1", more).headers
        assert "frame-ancestors 'none'" in got["content-security-policy"]
        assert got["x-content-type-options"] == "nosniff"
        assert got["referrer-policy"] == "same-origin"
        assert got["cache-control"] == "no-store"
        assert "server" not in got


# ---------------------------------------------------------------- too many tries


def test_five_wrong_tries_lock_and_the_page_says_until_when(client: httpx2.Client, home: Settings) -> None:
    add_person(home, "lotte")
    said = [sign_in(client, "lotte", f"wrong {n}") for n in range(5)]
    assert [got.status_code for got in said] == [403, 403, 403, 403, 429]
    assert "1 try is left" in said[3].text
    right = sign_in(client, "Lotte ")
    assert right.status_code == 429
    assert re.search(r"opens again by itself at \d\d:\d\d \(London time\)", right.text)
    assert count(home, "sign_ins", "username = 'lotte'") == 0
    assert sign_in(client, "anna").status_code == 303  # nobody else is locked out


def test_twenty_tries_at_once_are_five_looks(home: Settings, served: Served) -> None:
    add_person(home, "jutta")

    def attempt(n: int) -> int:
        with httpx2.Client(base_url=served.url, timeout=60) as client:
            return sign_in(client, "jutta", f"wrong {n}").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(attempt, range(20)))
    assert statuses == [403] * 4 + [429] * 16
    assert count(home, "sign_in_attempts", "username = 'jutta' AND outcome = 'wrong'") == 5
    assert count(home, "sign_in_attempts", "username = 'jutta' AND outcome = 'locked'") == 15


# ---------------------------------------------------------------- sessions end


def test_signing_out_ends_this_device_only(client: httpx2.Client, served: Served, home: Settings) -> None:
    other = sign_in_cookie(home, "anna")
    sign_in(client)
    held = {"Cookie": f"desk={client.cookies['desk']}"}
    assert client.get("/sign-out").status_code == 200
    assert handshake(served, **held) == 101  # looking changes nothing
    got = client.post("/sign-out", headers={"Origin": served.url})
    assert (got.status_code, got.headers["location"]) == (303, "/sign-in?said=out")
    assert "Max-Age=0" in got.headers["set-cookie"]
    assert handshake(served, **held) == 403
    assert handshake(served, Cookie=other.header) == 101


def test_signing_out_everywhere_ends_every_device(client: httpx2.Client, served: Served, home: Settings) -> None:
    phone, laptop, ottos = (sign_in_cookie(home, who) for who in ("anna", "anna", "otto"))
    headers = {"Origin": served.url, "Cookie": phone.header}
    assert client.post("/sign-out", data={"all": "1"}, headers=headers).status_code == 303
    assert [handshake(served, Cookie=c.header) for c in (phone, laptop, ottos)] == [403, 403, 101]
    assert raw(served, "GET / HTTP/1.1", {"Cookie": laptop.header, "Accept": "text/html"}).status == 303


@pytest.mark.parametrize(
    "words", [("sign-out", "greta"), ("sign-out", "--all"), ("disable", "greta"), ("password", "greta")]
)
def test_an_open_page_does_nothing_more_once_its_session_ended(
    served: Served, home: Settings, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with opened(home, "sign_in") as conn:
        if not conn.execute("SELECT 1 FROM ops.people WHERE username = 'greta'").fetchone():
            add_person(home, "greta")
    assert run(home, "user", "enable", "greta").code == 0
    secret = tmp_path / "new"
    secret.touch(0o600)
    secret.write_text("seven quiet window panes\n")
    with visiting(served, sign_in_cookie(home, "greta")) as visit:
        assert "Greta, executor" in visit.run()
        more = ("--password-file", str(secret)) if words[0] == "password" else ()
        assert run(home, "user", *words, *more).code == 0
        said = visit.run()
    assert SIGNED_OUT in said
    assert "Greta" not in said


# ---------------------------------------------------------------- the server itself


def test_it_speaks_to_this_machine_only(served: Served, home: Settings) -> None:
    with visiting(served, sign_in_cookie(home, "otto")) as visit:
        visit.run()
        inodes = {link.readlink().name for link in Path(f"/proc/{served.pid}/fd").iterdir() if link.is_symlink()}
        ends = [
            (line[1], line[2])
            for table in ("tcp", "tcp6", "udp", "udp6")
            for line in map(str.split, Path(f"/proc/{served.pid}/net/{table}").read_text().splitlines()[1:])
            if f"socket:[{line[9]}]" in inodes
        ]
    assert any(int(local.split(":")[1], 16) == served.port for local, _ in ends)
    assert {end.split(":")[0] for pair in ends for end in pair} <= {"0100007F", "00000000"}
    assert all(local.split(":")[0] == "0100007F" for local, _ in ends)


def test_without_its_database_the_door_stays_shut(home: Settings, served: Served) -> None:
    """The look at a session fails, so nothing is served: tried on the gate's own answer to an error."""
    nowhere = Settings(home.home, database_url="postgresql://nobody@127.0.0.1:1/x", database=home.database)
    reached: list[str] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    gate = Gate(inside, door.Door(Pool(nowhere, "sign_in")), {"testserver"})
    got = TestClient(gate).get("/", headers={"Cookie": sign_in_cookie(home, "anna").header})
    assert (got.status_code, reached) == (503, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "everybody on the way reads passwords"),
        (("--host", "192.168.1.20"), "--plain-http"),
        (("--host", "evil.example"), "give an address of this machine"),
        (("--tls-cert", "a.pem"), "belong together"),
        (("--tls-cert", "a.pem", "--tls-key", "b.pem"), "cannot be used together"),
    ],
)
def test_serve_says_why_it_does_not_start(home: Settings, words: tuple[str, ...], said: str) -> None:
    done = run(home, "serve", *words)
    assert (done.code, said in done.err) == (1, True)


def test_a_port_in_use_is_a_sentence(home: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(home, "serve", "--port", str(taken.getsockname()[1]))
    assert (done.code, "cannot be listened on" in done.err) == (1, True)
