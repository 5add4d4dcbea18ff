"""rollout: in which phase the book is, what is missing for the next, and leading it on or back."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from trading_ops.commands import show
from trading_ops.commands.handed_in import number, whole
from trading_ops.commands.home import now, opened, person
from trading_ops.desk import rolling_out, rollout_certificate, rollout_state
from trading_ops.desk.book_clock import now_of
from trading_ops.desk.rollout_state import RolloutState
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput
from trading_ops.domain.rollout import PHASES
from trading_ops.domain.values import plain
from trading_ops.store import rollout
from trading_ops.store.rollout import Act

app = typer.Typer(help="The roll-out: pre-flight, dry run, small capital, scale.", no_args_is_help=True)
Reason = Annotated[str, typer.Option(help="why, in a few words")]
Share = Annotated[str | None, typer.Option(help="share of full size, where the phase leaves a choice: 0.10 to 0.20")]


@app.command("status")
def status(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The phase, every criterion of it with the week since which it holds, and what is missing."""
    with opened() as (conn, _):
        found = rollout_state.require_state(conn, now_of(conn, now()))
        acts = rollout.acts(conn)
    if as_json:
        show.as_json(_facts(found, acts))
    else:
        tell(found, acts)


def tell(found: RolloutState, acts: tuple[Act, ...]) -> None:
    """Print where the roll-out stands, for people."""
    typer.echo(
        f"{found.phase.title} ({found.book} book; it trades {rollout_state.share_words(found)}). {found.phase.means}"
    )
    show.as_table([_row(a) for a in rollout_state.answers_of(found)], "This phase asks for nothing more.")
    for sentence in found.missing:
        typer.echo(f"Missing: {sentence}")
    typer.echo(found.sentence)
    for act in acts:
        typer.echo(_act_words(act))


@app.command("promote")
def promote(
    reason: Reason,
    share: Share = None,
    certificate: Annotated[
        Path | None, typer.Option(help="of the paper book's dry run; a live book's pre-flight needs it")
    ] = None,
) -> None:
    """Lead the book into the next phase, when every criterion holds."""
    text = whole(certificate) if certificate else None
    chosen = number(share, "rollout promote", "--share") if share else None
    with opened() as (conn, _), conn.transaction():
        typer.echo(rolling_out.promote(conn, now_of(conn, now()), reason, person(), chosen, text))


@app.command("return")
def back(
    to: Annotated[str, typer.Option(help=", ".join(PHASES))],
    reason: Reason,
    share: Share = None,
) -> None:
    """Go back to an earlier phase, or begin the present one anew."""
    chosen = number(share, "rollout return", "--share") if share else None
    with opened() as (conn, _), conn.transaction():
        typer.echo(rolling_out.back(conn, now_of(conn, now()), to, reason, person(), chosen))


@app.command("certificate")
def certificate(
    out: Annotated[Path, typer.Option(help="file to write, for `rollout promote` in the live book's home")],
    reason: Reason,
) -> None:
    """Certify a paper book's dry run, when every criterion of it holds."""
    if out.exists():
        raise BadInput(f"{out} is there already. Name another file.")
    with opened() as (conn, _), conn.transaction():
        document = rollout_certificate.certify(conn, now(), reason, person())
        out.write_bytes(document)
    typer.echo(f"{out}: hand it to `trading-ops rollout promote --certificate FILE` in the live book's home.")


def _row(answer: dict[str, object]) -> dict[str, object]:
    return {
        "criterion": answer["code"], "holds": "yes" if answer["met"] else "NO", "since_week": answer["since"] or "",
        "first_met": answer["first"] or "", "seen": answer["seen"],
    }  # fmt: skip


def _act(act: Act) -> dict[str, object]:
    return {
        "act": act.act, "phase": act.phase, "share": plain(act.share), "by": act.set_by,
        "when": f"{act.created_at.astimezone(LONDON):%a %d %b %Y %H:%M} London", "why": act.reason,
    }  # fmt: skip


def _act_words(act: Act) -> str:
    """An act with the criteria that were judged for it, each with its week."""
    judged = json.loads(act.document).get("answers", [])
    weeks = "; ".join(f"{a['code']} {a['since'] or '-'}" for a in judged)
    said = f"{act.act} {act.phase}, share {plain(act.share)}, by {act.set_by}: {act.reason}"
    return f"{said} ({weeks})" if weeks else said


def _facts(found: RolloutState, acts: tuple[Act, ...]) -> dict[str, Any]:
    return {
        "book": found.book, "phase": found.phase.name, "share": plain(found.share),
        "weeks": [w.week for w in found.facts.weeks], "criteria": rollout_state.answers_of(found),
        "missing": list(found.missing), "acts": [_act(act) for act in acts],
    }  # fmt: skip
