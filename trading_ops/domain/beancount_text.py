"""The whole ledger in beancount's syntax (version 3), every lot held at its cost in pounds.

The facts are replayed by the ledger's own engine, and each becomes one transaction of what it changed: a lot that is
closed is named by its label, so that beancount books exactly the lot the ledger closed, and proves with its own
arithmetic that every transaction balances. As in the ledger, a trade's fee is part of the lot's cost or taken off the
proceeds; it stands beside the transaction as `fee-gbp`.

Belongs here: directives and postings. Does not belong here: the alphabet (`beancount_names`), what a transaction says
of itself (`beancount_words`), files.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from trading_ops.domain.beancount_names import CASH, Names, names_of, pounds, quoted
from trading_ops.domain.beancount_words import day_of, meta_of, title_of
from trading_ops.domain.ledger_book import Fact, Replay
from trading_ops.domain.ledger_facts import CashMovement, Fill, LedgerFacts, MovementKind
from trading_ops.domain.lots import Lot, RealisedLot
from trading_ops.domain.values import ZERO, Symbol, exact, plain

CASH_ACCOUNT = "Assets:EToro:Cash"
STOCKS = "Assets:EToro:Stocks"
REALISED = "Income:Realised"
DIVIDENDS = "Income:Dividends"
OTHER_SIDE: Mapping[MovementKind, str] = MappingProxyType(
    {
        "deposit": "Equity:Deposits",
        "withdrawal": "Equity:Withdrawals",
        "fee": "Expenses:Fees",
        "interest": "Income:Interest",
        "adjustment": "Equity:Adjustments",
    }
)
HEAD = (
    'option "title" "Trading Ops ledger"',
    f'option "operating_currency" "{CASH}"',
    'option "booking_method" "STRICT"',
    f'option "inferred_tolerance_default" "{CASH}:0.000001"',
)
_NOTHING: Mapping[str, str] = MappingProxyType({})

Lots = Mapping[Symbol, tuple[Lot, ...]]


def beancount_text(facts: LedgerFacts, through: dt.date, said: Mapping[str, str] = _NOTHING) -> str:
    """The ledger as a beancount file: the same facts and words give the same bytes.

    Args:
        facts: Every fact that counts.
        through: The last day; later facts are left out.
        said: Words of the people who recorded a fact, by its id, for the narration.

    Returns:
        Options, commodities, accounts, one transaction a fact, `balance` of cash at every month's end and at the last
        day, and of every name's units at the last day, all without tolerance.

    Raises:
        LedgerError: The facts do not fit together; the text names the one.
    """
    walk = _Walk(facts, said)
    with exact():
        walk.go(through)
        blocks = ["\n".join(HEAD), *walk.opening(), *walk.entries, *walk.balances(through)]
    return "\n\n".join(blocks) + "\n"


class _Walk:
    """One replay of the facts, writing down what each of them changed."""

    def __init__(self, facts: LedgerFacts, said: Mapping[str, str]) -> None:
        self._said = said
        self._replay = Replay(facts)
        self._lots: Lots = {}
        self._cash = ZERO
        self._closed = self._lost = 0
        self._days: list[dt.date] = []
        self._cash_after: list[Decimal] = []
        self._accounts: dict[str, str] = {CASH_ACCOUNT: CASH}
        self._held: set[Symbol] = set()
        self.names: Names = names_of(
            {f.symbol for f in facts.fills}
            | {e.new_symbol for e in facts.events if e.new_symbol}
            | {m.symbol for m in facts.movements if m.symbol}
        )
        self.entries: list[str] = []

    def go(self, through: dt.date) -> None:
        """Replay to the close of a day."""
        self._replay.advance(through, self._seen)

    def _seen(self, fact: Fact) -> None:
        book = self._replay.book
        lots, cash, closed = dict(book.lots), book.cash_gbp - self._cash, book.realised[self._closed :]
        postings = self._lot_postings(self._lots, lots, partly=isinstance(fact, Fill))
        if cash or isinstance(fact, CashMovement):
            postings.append(self._posting(CASH_ACCOUNT, pounds(cash)))
        postings += self._other_side(fact, cash, closed)
        self._lots, self._cash, self._closed = lots, book.cash_gbp, len(book.realised)
        self._days.append(day_of(fact))
        self._cash_after.append(self._cash)
        if postings:  # a split of a name that is not held changes nothing
            self.entries.append("\n".join((*self._head(fact), *postings)))

    def _head(self, fact: Fact) -> list[str]:
        title, meta = title_of(fact), meta_of(fact)
        words = self._said.get(next(iter(meta.values()), ""), "")
        lost = self._replay.book.lost_fractions[self._lost :]
        self._lost += len(lost)
        if lost:
            meta["lost-units"] = ", ".join(f"{plain(fraction.units)} of {fraction.lot_id}" for fraction in lost)
        narration = f"{title}: {words}" if words else title
        return [f"{day_of(fact)} * {quoted(narration)}", *(f"  {key}: {quoted(text)}" for key, text in meta.items())]

    def _lot_postings(self, before: Lots, after: Lots, *, partly: bool) -> list[str]:
        """What left, then what came. A fill takes units off a lot; anything else replaces the lot it changes."""
        old = {(s, lot.lot_id): lot for s in sorted(before) for lot in before[s]}
        new = {(s, lot.lot_id): lot for s in sorted(after) for lot in after[s]}
        left, came = [], []
        for key, lot in old.items():
            rest = new.get(key)
            if rest == lot:
                continue
            kept = rest.units if rest is not None and partly else ZERO
            label = quoted(lot.lot_id)
            left.append(self._units(lot.symbol, kept - lot.units, f"{{{label}}}"))
            if rest is not None and not partly:
                came.append(self._opened(rest))
        came += [self._opened(lot) for key, lot in new.items() if key not in old]
        return left + came

    def _opened(self, lot: Lot) -> str:
        cost = f"{{{{{pounds(lot.cost_gbp)}, {lot.opened_on}, {quoted(lot.lot_id)}}}}}"
        return self._units(lot.symbol, lot.units, cost)

    def _units(self, symbol: Symbol, units: Decimal, cost: str) -> str:
        self._held.add(symbol)
        account, commodity = f"{STOCKS}:{self.names.accounts[symbol]}", self.names.commodities[symbol]
        return self._posting(account, f"{plain(units)} {commodity} {cost}", f'{commodity} "STRICT"')

    def _other_side(self, fact: Fact, cash: Decimal, closed: list[RealisedLot]) -> list[str]:
        if isinstance(fact, CashMovement):
            if fact.kind == "dividend":
                part = self.names.accounts[fact.symbol] if fact.symbol else "Unknown"
                return [self._posting(f"{DIVIDENDS}:{part}", pounds(-cash))]
            return [self._posting(OTHER_SIDE[fact.kind], pounds(-cash))]
        profits: dict[Symbol, Decimal] = {}
        for lot in closed:
            profits[lot.symbol] = profits.get(lot.symbol, ZERO) + lot.proceeds_gbp - lot.cost_gbp
        return [
            self._posting(f"{REALISED}:{self.names.accounts[symbol]}", pounds(-profit))
            for symbol, profit in sorted(profits.items())
        ]

    def _posting(self, account: str, amount: str, holds: str = CASH) -> str:
        self._accounts[account] = holds
        return f"  {account}  {amount}"

    def opening(self) -> list[str]:
        """Commodities and accounts, as of the first day."""
        if not self._days:
            return ["; The ledger is empty."]
        first = self._days[0]
        commodities = [f"{first} commodity {CASH}"] + [
            f"{first} commodity {self.names.commodities[symbol]}\n  symbol: {quoted(symbol)}"
            for symbol in sorted(self._held)
        ]
        accounts = [f"{first} open {account} {holds}" for account, holds in sorted(self._accounts.items())]
        return ["\n".join(commodities), "\n".join(accounts)]

    def balances(self, through: dt.date) -> list[str]:
        """What beancount must find: cash at each month's end and at the last day, units at the last day."""
        if not self._days:
            return []
        mornings = [*_month_starts(self._days[0], through), through + dt.timedelta(days=1)]
        cash = [f"{day} balance {CASH_ACCOUNT}  {_exactly(self._cash_at(day))}" for day in dict.fromkeys(mornings)]
        units = [
            f"{mornings[-1]} balance {STOCKS}:{self.names.accounts[symbol]}  "
            f"{plain(self._replay.book.units(symbol))} ~ 0 {self.names.commodities[symbol]}"
            for symbol in sorted(self._held)
        ]
        return ["\n".join(cash), *(["\n".join(units)] if units else [])]

    def _cash_at(self, morning: dt.date) -> Decimal:
        known = bisect_right(self._days, morning - dt.timedelta(days=1))
        return self._cash_after[known - 1] if known else ZERO


def _exactly(amount: Decimal) -> str:
    return pounds(amount).replace(f" {CASH}", f" ~ 0 {CASH}")


def _month_starts(first: dt.date, through: dt.date) -> list[dt.date]:
    """The first days of the months after `first`, through the day after `through`."""
    found, day = [], first
    while (day := (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)) <= through:
        found.append(day)
    return found
