"""The command line: what people and schedules call. Thin; the work is in `commands` and behind it."""

import sys

import typer

from trading_ops.commands import (
    audit,
    backup,
    dev,
    doctor,
    drill,
    export,
    fetching,
    history,
    incidents,
    ledger,
    mail,
    market,
    names,
    people,
    qlib,
    report,
    rollout,
    serve,
    setup,
    simulate,
    tickets,
)
from trading_ops.domain.errors import TradingOpsError

app = typer.Typer(
    name="trading-ops",
    help="A household trading desk: one weekly ticket, proven or refused, executed by hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("init")(setup.init)
app.command("plan")(tickets.plan)
app.command("simulate")(simulate.simulate)
app.command("demo")(simulate.demo)
app.command("drill")(drill.drill)
app.command("confirm")(tickets.confirm)
app.command("dev")(dev.dev)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.examine_home)
app.command("watch")(incidents.watch)
market.app.command("fetch")(fetching.fetch)
market.app.command("sources")(fetching.sources_list)
market.app.command("pickup")(fetching.pickup)
market.app.command("passport")(fetching.passport)
market.app.command("history")(history.history)
app.add_typer(market.app, name="prices")
app.add_typer(market.data_app, name="data")
app.add_typer(tickets.app, name="ticket")
app.add_typer(ledger.snapshot_app, name="snapshot")
app.add_typer(ledger.app, name="ledger")
app.add_typer(setup.policy_app, name="policy")
app.add_typer(setup.universe_app, name="universe")
app.add_typer(setup.server_app, name="server")
app.add_typer(names.app, name="names")
app.add_typer(people.app, name="user")
app.add_typer(mail.app, name="mail")
app.add_typer(export.app, name="export")
app.add_typer(qlib.app, name="qlib")
app.add_typer(report.app, name="report")
app.add_typer(rollout.app, name="rollout")
app.add_typer(backup.app, name="backup")
app.add_typer(audit.app, name="audit")
app.add_typer(audit.desk_app, name="desk")
app.add_typer(incidents.app, name="incident")


def main() -> None:
    """Run a command; an error that was foreseen is one sentence and exit code 1."""
    try:
        app()
    except TradingOpsError as exc:
        sys.stderr.write(f"{exc}\n")
        sys.exit(1)
