"""The quality report: what it counts and what a person reads."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

from trading_ops.domain import calendar
from trading_ops.domain.prices import MarketView, Witness
from trading_ops.domain.quality import evaluate_data_quality
from trading_ops.domain.quality_report import QualityReport, quality_report, to_markdown
from trading_ops_tests.unit.market_factory import flat_bars, make_bar, make_market, make_policy, make_universe

D = dt.date(2018, 2, 2)
WEEK = calendar.window_of_sessions(D, 6)
POLICY = make_policy(data={"sources_min": 1})


def report(market: MarketView) -> QualityReport:
    universe = make_universe("AAA", "BBB", "CCC")
    quality = evaluate_data_quality(market, universe, {}, WEEK[0], frozenset(), frozenset(), POLICY)
    return quality_report(market, universe, quality, POLICY.data)


def calm() -> MarketView:
    return make_market(D, flat_bars(["AAA", "BBB", "CCC", "SPY"], D, 40))


def test_calm_data_has_nothing_to_say() -> None:
    found = report(calm())
    assert (found.expected, found.valid, found.share) == (3, 3, 1)
    assert [(s.source, s.chosen, s.witness, s.disagrees) for s in found.sources] == [("test", 3, 0, 0)]
    assert found.fixing == f"1.4 of {D} (test)"
    text = to_markdown(found)
    assert "3 of 3 expected names have a valid bar (100.00 %); none confirmed" in text
    assert "Nothing is missing, stale, stored twice or suspicious." in text


def test_what_is_missing_silent_and_odd_is_named() -> None:
    market = calm()
    bars = {symbol: dict(of_symbol) for symbol, of_symbol in market.bars.items()}
    del bars["AAA"][D]
    bars["BBB"][D] = make_bar("BBB", D, volume=Decimal(0))
    bars["CCC"][D] = make_bar("CCC", D, "50")
    found = report(replace(market, bars=bars))
    assert found.missing == (("AAA", WEEK[-2]),)
    assert found.silent == ("BBB",)
    assert [(o.symbol, o.code, o.likely) for o in found.outliers] == [("CCC", "SUSPECT_SPLIT", "UNCLEAR")]
    assert found.outliers[0].look_up
    text = to_markdown(found)
    for words in (f"AAA: newest bar {WEEK[-2]}", "No shares traded", "SUSPECT_SPLIT: CCC", "Probably UNCLEAR"):
        assert words in text


def test_sources_are_counted_by_what_they_give_and_where_they_disagree() -> None:
    witnesses = {
        "AAA": {D: (Witness("AAA", D, Decimal(100), "second"),)},
        "BBB": {D: (Witness("BBB", D, Decimal(90), "second"),)},
    }
    found = report(replace(calm(), witnesses=witnesses))
    assert [(s.source, s.chosen, s.witness, s.disagrees) for s in found.sources] == [
        ("test", 3, 0, 1), ("second", 0, 2, 1),
    ]  # fmt: skip
    assert found.confirmed == 1


def test_coverage_counts_the_newest_sessions_by_source() -> None:
    market = calm()
    bars = {symbol: dict(of_symbol) for symbol, of_symbol in market.bars.items()}
    del bars["AAA"][WEEK[-3]]
    bars["BBB"][D] = make_bar("BBB", D, source="other")
    found = report(replace(market, bars=bars))
    assert len(found.coverage) == 30
    assert dict(found.coverage)[D] == {"other": 1, "test": 2}
    assert dict(found.coverage)[WEEK[-3]] == {"": 1, "test": 2}


def test_it_can_be_stored_and_read_as_json() -> None:
    stored = json.loads(json.dumps(report(calm()).as_dict()))
    assert stored["coverage"] == "1.0000"
    assert len(stored["sessions"]) == 30
