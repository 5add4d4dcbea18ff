"""Sizing, steps 1 and 2: who has a seat, and what a seat is worth.

Does not belong here: what is traded to get there (`wanted`, `sizing`).
"""

from decimal import Decimal

from trading_ops.domain.orders import SizingInput, Target, equity, held_names, price_of, value_of
from trading_ops.domain.policy import Policy
from trading_ops.domain.values import ONE, ZERO, Symbol, exact


def size_targets(inp: SizingInput, policy: Policy) -> tuple[Target, ...]:
    """Give the seats and their targets (RULES, Sizing 1 and 2).

    Args:
        inp: The plan's facts.
        policy: The numbers.

    Returns:
        One target for each name that has a seat or is held: best rank first, unranked last, ties by symbol.

    Raises:
        SizingError: A held name has no price, a unit is negative, or the fixing is not above 0.
    """
    kept = kept_seats(inp, policy)
    seated = frozenset(kept) | frozenset(new_seats(inp, policy, kept))
    with exact():
        # Equity below 0 has no shares to give: the target of a seat is then nothing, never a debt.
        seat_gbp = max(target_weight(policy) * equity(inp), ZERO)
    names = sorted(seated.union(held_names(inp)), key=lambda s: by_rank(inp, s))
    return tuple(_target(inp, policy, name, seat_gbp if name in seated else None) for name in names)


def by_rank(inp: SizingInput, symbol: Symbol) -> tuple[bool, int, Symbol]:
    """Sort key: best rank first, unranked last, ties by symbol."""
    rank = inp.ranks.get(symbol)
    return (rank is None, rank or 0, symbol)


def is_tradable(inp: SizingInput, symbol: Symbol) -> bool:
    """Enabled, a stock, and offered as the underlying; a name outside the universe is not."""
    instrument = inp.universe.instruments.get(symbol)
    return instrument is not None and instrument.tradable


def kept_seats(inp: SizingInput, policy: Policy) -> tuple[Symbol, ...]:
    """Held names that keep their seat, best rank first: tradable, ranked within keep_rank, at most `seats` of them.

    Being frozen, unbuyable or not verified takes no seat away: what is held is not sold for that.
    """
    keeping = [s for s in held_names(inp) if is_tradable(inp, s) and _ranked_within(inp, s, policy.sizing.keep_rank)]
    return tuple(sorted(keeping, key=lambda s: by_rank(inp, s))[: policy.sizing.seats])


def new_seats(inp: SizingInput, policy: Policy, kept: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """The free seats' names, best rank first.

    A held name beyond keep_rank competes for a free seat like any other: it is only sold for a better one.
    """
    free = policy.sizing.seats - len(kept)
    candidates = [s for s in inp.ranks if s not in kept and may_take_seat(inp, s)]
    return tuple(sorted(candidates, key=lambda s: by_rank(inp, s))[:free])


def may_take_seat(inp: SizingInput, symbol: Symbol) -> bool:
    """Tradable, buyable (with a price at D), not frozen and, in the live book, verified recently enough."""
    if not is_tradable(inp, symbol) or symbol in inp.unbuyable or symbol in inp.frozen:
        return False
    if symbol not in inp.prices_usd:
        return False  # nothing to size with; the data gate counts it as missing
    if inp.book != "live":
        return True
    verified_on = inp.universe.instruments[symbol].verified_on
    return verified_on is not None and verified_on >= inp.verified_since


def target_weight(policy: Policy) -> Decimal:
    """A seat's share of equity: min((1 - buffer) / seats x phase share, max weight)."""
    s = policy.sizing
    with exact():
        return min((ONE - s.buffer) / s.seats * s.phase_share, s.max_weight)


def _ranked_within(inp: SizingInput, symbol: Symbol, worst: int) -> bool:
    rank = inp.ranks.get(symbol)
    return rank is not None and rank <= worst


def _target(inp: SizingInput, policy: Policy, symbol: Symbol, seat_gbp: Decimal | None) -> Target:
    seat = seat_gbp is not None
    target = seat_gbp if seat_gbp is not None else ZERO
    value = value_of(inp, symbol)
    with exact():
        difference = target - value
    return Target(
        symbol=symbol,
        rank=inp.ranks.get(symbol),
        seat=seat,
        weight=target_weight(policy) if seat else ZERO,
        target_gbp=target,
        value_gbp=value,
        units=inp.units.get(symbol, ZERO),
        price_usd=price_of(inp, symbol),
        difference_gbp=difference,
        note=_why(inp, policy, symbol, seat),
    )


def _why(inp: SizingInput, policy: Policy, symbol: Symbol, seat: bool) -> str:
    held = inp.units.get(symbol, ZERO) > ZERO
    rank = inp.ranks.get(symbol)
    if seat:
        return f"keeps its seat at rank {rank}" if held else f"new seat at rank {rank}"
    if not is_tradable(inp, symbol):
        return "no seat: not enabled, or not offered as the underlying"
    if rank is None:
        return "no seat: not ranked"
    if rank > policy.sizing.keep_rank:
        return f"no seat: rank {rank} is beyond {policy.sizing.keep_rank}"
    return f"no seat: {policy.sizing.seats} better-ranked names hold theirs"
