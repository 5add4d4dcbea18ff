"""The operator in front of a household: his pages without a browser, and what he finds there.

Belongs here: fixtures and small steps that several tests of the operator's pages share.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from trading_ops.desk import reconciling
from trading_ops.domain.broker_snapshot import SnapshotHolding
from trading_ops.settings import Settings
from trading_ops.store import audit, broker, ledger
from trading_ops_tests.integration.household_factory import (
    CASH,
    HELD,
    page_alone,
)

D = Decimal
PAGES = ("home", "ledger", "reconciliation", "cash", "tickets", "policy", "messages", "reports", "rollout")


def at_home(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The home, named by the environment, as the pages look for it."""
    for name, value in home.to_env().items():
        monkeypatch.setenv(name, value)
    return home


def visit(home: Settings, module: str) -> AppTest:
    """A page as Omar sees it."""
    return page_alone(home, module, "omar")


def put(app: AppTest, label: str, text: str, place: int = 0) -> None:
    """Type into a field of a form: the form hands it over when one of its buttons is pressed."""
    [f for f in (*app.text_input, *app.text_area) if f.label == label][place].input(text)


def errors(app: AppTest) -> str:
    """What the page complains about."""
    return " ".join(error.value for error in app.error)


def only(rows: list[Any]) -> Any:
    """The one there is."""
    assert len(rows) == 1, rows
    return rows[0]


def check_account(conn: psycopg.Connection[Any], cash: str = CASH, **units: str) -> str:
    """Store what the account shows now: the ledger's holdings but for the units given."""
    read = {symbol: units.get(symbol, held) for symbol, held in HELD.items()}
    holdings = {s: SnapshotHolding(D(u), max(0, -int(D(u).as_tuple().exponent))) for s, u in read.items()}
    at = dt.datetime.now(dt.UTC)
    with conn.transaction():
        made = broker.add_snapshot(
            conn, taken_at=at, session=reconciling.session_seen(at), cash_gbp=D(cash),
            holdings={s: (h.units, h.places) for s, h in holdings.items()}, origin="a test", entered_by="omar",
        )  # fmt: skip
    return str(made)


def movements(conn: psycopg.Connection[Any]) -> Sequence[tuple[str, Decimal]]:
    """What was booked beside the opening deposit, in force."""
    return [(m.kind, m.amount_gbp) for m in ledger.movements(conn, audit.head(conn).seq)][1:]
