"""A whole history through every quality rule: the real one against what is known of it, and small ones with faults."""

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from trading_ops.commands import history as command
from trading_ops.domain import calendar, moves
from trading_ops.domain.errors import BadInput
from trading_ops.domain.move_classes import MoveClass
from trading_ops.domain.moves import classify
from trading_ops.domain.universe import parse_universe
from trading_ops.history.by_hand import compare, read_by_hand
from trading_ops.history.examine import examine
from trading_ops.history.findings import Code, History, Margin, count
from trading_ops.history.margin import undistributed
from trading_ops.history.report import markdown, rows
from trading_ops.providers.files import FilesProvider
from trading_ops.providers.protocol import ACTIONS, BARS, Fetched, Request
from trading_ops.settings import Settings
from trading_ops.store import price_history
from trading_ops_tests.integration import home_factory
from trading_ops_tests.unit.market_factory import ROOT, committed_policy, shared_market_folder

BY_HAND = ROOT / "trading_ops_tests" / "unit" / "moves_by_hand.csv"
DATA = committed_policy().data
THRESHOLDS = (
    "QUIET_VOLUME", "HEAVY_VOLUME", "LOUD_VOLUME", "QUIET_RANGE", "OWN_HABIT", "MARKET_MOVE", "MARKET_TIMES",
    "OVERNIGHT", "MOST_GIVEN", "HALF",
)  # fmt: skip


# ---- the real history


@pytest.fixture(scope="module")
def real() -> History:
    folder = shared_market_folder()
    universe = parse_universe((folder / "universe.csv").read_text("utf-8"), "universe.csv")
    outcome = FilesProvider(folder).fetch(Request(universe, skip_unknown=True))
    assert isinstance(outcome, Fetched)
    funds = {i.symbol for i in universe.instruments.values() if i.instrument_type == "etf"}
    return examine(outcome.bars, outcome.actions, DATA.benchmark, DATA, funds=funds, with_margin=True)


def margin_of(history: History) -> Margin:
    assert history.margin is not None
    return history.margin


def test_every_bar_is_looked_at_and_the_known_faults_are_found(real: History) -> None:
    stocks, funds = real.coverage
    assert (stocks.bars, stocks.names, stocks.missing, stocks.zero_volume) == (585_572, 150, 25, 32)
    assert (funds.bars, funds.names, funds.missing) == (10_701, 3, 0)
    assert stocks.expected == stocks.bars + stocks.missing
    numbers = {code: len(real.of_code(code)) for code in Code}
    assert numbers == {
        Code.OFF_CALENDAR_BAR: 0,
        Code.DUPLICATE_BAR: 0,
        Code.INVALID_BAR: 0,
        Code.MISSING_BAR: 25,
        Code.ENDS_EARLY: 3,
        Code.ZERO_VOLUME: 32,
        Code.SPECIAL_DISTRIBUTION: 25,
        Code.ADJUSTMENT_UNEXPLAINED: 3,
        Code.SPLIT_NOISE: 13,
    }
    odd = {(f.symbol, str(f.session)) for f in real.of_code(Code.ADJUSTMENT_UNEXPLAINED)}
    assert odd == {("TRMB", "2007-02-23"), ("TMUS", "2013-05-01"), ("IWM", "2005-06-09")}


def test_the_large_moves_are_what_the_list_made_by_hand_says(real: History) -> None:
    comparison = compare(real.moves, read_by_hand(BY_HAND))
    print("\n" + comparison.sentence())
    for row in comparison.counts:
        print(f"  {row.group} {row.kind}: {row.right} of {row.total}")
    assert comparison.wrong == ()
    assert comparison.sums("stocks") == (51, 51)
    assert comparison.sums("funds") == (1, 1)
    assert "51 closes of stocks and 1 close of funds moved" in markdown(real)


def test_the_gate_freezes_every_one_of_them(real: History) -> None:
    assert [m.move.symbol for m in real.moves if not m.gate] == []


def test_splits_taken_off_the_record_are_found_again(real: History) -> None:
    found = count(verdict.kind for _, verdict in margin_of(real).unrecorded)
    print(f"\nsplits taken off the record: {dict(found)}")
    assert sum(found.values()) == 73
    assert found[MoveClass.MISSING_SPLIT] >= 62
    assert found[MoveClass.GENUINE] == 0  # the one answer that would let a wrong price through


def test_no_smaller_move_is_taken_for_a_missing_split(real: History) -> None:
    narrow = margin_of(real).narrow
    found = count(verdict.kind for _, verdict in narrow)
    print(f"\nmoves between {margin_of(real).narrowest} and {DATA.jump_max}: {dict(found)}")
    assert len(narrow) == 156
    assert found[MoveClass.MISSING_SPLIT] == found[MoveClass.SPURIOUS_SPLIT] == 0
    assert found[MoveClass.UNCLEAR] <= 5


def test_distributions_taken_off_the_record_are_never_taken_for_trading(real: History) -> None:
    large = [m.move for m in real.moves if m.move.distribution > DATA.special_distribution * m.move.previous_close]
    found = count(classify(undistributed(move), DATA).kind for move in large)
    print(f"\ndistributions taken off the record: {dict(found)}")
    assert len(large) == 13
    assert found[MoveClass.GENUINE] == found[MoveClass.SPURIOUS_SPLIT] == 0
    assert found[MoveClass.SPECIAL_DISTRIBUTION] + found[MoveClass.SPLIT_AND_DISTRIBUTION] >= 7


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("factor", ["0.8", "1.2"])
def test_the_classes_do_not_hang_on_a_threshold(
    real: History, monkeypatch: pytest.MonkeyPatch, name: str, factor: str
) -> None:
    monkeypatch.setattr(moves, name, getattr(moves, name) * Decimal(factor))
    other = [kind for m in real.moves if (kind := classify(m.move, DATA).kind) is not m.verdict.kind]
    assert len(other) <= 1
    assert set(other) <= {MoveClass.UNCLEAR}  # what changes is no longer decided, never decided otherwise
    narrow = count(classify(move, DATA).kind for move, _ in margin_of(real).narrow)
    assert narrow[MoveClass.MISSING_SPLIT] == 0


def test_no_rule_knows_a_name() -> None:
    names = {symbol for symbol, _ in read_by_hand(BY_HAND)}
    rooms = [*(ROOT / "trading_ops" / "domain").glob("move*.py"), *(ROOT / "trading_ops" / "history").glob("*.py")]
    assert len(rooms) >= 10
    for room in rooms:
        words = set(re.findall(r"(?<![\w.])[A-Z][A-Z.]*(?!\w)", room.read_text("utf-8")))
        assert not names & words, (room, names & words)


def test_the_report_names_every_move_with_evidence_and_what_to_look_up(real: History) -> None:
    text = markdown(real, compare(real.moves, read_by_hand(BY_HAND)))
    for large in real.moves:
        start = text.index(f"### {large.move.symbol} {large.move.session}: {large.verdict.kind}")
        part = text[start : text.index("\n#", start + 4)]
        assert part.count("\n- ") >= 7
        assert f"- To do: {large.verdict.look_up}" in part
    assert "51 of 51 large moves of stocks are as the list made by hand says, and 1 of 1 of funds." in text
    assert "| MISSING_SPLIT | 62 | 0 |" in text


def test_the_rows_are_json(real: History) -> None:
    found = json.loads(json.dumps(rows(real, compare(real.moves, read_by_hand(BY_HAND)))))
    assert len(found["moves"]) == 52
    assert found["moves"][0]["class"] == "GENUINE"
    assert found["margin"]["narrow_moves"]["MISSING_SPLIT"] == 0
    assert found["against"]["wrong"] == []


# ---- small histories with faults

FIRST, LAST = dt.date(2018, 1, 2), dt.date(2018, 3, 29)
SESSIONS = calendar.sessions(FIRST, LAST)


def bar(symbol: str, session: dt.date, close: str = "100", **changes: Any) -> dict[str, Any]:
    price = Decimal(close)
    row = dict.fromkeys(("open", "close", "adj_close"), price)
    row |= {"high": price * Decimal("1.01"), "low": price * Decimal("0.99"), "volume": Decimal(1_000_000)}
    return {"symbol": symbol, "session": session, **row, "source": "files", "flags": "", **changes}


def calm(*symbols: str, **changes: Any) -> list[dict[str, Any]]:
    return [bar(symbol, session, **changes) for symbol in (*symbols, "SPY") for session in SESSIONS]


def action(symbol: str, ex_date: dt.date, kind: str, value: str, source: str = "files") -> dict[str, Any]:
    return {"symbol": symbol, "ex_date": ex_date, "kind": kind, "value": Decimal(value), "source": source}


def examined(bars: list[dict[str, Any]], *actions: dict[str, Any], **options: Any) -> History:
    tables = pa.Table.from_pylist(bars, schema=BARS), pa.Table.from_pylist(list(actions), schema=ACTIONS)
    return examine(*tables, DATA.benchmark, DATA, **options)


def seen(history: History) -> set[tuple[str, str, str]]:
    return {(f.code, f.symbol, str(f.session)) for f in history.findings}


def after(bars: list[dict[str, Any]], session: dt.date, close: str) -> list[dict[str, Any]]:
    """The same bars with another price of AAA from a session on."""
    return [bar("AAA", b["session"], close) if b["symbol"] == "AAA" and b["session"] >= session else b for b in bars]


def test_a_clean_history_has_no_findings() -> None:
    history = examined(calm("AAA"), with_margin=True, funds={"SPY"})
    assert (history.findings, history.moves, margin_of(history).unrecorded) == ((), (), ())
    assert [(c.group, c.names, c.bars, c.expected) for c in history.coverage] == [
        ("stocks", 1, len(SESSIONS), len(SESSIONS)),
        ("funds", 1, len(SESSIONS), len(SESSIONS)),
    ]
    assert "0 closes of stocks moved" in markdown(history)


def test_an_empty_history_is_no_error() -> None:
    history = examined([], with_margin=True)
    assert (history.coverage, history.findings, history.moves) == ((), (), ())
    assert "There is no bar to look at." in markdown(history)


def test_faults_of_single_bars_are_named() -> None:
    bars = calm("AAA", "BBB", "CCC")
    del bars[10]
    bars[20] |= {"low": Decimal(101)}
    bars[21] |= {"volume": Decimal(0)}
    bars.append(dict(bars[30]))
    bars.append(bar("BBB", dt.date(2018, 1, 6)))
    bars = [b for b in bars if not (b["symbol"] == "CCC" and b["session"] > dt.date(2018, 3, 1))]
    history = examined(bars)
    assert seen(history) == {
        ("MISSING_BAR", "AAA", str(SESSIONS[10])),
        ("INVALID_BAR", "AAA", str(SESSIONS[21])),
        ("ZERO_VOLUME", "AAA", str(SESSIONS[22])),
        ("DUPLICATE_BAR", "AAA", str(SESSIONS[31])),
        ("OFF_CALENDAR_BAR", "BBB", "2018-01-06"),
        ("ENDS_EARLY", "CCC", "2018-03-01"),
    }
    (coverage,) = history.coverage
    assert (coverage.missing, coverage.invalid, coverage.zero_volume) == (1, 1, 1)


def test_a_move_is_judged_over_a_bar_that_cannot_be() -> None:
    bars = after(calm("AAA"), SESSIONS[41], "50")
    bars[40] |= {"close": Decimal(50)}  # below its own low
    (large,) = examined(bars).moves
    assert (large.move.previous_session, large.move.session) == (SESSIONS[39], SESSIONS[41])
    assert large.verdict.kind is MoveClass.MISSING_SPLIT
    assert large.gate == "SUSPECT_SPLIT"


def test_a_bar_off_the_calendar_hides_no_move() -> None:
    monday = dt.date(2018, 3, 5)
    bars = [*after(calm("AAA"), monday, "50"), bar("AAA", dt.date(2018, 3, 3), "50")]
    (large,) = examined(bars).moves
    assert (large.move.previous_session, large.move.session) == (dt.date(2018, 3, 2), monday)


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        ([], MoveClass.MISSING_SPLIT),
        ([("split", "2")], None),
        ([("split", "1.99999")], None),
        ([("split", "0")], MoveClass.MISSING_SPLIT),  # its source took it back
        ([("dividend", "50")], MoveClass.SPECIAL_DISTRIBUTION),
        ([("split", "0.5")], MoveClass.UNCLEAR),
    ],
)
def test_a_halved_price_by_what_is_on_record(actions: list[tuple[str, str]], kind: MoveClass | None) -> None:
    known = [action("AAA", SESSIONS[40], what, value) for what, value in actions]
    history = examined(after(calm("AAA"), SESSIONS[40], "50"), *known)
    assert [m.verdict.kind for m in history.moves] == ([] if kind is None else [kind])
    assert any(f.code is Code.SPLIT_NOISE for f in history.findings) == (("split", "1.99999") in actions)


def test_the_first_source_in_the_policys_order_is_judged_and_every_source_is_counted() -> None:
    worse = [{**row, "source": "yahoo"} for row in after(calm("AAA"), SESSIONS[40], "50")]
    history = examined(calm("AAA") + worse)
    assert [(c.source, c.bars) for c in history.coverage] == [
        ("files", 2 * len(SESSIONS)),
        ("yahoo", 2 * len(SESSIONS)),
    ]
    assert history.moves == ()
    assert not history.of_code(Code.DUPLICATE_BAR)


@pytest.mark.parametrize(("flags", "kinds"), [("", []), ("ACTIONS_UNKNOWN", [MoveClass.SPURIOUS_SPLIT])])
def test_another_sources_split_counts_only_where_the_first_would_not_have_told_of_it(
    flags: str, kinds: list[MoveClass]
) -> None:
    told = action("AAA", SESSIONS[40], "split", "2", source="yahoo")
    assert [m.verdict.kind for m in examined(calm("AAA", flags=flags), told).moves] == kinds


def test_a_split_on_a_session_without_a_bar_counts_for_the_next_one() -> None:
    bars = after(calm("AAA"), SESSIONS[40], "50")
    del bars[40]
    history = examined(bars, action("AAA", SESSIONS[40], "split", "2"), with_margin=True)
    assert history.moves == ()
    assert [(m.session, m.previous_session) for m, _ in margin_of(history).unrecorded] == [(SESSIONS[41], SESSIONS[39])]


def test_of_two_sources_that_tell_of_a_split_the_first_counts() -> None:
    both = [action("AAA", SESSIONS[40], "split", ratio, source) for ratio, source in (("3", "yahoo"), ("2", "files"))]
    halved = after(calm("AAA"), SESSIONS[40], "50")
    assert examined(halved, *both).moves == ()
    assert examined(halved, *reversed(both)).moves == ()


def test_an_adjusted_close_that_counts_more_than_is_on_record_is_found() -> None:
    bars = calm("AAA")
    for row in bars[:40]:
        row["adj_close"] = Decimal(50)
    assert seen(examined(bars)) == {("ADJUSTMENT_UNEXPLAINED", "AAA", str(SESSIONS[40]))}
    for row in bars[:40]:
        row["flags"] = "NOT_ADJUSTED"
    assert seen(examined(bars)) == set()


def test_the_adjusted_closes_of_two_sources_are_not_compared() -> None:
    bars = calm("AAA")
    for row in bars[:40]:
        row |= {"adj_close": Decimal(50), "source": "yahoo"}
    assert seen(examined(bars)) == set()


def test_a_distribution_the_price_did_not_fall_by_is_doubted() -> None:
    paid = action("AAA", SESSIONS[40], "dividend", "30")
    fell = examined(after(calm("AAA"), SESSIONS[40], "71"), paid).of_code(Code.SPECIAL_DISTRIBUTION)
    stayed = examined(calm("AAA"), paid).of_code(Code.SPECIAL_DISTRIBUTION)
    assert "30.0 % of the previous close; the session comes to -29.0 % without and +1.0 % with it." in fell[0].sentence
    assert "did not fall by it" not in fell[0].sentence
    assert "did not fall by it" in stayed[0].sentence


def test_a_dividend_of_a_tenth_is_not_special() -> None:
    tenth = examined(calm("AAA"), action("AAA", SESSIONS[40], "dividend", "10"))
    more = examined(calm("AAA"), action("AAA", SESSIONS[40], "dividend", "10.0000000001"))
    assert [len(h.of_code(Code.SPECIAL_DISTRIBUTION)) for h in (tenth, more)] == [0, 1]


@pytest.mark.parametrize(("close", "found"), [("140", 0), ("140.000001", 1)])
def test_a_move_is_large_beyond_the_factor_not_at_it(close: str, found: int) -> None:
    assert len(examined(after(calm("AAA"), SESSIONS[40], close)).moves) == found


# ---- the list made by hand


def list_of(folder: Path, *lines: str) -> Path:
    path = folder / "by_hand.csv"
    path.write_text("\n".join(("symbol,session,class,fact", *lines)) + "\n", "utf-8")
    return path


def test_what_differs_from_the_list_is_named(tmp_path: Path) -> None:
    history = examined(after(calm("AAA", "BBB"), SESSIONS[40], "50"))
    day = SESSIONS[40]
    wrong = compare(history.moves, read_by_hand(list_of(tmp_path, f"AAA,{day},GENUINE,", f"BBB,{day},GENUINE,")))
    assert wrong.wrong == (
        f"AAA {day}: MISSING_SPLIT, and GENUINE by hand.",
        f"BBB {day}: GENUINE by hand, and the history has no such move.",
    )
    assert wrong.sums("stocks") == (0, 2)
    assert compare(history.moves, {}).wrong == (f"AAA {day}: MISSING_SPLIT, and it is not on the list.",)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("AAA,3.1.2018,GENUINE,", "line 2, column session: '3.1.2018' is not a date"),
        ("AAA,2018-01-03,SPLIT,", "line 2, column class: 'SPLIT' is not a class"),
        ("AAA,2018-01-03,GENUINE,\nAAA,2018-01-03,UNCLEAR,", "line 3: AAA 2018-01-03 stands twice"),
    ],
)
def test_a_wrong_line_of_the_list_is_named(tmp_path: Path, line: str, named: str) -> None:
    with pytest.raises(BadInput, match=re.escape(named)):
        read_by_hand(list_of(tmp_path, line))


# ---- the command, and the database


def run(*words: str, env: dict[str, str] | None = None) -> Any:
    app = typer.Typer()
    app.command()(command.history)
    return CliRunner().invoke(app, list(words), env=env)


def market_folder(folder: Path, rows_of_bars: list[dict[str, Any]]) -> Path:
    text = ["symbol,date,open,high,low,close,adj_close,volume,dividend,split_coefficient"]
    for row in rows_of_bars:
        numbers = (row[name] for name in ("open", "high", "low", "close", "adj_close", "volume"))
        text.append(f"{row['symbol']},{row['session']},{','.join(map(str, numbers))},0,1")
    (folder / "prices.csv").write_text("\n".join(text) + "\n", "utf-8")
    (folder / "universe.csv").write_text(home_factory.UNIVERSE, "utf-8")
    return folder


def test_the_command_ends_with_1_when_the_list_says_otherwise(tmp_path: Path) -> None:
    folder = market_folder(tmp_path, after(calm("AAA"), SESSIONS[40], "50"))
    right = list_of(tmp_path, f"AAA,{SESSIONS[40]},MISSING_SPLIT,")
    done = run("--path", str(folder / "prices.csv"), "--against", str(right))
    assert (done.exit_code, "1 of 1 large moves of stocks" in done.output) == (0, True), done.output
    wrong = list_of(tmp_path, f"AAA,{SESSIONS[40]},GENUINE,")
    done = run("--path", str(folder / "prices.csv"), "--against", str(wrong))
    assert done.exit_code == 1
    assert f"AAA {SESSIONS[40]}: MISSING_SPLIT, and GENUINE by hand." in done.output


def test_the_command_prints_rows_for_programs(tmp_path: Path) -> None:
    folder = market_folder(tmp_path, after(calm("AAA"), SESSIONS[40], "50"))
    found = json.loads(run("--path", str(folder / "prices.csv"), "--json").stdout)
    assert [m["proposal"] for m in found["moves"]] == [f"split 2:1 on {SESSIONS[40]}"]


def test_a_folder_that_is_refused_says_why(tmp_path: Path) -> None:
    done = run("--path", str(tmp_path / "nowhere"))
    assert isinstance(done.exception, BadInput)
    assert "there is no such file or folder" in str(done.exception)


def test_what_is_on_record_is_examined_in_its_newest_revision(fresh_home: Settings) -> None:
    bars = after(calm("AAA"), SESSIONS[40], "50")
    with home_factory.opened(fresh_home) as conn:
        home_factory.set_up(conn)
        empty = price_history.read(conn)
        assert [table.num_rows for table in empty] == [0, 0]
        home_factory.load(conn, bars=pa.Table.from_pylist(bars, schema=BARS))
        known = [action("AAA", SESSIONS[40], "split", "3"), action("AAA", SESSIONS[41], "dividend", "1")]
        home_factory.load(conn, actions=pa.Table.from_pylist(known, schema=ACTIONS))
        again = [action("AAA", SESSIONS[40], "split", "0"), action("AAA", SESSIONS[41], "dividend", "2")]
        home_factory.load(conn, actions=pa.Table.from_pylist(again, schema=ACTIONS))
        stored, actions = price_history.read(conn)
    assert stored.schema.types == BARS.types
    assert sorted(actions["value"].to_pylist()) == [Decimal(0), Decimal(2)]
    key = [("symbol", "ascending"), ("session", "ascending")]
    assert stored.sort_by(key).to_pylist() == pa.Table.from_pylist(bars, schema=BARS).sort_by(key).to_pylist()
    done = run("--json", env=fresh_home.to_env())
    found = json.loads(done.stdout)
    assert [(m["symbol"], m["class"]) for m in found["moves"]] == [("AAA", "MISSING_SPLIT")]
    assert [c["group"] for c in found["coverage"]] == ["stocks", "funds"]
