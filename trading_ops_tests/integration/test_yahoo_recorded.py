"""Every recorded answer of Yahoo goes through the real client and gives the right bars or the right refusal."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from trading_ops.providers.protocol import Fetched, Outcome, Refusal, RefusalKind, SplitHistory
from trading_ops_tests.integration.yahoo_answers import Recorded, history, opening, play, recorded_folder, result_of
from trading_ops_tests.unit.market_factory import real_rows

LATER = {
    "AAPL": (("2020-08-31", "4"),),
    "AMZN": (("2022-06-06", "20"),),
    "GOOG": (("2022-07-18", "20"),),
    "NVDA": (("2021-07-20", "4"), ("2024-06-10", "10")),
    "TSLA": (("2020-08-31", "5"), ("2022-08-25", "3")),
}
"""Splits of the recorded names up to the day of their answers, from their investor pages."""


@dataclass(frozen=True)
class Bars:
    """Bars that must come: how many, the first close as traded, and the actions."""

    close: str
    count: int = 1
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A refusal that must come, with a word of its sentence."""

    kind: RefusalKind
    says: str


HALF_A_CENT = Decimal("0.005")
"""What the other source keeps and Yahoo does not."""
CURRENCY, ELSE, SHAPE = RefusalKind.WRONG_CURRENCY, RefusalKind.NOT_ASKED_FOR, RefusalKind.NOT_MARKET_DATA
DIVIDENDS = (
    "2021-02-17 dividend 0.56",
    "2021-05-19 dividend 0.56",
    "2021-08-18 dividend 0.56",
    "2021-11-17 dividend 0.62",
)
TABLE: dict[str, Bars | Refused] = {
    "chart-0P000071W8.TO-2020-01-01-to-2020-01-03": Refused(CURRENCY, "CAD"),
    "chart-AAPL": Bars("164.32"),
    "chart-AAPL-2020-01-01-to-2020-01-03": Bars("300.35"),
    "chart-AAPL-2020-08-31-to-2020-11-07": Bars("129.04", 49, ("2020-08-31 split 4", "2020-11-06 dividend 0.205")),
    "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m": Refused(ELSE, "by 1m"),
    "chart-ABBV-2020-01-01-to-2020-01-03": Bars("89.55"),
    "chart-AFRAF-2020-01-01-to-2020-01-03": Bars("11.27"),
    "chart-AMZN-2020-01-01-to-2020-01-03": Bars("1898.01"),
    "chart-AZT.OL-2020-01-01-to-2020-01-03": Refused(CURRENCY, "NOK"),
    "chart-BABA-2020-01-01-to-2020-01-03": Bars("219.77"),
    "chart-BTC-USD-2020-01-01-to-2020-01-03": Refused(ELSE, "CRYPTOCURRENCY"),
    "chart-CRON-2020-01-01-to-2020-01-03": Bars("7.36"),
    "chart-EPAC-2020-01-01-to-2020-01-03": Bars("26.16"),
    "chart-EURUSD=X-2020-01-01-to-2020-01-03": Refused(ELSE, "CURRENCY"),
    "chart-GC=F-2020-01-01-to-2020-01-03": Refused(ELSE, "FUTURE"),
    "chart-GOOG-2020-01-01-to-2020-01-03": Bars("1367.37"),
    "chart-OCDO.L-2020-01-01-to-2020-01-03": Refused(CURRENCY, "GBp (pence)"),
    "chart-ORSTED.CO-2020-01-01-to-2020-01-03": Refused(CURRENCY, "DKK"),
    "chart-QQQ-2020-01-01-to-2020-01-03": Bars("216.16"),
    "chart-SPOT-2020-01-01-to-2020-01-03": Bars("151.62"),
    "chart-TSLA-2025-01-01-to-2025-01-02-interval-1h.fake": Refused(ELSE, "by 1h"),
    "chart-WSKT.JK-2020-01-01-to-2020-01-03": Refused(CURRENCY, "IDR"),
    "chart-WSU.DE-2023-08-04-to-2023-08-09": Refused(CURRENCY, "EUR"),
    "chart-notimestamp-quotes-length.fake": Refused(SHAPE, "0 dates and 1 values"),
    "chart-notimestamp-weird-quote.fake": Refused(SHAPE, "0 dates and 1 values"),
    "historical-via-chart-0P000071W8.TO-2020-01-01-to-2020-01-03": Refused(CURRENCY, "CAD"),
    "historical-via-chart-0P0000XTS7-2024-09-12-to-2024-09-16": Refused(ELSE, "MUTUALFUND"),
    "historical-via-chart-AAPL-2020-01-01-to-2020-01-03": Bars("300.35"),
    "historical-via-chart-ABBV-2020-01-01-to-2020-01-03": Bars("89.55"),
    "historical-via-chart-AFRAF-2020-01-01-to-2020-01-03": Bars("11.27"),
    "historical-via-chart-AMZN-2020-01-01-to-2020-01-03": Bars("1898.01"),
    "historical-via-chart-AZT.OL-2020-01-01-to-2020-01-03": Refused(CURRENCY, "NOK"),
    "historical-via-chart-BABA-2020-01-01-to-2020-01-03": Bars("219.77"),
    "historical-via-chart-BTC-USD-2020-01-01-to-2020-01-03": Refused(ELSE, "CRYPTOCURRENCY"),
    "historical-via-chart-CRON-2020-01-01-to-2020-01-03": Bars("7.36"),
    "historical-via-chart-EPAC-2020-01-01-to-2020-01-03": Bars("26.16"),
    "historical-via-chart-EURUSD=X-2020-01-01-to-2020-01-03": Refused(ELSE, "CURRENCY"),
    "historical-via-chart-GC=F-2020-01-01-to-2020-01-03": Refused(ELSE, "FUTURE"),
    "historical-via-chart-GOOG-2020-01-01-to-2020-01-03": Bars("1367.37"),
    "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv": Bars("239.65", 252, DIVIDENDS),
    "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv": Bars("529.48", 252, ("2021-07-20 split 4",)),
    "historical-via-chart-OCDO.L-2020-01-01-to-2020-01-03": Refused(CURRENCY, "GBp (pence)"),
    "historical-via-chart-ORSTED.CO-2020-01-01-to-2020-01-03": Refused(CURRENCY, "DKK"),
    "historical-via-chart-QQQ-2020-01-01-to-2020-01-03": Bars("216.16"),
    "historical-via-chart-SPOT-2020-01-01-to-2020-01-03": Bars("151.62"),
    "historical-via-chart-WSKT.JK-2020-01-01-to-2020-01-03": Refused(CURRENCY, "IDR"),
    # It was asked for dividends only, so both splits of its thirteen years are missing.
    "historical-via-chart-dividends-TSLA-no-dividends": Refused(RefusalKind.SPLIT_CONTRADICTION, "5:1 on 2020-08-31"),
}  # fmt: skip


def replay(recorded: Recorded, splits: SplitHistory | None) -> Outcome:
    """What the real client makes of a recorded answer."""
    kind = "etf" if recorded.symbol in ("QQQ", "SPY") else "stock"
    with play(recorded.reply()) as (yahoo, _):
        return yahoo.fetch(recorded.ask(splits, kind))


def all_splits(recorded: Recorded) -> SplitHistory:
    """The whole split history of a recorded name up to the day of its answer."""
    return history(*LATER.get(recorded.symbol, ()), through=recorded.at.date())


def told(outcome: Outcome) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Bars, and actions as text."""
    assert isinstance(outcome, Fetched), outcome
    actions = (f"{a['ex_date']} {a['kind']} {a['value'].normalize():f}" for a in outcome.actions.to_pylist())
    return outcome.bars.to_pylist(), tuple(actions)


def test_the_table_names_every_recorded_file_and_no_other() -> None:
    assert {file.name.removesuffix(".json") for file in recorded_folder().glob("*.json")} == set(TABLE)


@pytest.mark.parametrize("file", TABLE)
def test_a_recorded_answer_comes_out_as_the_table_says(file: str) -> None:
    recorded, expected = Recorded(f"{file}.json"), TABLE[file]
    outcome = replay(recorded, all_splits(recorded))
    if isinstance(expected, Refused):
        assert isinstance(outcome, Refusal)
        assert (outcome.kind, expected.says in outcome.sentence) == (expected.kind, True), outcome
        assert outcome.answer is not None
        return
    bars, actions = told(outcome)
    assert (len(bars), bars[0]["close"], actions) == (expected.count, Decimal(expected.close), expected.actions)
    assert all(bar["adj_close"] == bar["close"] and "NOT_ADJUSTED" in bar["flags"] for bar in bars)


@pytest.mark.parametrize("file", [file for file, expected in TABLE.items() if isinstance(expected, Bars)])
def test_without_the_split_history_the_basis_is_unknown_and_no_bar_comes(file: str) -> None:
    outcome = replay(Recorded(f"{file}.json"), None)
    assert isinstance(outcome, Refusal)
    assert outcome.kind is RefusalKind.UNCONFIRMED_BASIS
    assert "Look up whether" in outcome.sentence


def test_a_split_history_that_ends_before_the_answer_is_not_enough() -> None:
    recorded = Recorded("historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json")
    outcome = replay(recorded, history(("2021-07-20", "4"), through=recorded.at.date() - dt.timedelta(days=300)))
    assert isinstance(outcome, Refusal)
    assert outcome.kind is RefusalKind.UNCONFIRMED_BASIS


def test_every_recorded_price_comes_back_in_whole_cents() -> None:
    """No recorded number needs more than two decimals once the noise of its float is gone."""
    for file, expected in TABLE.items():
        recorded = Recorded(f"{file}.json")
        if isinstance(expected, Bars):
            bars, _ = told(replay(recorded, all_splits(recorded)))
            prices = [bar[name] for bar in bars for name in ("open", "high", "low", "close")]
            assert [price for price in prices if price != round(price, 2)] == []


def with_its_splits() -> Recorded:
    """TSLA's thirteen years with the events of its two splits, as Yahoo sends them when it is asked for them."""
    recorded = Recorded("historical-via-chart-dividends-TSLA-no-dividends.json")
    result_of(recorded.chart)["events"] = {
        "splits": {
            day: {"date": opening(dt.date.fromisoformat(day)), "numerator": int(ratio), "denominator": 1}
            for day, ratio in LATER["TSLA"]
        }
    }
    return recorded


def test_thirteen_years_come_out_as_another_source_recorded_them() -> None:
    """TSLA was divided by 15 in all; put back, 2,718 of 2,722 closes are the other source's to half a cent."""
    recorded = with_its_splits()
    rows = real_rows("equities_2005_2021.parquet", recorded.first, recorded.last, ["TSLA"])
    others = {row["date"]: Decimal(str(row["close"])) for row in rows}
    bars, actions = told(replay(recorded, all_splits(recorded)))
    closes = {bar["session"]: bar["close"] for bar in bars}
    apart = {str(day): closes[day] - close for day, close in others.items() if abs(closes[day] - close) > HALF_A_CENT}
    assert (len(bars), len(others)) == (3303, 2722)
    assert list(apart) == ["2012-05-22", "2012-05-24", "2013-02-14", "2017-08-11"]
    assert max(map(abs, apart.values())) < Decimal("0.16")
    assert actions == ("2020-08-31 split 5", "2022-08-25 split 3")
    assert closes[dt.date(2020, 8, 28)] == Decimal("2213.40")
    assert closes[dt.date(2020, 8, 31)] == Decimal("498.32")


def test_thirteen_years_without_a_history_from_elsewhere_still_need_one() -> None:
    """The answer carries its own splits, but ends eighteen months before it was asked for."""
    outcome = replay(with_its_splits(), None)
    assert isinstance(outcome, Refusal)
    assert outcome.kind is RefusalKind.UNCONFIRMED_BASIS
