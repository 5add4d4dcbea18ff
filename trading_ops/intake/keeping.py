"""Keeping an answer, or why there is none: its load and its journal row are one transaction."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from trading_ops.domain.prices import ACTIONS_UNKNOWN
from trading_ops.domain.values import Session
from trading_ops.intake.work import SourceTally, Work
from trading_ops.providers.protocol import ACTIONS, SOURCE_IS_DOWN, Fetched, Outcome, Refusal
from trading_ops.store import fetches, market
from trading_ops.store.fetches import OK, Answered, Fetch, Held


@dataclass(frozen=True)
class Question:
    """What a source was asked: a name's days, or (`symbol` None) days of fixings; when, and with how many requests."""

    source: str
    symbol: str | None
    first: dt.date
    last: dt.date
    asked_at: dt.datetime
    requests: int


def keep(work: Work, tally: SourceTally, answer: Outcome, of: Question, missing: tuple[Session, ...] = ()) -> None:
    """Store an answer, or why there is none, with its journal row.

    Args:
        work: The round.
        tally: The source's count in it.
        answer: What came.
        of: What was asked.
        missing: The sessions that the source was asked for, without the overlap.
    """
    kind = "bars" if of.symbol else "fixings"
    common = (work.round.round_id, of.source, kind, of.symbol, of.first, of.last, of.asked_at, of.requests)
    subject = of.symbol or "GBPUSD"
    if isinstance(answer, Refusal):
        tally.refused[subject] = answer
        if answer.kind in SOURCE_IS_DOWN:
            tally.down = answer
        body = answer.answer
        with work.conn.transaction():
            fetches.record(
                work.conn,
                Fetch(
                    *common, answer.kind.value, str(answer), body.name if body else "", body.sha256 if body else None,
                    body.size if body else None, clocks=body.clocks if body else None,
                ),
            )  # fmt: skip
        _remember(work, of, answer.kind.value)
        return
    assert isinstance(answer, Fetched)
    with work.conn.transaction():
        _store(work, answer, common, of.source)
    tally.answered += 1
    _remember(work, of, OK)
    if of.symbol:
        flags = zip(answer.bars["session"].to_pylist(), answer.bars["flags"].to_pylist(), strict=True)
        work.record.add(Held(of.symbol, s, of.source, ACTIONS_UNKNOWN not in f) for s, f in flags)
        left = tuple(sorted(set(missing) - set(answer.bars["session"].to_pylist())))
        if left:
            tally.incomplete[subject] = left


def _store(work: Work, answer: Fetched, common: tuple[Any, ...], source: str) -> None:
    facts = answer.provenance.files
    body = facts[0] if facts else None
    result = market.write_load(
        work.conn,
        provider=source,
        origin=body.name if body else source,
        simulated=False,
        fetched_at=common[6],
        tables={
            "bars": answer.bars,
            "actions": pa.concat_tables([answer.actions, _taken_back(work, answer, source)]),
            "fixings": answer.fixings,
        },
    )
    work.round.bars += result.bars
    work.round.actions += result.actions
    work.round.fixings += result.fixings
    work.round.restated += result.restated
    rows = (answer.bars.num_rows, answer.actions.num_rows, answer.fixings.num_rows)
    fetches.record(
        work.conn,
        Fetch(
            *common, OK, "", body.name if body else "", body.sha256 if body else None, body.size if body else None,
            rows, answer.provenance.notes, result.load_id, body.clocks if body else None,
        ),
    )  # fmt: skip


def _taken_back(work: Work, answer: Fetched, source: str) -> pa.Table:
    """Actions on record that this answer of the same source has no more on days it tells of: value 0, there is none.

    A moved ex-date would otherwise count twice. The old revisions stay.
    """
    told: dict[str, list[Session]] = {}
    for row in answer.bars.select(["symbol", "session", "flags"]).to_pylist():
        if ACTIONS_UNKNOWN not in row["flags"]:
            told.setdefault(row["symbol"], []).append(row["session"])
    said = {(row["symbol"], row["ex_date"], row["kind"]) for row in answer.actions.to_pylist()}
    gone = [
        {"symbol": symbol, "ex_date": day, "kind": kind, "value": Decimal(0), "source": source}
        for symbol, days in told.items()
        for day, kind in fetches.actions_of(work.conn, symbol, source, days)
        if (symbol, day, kind) not in said
    ]
    return pa.Table.from_pylist(gone, schema=ACTIONS)


def _remember(work: Work, of: Question, outcome: str) -> None:
    work.record.add_answers([Answered(of.symbol, of.source, of.first, of.last, of.asked_at, outcome)])
