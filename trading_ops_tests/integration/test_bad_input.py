"""Bad input through the real command line: one clear sentence, exit code 1 (2 for usage), and nothing half-written."""

import csv
import datetime as dt
import json
import re
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
from trading_ops.domain.results import Outcome
from trading_ops.domain.ticket_model import TicketContent
from trading_ops.settings import Settings
from trading_ops.store import tickets
from trading_ops.store.server import Server
from trading_ops_tests.integration.command_line import Done, files_of, holdings_of, run, run_apart
from trading_ops_tests.integration.home_factory import opened, policy_text
from trading_ops_tests.integration.lived_factory import MARKET, Lived, live, needs_real_prices, own_home, superuser

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
    Bad(
        "policy-not-yaml", "policy import @", ("policy.yml", "line 17, column "),
        policy_with("\nwindow:\n", "\nwindow: [\n"),
    ),
    Bad(
        "policy-no-number", "policy import @", ("policy.yml", "line 45, column 10", "sizing.seats", "many"),
        policy_with("seats: 15 ", "seats: many "),
    ),
    Bad(
        "policy-out-of-range", "policy import @", ("line 48, column 15", "sizing.cash_floor"),
        policy_with("cash_floor: 0.02 ", "cash_floor: 1.02 "),
    ),
    Bad(
        "policy-unknown-key", "policy import @", ("line 45, column 10", "sizing.seets", "mean seats"),
        policy_with("seats: 15 ", "seets: 15 "),
    ),
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
    Bad("prices-cut-in-half", LOAD, ("equities.parquet", "damaged or cut off", "nothing was kept"), cut_in_half),
    Bad("prices-csv-cut-in-half", f"{LOAD} --basis as-traded", ("AAPL.csv", "line 3"), csv_cut_in_half),
    Bad(
        "prices-unknown-column", LOAD, ("equities.parquet", "column turnover"),
        prices_with(lambda table: table.append_column("turnover", table["close"])),
    ),
    Bad(
        "prices-column-missing", LOAD, ("equities.parquet", "low"),
        prices_with(lambda table: table.drop_columns(["low"])),
    ),
    Bad(
        "prices-duplicate-bar", LOAD, ("equities.parquet, row 20", "row 1,", "Keep one"),
        prices_with(lambda table: pa.concat_tables([table, table.slice(0, 1)])),
    ),
    Bad(
        "prices-nan", LOAD, ("equities.parquet, row 4, column close", "missing", "nothing was kept"),
        prices_with(nan_in("close", 3)),
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
    Bad("plan-of-a-saturday", "plan --direct --asof 2018-02-03", ("2018-02-03", "not a session")),
    Bad("plan-of-no-date", "plan --direct --asof yesterday", ("--asof", "'yesterday'", "2018-02-02")),
    Bad(
        "simulate-in-a-used-book", "simulate --from 2018-02-01 --through 2018-02-09",
        ("already has plans", "TRADING_OPS_HOME"),
    ),
    Bad("simulate-nobody", "simulate --from 2018-02-01 --through 2018-02-09 --executor lazy", ("'lazy'", "sloppy")),
    Bad("another-book", f"init --book live --universe {UNIVERSE}", ("sim book", "TRADING_OPS_HOME")),
    Bad("no-book", f"init --book virtual --universe {UNIVERSE}", ("'virtual'", "live, paper, sim")),
    Bad("no-provider", "prices load --provider bloomberg", ("'bloomberg'", "files, simulated")),
    Bad("accept-unknown", "prices accept ABCD 2018-02-01 --why looked", ("'ABCD'",)),
    Bad("no-ticket", "ticket show 2018-W30", ("no ticket 2018-W30", "ticket list")),
    Bad("withdraw-no-ticket", "ticket withdraw 2018-W30 --reason mistake", ("no ticket 2018-W30",)),
    Bad("no-state", "desk set OFF --reason x", ("'OFF'", "HALTED")),
    Bad("pause-without-end", "desk set PAUSED --reason holiday", ("--to", "PAUSED")),
    Bad(
        "pause-that-ends-before-it-begins", "desk set PAUSED --from 2018-02-02 --to 2018-01-26 --reason holiday",
        ("2018-01-26", "2018-02-02"),
    ),
    Bad("pause-off-the-calendar", "desk set PAUSED --from 2018-02-02 --to 2118-02-02 --reason holiday", ("2118",)),
    Bad("no-such-pause", "desk end-pause --from 2018-02-02 --reason back", ("No pause begins", "2 February 2018")),
    Bad("cash-no-number", "ledger record cash --kind fee --amount ten --day 2018-01-30 --why x", ("--amount", "'ten'")),
    Bad("cash-nan", "ledger record cash --kind fee --amount NaN --day 2018-01-30 --why x", ("--amount", "NaN")),
    Bad("cash-no-kind", "ledger record cash --kind gift --amount 1 --day 2018-01-30 --why x", ("'gift'", "deposit")),
    Bad("cash-fee-above-0", "ledger record cash --kind fee --amount 5 --day 2018-01-30 --why x", ("fee", "negative")),
    Bad(
        "cash-withdrawal-above-0", "ledger record cash --kind withdrawal --amount 500 --day 2018-01-30 --why x",
        ("A withdrawal of 500 GBP must be negative: it leaves the account. Enter -500.",),
    ),
    Bad(
        "cash-deposit-below-0", "ledger record cash --kind deposit --amount -500.50 --day 2018-01-30 --why x",
        ("A deposit of -500.5 GBP is negative, but it comes into the account. Enter 500.5.",),
    ),
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


@pytest.mark.parametrize("bad", [*BAD_FILES, *REFUSED], ids=lambda bad: bad.name)
def test_bad_input_is_refused_in_one_sentence_and_nothing_is_kept(lived: Settings, tmp_path: Path, bad: Bad) -> None:
    file = bad.file(tmp_path)
    before = holdings_of(lived)
    done = run(lived, *(file if word == "@" else word for word in bad.words.split()))
    refused(done, *bad.says)
    assert holdings_of(lived) == before


# ---------------------------------------------------------------- answers
def test_a_line_that_does_not_exist_keeps_the_whole_file_out(
    lived: Settings, tmp_path: Path, answers: list[dict[str, str]]
) -> None:
    rows = [*answers, {"line": "7", "status": "SKIPPED"}]
    before = holdings_of(lived)
    done = run(lived, "confirm", TICKET, "--file", csv_file(tmp_path, "fills.csv", rows))
    refused(done, "fills.csv", "line 7 of ticket 2018-W04", "lines 1 to 6")
    assert holdings_of(lived) == before


def test_the_same_answers_twice_are_one(own: Settings, tmp_path: Path, answers: list[dict[str, str]]) -> None:
    file = csv_file(tmp_path, "fills.csv", answers)
    assert "6 answers stored, 0 were there already" in run(own, "confirm", TICKET, "--file", file).out
    before = holdings_of(own)
    again = run(own, "confirm", TICKET, "--file", file)
    assert (again.code, again.err) == (0, "")
    assert "0 answers stored, 6 were there already; every line is answered" in again.out
    assert holdings_of(own) == before


def test_other_answers_are_refused_unless_they_correct(
    own: Settings, tmp_path: Path, answers: list[dict[str, str]]
) -> None:
    run(own, "confirm", TICKET, "--file", csv_file(tmp_path, "fills.csv", answers))
    before = holdings_of(own)
    # The first of them is new and right, the last one contradicts: neither is kept.
    answers[-1] = {"line": "6", "status": "SKIPPED", "reason": "no time"}
    other = csv_file(tmp_path, "other.csv", answers)
    refused(run(own, "confirm", TICKET, "--file", other), "line 6 of ticket 2018-W04", "DONE already", "--correct")
    assert holdings_of(own) == before
    corrected = run(own, "confirm", TICKET, "--file", other, "--correct")
    assert (corrected.code, corrected.out.startswith("Ticket 2018-W04: 1 answers stored, 5 were")) == (0, True)
    after = holdings_of(own)
    grown = {table for table, count in after.items() if count != before[table]}
    report = "artifacts/reports/execution/2018-W04.md"
    assert grown == {"audit_log", "confirmations", "ledger_voids", report}


def test_a_fill_that_was_voided_can_still_be_corrected(
    own: Settings, tmp_path: Path, answers: list[dict[str, str]]
) -> None:
    run(own, "confirm", TICKET, "--file", csv_file(tmp_path, "fills.csv", answers))
    with superuser(own) as conn:
        (fill,) = conn.execute(
            "SELECT fill_id FROM ops.ledger_trades_fills WHERE plan_id = '2018-01-26' AND line = 6"
        ).fetchall()
    assert run(own, "ledger", "record", "void", str(fill[0]), "--why", "wrong").code == 0
    answers[-1] = {"line": "6", "status": "SKIPPED", "reason": "no time"}
    done = run(own, "confirm", TICKET, "--file", csv_file(tmp_path, "fills.csv", answers), "--correct")
    assert (done.code, done.err) == (0, "")


def test_the_same_snapshot_twice_is_one(own: Settings, tmp_path: Path) -> None:
    file = text_file(tmp_path, "snapshot.csv", "symbol,units\nCASH,100.00\nMU,42.5\n")
    words = ("snapshot", "add", "--file", file, "--at", "2018-01-31 22:00")
    first = run(own, *words)
    before = holdings_of(own)
    second = run(own, *words)
    assert (first.code, second.code, second.out) == (0, 0, first.out)
    assert holdings_of(own) == before


def test_a_no_trade_ticket_has_nothing_to_confirm(own: Settings, tmp_path: Path) -> None:
    assert " NO-TRADE " in run(own, "plan", "--direct", "--asof", "2018-02-02").out
    file = text_file(tmp_path, "fills.csv", "line,status\n1,SKIPPED\n")
    before = holdings_of(own)
    refused(run(own, "confirm", "2018-W05", "--file", file), "2018-W05 is NO-TRADE")
    refused(run(own, "ticket", "withdraw", "2018-W05", "--reason", "x"), "2018-W05 is NO-TRADE")
    assert holdings_of(own) == before


def test_a_purchase_that_was_sold_on_cannot_be_voided_nor_anything_voided_twice(own: Settings) -> None:
    def record(side: str, units: str, at: str) -> str:
        words = ("record", "fill", "IBM", "--side", side, "--price", "160", "--units", units, "--at", at, "--why", "x")
        done = run(own, "ledger", *words)
        assert done.code == 0, done
        return done.out.rpartition("(")[2].partition(")")[0]

    bought, sold = record("BUY", "2", "2018-01-30 15:00"), record("SELL", "1.5", "2018-01-30 16:00")
    before = holdings_of(own)
    refused(run(own, "ledger", "record", "void", bought, "--why", "wrong"), "IBM", sold, "only 0 are held")
    assert holdings_of(own) == before
    assert run(own, "ledger", "record", "void", sold, "--why", "wrong").code == 0
    before = holdings_of(own)
    refused(run(own, "ledger", "record", "void", sold, "--why", "wrong"), sold, "void")
    assert holdings_of(own) == before


# ---------------------------------------------------------------- homes, books and servers
def test_usage_is_told_apart_by_exit_code_2(lived: Settings) -> None:
    before = holdings_of(lived)
    for words in (["plan"], ["plann"], ["plan", "--direct", "--asof"], ["confirm", TICKET], ["simulate", "--frm", "x"]):
        done = run(lived, *words)
        assert (done.code, done.out) == (2, ""), done
        assert "Traceback" not in done.err
    assert holdings_of(lived) == before


def test_a_live_book_is_never_simulated(fresh_home: Settings) -> None:
    assert run(fresh_home, "init", "--book", "live", "--universe", str(UNIVERSE)).code == 0
    before = holdings_of(fresh_home)
    refused(run(fresh_home, "simulate", "--from", "2018-01-01", "--through", "2018-02-02"), "live book", "sim book")
    refused(
        run(fresh_home, "prices", "load", "--provider", "simulated", "--from", "2018-01-01", "--through", "2018-02-02"),
        "live book", "simulated prices",
    )  # fmt: skip
    refused(run(fresh_home, "init", "--book", "sim", "--universe", str(UNIVERSE)), "live book", "TRADING_OPS_HOME")
    assert holdings_of(fresh_home) == before


def test_a_plan_without_any_prices_is_refused_by_its_ticket(fresh_home: Settings) -> None:
    assert run(fresh_home, "init", "--book", "sim", "--universe", str(UNIVERSE)).code == 0
    done = run(fresh_home, "plan", "--direct", "--asof", "2018-02-02")
    assert (done.code, done.err) == (0, "")
    first, *reasons = done.out.splitlines()
    assert re.fullmatch(r"ticket 2018-W05 NO-TRADE /\S+", first)
    said = "\n".join(reasons)
    with opened(fresh_home) as conn:
        content = TicketContent.model_validate_json(tickets.get(conn, "2018-W05").content)
    failed = [gate for gate in content.gates if gate.outcome is Outcome.FAIL]
    assert failed
    for gate in failed:
        for words in (gate.code, gate.sentence, f"Seen: {gate.seen}", f"Allowed: {gate.allowed}", gate.remedy):
            assert words in said
    told = json.loads(run(fresh_home, "plan", "--direct", "--asof", "2018-02-02", "--json").out)
    assert (told["ticket"], told["verdict"], told["path"]) == ("2018-W05", "NO-TRADE", first.split()[-1])
    assert {r["rule"]: r["remedy"] for r in told["reasons"] if r["outcome"] == "FAIL"} == {
        gate.code: gate.remedy for gate in failed
    }


def test_a_broken_configuration_makes_no_home(tmp_path: Path) -> None:
    home = Settings(tmp_path / "home")
    policy = policy_with("seats: 15 ", "seats: many ")(tmp_path)
    refused(run(home, "init", "--policy", policy, "--universe", str(UNIVERSE)), "line 45, column 10", "sizing.seats")
    refused(run(home, "init", "--universe", universe_with(17, "USD", "GBp")(tmp_path)), "line 17, column currency")
    assert not home.home.exists()


def test_a_home_that_was_never_made_says_so(tmp_path: Path) -> None:
    home = Settings(tmp_path / "home")
    for words in (["plan", "--direct", "--asof", "2018-02-02"], ["ticket", "list"], ["server", "start"]):
        refused(run(home, *words), str(home.home), "trading-ops init")
    assert not home.home.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://postgres:secret@127.0.0.1:1/postgres", "127.0.0.1:1"),
        ("postgresql://postgres:secret@nowhere.invalid/postgres", "nowhere.invalid"),
        ("postgres:secret@here", "TRADING_OPS_DATABASE_URL"),
    ],
)
def test_a_database_that_is_down_is_named_without_its_password(lived: Settings, url: str, says: str) -> None:
    before = files_of(lived.home)
    done = run_apart(replace(lived, database_url=url), "ticket", "list")
    refused(done, says, "TRADING_OPS_DATABASE_URL")
    assert "secret" not in done.err
    assert files_of(lived.home) == before


def test_a_wrong_password_is_named_without_it(lived: Settings) -> None:
    assert lived.database_url is not None
    wrong = re.sub(r"//postgres:[^@]+@", "//postgres:guessed@", lived.database_url)
    assert wrong != lived.database_url
    done = run(replace(lived, database_url=wrong), "ticket", "list")
    refused(done, "127.0.0.1", "password")
    assert "guessed" not in done.err


def test_a_data_folder_of_another_version_is_left_alone(tmp_path: Path) -> None:
    home = Settings(tmp_path / "home")
    home.make_folders()
    home.postgres_dir.mkdir(mode=0o700)
    text_file(home.postgres_dir, "PG_VERSION", "13\n")
    before = files_of(home.home)
    for words in (["ticket", "list"], ["server", "start"], ["init", "--universe", str(UNIVERSE)]):
        refused(run(home, *words), str(home.postgres_dir), "PostgreSQL 13")
        assert files_of(home.home) == before


def test_a_second_server_is_not_started_beside_a_running_one(embedded_server: Server) -> None:
    home = embedded_server.settings
    pid = home.postgres_dir.joinpath("postmaster.pid").read_text().splitlines()[0]
    refused(run_apart(home, "server", "start"), "runs already", f"pid {pid}")
    refused(run_apart(home, "server", "stop"), "in use", f"pid {pid}")
    assert home.postgres_dir.joinpath("postmaster.pid").read_text().splitlines()[0] == pid


@pytest.mark.parametrize("words", [("plan", "--asof", "2018-02-02"), ("ticket", "list"), ("serve", "--port", "0")])
def test_a_home_of_an_older_version_says_what_to_run(fresh_home: Settings, words: tuple[str, ...]) -> None:
    with superuser(fresh_home) as conn:
        conn.execute("UPDATE ops_meta.schema_version SET version_num = '0003'")
    done = run(fresh_home, *words)
    assert done.code == 1
    assert "has schema 0003" in done.err
    assert "trading-ops init" in done.err
