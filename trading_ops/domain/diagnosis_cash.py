"""Causes of a difference in cash alone whose pounds are known beforehand: rows, dividends, mistyped pounds.

`known_amounts` are those that may come together; `lone_amounts` are far-fetched and at most one of them is taken.
Does not belong here: causes whose pounds are read from the difference itself (`diagnosis_open`).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from trading_ops.domain.corrections import BookMovement, Proposal, VoidMovement
from trading_ops.domain.diagnosis_case import Case
from trading_ops.domain.diagnosis_cause import EXACT, FITS, NEUTRAL, STATEMENT, SUPPORTED, Cause, pounds, settled
from trading_ops.domain.diagnosis_digits import slipped, swapped
from trading_ops.domain.diagnosis_entries import rewriting
from trading_ops.domain.diagnosis_evidence import RowKind, StatementRow
from trading_ops.domain.dividends import ExpectedDividend
from trading_ops.domain.ledger_facts import CashMovement, Fill, MovementKind
from trading_ops.domain.values import ONE, PENCE_PLACES, ZERO, exact, half_even, plain

TREATY, FULL_TAX = Decimal("0.15"), Decimal("0.30")
DIVIDEND_EACH = EXACT - 3
PAID_WITHIN = dt.timedelta(days=90)
SAME_ROW = dt.timedelta(days=5)
PENNY = Decimal("0.01")
TWIN_DAYS = dt.timedelta(days=7)
ROW_CLASSES: dict[RowKind, tuple[str, MovementKind]] = {
    "deposit": ("UNBOOKED_DEPOSIT", "deposit"),
    "withdrawal": ("UNBOOKED_WITHDRAWAL", "withdrawal"),
    "fee": ("FEE", "fee"),
    "interest": ("INTEREST", "interest"),
    "adjustment": ("ADJUSTMENT", "adjustment"),
    "dividend": ("UNBOOKED_DIVIDEND", "dividend"),
}


def known_amounts(case: Case) -> tuple[Cause, ...]:
    """Statement rows and expected dividends that the ledger lacks, and dividends it books later than the snapshot."""
    rows = _unbooked_rows(case)
    told = {(r.symbol, r.amount_gbp) for r in rows if r.kind == "dividend"}
    paid = {r.symbol for r in rows if r.kind == "dividend"}
    causes = [c for row in rows if (c := _of_row(case, row)) is not None]
    for dividend in waiting(case):
        if (dividend.symbol, dividend.net_gbp) not in told and dividend.symbol not in paid:
            causes.append(_dividend(case, dividend, dividend.net_gbp, DIVIDEND_EACH, ""))
    causes += _booked_later(case)
    return tuple(causes)


def waiting(case: Case) -> tuple[ExpectedDividend, ...]:
    """Expected dividends that may be in the snapshot's cash and are not booked, oldest first."""
    due = (d for d in case.evidence.expected if not d.booked and d.ex_date <= case.through)
    return tuple(sorted(due, key=lambda d: (d.ex_date, d.symbol)))


def dividend_entry(case: Case, dividend: ExpectedDividend, amount: Decimal, why: str) -> BookMovement:
    """The entry that books a dividend at an amount."""
    taken = case.evidence.snapshot.taken_at
    return BookMovement(
        snapshot_id=case.evidence.snapshot.snapshot_id, why=why, kind="dividend", amount_gbp=amount,
        day=taken.date(), at=taken, symbol=dividend.symbol, ex_date=dividend.ex_date,
    )  # fmt: skip


def _dividend(case: Case, dividend: ExpectedDividend, amount: Decimal, cost: int, odd: str) -> Cause:
    sentence = (
        f"The dividend of {dividend.symbol} of {dividend.ex_date} ({plain(dividend.amount_usd)} USD on "
        f"{plain(dividend.units)} units) is in the cash{odd}: {pounds(amount)}."
    )
    entry = dividend_entry(case, dividend, amount, sentence)
    return settled("UNBOOKED_DIVIDEND", (), amount, cost, sentence, entry, certain=not odd)


def _booked_later(case: Case) -> list[Cause]:
    later = [
        m
        for m in case.evidence.facts.movements
        if m.kind == "dividend" and m.amount_gbp > ZERO and m.at > case.evidence.snapshot.taken_at
        and m.ex_date is not None and m.ex_date <= case.through
    ]  # fmt: skip
    return [
        settled(
            "DIVIDEND_LATER", (), m.amount_gbp, DIVIDEND_EACH,
            f"The dividend of {m.symbol} of {m.ex_date}, {pounds(m.amount_gbp)}, was in the cash already; the ledger "
            "books it after the snapshot was taken. The next snapshot agrees by itself.",
        )
        for m in sorted(later, key=lambda m: m.movement_id)
    ]  # fmt: skip


def _unbooked_rows(case: Case) -> list[StatementRow]:
    """Rows that stand for no movement of the ledger; each movement stands for one row."""
    taken, since = case.evidence.snapshot.taken_at, case.cash_since
    free = sorted(case.evidence.facts.movements, key=lambda m: (m.at, m.movement_id))
    left: list[StatementRow] = []
    for row in sorted(case.evidence.statement, key=lambda r: (r.at, r.key)):
        if row.kind not in ROW_CLASSES or not row.amount_gbp or row.at > taken:
            continue
        booked = next((m for m in free if _stands_for(m, row)), None)
        if booked is not None:
            free.remove(booked)
        elif since is None or row.at > since:
            left.append(row)
    return left


def _stands_for(movement: CashMovement, row: StatementRow) -> bool:
    if movement.kind != ROW_CLASSES[row.kind][1] or movement.amount_gbp != row.amount_gbp:
        return False
    if row.kind == "dividend":
        return movement.symbol == row.symbol and abs(movement.at - row.at) <= PAID_WITHIN
    return abs(movement.at - row.at) <= SAME_ROW


def _of_row(case: Case, row: StatementRow) -> Cause | None:
    code, kind = ROW_CLASSES[row.kind]
    amount = row.amount_gbp or ZERO
    what = f"The broker's statement has a {row.kind}{f' of {row.symbol}' if row.symbol else ''} of {pounds(amount)}"
    entry = BookMovement(
        snapshot_id=case.evidence.snapshot.snapshot_id, why=what, kind=kind, amount_gbp=amount,
        day=row.at.date(), at=row.at, symbol=row.symbol, key=row.key,
    )  # fmt: skip
    if (kind == "deposit") == (amount < ZERO) and kind in ("deposit", "withdrawal"):
        return None
    booked = _other_amount(case, row)
    how = _mistake(booked, amount) if booked is not None else None
    if booked is not None and how is not None:
        sentence = f"{what}; the ledger has it at {pounds(booked.amount_gbp)}."
        entries = _rebooked(case, booked, amount, sentence)
        with exact():
            off = amount - booked.amount_gbp
        return settled(how, (), off, STATEMENT, sentence, *entries, certain=True)
    if row.kind != "dividend":
        return settled(code, (), amount, STATEMENT, f"{what} that is not in the ledger.", entry, certain=True)
    due = [d for d in waiting(case) if d.symbol == row.symbol and d.ex_date <= row.at.date() <= d.ex_date + PAID_WITHIN]
    best = min(due, key=lambda d: (abs(d.net_gbp - amount), d.ex_date), default=None)
    entry = replace(entry, ex_date=best.ex_date) if best else entry
    return settled(code, (), amount, STATEMENT, f"{what} that is not in the ledger.", entry, certain=True)


def _other_amount(case: Case, row: StatementRow) -> CashMovement | None:
    """The ledger's booking of what a row says, at another amount that no row has."""
    within = TWIN_DAYS * 4 if row.kind == "dividend" else SAME_ROW
    kind = ROW_CLASSES[row.kind][1]
    same = (m for m in case.movements() if m.kind == kind and m.symbol == row.symbol and abs(m.at - row.at) <= within)
    told = {r.amount_gbp for r in case.evidence.statement if r.kind == row.kind and r.symbol == row.symbol}
    return next((m for m in same if m.amount_gbp and m.amount_gbp not in told), None)


def _mistake(booked: CashMovement, amount: Decimal) -> str | None:
    """How the booked amount came about; None when it may be something else."""
    if booked.kind == "dividend":
        return "DIVIDEND_AMOUNT"
    wrong, right = abs(booked.amount_gbp), abs(amount)
    if right in set(slipped(wrong)):
        return "DECIMAL_SLIP"
    return "DIGITS_SWAPPED_MOVEMENT" if right in set(swapped(wrong, PENCE_PLACES)) else None


def _rebooked(case: Case, movement: CashMovement, amount: Decimal, why: str) -> tuple[Proposal, ...]:
    snapshot_id = case.evidence.snapshot.snapshot_id
    return (
        VoidMovement(snapshot_id=snapshot_id, why=why, movement_id=movement.movement_id),
        BookMovement(
            snapshot_id=snapshot_id, why=why, kind=movement.kind, amount_gbp=amount, day=movement.day, at=movement.at,
            symbol=movement.symbol, ex_date=movement.ex_date, key=f"for {movement.movement_id}",
        ),
    )  # fmt: skip


def lone_amounts(case: Case) -> Iterator[Cause]:
    """Other withholding, and movements and pounds of fills that are wrong, doubled or not there."""
    for dividend in waiting(case):
        for share, odd in ((FULL_TAX, " with 30 % withheld"), (ZERO, " with nothing withheld")):
            about = _withheld(case, dividend.net_gbp, share)
            for off in (-PENNY, ZERO, PENNY):  # the net was rounded before
                if about + off > ZERO:
                    yield _dividend(case, dividend, about + off, FITS + (2 if share else 4), odd)
    movements = case.movements()
    for movement in movements:
        yield from _wrong_movement(case, movement, movements)
    for fill in case.fills():
        if not fill.estimated:
            yield from _wrong_pounds(case, fill)


def _withheld(case: Case, net: Decimal, share: Decimal) -> Decimal:
    with exact():
        return half_even(net / (ONE - case.evidence.policy.ledger.withholding) * (ONE - share), PENCE_PLACES)


def _wrong_movement(case: Case, movement: CashMovement, all_of_them: tuple[CashMovement, ...]) -> Iterator[Cause]:
    if not movement.amount_gbp:
        return
    what = f"The {movement.kind}{f' of {movement.symbol}' if movement.symbol else ''} of {movement.day}"
    booked = movement.amount_gbp
    snapshot_id = case.evidence.snapshot.snapshot_id
    twin = next((m for m in all_of_them if m.movement_id < movement.movement_id and _same(m, movement)), None)
    sentence = f"{what}, {pounds(booked)}, is in the ledger twice."
    if twin is None:
        sentence = f"{what}, {pounds(booked)}, is in the ledger; the broker's cash does not have it."
    code, cost = ("PHANTOM_MOVEMENT", FITS) if twin is None else ("MOVEMENT_TWICE", EXACT - 2)
    void = VoidMovement(snapshot_id=snapshot_id, why=sentence, movement_id=movement.movement_id)
    yield settled(code, (), -booked, cost, sentence, void, certain=twin is not None)
    for amount, kind, price in _other_amounts(case, movement):
        with exact():
            signed = -amount if booked < ZERO else amount
            off = signed - booked
        text = f"{what} is booked at {pounds(booked)}; at {pounds(signed)} the cash agrees ({WRONG[kind]})."
        yield settled(kind, (), off, price, text, *_rebooked(case, movement, signed, text))


WRONG = {
    "DIVIDEND_AMOUNT": "the broker paid another amount",
    "DECIMAL_SLIP": "the decimal point moved, or pence for pounds",
    "DIGITS_SWAPPED_MOVEMENT": "two digits swapped",
}


def _other_amounts(case: Case, movement: CashMovement) -> Iterator[tuple[Decimal, str, int]]:
    """Amounts, without sign, that may have been meant; each once."""
    booked = abs(movement.amount_gbp)
    seen = {booked}
    dividend = movement.kind == "dividend"
    meant: list[tuple[Decimal, str, int]] = []
    if dividend:
        nets = [
            d.net_gbp for d in case.evidence.expected if (d.symbol, d.ex_date) == (movement.symbol, movement.ex_date)
        ]
        with exact():
            taxes = [_withheld(case, n, share) for n in (*nets, booked) for share in (FULL_TAX, ZERO)]
            taxes.append(half_even(booked / (ONE - FULL_TAX) * (ONE - TREATY), PENCE_PLACES))
        meant += [(n, "DIVIDEND_AMOUNT", EXACT) for n in nets] + [(t, "DIVIDEND_AMOUNT", FITS + 1) for t in taxes]
    meant += [(v, "DIVIDEND_AMOUNT" if dividend else "DECIMAL_SLIP", EXACT - 2) for v in slipped(booked)]
    swaps = "DIVIDEND_AMOUNT" if dividend else "DIGITS_SWAPPED_MOVEMENT"
    meant += [(v, swaps, EXACT - 1) for v in swapped(booked, PENCE_PLACES)]
    for amount, code, cost in meant:
        if amount > ZERO and amount == half_even(amount, PENCE_PLACES) and amount not in seen:
            seen.add(amount)
            yield amount, code, cost


def _same(one: CashMovement, other: CashMovement) -> bool:
    alike = (one.kind, one.amount_gbp, one.symbol) == (other.kind, other.amount_gbp, other.symbol)
    return alike and abs(one.at - other.at) <= TWIN_DAYS


def _wrong_pounds(case: Case, fill: Fill) -> Iterator[Cause]:
    """The pounds of a fill mistyped; its units and price say which pounds are plausible."""
    before = case.plausible(fill, fill.units, fill.value_gbp)
    slips = dict.fromkeys(slipped(fill.value_gbp), "DECIMAL_SLIP")
    swaps = dict.fromkeys(swapped(fill.value_gbp, PENCE_PLACES), "DIGITS_SWAPPED_FILL")
    for value, code in {**swaps, **slips}.items():
        if value <= ZERO or value != half_even(value, PENCE_PLACES):
            continue
        after = case.plausible(fill, fill.units, value)
        if after is False or (code == "DECIMAL_SLIP" and before is True):
            continue
        supported = after is True and before is False
        with exact():
            off = (value - fill.value_gbp) * (1 if fill.side == "SELL" else -1)
        how = "two digits swapped" if code == "DIGITS_SWAPPED_FILL" else "the decimal point in the wrong place"
        sentence = (
            f"The {fill.side} of {plain(fill.units)} {fill.symbol} of {fill.session} is booked for "
            f"{pounds(fill.value_gbp)}; for {pounds(value)} the cash agrees: its pounds were typed with {how}."
        )
        entries = rewriting(case, fill, sentence, value_gbp=value)
        yield settled(code, (), off, SUPPORTED if supported else NEUTRAL, sentence, *entries, certain=supported)
