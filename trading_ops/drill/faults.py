"""Every scenario of the drill: nothing wrong, one source failing, several, sources that disagree, no fixing.

Belongs here: the list, and scenarios with more than one source in them. Does not belong here: one failing source
(`faults_of_one`), or playing them (`run`).
"""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from functools import partial

from trading_ops.drill import cells, damage, faults_of_one, fields
from trading_ops.drill.faults_of_one import BOUGHT, SPLIT, TIINGO_FIRST, YAHOO_FIRST
from trading_ops.drill.played import PlayedMarket
from trading_ops.drill.scenario import EVERY_NAME, FIXINGS, Expected, Fault, Scenario
from trading_ops.drill.stage import BENCHMARK, HELD, LAST_LOADED
from trading_ops.providers.protocol import RefusalKind as Kind

_DOWN = damage.page(status=503)
_FRIDAY = slice(-1, None)
_HIGHER = cells.times("1.01", _FRIDAY)


def jumped(market: PlayedMarket, symbol: str, factor: Decimal) -> PlayedMarket:
    """The market in which a name's prices are higher from the missing week's Wednesday on."""
    from_day = dt.date(2025, 2, 5)
    bars = {
        day: bar if day < from_day else replace(
            bar, open=bar.open * factor, high=bar.high * factor, low=bar.low * factor, close=bar.close * factor
        )
        for day, bar in market.bars[symbol].items()
    }  # fmt: skip
    return replace(market, bars={**market.bars, symbol: bars})


NOTHING = (
    Scenario("nothing wrong", "good answers"),
    Scenario("nothing wrong, Yahoo first", "good answers", order=YAHOO_FIRST,
             expected=Expected(sources=("tiingo", "yahoo"))),
)  # fmt: skip


def _alone(source: str, *down: str, frozen: tuple[str, ...] = (HELD, BENCHMARK)) -> Scenario:
    """The one source that is left cannot be confirmed by any other: not the benchmark, and not what is held."""
    expected = Expected(
        "NO-TRADE", ("NAMES_FROZEN",), dict.fromkeys(down, (Kind.SERVER_ERROR,)), tuple(sorted(down)), (source,),
        frozen=frozen,
    )  # fmt: skip
    faults = tuple(Fault(name, _DOWN, EVERY_NAME) for name in down)
    return Scenario(f"{source} alone", f"503 from {' and '.join(down)}", faults, expected)


_ALL_DEAD = ("DATA_COVERAGE", "BENCHMARK_MISSING", "VALUATION_INCOMPLETE")
SEVERAL = (
    _alone("yahoo", "stooq", "tiingo"),
    _alone("tiingo", "stooq", "yahoo"),
    # Stooq tells of no corporate actions, so the split looks like one that nobody recorded.
    _alone("stooq", "tiingo", "yahoo", frozen=(SPLIT, HELD, BENCHMARK)),
    Scenario("all prices dead", "503 from Stooq, Tiingo and Yahoo",
             tuple(Fault(name, _DOWN) for name in ("stooq", "tiingo", "yahoo")),
             Expected("NO-TRADE", _ALL_DEAD, dict.fromkeys(("stooq", "tiingo", "yahoo"), (Kind.SERVER_ERROR,)),
                      ("stooq", "tiingo", "yahoo"), ())),
    Scenario("everything dead", "nobody listens anywhere", (),
             Expected("NO-TRADE", ("DATA_COVERAGE", "BENCHMARK_MISSING", "FX_STALE", "VALUATION_INCOMPLETE"),
                      dict.fromkeys(("ecb", "stooq", "tiingo", "yahoo"), (Kind.UNREACHABLE,)),
                      ("ecb", "stooq", "tiingo", "yahoo"), (), fx_day=LAST_LOADED),
             nobody=("stooq", "tiingo", "yahoo", "ecb")),
)  # fmt: skip


def _apart(*names: str, **expected: object) -> tuple[tuple[Fault, ...], Expected]:
    faults = tuple(Fault("stooq", _HIGHER, name) for name in names)
    return faults, Expected(frozen=tuple(sorted(names)), **expected)  # type: ignore[arg-type]


def _frozen(verdict: str = "TRADE") -> dict[str, object]:
    return {"verdict": verdict, "reasons": ("NAMES_FROZEN",) if verdict == "NO-TRADE" else ()}


DISAGREEMENT = (
    Scenario("one name apart", f"Stooq's {BOUGHT} of Friday 1 % higher", *_apart(BOUGHT)),
    Scenario("the benchmark apart", f"Stooq's {BENCHMARK} of Friday 1 % higher",
             *_apart(BENCHMARK, **_frozen("NO-TRADE"))),
    Scenario("the held name apart", f"Stooq's {HELD} of Friday 1 % higher", *_apart(HELD, **_frozen("NO-TRADE"))),
    Scenario("three names apart", "three of Stooq's names of Friday 1 % higher",
             *_apart(BOUGHT, "AMT", "ETN", **_frozen("NO-TRADE"))),
    Scenario("dividend in one source only", f"Tiingo has a dividend of {BOUGHT} that Yahoo does not have",
             (Fault("tiingo", fields.row(-3, divCash=0.5), BOUGHT),),
             Expected(sources=("tiingo", "yahoo"), frozen=(BOUGHT,)), TIINGO_FIRST),
    Scenario("split in one source only", f"Yahoo knows nothing yet of {SPLIT}'s split, its prices neither",
             (Fault("yahoo", damage.both(fields.quotes(lambda price: price * 4, slice(0, -5)),
                                         fields.without_events("splits")), SPLIT),),
             Expected(sources=("tiingo", "yahoo"), frozen=(SPLIT,)), YAHOO_FIRST),
    Scenario("a late split is refused where it is known", "the same, with Tiingo asked first",
             (Fault("yahoo", damage.both(fields.quotes(lambda price: price * 4, slice(0, -5)),
                                         fields.without_events("splits")), SPLIT),),
             Expected(journal={"yahoo": (Kind.SPLIT_CONTRADICTION,)}), TIINGO_FIRST, (SPLIT,)),
    Scenario("a jump that two sources confirm", f"{BOUGHT} 60 % up on Wednesday, says everybody",
             expected=Expected(sources=("tiingo", "yahoo")), order=TIINGO_FIRST,
             market=partial(jumped, symbol=BOUGHT, factor=Decimal("1.6"))),
    Scenario("a jump that one source confirms", "the same from Stooq, which knows no corporate actions, and Tiingo",
             expected=Expected(frozen=(BOUGHT,)), market=partial(jumped, symbol=BOUGHT, factor=Decimal("1.6"))),
)  # fmt: skip

_NO_FIXING = tuple(Fault(source, _DOWN, FIXINGS) for source in ("ecb", "yahoo", "stooq"))
FIXINGS_FAIL = (
    Scenario("ecb: server error", "503", (Fault("ecb", _DOWN),),
             Expected(journal={"ecb": (Kind.SERVER_ERROR,)}, given_up=("ecb",))),
    Scenario("ecb: pence", "pounds for a euro a hundred times as many",
             (Fault("ecb", cells.in_csv(lambda table: [row.__setitem__(7, str(100 * Decimal(row[7])))
                                                       for row in table if row[2] == "GBP"])),),
             Expected(journal={"ecb": (Kind.BAD_FIXING,)})),
    Scenario("every fixing dead", "503 from ECB, Yahoo and Stooq for GBPUSD", _NO_FIXING,
             Expected("NO-TRADE", ("FX_STALE",), dict.fromkeys(("ecb", "stooq", "yahoo"), (Kind.SERVER_ERROR,)),
                      ("ecb", "stooq", "yahoo"), fx_day=LAST_LOADED)),
    Scenario("fixings apart on Friday", "Yahoo's Friday 5 % above the ECB's",
             (Fault("yahoo", fields.quotes(lambda rate: rate * 1.05, _FRIDAY), FIXINGS),),
             Expected(fx_day=dt.date(2025, 2, 6))),
    Scenario("fixings apart all week", "Yahoo 5 % above the ECB on every day of the week",
             (Fault("yahoo", fields.quotes(lambda rate: rate * 1.05, slice(-5, None)), FIXINGS),),
             Expected("NO-TRADE", ("FX_STALE",), fx_day=LAST_LOADED)),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*NOTHING, *faults_of_one.SCENARIOS, *SEVERAL, *DISAGREEMENT, *FIXINGS_FAIL)
"""In the order in which they are played."""
