"""prices fetch, sources, pickup, passport: market data from outside, and where each bar came from."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.progress import track

from trading_ops.commands import show
from trading_ops.commands.handed_in import day_of
from trading_ops.commands.home import now, opened
from trading_ops.domain import calendar
from trading_ops.domain.universe import Instrument
from trading_ops.intake import pickup as inbox
from trading_ops.intake import sources, telling
from trading_ops.intake.of_home import fetch_round
from trading_ops.intake.work import Round, SourceTally
from trading_ops.store import configuration, fetches, source_keys
from trading_ops.store.passport import Passport
from trading_ops.store.passport import passport as look_up

SHOWN = 12
"""Refused names that are shown of one source; the journal has all of them."""


def _with_a_bar(names: Sequence[Instrument]) -> Iterable[Instrument]:
    return track(names, description="names")


def fetch(
    source: Annotated[str | None, typer.Option(help="ask this source only: stooq, tiingo or yahoo")] = None,
    through: Annotated[
        str | None, typer.Option(help="last session wanted, 2026-01-30; the last one due if left out")
    ] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Ask the sources for what is due and missing; exit code 1 when a name still lacks the last session's bar."""
    last = day_of(through, "--through") if through else None
    if last is not None:
        calendar.sessions_back(last, 0)  # says so when it is no session
    with opened() as (conn, settings):
        watched = sys.stderr.isatty() and not json
        done = fetch_round(conn, settings, only=source, last=last, progress=_with_a_bar if watched else iter)
    if json:
        show.as_json(round_facts(done))
    else:
        show.as_table([_row(tally) for tally in done.tallies.values()], "There is no source to ask.")
        for sentence in sentences(done):
            typer.echo(sentence)
    if done.lacking:
        raise typer.Exit(1)


def _row(tally: SourceTally) -> dict[str, object]:
    state = "given up" if tally.down else ("waits" if tally.waits else "answers" if tally.answered else "not needed")
    return {
        "source": tally.source,
        "state": state,
        "asked": tally.asked,
        "answered": tally.answered,
        "refused": len(tally.refused),
        "incomplete": len(tally.incomplete),
        "requests": tally.requests,
    }


def sentences(done: Round) -> list[str]:
    """A round in sentences, the worst first."""
    said = []
    for tally in done.down:
        assert tally.down is not None
        said.append(f"{tally.source} was given up: {tally.down} {telling.remedy(tally.down.kind)}")
    if done.lacking:
        said.append(f"Without a bar of {done.last}: {', '.join(done.lacking)}.")
    if done.unconfirmed:
        said.append(f"From too few sources at {done.last}: {', '.join(done.unconfirmed)}.")
    for tally in done.tallies.values():
        said += [f"{tally.source}: {tally.waits}"] if tally.waits else []
        shown = [item for item in tally.refused.items() if item[1] is not tally.down][:SHOWN]
        said += [f"{tally.source}, {name}: {refusal.kind}, {refusal.sentence}" for name, refusal in shown]
        late = {name: days for name, days in tally.incomplete.items() if done.last in days}
        if late:
            said.append(f"{tally.source} has no bar of {done.last} of {', '.join(late)}; the next source was asked.")
        if len(tally.refused) > SHOWN:
            said.append(f"{tally.source}: {len(tally.refused) - SHOWN} more names were refused.")
    said += [f"Restated: {restated.sentence()}" for restated in done.restated]
    said.append(
        f"Session {done.last}: {done.bars} new or restated bars, {done.actions} corporate actions, "
        f"{done.fixings} fixings, {done.requests} requests."
    )
    return said


def round_facts(done: Round) -> dict[str, object]:
    """A round as plain values."""
    return {
        "round": str(done.round_id),
        "last": done.last.isoformat(),
        "bars": done.bars,
        "actions": done.actions,
        "fixings": done.fixings,
        "requests": done.requests,
        "lacking": list(done.lacking),
        "from_too_few_sources": list(done.unconfirmed),
        "holes": done.holes,
        "sources": [
            _row(tally)
            | {
                "down": tally.down.kind.value if tally.down else None,
                "waits": tally.waits,
                "refusals": {name: f"{r.kind}: {r.sentence}" for name, r in tally.refused.items()},
            }
            for tally in done.tallies.values()
        ],
        "restated": [restated.sentence() for restated in done.restated],
    }


def sources_list(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Which sources can be asked, when each last answered, and what is in the way of the others."""
    with opened() as (conn, settings):
        policy = configuration.policy_in_force(conn).policy
        there = sources.configured(policy, source_keys.read(settings))
        there.close()
        today = now().replace(hour=0, minute=0, second=0, microsecond=0)
        states = {state.source: state for state in fetches.source_states(conn, today)}
    rows = []
    for name in dict.fromkeys((*policy.fetch.sources, *policy.fetch.fx_sources)):
        state = states.get(name)
        rows.append(
            {
                "source": name,
                "prices": "yes" if name in policy.fetch.sources else "",
                "fixings": "yes" if name in policy.fetch.fx_sources else "",
                "last_answer": f"{state.last_ok:%Y-%m-%d %H:%M} UTC" if state and state.last_ok else "never",
                "requests_today": state.requests_today if state else 0,
                "state": there.left_out.get(name)
                or ("ready" if state is None or state.outcome == fetches.OK else f"{state.outcome}: {state.sentence}"),
            }
        )
    show.rows(rows, "json" if json else "table", "The policy names no source.")
    usable = len(there.prices)
    if not json and usable > 1 and policy.data.sources_min == 1:
        typer.echo(
            f"{usable} sources of prices can be asked, and the policy is content with one. Set data.sources_min to 2, "
            "so that a name is only traded when two of them agree."
        )


def pickup(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Load what lies in the home's inbox; exit code 1 when something was refused."""
    with opened() as (conn, settings):
        universe = configuration.universe_of_day(conn, now().date()).universe
        found = list(inbox.pick_up(conn, settings, universe, now()))
        folder = settings.inbox_dir
    if json:
        show.as_json([{"name": p.name, "loaded": p.loaded, "sentence": p.sentence, "put": str(p.put)} for p in found])
    else:
        for p in found:
            typer.echo(f"{p.name}: {'loaded' if p.loaded else 'REFUSED'}, {p.sentence} Put into {p.put.parent}.")
        if not found:
            typer.echo(
                f"{folder}: nothing to pick up (a file is looked at {inbox.SETTLED.seconds} s after its last change)."
            )
    if not all(p.loaded for p in found):
        raise typer.Exit(1)


def passport(symbol: str, session: str, json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Where a bar came from, every revision of it, what was found, and which tickets used it."""
    day = day_of(session, "SESSION")
    with opened() as (conn, _):
        found = look_up(conn, symbol, day, configuration.policy_in_force(conn).policy.data)
    if json:
        show.as_json(found.as_dict())
        return
    for line in passport_lines(found):
        typer.echo(line)


def passport_lines(of: Passport) -> list[str]:
    """A passport as a person reads it."""
    lines = [f"{of.symbol} {of.session}"]
    for stamp in of.stamps:
        p = stamp.prices
        lines += [
            "",
            f"{stamp.source}, revision {stamp.revision}{' (counts)' if stamp.chosen else ''}",
            f"  open {p['open']}  high {p['high']}  low {p['low']}  close {p['close']} USD as traded, "
            f"volume {p['volume']}, adjusted close {p['adj_close']}{f', {stamp.flags}' if stamp.flags else ''}",
            f"  fetched {stamp.fetched_at:%Y-%m-%d %H:%M:%S} UTC, load {stamp.load_id}, from {stamp.origin}",
        ]
        lines += [f"  body {name}\n       sha256 {digest}" for name, digest in stamp.body]
    if not of.stamps:
        lines.append("No source has a bar of this session.")
    lines += ["", "Corporate actions:"]
    lines += [
        f"  {kind} {value} ({source}){'' if counts else ', does not count'}"
        for kind, value, source, counts in of.actions
    ] or ["  none"]
    lines += ["", "Verdict:", *(f"  {verdict}" for verdict in of.verdicts)]
    if of.refusals:
        lines += ["", "Refused answers about it:", *(f"  {refusal}" for refusal in of.refusals)]
    lines += ["", f"Tickets of this session: {', '.join(of.tickets) or 'none'}"]
    return lines
