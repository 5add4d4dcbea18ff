"""The commands about market data as a person meets them: fetch, sources, record, universe validate."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trading_ops.commands import fetching
from trading_ops.drill.server import Reply
from trading_ops.settings import Settings
from trading_ops.store import source_keys
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.integration import home_factory as factory
from trading_ops_tests.integration.command_line import Done, run
from trading_ops_tests.integration.intake_factory import Desk, desk, failing


@contextmanager
def commands(home: Settings, monkeypatch: pytest.MonkeyPatch, **policy: str) -> Iterator[Desk]:
    """A played home whose `prices fetch` asks the played sources at the played moment."""
    with desk(home, **policy) as d:
        monkeypatch.setattr(fetching, "fetch_round", lambda conn, settings, **more: d.fetch(**more))
        yield d


def test_fetch_says_what_came_and_from_whom(fresh_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with commands(fresh_home, monkeypatch, sources_min="2"):
        done = run(fresh_home, "prices", "fetch")
        assert done.code == 0, done
        assert re.search(r"tiingo +answers +4 +4", done.out)
        assert "Session 2026-01-09: 1260 new or restated bars" in done.out


def test_fetch_is_loud_about_a_dead_source_and_fails_without_bars(
    fresh_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with commands(fresh_home, monkeypatch, sources="[tiingo]", fx_sources="[ecb]") as d:
        d.server.answer = failing(d.market, "tiingo", Reply(b'{"detail":"Invalid token."}', 401))
        done = run(fresh_home, "prices", "fetch")
        assert done.code == 1
        assert "tiingo was given up" in done.out
        assert "secrets/secrets.env" in done.out
        assert "Without a bar of 2026-01-09: SPY, N00, N01, N02." in done.out
        told = json.loads(run(fresh_home, "prices", "fetch", "--json").out)
        assert told["lacking"] == ["SPY", "N00", "N01", "N02"]
        assert told["sources"][-2]["down"] == "KEY_REFUSED" or any(s["down"] for s in told["sources"])


def test_sources_says_who_can_be_asked_and_what_is_in_the_way(
    fresh_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with commands(fresh_home, monkeypatch) as d:
        d.fetch()
        shown = run(fresh_home, "prices", "sources")
        assert shown.code == 0
        assert "Set data.sources_min to 2" in shown.out
        rows = {r["source"]: r for r in json.loads(run(fresh_home, "prices", "sources", "--json").out)}
        assert rows["tiingo"]["last_answer"] == "2026-01-10 07:00 UTC"
        assert rows["ecb"]["prices"] == ""
        assert rows["ecb"]["fixings"] == "yes"
        write_secret(fresh_home.secrets_dir / source_keys.FILE, "")
        rows = {r["source"]: r for r in json.loads(run(fresh_home, "prices", "sources", "--json").out)}
        assert "STOOQ_APIKEY" in rows["stooq"]["state"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STOOQ_APIKEY\n", ("line 1", "NAME=value")),
        ("# a comment\n\nBLOOMBERG=abc\n", ("line 3", "BLOOMBERG is unknown")),
        ("TIINGO_TOKEN=a\nTIINGO_TOKEN=b\n", ("line 2", "twice")),
        ("TIINGO_TOKEN=your_token_here\n", ("line 1", "placeholder")),
        ("TIINGO_TOKEN=<token>\n", ("line 1", "placeholder")),
    ],
)
def test_a_broken_file_of_keys_is_refused_by_line_and_never_shown(
    fresh_home: Settings, text: str, words: tuple[str, ...]
) -> None:
    with desk(fresh_home):
        write_secret(fresh_home.secrets_dir / source_keys.FILE, text)
        refused(run(fresh_home, "prices", "sources"), "secrets.env", *words)


def test_a_file_of_keys_that_others_can_read_is_refused(fresh_home: Settings) -> None:
    with desk(fresh_home):
        (fresh_home.secrets_dir / source_keys.FILE).chmod(0o644)
        refused(run(fresh_home, "prices", "fetch"), "secrets.env", "chmod 600")
        found = run(fresh_home, "doctor")
        assert re.search(r"secrets.env +NO +0644", found.out)


def refused(done: Done, *words: str) -> None:
    """One sentence with these words, exit code 1, no traceback."""
    assert done.code == 1
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err, done.err


# ---------------------------------------------------------------- corporate actions by hand
def test_a_split_on_record_by_hand_counts_and_can_be_taken_back(fresh_home: Settings) -> None:
    with factory.opened(fresh_home) as conn:
        factory.set_up(conn)
        factory.load(conn, bars=factory.bars_table([("AAA", "2018-02-01", "100"), ("AAA", "2018-02-02", "50")]))
    assert "SUSPECT_SPLIT" in run(fresh_home, "prices", "passport", "AAA", "2018-02-02").out
    done = run(fresh_home, "prices", "record", "AAA", "2018-02-02", "split", "2:1", "--why", "8-K")
    assert done.code == 0
    shown = run(fresh_home, "prices", "passport", "AAA", "2018-02-02").out
    assert "split 2 (files)" in shown
    assert "SUSPECT" not in shown
    again = run(fresh_home, "prices", "record", "AAA", "2018-02-02", "split", "2", "--why", "8-K")
    assert "on record already" in again.out
    run(fresh_home, "prices", "record", "AAA", "2018-02-02", "split", "none", "--why", "a mistake")
    assert "SUSPECT_SPLIT" in run(fresh_home, "prices", "passport", "AAA", "2018-02-02").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("AAA", "2018-02-02", "split", "1:0"), "'1:0' is no split"),
        (("AAA", "2018-02-02", "split", "1:1"), "'1:1' is no split"),
        (("AAA", "2018-02-02", "split", "1e400"), "'1e400' is no split"),
        (("AAA", "2018-02-02", "split", "two"), "'two' is no split"),
        (("AAA", "2018-02-02", "dividend", "-1"), "'-1' is no dividend"),
        (("AAA", "2018-02-02", "dividend", "NaN"), "'NaN' is no dividend"),
        (("AAA", "2018-02-02", "merger", "2"), "'merger' is no corporate action"),
        (("AAA", "2018-02-03", "split", "2"), "2018-02-03 is not a session"),
        (("AAA", "yesterday", "split", "2"), "'yesterday' is not a date"),
        (("ZZZ", "2018-02-02", "split", "2"), "ZZZ"),
    ],
)
def test_a_corporate_action_that_is_none_is_refused(fresh_home: Settings, words: tuple[str, ...], said: str) -> None:
    with factory.opened(fresh_home) as conn:
        factory.set_up(conn)
    *most, value = words
    refused(run(fresh_home, "prices", "record", *most, "--why", "w", "--", value), said)
    with factory.opened(fresh_home) as conn:
        row = conn.execute("SELECT count(*) AS n FROM ops.price_loads").fetchone()
        assert row is not None
        assert row["n"] == 0


# ---------------------------------------------------------------- the universe in force
def test_universe_validate_reports_on_the_universe_in_force(fresh_home: Settings) -> None:
    with desk(fresh_home) as d:
        bad = run(fresh_home, "universe", "validate")
        assert bad.code == 1
        assert "N00: no bar at all" in bad.out
        d.fetch()
        rows = json.loads(run(fresh_home, "universe", "validate", "--format", "json").out)
        assert {n["symbol"]: n["sources"] for n in rows["names"]}.keys() == {"SPY", "N00", "N01", "N02"}
    refused(run(fresh_home, "universe", "validate", "--format", "pdf"), "'pdf'", "md or json")
