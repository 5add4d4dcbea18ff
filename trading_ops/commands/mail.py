"""mail: what waits in the outbox, what was given up, sending now, and a letter to try the way out."""

import datetime as dt
import uuid
from typing import Annotated, Any

import psycopg
import typer

from trading_ops.commands import show
from trading_ops.commands.home import now, opened, person
from trading_ops.comms import mime, setup, smtp
from trading_ops.comms.letter import Letter
from trading_ops.comms.outcomes import Sent
from trading_ops.comms.sending import Sender, drain
from trading_ops.comms.setup import Comms
from trading_ops.domain.calendar import LONDON
from trading_ops.domain.errors import BadInput, Refused
from trading_ops.domain.ticket_layout import Row
from trading_ops.settings import Settings
from trading_ops.store import desk, outbox
from trading_ops.store.outbox_rows import Given, Recipient, Waiting

app = typer.Typer(help="Mail and push: what waits, what failed, sending now.", no_args_is_help=True)


@app.command("status")
def mail_status(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What waits, for whom, and what was given up."""
    with opened() as (conn, settings):
        comms = setup.read(settings)
        facts = facts_of(conn, comms)
    if json:
        show.as_json(facts)
        return
    for sentence in sentences(facts):
        typer.echo(sentence)
    if facts["waiting_list"]:
        show.as_table(facts["waiting_list"], "")
    if facts["dead_list"]:
        typer.echo("Given up; `trading-ops mail retry NUMBER` sends again:")
        show.as_table(facts["dead_list"], "")


def facts_of(conn: psycopg.Connection[Any], comms: Comms) -> dict[str, Any]:
    """The post as data; the book's silence included."""
    push = [p.name for p in comms.push]
    at, book = now(), desk.book(conn)
    silent = book == "sim" and not comms.even_simulated
    wait = outbox.waiting(conn, at, push)
    return {
        "mail": "off" if comms.smtp is None else comms.smtp.where,
        "push": push,
        "silent": silent,
        **outbox.status(conn, at, push).facts(),
        "waiting_list": [] if silent else [_waiting_row(w) for w in wait],
        "dead_list": [_dead_row(g) for g in outbox.dead(conn)],
    }


def sentences(facts: dict[str, Any]) -> list[str]:
    """The same in words, the worst first."""
    said = [setup.OFF] if facts["mail"] == "off" else [f"Mail goes through {facts['mail']}."]
    if facts["silent"]:
        said.append("The book is simulated: its messages are kept and sent to nobody.")
    for role, number in facts["without_address"].items():
        said.append(f"No active {role} has an address: {number} messages wait for one. `trading-ops user` sets it.")
    counts = ", ".join(f"{facts[name]} {name}" for name in ("waiting", "deferred", "dead", "superseded", "sent"))
    said.append(f"Deliveries: {counts}. Last sent: {_time(facts['last_sent'])}.")
    return said


@app.command("send")
def mail_send(
    even_simulated: Annotated[bool, typer.Option(help="also the messages of a simulated book")] = False,
) -> None:
    """Send now what is due; exit 1 when something of it could not be sent."""
    with opened() as (conn, settings):
        tally = drain(Sender(conn, setup.read(settings), now), even_simulated=even_simulated)
    typer.echo(tally.sentence)
    if tally.counts["deferred"] or tally.counts["dead"]:
        raise typer.Exit(1)


@app.command("retry")
def mail_retry(
    outbox_id: Annotated[int | None, typer.Argument(help="number of the message")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="every message that was given up")] = False,
) -> None:
    """Put what was given up back into the queue."""
    if (outbox_id is None) is not dead:
        raise BadInput("mail retry: name one message, or --dead for all of them.")
    with opened() as (conn, _), conn.transaction():
        again = outbox.requeue(conn, outbox_id, person(), now())
    typer.echo(f"{len(again)} put back into the queue. `trading-ops mail send` sends now.")


@app.command("test")
def mail_test(address: str) -> None:
    """Send a short letter to an address, past the outbox."""
    settings = Settings.from_env()
    comms = setup.read(settings)
    if comms.smtp is None:
        raise Refused(setup.OFF)
    to = setup.mailbox("", address)
    letter = Letter(
        "Test of the desk's mail",
        (Row("strong", "The desk's mail works."), Row("text", "Nothing has to be done.")),
        "The desk's mail works.",
    )
    identity = mime.message_id(uuid.uuid4().hex, [0], Recipient("mail", address))
    result = smtp.send(comms.smtp, mime.build(letter, comms.smtp.sender, to, identity, now()))
    if not isinstance(result, Sent):
        raise Refused(f"The test letter was not sent: {result.words}.")
    typer.echo(f"The test letter to {address} was {result.words}. Look whether it arrived.")


def _waiting_row(item: Waiting) -> dict[str, object]:
    return {
        "number": item.message.outbox_id,
        "kind": item.message.kind,
        "plan": item.message.plan_id,
        "channel": item.recipient.channel,
        "to": item.recipient.address,
        "tries": item.attempt,
        "next_try": _time(item.next_at) if item.next_at else "now",
        "last": item.detail,
    }


def _dead_row(given: Given) -> dict[str, object]:
    return {
        "number": given.outbox_id,
        "kind": given.kind,
        "plan": given.plan_id,
        "channel": given.channel,
        "to": given.address,
        "given_up": _time(given.at),
        "why": given.detail,
    }


def _time(instant: dt.datetime | None) -> str:
    return f"{instant.astimezone(LONDON):%d %b %Y %H:%M} London" if instant else "never"
