"""What a request says of itself, and how much of it is believed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from streamlit_app.auth.outside import host_of, is_foreign, local_path, wants_page, without_forged

HOST = "desk.lan:8501"


@pytest.mark.parametrize(
    "path", ["/", "/confirm/2018-W05", "/confirm?ticket=2018-W05", "/a?next=//b", "/a//b", "/%2F%2Fx"]
)
def test_a_path_of_the_desk_is_gone_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "//evil", "///evil", "/\\evil", "\\/evil", "http://evil", "HTTP:/evil", "evil", "?x", "#x", "/a\\b",
     "/a b", "/a\x00", "/\u2028/evil", "/\uff0fevil", "/sign-in", "/sign-out?all=1", "/sign-in#x", "/" * 501],
)  # fmt: skip
def test_anything_else_leads_to_the_first_page(path: str | None) -> None:
    assert local_path(path) == "/"


@given(st.text(alphabet="/\\.:@%?#[]ehpstv\t\n\r \x00\u00e9" + string.digits, max_size=12))
def test_no_text_leads_elsewhere(text: str) -> None:
    found = local_path(text)
    assert found.startswith("/")
    assert not found.startswith("//")
    assert not set(found) & set("\\\t\n\r \x00")
    assert found.isascii()


@pytest.mark.parametrize(
    ("host", "found"),
    [("desk.lan:8501", "desk.lan:8501"), ("DESK.lan:8501", "desk.lan:8501"), ("desk.lan.", "desk.lan."),
     ("desk.lan", "desk.lan"), ("[::1]:8501", "[::1]:8501"), ("evil.lan", None), ("desk.lan@evil", None),
     ("desk.lan:8501/x", None), ("desk.lan:", None), ("", None), ("desk.lan, evil", None)],
)  # fmt: skip
def test_the_host_must_be_one_of_ours(host: str, found: str | None) -> None:
    assert host_of(Headers({"host": host}), {"desk.lan", "[::1]"}) == found


def test_one_host_only() -> None:
    pair = (b"host", b"desk.lan")
    assert host_of(Headers(raw=[pair, pair]), {"desk.lan"}) is None
    assert host_of(Headers({}), {"desk.lan"}) is None


@pytest.mark.parametrize(
    ("headers", "secure", "must_say", "foreign"),
    [
        ({}, False, True, False),
        ({"origin": "http://desk.lan:8501"}, False, True, False),
        ({"origin": "HTTP://Desk.lan:8501"}, False, True, False),
        ({"origin": "https://desk.lan:8501"}, True, True, False),
        ({"origin": "http://desk.lan:8501"}, True, True, True),
        ({"origin": "https://desk.lan:8501"}, False, False, True),
        ({"origin": "http://desk.lan"}, False, False, True),
        ({"origin": "null"}, False, False, True),
        ({"sec-fetch-site": "cross-site"}, False, False, False),
        ({"sec-fetch-site": "cross-site"}, False, True, True),
        ({"sec-fetch-site": "same-site"}, False, True, True),
        ({"sec-fetch-site": "same-origin"}, False, True, False),
    ],
)
def test_a_foreign_page_is_known(headers: dict[str, str], secure: bool, must_say: bool, foreign: bool) -> None:
    assert is_foreign(Headers(headers), HOST, secure=secure, must_say=must_say) is foreign


@pytest.mark.parametrize(
    "name",
    [b"X-Forwarded-User", b"x-forwarded-for", b"Forwarded", b"X-Real-IP", b"Remote-User", b"remote_user",
     b"X-Remote-User", b"X-Streamlit-User", b"X-Auth-Request-Email", b"X-Ops-User", b"X-User", b"Authorization",
     b"X-Original-URL", b"X-HTTP-Method-Override", b"Proxy-Authorization"],
)  # fmt: skip
def test_claims_of_a_proxy_are_dropped(name: bytes) -> None:
    kept = [(b"host", b"x"), (b"cookie", b"desk=1"), (b"user-agent", b"y"), (b"origin", b"z"), (b"x-xsrftoken", b"t")]
    assert without_forged([kept[0], (name.lower(), b"otto"), (name, b"otto"), *kept[1:]]) == kept


def test_who_wants_a_page_is_led_to_the_door() -> None:
    asked = Headers({"accept": "text/html,application/xhtml+xml"})
    assert wants_page(asked, "GET")
    assert not wants_page(asked, "POST")
    assert not wants_page(Headers({"accept": "*/*"}), "GET")
