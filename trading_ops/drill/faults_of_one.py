"""Scenarios in which one source fails and two others are there: nearly every one ends in a cross-checked TRADE.

Does not belong here: several sources failing, or contradicting each other (`faults`).
"""

import datetime as dt

from trading_ops.drill import cells, damage, fields
from trading_ops.drill.damage import Change
from trading_ops.drill.scenario import EVERY_NAME, Expected, Fault, Scenario
from trading_ops.drill.stage import SOURCES
from trading_ops.providers.protocol import RefusalKind as Kind

BOUGHT = "AMD"
"""A name that the plan buys while nothing is wrong."""
SPLIT = "FDX"
"""Another one, which splits 4:1 on the Monday of the missing week."""
YAHOO_FIRST, TIINGO_FIRST = ("yahoo", "tiingo", "stooq"), ("tiingo", "yahoo", "stooq")
_OTHERS = {"stooq": ("tiingo", "yahoo"), "tiingo": ("stooq", "yahoo"), "yahoo": ("stooq", "tiingo")}
_ORDER = {"stooq": SOURCES, "tiingo": SOURCES, "yahoo": YAHOO_FIRST}


def dead(source: str, name: str, served: str, change: Change, kind: Kind) -> Scenario:
    """A source that fails whatever it is asked is given up after its first name."""
    expected = Expected(journal={source: (kind,)}, given_up=(source,), sources=_OTHERS[source])
    return Scenario(f"{source}: {name}", served, (Fault(source, change),), expected, _ORDER[source])


def unusable(source: str, name: str, served: str, change: Change, kind: Kind, of: str = EVERY_NAME) -> Scenario:
    """Each answer that cannot be used is refused by name, and the next source is asked about that name."""
    expected = Expected(journal={source: (kind,)}, sources=_OTHERS[source])
    about = () if of == EVERY_NAME else (of,)
    return Scenario(f"{source}: {name}", served, (Fault(source, change, of),), expected, _ORDER[source], about)


STOOQ_DEAD = (
    dead("stooq", "challenge page", "200, a page that wants JavaScript", damage.page(damage.CHALLENGE), Kind.CHALLENGE),
    dead("stooq", "daily limit", "200, the limit in English", damage.instead(damage.DAILY_LIMIT), Kind.QUOTA_SPENT),
    dead("stooq", "daily limit, Polish", "200, the limit in Polish", damage.instead(damage.DAILY_LIMIT_POLISH),
         Kind.QUOTA_SPENT),
    dead("stooq", "key wanted", "200, get your apikey", damage.instead(damage.KEY_WANTED), Kind.KEY_WANTED),
    dead("stooq", "too many requests", "429", damage.instead(b"", 429, Retry_After="3600"), Kind.RATE_LIMITED),
    dead("stooq", "server error", "503", damage.page(status=503), Kind.SERVER_ERROR),
    dead("stooq", "sent on", "302 to another host", damage.redirected(), Kind.FOREIGN_REDIRECT),
    dead("stooq", "cut body", "the last third is missing", damage.ends_at(0.66), Kind.CUT_OFF),
    dead("stooq", "cut line", "the line ends in the body", damage.hangs_up(0.66), Kind.CUT_OFF),
    dead("stooq", "lying length", "a length 400 too high", damage.says_longer(400), Kind.CUT_OFF),
    Scenario("stooq: refused connection", "nobody listens", (),
             Expected(journal={"stooq": (Kind.UNREACHABLE,)}, given_up=("stooq",), sources=_OTHERS["stooq"]),
             nobody=("stooq",)),
    Scenario("stooq: silence", "a connection and not a byte", (Fault("stooq", damage.silent),),
             Expected(journal={"stooq": (Kind.TIMED_OUT,)}, given_up=("stooq",), sources=_OTHERS["stooq"]),
             patience={"stooq": 0.3}),
    Scenario("stooq: dies half way", "503 after 10 names", (Fault("stooq", damage.page(status=503), after=10),),
             Expected(journal={"stooq": (Kind.SERVER_ERROR,)}, given_up=("stooq",), sources=_OTHERS["stooq"]),
             about=("ETN", "FDX")),
    Scenario("stooq: stutters once", "one 503, then good answers", (Fault("stooq", damage.page(status=503), count=1),)),
)  # fmt: skip

STOOQ_UNUSABLE = (
    unusable("stooq", "oversized", "a body of a gigabyte", damage.endless, Kind.TOO_LARGE),
    unusable("stooq", "header only", "a header and no row", cells.in_csv(cells.only_header), Kind.HEADER_ONLY),
    unusable("stooq", "empty", "200, nothing", damage.instead(b""), Kind.EMPTY_FILE),
    unusable("stooq", "no data", "200, No data", damage.instead(damage.NO_DATA), Kind.NO_DATA),
    unusable("stooq", "PHP noise", "a PHP warning before good data", damage.before(damage.PHP_WARNING),
             Kind.NOISE_BEFORE_DATA),
    unusable("stooq", "a page", "200, HTML", damage.page(), Kind.NOT_MARKET_DATA),
    unusable("stooq", "swapped columns", "high and low under each other's name", cells.names_swapped("High", "Low"),
             Kind.IMPOSSIBLE_BAR),
    unusable("stooq", "x100", "the last bar in cents", cells.times("100", slice(-1, None)), Kind.WRONG_SCALE),
    unusable("stooq", "NaN", "the last close is NaN", cells.cell(-1, "Close", "NaN"), Kind.MISSING_VALUE),
    unusable("stooq", "1e400", "the last close is 1e400", cells.cell(-1, "Close", "1e400"), Kind.OUT_OF_RANGE),
    unusable("stooq", "future date", "a row of next Monday", cells.twice(-1, Date="2025-02-10"), Kind.NOT_ASKED_FOR),
    unusable("stooq", "duplicate", "Friday twice", cells.twice(-1), Kind.DUPLICATE_ROW),
    unusable("stooq", "wrong name", "prices three times as high, as another name's", cells.times("3"),
             Kind.WRONG_SYMBOL),
    unusable("stooq", "adjusted", "closes before Wednesday 0.8 % lower, as after a dividend",
             cells.times("0.992", slice(0, -3)), Kind.ADJUSTED_BASIS),
    unusable("stooq", "off the calendar", "Friday dated Saturday", cells.days_moved(1, slice(-1, None)),
             Kind.NOT_ASKED_FOR),
    unusable("stooq", "another weekday", "Mondays dated Sundays", cells.days_moved(-1), Kind.OFF_CALENDAR),
)  # fmt: skip

TIINGO = (
    dead("tiingo", "token refused", "401", damage.instead(b'{"detail":"Invalid token."}', 401), Kind.KEY_REFUSED),
    dead("tiingo", "allocation used up", "429 with its sentence",
         damage.instead(b'{"detail":"Error: You have run over your hourly request allocation."}', 429),
         Kind.QUOTA_SPENT),
    dead("tiingo", "server error", "502", damage.page(status=502), Kind.SERVER_ERROR),
    unusable("tiingo", "not JSON", "200, HTML", damage.page(), Kind.NOT_MARKET_DATA),
    unusable("tiingo", "null close", "the last close is null", fields.row(-1, close=None), Kind.MISSING_VALUE),
    unusable("tiingo", "unknown name", f"404 for {BOUGHT}",
             damage.instead(b'{"detail":"Error: Ticker not found"}', 404), Kind.UNKNOWN_TO_SOURCE, of=BOUGHT),
    unusable("tiingo", "another name's rows", f"rows of {BOUGHT} all 5 % higher; Tiingo names no name",
             fields.each_row(fields.raised(1.05)), Kind.WRONG_SYMBOL, of=BOUGHT),
    unusable("tiingo", "forgotten split", f"{SPLIT}'s split is in the adjusted closes and not in its row",
             fields.each_row(lambda row: row.update(splitFactor=1.0)), Kind.SPLIT_CONTRADICTION, of=SPLIT),
)  # fmt: skip

_WEDNESDAY = dt.date(2025, 2, 5)
YAHOO = (
    dead("yahoo", "too many requests", "429", damage.instead(b"Too Many Requests", 429), Kind.RATE_LIMITED),
    dead("yahoo", "turned away", "401", damage.page(status=401), Kind.CHALLENGE),
    unusable("yahoo", "a page", "200, HTML", damage.page(), Kind.NOT_MARKET_DATA),
    unusable("yahoo", "unknown name", f"404 for {BOUGHT}",
             damage.instead(b'{"chart":{"result":null,"error":{"code":"Not Found","description":'
                            b'"No data found, symbol may be delisted"}}}', 404),
             Kind.UNKNOWN_TO_SOURCE, of=BOUGHT),
    unusable("yahoo", "NaN", "the last close is NaN", fields.quote("close", -1, float("nan")), Kind.NOT_A_NUMBER),
    unusable("yahoo", "pence", "currency GBp", fields.of_meta(currency="GBp"), Kind.WRONG_CURRENCY),
    unusable("yahoo", "another name", "the chart says that it is MSFT", fields.of_meta(symbol="MSFT"),
             Kind.WRONG_SYMBOL),
    unusable("yahoo", "doubled split", f"{SPLIT}'s split on two days",
             fields.event("splits", -1, numerator=4, denominator=1, splitRatio="4:1"), Kind.SPLIT_CONTRADICTION,
             of=SPLIT),
    unusable("yahoo", "split not in the prices", f"{SPLIT}'s split recorded, its older prices not divided yet",
             fields.quotes(lambda price: price * 4, slice(0, -5)), Kind.SPLIT_CONTRADICTION, of=SPLIT),
    unusable("yahoo", "split not recorded", f"{SPLIT}'s older prices divided, the split missing",
             fields.without_events("splits"), Kind.SPLIT_CONTRADICTION, of=SPLIT),
    Scenario("yahoo: null last bar", "Friday's prices are null",
             (Fault("yahoo", fields.quotes(lambda price: None, slice(-1, None), (*fields.PRICES, "volume")),
                    EVERY_NAME),), Expected(sources=_OTHERS["yahoo"]), YAHOO_FIRST),
    Scenario("yahoo: lost session", "every chart without Wednesday, as in August 2026",
             (Fault("yahoo", fields.without_day(-3), EVERY_NAME),), Expected(sources=_OTHERS["yahoo"]), YAHOO_FIRST,
             session=_WEDNESDAY),
    Scenario("yahoo: lost Friday", "every chart without the plan's own session",
             (Fault("yahoo", fields.without_day(-1), EVERY_NAME),), Expected(sources=_OTHERS["yahoo"]), YAHOO_FIRST),
)  # fmt: skip
SCENARIOS = (*STOOQ_DEAD, *STOOQ_UNUSABLE, *TIINGO, *YAHOO)
