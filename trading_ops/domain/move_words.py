"""What is said about a large move: its figures as sentences, what the operator looks up and where, what is proposed.

Belongs here: words. Does not belong here: deciding what a move was (`moves`), its figures (`move_facts`).
"""

from decimal import Decimal
from fractions import Fraction

from trading_ops.domain.move_facts import Move
from trading_ops.domain.values import ONE, exact, fixed, plain


def facts(move: Move) -> tuple[str, ...]:
    """The figures of a move, one sentence each; what is unknown is said to be."""
    with exact():
        known = (_close(move), _open(move), _range(move), _volume(move), _market(move), _action(move), _adjusted(move))
    return tuple(sentence for sentence in known if sentence)


def _close(move: Move) -> str:
    text = (
        f"Close {plain(move.previous_close)} USD on {move.previous_session} to {plain(move.close)} USD, "
        f"{fixed(move.raw, 4)} times as traded"
    )
    return (
        f"{text}, {fixed(move.ratio, 4)} times with the recorded split {split_words(move.split)}."
        if (move.split != ONE)
        else f"{text}."
    )


def _open(move: Move) -> str:
    return (
        f"Open {plain(move.open)} USD, {fixed(move.gap, 4)} times the previous close: {percent(move.overnight, 0)} of "
        f"the move was made overnight, and close over open is {signed(move.close / move.open)}."
    )


def _range(move: Move) -> str:
    seen = f"High over low is {signed(move.high / move.low)}"
    if move.usual_range is None or move.range_times is None or move.habits is None:
        return f"{seen}; the usual range is not known from {_sessions(move.habit)} before."
    return (
        f"{seen}, {fixed(move.range_times, 1)} times the usual {signed(move.usual_range)} of the {move.habit} sessions "
        f"before; the move is {fixed(move.habits, 1)} usual ranges."
    )


def _volume(move: Move) -> str:
    if move.shares_times is None or move.turnover_times is None:
        return f"The volume says nothing: {plain(move.volume)} shares, with {_sessions(move.habit)} before to compare."
    short = "" if move.trading_time == ONE else f", counted for {percent(move.trading_time, 0)} of a full session"
    return (
        f"{fixed(move.shares_times, 2)} times the usual shares and {fixed(move.turnover_times, 2)} times the usual "
        f"turnover in USD{short}."
    )


def _market(move: Move) -> str:
    if move.market is None:
        return f"What {move.benchmark or 'the market'} did is unknown."
    return f"{move.benchmark} {signed(move.market)} over the same time."


def _action(move: Move) -> str:
    if not move.tells_actions:
        return "The source tells of no corporate actions: that none is on record proves nothing."
    if not move.distribution:
        return ""
    with exact():
        share = move.distribution / move.previous_close
    return (
        f"A distribution of {plain(move.distribution)} USD per share is on record, {percent(share, 1)} of the previous "
        "close."
    )


def _adjusted(move: Move) -> str:
    early = (
        f"The source adjusted by {fixed(move.adjusted_early, 4)} in the sessions just before, with no action on record."
        if move.adjusted_early is not None
        else ""
    )
    if move.adjusted is None:
        return early
    return f"The source's own adjusted close moved {signed(move.adjusted)}. {early}".rstrip()


def _sessions(number: int) -> str:
    return f"{number} session" if number == 1 else f"{number} sessions"


def split_words(ratio: Decimal) -> str:
    """New for old units as people write them: 2 is `2:1`, 0.1 is `1:10`; an odd ratio as a number to 1."""
    nearest = Fraction(ratio).limit_denominator(20)
    with exact():
        off = abs(Decimal(nearest.numerator) / Decimal(nearest.denominator) - ratio) if nearest else ONE
    return f"{nearest.numerator}:{nearest.denominator}" if off < Decimal("0.001") else f"{fixed(ratio, 4)}:1"


def signed(ratio: Decimal) -> str:
    """A factor as a signed percentage: 1.013 is `+1.3 %`."""
    with exact():
        share = 100 * (ratio - ONE)
    return f"{'+' if share >= 0 else ''}{fixed(share, 1)} %"


def percent(share: Decimal, places: int) -> str:
    """A share as a percentage."""
    with exact():
        return f"{fixed(100 * share, places)} %"


def look_up_split(move: Move, ratio: Decimal) -> str:
    """What to look up for a split that is not on record."""
    return (
        f"Look up whether {move.symbol} split {split_words(ratio)} around {move.session}: the company's investor pages "
        "(stock splits), the exchange's corporate action notices, or the shares outstanding in its next quarterly "
        "report; a spin-off of about the same share of the price looks alike."
    )


def look_up_distribution(move: Move) -> str:
    """What to look up for something that shareholders were given."""
    return (
        f"Look up what holders of {move.symbol} were given on {move.session}, cash, shares of another company or more "
        "shares of their own: the company's investor pages (spin-offs, dividends) or its filing 8-K or 8937 of that "
        "month; then look in the broker's account for it."
    )


def look_up_both(move: Move) -> str:
    """What to look up for a split and a distribution on one day."""
    return (
        f"Look up the ratio of the split of {move.symbol} on {move.session}, what was given to holders that day, and "
        "whether the amount is per share before or after the split: the company's investor pages or its filing 8-K "
        "or 8937 of that month."
    )


def look_up_spurious(move: Move) -> str:
    """What to look up for a split that the price knows nothing of."""
    return (
        f"Look up whether {move.symbol} split {split_words(move.split)} on {move.session} at all, on another day, or "
        "before its shares were first listed: the company's investor pages or prospectus; compare a second source."
    )


def look_up_news(move: Move) -> str:
    """What to look up for a move that looks traded."""
    return (
        f"Look up the news of {move.symbol} of {move.session} and the evening before (company news, results, a bid, "
        "the market), and see that a second source has the same close and no corporate action."
    )


def look_up_anything(move: Move) -> str:
    """What to look up when nothing decides."""
    return (
        f"Look up {move.symbol} around {move.session} in a second source: the close itself, splits and spin-offs on "
        "the company's investor pages, then the news of the day."
    )
