"""A household with fifteen holdings, its ledger a few days old, and people at its pages.

Belongs here: the books behind the account check, the other trade and the names; its pages without a browser.
Does not belong here: tickets (`desk_factory`), the server and its sessions (`page_server`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
from streamlit.testing.v1 import AppTest

from trading_ops.domain import calendar
from trading_ops.domain.ledger import CashMovement, Fill
from trading_ops.settings import Settings, shipped
from trading_ops.store import configuration, desk, ledger
from trading_ops_tests.integration import home_factory
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.page_server import add_person, person_of

D = Decimal
NOW = dt.datetime.now(dt.UTC)
SESSION = calendar.last_closed(NOW)
BOUGHT = calendar.sessions_back(SESSION, 15)
HELD: Mapping[str, str] = {
    "AAPL": "2.631579", "ABBV": "3.104512", "ABT": "4.5", "ADBE": "1.208333", "AMZN": "5.02", "BAC": "12.75",
    "COST": "0.412", "CSCO": "8.3", "GOOGL": "2.2", "HD": "1.75", "INTC": "20.1", "JNJ": "3.3", "KO": "9.25",
    "MSFT": "1.5", "NVDA": "6.543217",
}  # fmt: skip
CASH = "998.50"
CLOSE = D("100")
RATE = D("1.25")


def set_up_household(home: Settings) -> None:
    """The shipped universe, fifteen names bought three weeks ago, Anna and Omar."""
    with opened(home) as conn:
        with conn.transaction():
            desk.create_book(conn, "live")
            configuration.import_policy(conn, policy_text(), "policy.yml")
            universe = shipped("config", "universe.csv").read_text()
            configuration.import_universe(conn, universe, "universe.csv")
        bars = [(symbol, SESSION.isoformat(), str(CLOSE)) for symbol in HELD]
        fixings = [(BOUGHT.isoformat(), str(RATE)), (SESSION.isoformat(), str(RATE))]
        home_factory.load(conn, bars=home_factory.bars_table(bars), fixings=home_factory.fixings_table(fixings))
        _buy_everything(conn)
    add_person(home, "anna", "executor", name="Anna")
    add_person(home, "omar", "operator", name="Omar")


def _buy_everything(conn: psycopg.Connection[Any]) -> None:
    at = calendar.open_utc(BOUGHT) + dt.timedelta(minutes=20)
    spent = D(0)
    with conn.transaction():
        for place, (symbol, units) in enumerate(HELD.items()):
            value = (D(units) * CLOSE / RATE).quantize(D("0.01"))
            spent += value
            fill_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"household:{symbol}"))
            fill = Fill(
                fill_id, symbol, "BUY", D(units), CLOSE, value, D(0), at, BOUGHT, f"22700000{place:02}",
            )  # fmt: skip
            ledger.record_fill(conn, fill, recorded_by="omar", why="held before")
        early = at - dt.timedelta(days=1)
        deposit = CashMovement(str(uuid.uuid4()), "deposit", spent + D(CASH), early.date(), early)
        ledger.record_movement(conn, deposit, recorded_by="omar", why="opening deposit")


def page_alone(home: Settings, module: str, who: str = "anna") -> AppTest:
    """A page without browser and server, as its person sees it; the environment must name the home."""
    script = (
        "import streamlit as st, importlib\n"
        "importlib.import_module(st.session_state['module']).show(st.session_state['person'])\n"
    )
    app = AppTest.from_string(script, default_timeout=30)
    app.session_state["module"] = f"streamlit_app.pages.{module}"
    app.session_state["person"] = person_of(home, who)
    app.run()
    assert not app.exception, app.exception
    return app


def type_into(app: AppTest, label: str, text: str) -> None:
    """Type into the field of a label, and leave it."""
    (field,) = [f for f in (*app.text_input, *app.text_area) if plain_label(f.label) == label]
    field.input(text).run()
    assert not app.exception, app.exception


def press(app: AppTest, words: str, times: int = 1) -> None:
    """Press a button by its words, several times at once if asked to."""
    for _ in range(times):
        (button,) = [b for b in app.button if plain_label(b.label) == words]
        button.click().run()
        assert not app.exception, app.exception


def tick(app: AppTest, words: str) -> None:
    """Tick a box by its words."""
    (box,) = [b for b in app.checkbox if plain_label(b.label) == words]
    box.check().run()
    assert not app.exception, app.exception


def plain_label(label: str) -> str:
    """A label as a person reads it: without the marks that keep it from being markup."""
    return label.replace("\\", "")


def shown(app: AppTest) -> str:
    """Every text block of the page, as written."""
    return "\n".join(str(getattr(e, "body", "") or e.proto.body) for e in app.get("html"))
