"""A desk of a test's own, with Dagster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.store.server import Server
from trading_ops_tests.orchestration.loop_home import Loop, lived_in


@pytest.fixture
def sim(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Loop]:
    """A sim book whose first plan may trade."""
    with lived_in(embedded_server, administrator, tmp_path / "sim", "sim") as loop:
        yield loop


@pytest.fixture
def other_sim(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Loop]:
    """A second home with the same facts."""
    with lived_in(embedded_server, administrator, tmp_path / "other", "sim") as loop:
        yield loop


@pytest.fixture
def paper(embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Loop]:
    """A paper book with the same facts: its plans are decided on the wall clock."""
    with lived_in(embedded_server, administrator, tmp_path / "paper", "paper") as loop:
        yield loop
