"""Bad input through the real command line: one clear sentence, exit code 1 (2 for usage), and nothing half-written."""

import csv
import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from trading_ops.commands.handed_in import FILL_COLUMNS
from trading_ops.settings import Settings
from trading_ops.store.server import Server
from trading_ops_tests.integration.command_line import Done, files_of, holdings_of, run, run_apart
from trading_ops_tests.integration.home_factory import policy_text
from trading_ops_tests.integration.lived_factory import MARKET, Lived, live, needs_real_prices, own_home

pytestmark = needs_real_prices

UNIVERSE = MARKET / "universe.csv"
TICKET = "2018-W04"
"""The lived book's second ticket: TRADE, executed, not yet answered."""
WORDS = re.compile(r"^[^\n]{20,}\.\n$")
"""One line that is a sentence."""


@pytest.fixture(scope="module")
def book(embedded_server: Server, administrator: psycopg.Connection[Any]) -> Lived:
    return live(embedded_server, administrator)


@pytest.fixture(scope="module")
def lived(
    book: Lived, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A book in the middle of its life; what is refused leaves it as it is, so one serves all."""
    with own_home(book.lived, administrator, tmp_path_factory.mktemp("bad") / "home") as home:
        yield home


@pytest.fixture
def own(book: Lived, administrator: psycopg.Connection[Any], tmp_path: Path) -> Iterator[Settings]:
    """The same for a test that changes it."""
    with own_home(book.lived, administrator, tmp_path / "home") as home:
        yield home


@pytest.fixture
def answers(book: Lived) -> list[dict[str, str]]:
    """The honest answers to the second ticket, as rows of fills.csv."""
    return [
        {
            "line": str(a.line), "status": a.status, "units": str(a.units), "price_usd": str(a.price_usd),
            "value_gbp": str(a.value_gbp), "executed_at": a.executed_at.isoformat() if a.executed_at else "",
            "position_id": a.position_id or "",
        }
        for a in book.executed
    ]  # fmt: skip


# ---------------------------------------------------------------- files that people hand in
def text_file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def csv_file(folder: Path, name: str, rows: Sequence[dict[str, str]], columns: Sequence[str] = FILL_COLUMNS) -> str:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def policy_with(old: str, new: str) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        text = policy_text()
        assert text.count(old) == 1
        return text_file(folder, "policy.yml", text.replace(old, new))

    return write


def universe_with(line: int, old: str, new: str) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        lines = UNIVERSE.read_text(encoding="utf-8").splitlines()
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)
        return text_file(folder, "universe.csv", "\n".join(lines) + "\n")

    return write


def prices_with(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], str]:
    """Bars of Apple of February 2018 in the shape of the real file, changed."""

    def write(folder: Path) -> str:
        day = pc.field("date")
        wanted = (pc.field("symbol") == "AAPL") & (day >= dt.date(2018, 2, 1)) & (day <= dt.date(2018, 2, 28))
        table = pq.read_table(MARKET / "equities_2005_2021.parquet", filters=wanted)
        path = folder / "equities.parquet"
        pq.write_table(change(table), path)
        return str(path)

    return write


def cut_in_half(folder: Path) -> str:
    path = Path(prices_with(lambda table: table)(folder))
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    return str(path)


def csv_cut_in_half(folder: Path) -> str:
    head = "Date,Open,High,Low,Close,Adj Close,Volume\n"
    return text_file(
        folder, "AAPL.csv", head + "2018-02-01,167.16,168.61,166.75,167.77,160.51,47230787\n2018-02-02,166,16"
    )


def nan_in(column: str, row: int) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[row] = float("nan")
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    return change


@dataclass(frozen=True)
class Bad:
    """What is handed in, the command with `@` in the file's place, and what the sentence must say."""

    name: str
    words: str
    says: tuple[str, ...]
    file: Callable[[Path], str] = lambda folder: str(folder / "missing.csv")


LOAD = "prices load --provider files --path @"
BAD_FILES = (
    Bad("policy-not-yaml", "policy import @", ("policy.yml", "line 17, column "), policy_with("window:", "window: [")),
    Bad(
        "policy-no-number", "policy import @", ("policy.yml", "line 50, column 10", "sizing.seats", "many"),
        policy_with("seats: 15 ", "seats: many "),
    ),
    Bad(
        "policy-out-of-range", "policy import @", ("line 5", "column 15", "sizing.cash_floor"),
        policy_with("cash_floor: 0.02 ", "cash_floor: 1.02 "),
    ),
    Bad("policy-unknown-key", "policy import @", ("sizing.seets", "line 50"), policy_with("seats: 15 ", "seets: 15 ")),
    Bad("policy-missing", "policy import @", ("missing.csv", "no such file")),
    Bad(
        "universe-pence", "universe import @", ("universe.csv", "line 17, column currency", "pence"),
        universe_with(17, "USD", "GBp"),
    ),
    Bad(
        "universe-unknown-column", "universe import @", ("universe.csv, line 1", "etoro_name"),
        universe_with(1, "etoro_search_name", "etoro_name"),
    ),
    Bad(
        "universe-name-twice", "universe import @", ("line 4", "AAPL", "line 3"),
        universe_with(4, "ABBV,abbv.us,ABBV,ABBV", "AAPL,abbv.us,ABBV,ABBV"),
    ),
    Bad("prices-no-such-file", LOAD, ("missing.csv",)),
    Bad("prices-cut-in-half", LOAD, ("equities.parquet", "DAMAGED_FILE", "Nothing was stored"), cut_in_half),
    Bad("prices-csv-cut-in-half", f"{LOAD} --basis as-traded", ("AAPL.csv", "line 3"), csv_cut_in_half),
    Bad(
        "prices-unknown-column", LOAD, ("equities.parquet", "UNKNOWN_COLUMN", "turnover"),
        prices_with(lambda table: table.append_column("turnover", table["close"])),
    ),
    Bad(
        "prices-column-missing", LOAD, ("equities.parquet", "low"),
        prices_with(lambda table: table.drop_columns(["low"])),
    ),
    Bad(
        "prices-duplicate-bar", LOAD, ("equities.parquet", "DUPLICATE_ROW", "AAPL", "2018-02-01"),
        prices_with(lambda table: pa.concat_tables([table, table.slice(0, 1)])),
    ),
    Bad(
        "prices-nan", LOAD, ("equities.parquet", "NOT_A_NUMBER", "close"), prices_with(nan_in("close", 3)),
    ),
    Bad(
        "snapshot-unknown-symbol", "snapshot add --file @", ("snapshot.csv", "'ABCD'"),
        lambda folder: text_file(folder, "snapshot.csv", "symbol,units\nCASH,100\nMU,42\nABCD,1\n"),
    ),
    Bad(
        "snapshot-unknown-column", "snapshot add --file @", ("snapshot.csv, line 1", "'amount'"),
        lambda folder: text_file(folder, "snapshot.csv", "symbol,amount\nCASH,100\n"),
    ),
    Bad(
        "snapshot-without-cash", "snapshot add --file @", ("snapshot.csv", "CASH"),
        lambda folder: text_file(folder, "snapshot.csv", "symbol,units\nMU,42\n"),
    ),
    Bad(
        "snapshot-no-number", "snapshot add --file @", ("snapshot.csv, line 3, column units", "'1,250.5'"),
        lambda folder: text_file(folder, "snapshot.csv", 'symbol,units\nCASH,100\nMU,"1,250.5"\n'),
    ),
    Bad(
        "snapshot-nan", "snapshot add --file @", ("snapshot.csv, line 2, column units", "NaN"),
        lambda folder: text_file(folder, "snapshot.csv", "symbol,units\nCASH,NaN\n"),
    ),
    Bad(
        "snapshot-name-twice", "snapshot add --file @", ("snapshot.csv, line 4", "MU"),
        lambda folder: text_file(folder, "snapshot.csv", "symbol,units\nCASH,100\nMU,42\nmu,1\n"),
    ),
    Bad(
        "fills-unknown-column", f"confirm {TICKET} --file @", ("fills.csv, line 1", "'state'"),
        lambda folder: text_file(folder, "fills.csv", "line,state\n1,DONE\n"),
    ),
    Bad(
        "fills-unknown-status", f"confirm {TICKET} --file @", ("line 1 of ticket", "'OK'", "SKIPPED"),
        lambda folder: text_file(folder, "fills.csv", "line,status\n1,ok\n"),
    ),
    Bad(
        "fills-nan", f"confirm {TICKET} --file @", ("fills.csv, line 2, column price_usd", "nan"),
        lambda folder: text_file(folder, "fills.csv", "line,status,price_usd\n1,DONE,nan\n"),
    ),
    Bad(
        "fills-without-price", f"confirm {TICKET} --file @", ("line 1 of ticket", "price_usd"),
        lambda folder: text_file(folder, "fills.csv", "line,status,units\n1,DONE,3\n"),
    ),
    Bad(
        "fills-cut-off", f"confirm {TICKET} --file @", ("fills.csv, line 3", "cut off"),
        lambda folder: text_file(folder, "fills.csv", "line,status,reason\n1,SKIPPED,no time\n2,SK"),
    ),
    Bad(
        "fills-of-no-ticket", "confirm 2018-W30 --file @", ("no ticket 2018-W30",),
        lambda folder: text_file(folder, "fills.csv", "line,status\n1,SKIPPED\n"),
    ),
)  # fmt: skip

REFUSED = (
    Bad("plan-of-a-thursday", "plan --direct --asof 2018-02-01", ("2018-02-01", "last New York session of its week")),
    Bad("plan-of-a-saturday", "plan --direct --asof 2018-02-03", ("2018-02-03", "last New York session of its week")),
    Bad("plan-of-no-date", "plan --direct --asof yesterday", ("--asof", "'yesterday'", "2018-02-02")),
    Bad("simulate-in-a-used-book", "simulate --from 2018-02-01 --through 2018-02-09", ("already has", "TRADING_OPS_HOME")),
    Bad("simulate-nobody", "simulate --from 2018-02-01 --through 2018-02-09 --executor lazy", ("'lazy'", "sloppy")),
    Bad("another-book", f"init --book live --universe {UNIVERSE}", ("sim book", "TRADING_OPS_HOME")),
    Bad("no-book", f"init --book virtual --universe {UNIVERSE}", ("'virtual'", "live, paper, sim")),
    Bad("no-provider", "prices load --provider bloomberg", ("'bloomberg'", "files, simulated")),
    Bad("accept-unknown", "prices accept ABCD 2018-02-01 --why looked", ("'ABCD'",)),
    Bad("no-ticket", "ticket show 2018-W30", ("no ticket 2018-W30", "ticket list")),
    Bad("withdraw-no-ticket", "ticket withdraw 2018-W30 --reason mistake", ("no ticket 2018-W30",)),
    Bad("no-state", "desk set OFF --reason x", ("'OFF'", "HALTED")),
    Bad("pause-without-end", "desk set PAUSED --reason holiday", ("--to", "PAUSED")),
    Bad("cash-no-number", "ledger record cash --kind fee --amount ten --day 2018-01-30 --why x", ("--amount", "'ten'")),
    Bad("cash-nan", "ledger record cash --kind fee --amount NaN --day 2018-01-30 --why x", ("--amount", "NaN")),
    Bad("cash-no-kind", "ledger record cash --kind gift --amount 1 --day 2018-01-30 --why x", ("'gift'", "deposit")),
    Bad("cash-fee-above-0", "ledger record cash --kind fee --amount 5 --day 2018-01-30 --why x", ("fee", "negative")),
    Bad("cash-of-nothing", "ledger record cash --kind interest --amount 0 --day 2018-01-30 --why x", ("0",)),
    Bad("void-nothing", "ledger record void 123 --why x", ("123",)),
    Bad("rebuild-nothing", "data rebuild zzz", ("zzz",)),
    Bad(
        "fill-unknown-symbol",
        "ledger record fill ABCD --side BUY --price 1 --units 1 --at 2018-01-30T15:00 --why x", ("'ABCD'",),
    ),
    Bad(
        "fill-oversold", "ledger record fill MU --side SELL --price 40 --units 9999 --at 2018-01-30T15:00 --why x",
        ("MU", "9999"),
    ),
    Bad(
        "fill-negative", "ledger record fill MU --side BUY --price -40 --units 1 --at 2018-01-30T15:00 --why x",
        ("price", "-40"),
    ),
    Bad(
        "dividend-negative",
        "ledger record dividend MU --ex-date 2018-01-30 --amount -1 --day 2018-01-30 --why x", ("-1",),
    ),
)  # fmt: skip


def refused(done: Done, *says: str) -> None:
    assert (done.code, done.out) == (1, ""), done
    assert WORDS.match(done.err), done.err
    for fragment in says:
        assert fragment in done.err


@pytest.mark.parametrize("bad", (*BAD_FILES, *REFUSED), ids=lambda bad: bad.name)
def test_bad_input_is_refused_in_one_sentence_and_nothing_is_kept(lived: Settings, tmp_path: Path, bad: Bad) -> None:
    file = bad.file(tmp_path)
    before = holdings_of(lived)
    done = run(lived, *(file if word == "@" else word for word in bad.words.split()))
    refused(done, *bad.says)
    assert holdings_of(lived) == before
