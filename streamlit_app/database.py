"""Connections for the pages: as the database role of the person who is signed in.

A page reads inside `reading` and writes inside `writing` or `write`; neither connection outlives the `with`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from streamlit_app.person import Person, require_signed_in
from streamlit_app.pool import Pool, pool_of
from trading_ops.settings import Settings
from trading_ops.store.connect import run_transaction

ROLE_OF = {"executor": "executor_ui", "operator": "operator_ui"}
T = TypeVar("T")


@contextmanager
def reading(person: Person) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit on which nothing can be written.

    Raises:
        DatabaseDown: The database does not answer.
    """
    with _pool(person, read_only=True).lent() as conn:
        yield conn


@contextmanager
def writing(person: Person) -> Iterator[psycopg.Connection[Any]]:
    """A connection inside one transaction whose audit rows name the person; an exception rolls everything back.

    Raises:
        SignedOut: The person's session ended since the page was drawn.
        DatabaseDown: The database does not answer.
    """
    require_signed_in(person)
    with _pool(person).lent() as conn, conn.transaction():
        _sign(conn, person)
        yield conn


def write(person: Person, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    """The same for work that is done again when its transaction lost a race; see `run_transaction`.

    Raises:
        SignedOut: The person's session ended since the page was drawn.
        DatabaseDown: The database does not answer.
    """

    def signed(conn: psycopg.Connection[Any]) -> T:
        _sign(conn, person)
        return work(conn)

    require_signed_in(person)
    with _pool(person).lent() as conn:
        return run_transaction(conn, signed)


def _sign(conn: psycopg.Connection[Any], person: Person) -> None:
    conn.execute("SELECT set_config('ops.person', %s, true)", (person.username,))


def _pool(person: Person, *, read_only: bool = False) -> Pool:
    return pool_of(Settings.from_env(), ROLE_OF[person.role], read_only=read_only)
