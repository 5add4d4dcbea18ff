"""Every page of a desk that is not real says so; a live one says nothing."""

import pytest
from streamlit.testing.v1 import AppTest

from trading_ops.settings import Settings
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.page_server import add_person, person_of

SCRIPT = (
    "import streamlit as st\nfrom streamlit_app.components import book_banner\n"
    "book_banner.show(st.session_state['person'])\nst.markdown('the page')\n"
)


@pytest.mark.parametrize(
    ("book", "said"), [("sim", "nothing here is real"), ("paper", "no real orders"), ("live", ""), (None, "")]
)
@pytest.mark.parametrize("role", ["executor", "operator"])
def test_a_desk_that_is_not_real_says_so_on_every_page(
    fresh_home: Settings, monkeypatch: pytest.MonkeyPatch, book: str | None, said: str, role: str
) -> None:
    if book is not None:
        with opened(fresh_home) as conn:
            home_factory.set_up(conn, book=book)
    add_person(fresh_home, "kim", role, name="Kim")
    for name, value in fresh_home.to_env().items():
        monkeypatch.setenv(name, value)
    app = AppTest.from_string(SCRIPT, default_timeout=60)
    app.session_state["person"] = person_of(fresh_home, "kim")
    app.run()
    assert not app.exception
    text = " ".join(str(element.proto) for element in app.main if element.type == "html")
    assert (said in text) if said else not text
    assert app.markdown[0].value == "the page"
