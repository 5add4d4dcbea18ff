"""backup: made, proven by a restore, listed, and restored on an empty machine."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from trading_ops.backup import encryption, keeping, making, manifest, proving, restoring
from trading_ops.backup.manifest import Manifest
from trading_ops.commands import show
from trading_ops.commands.home import now, opened
from trading_ops.domain.ticket_words import london_moment
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, tickets
from trading_ops.store.connect import connect
from trading_ops.store.errors import NotInitialised
from trading_ops.store.server import Server

app = typer.Typer(help="Backups: one counts once it was restored and came out equal.", no_args_is_help=True)
Which = Annotated[str | None, typer.Argument(help="id or folder of a backup; the newest if left out")]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="file with the private key of an encrypted backup, as age-keygen wrote it"),
]


@app.command("create")
def backup_create(
    prove: Annotated[bool, typer.Option(help="restore it at once and compare")] = True,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Make a backup and prove it; backups older than 30 days go, never the last proven one."""
    with opened() as (conn, settings), making.one_at_a_time(settings):
        encrypted = encryption.wanted(settings)
        made = making.create(conn, settings, now(), encrypted)
        folder = settings.backups_dir / made.backup_id
        if prove:
            proving.prove(conn, folder, now, encrypted.moment if encrypted else None)
        gone = keeping.clear(settings.backups_dir, backups.proven(conn), now())
    if json:
        show.as_json({"backup_id": made.backup_id, "folder": str(folder), "proven": prove, **_facts(made)})
        return
    typer.echo(f"backup {made.backup_id} {'proven' if prove else 'made, not proven'}: {_words(made)}")
    typer.echo(f"{folder}")
    if made.encrypted:
        typer.echo(f"Encrypted to {made.encrypted.recipient}; nothing opens it without the private key.")
    if not prove:
        way = "verify --identity FILE" if made.encrypted else "verify"
        typer.echo(f"It counts once `trading-ops backup {way}` has restored it.")
    for each in gone:
        typer.echo(f"Removed {each.folder.name}, older than {keeping.KEEP.days} days.")


@app.command("verify")
def backup_verify(
    name: Which = None, identity: Identity = None, json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Restore a backup into a scratch server and compare everything; exit 1 when it is not whole.

    Of an encrypted one without its key, only that every file is what was written.
    """
    settings = Settings.from_env()
    folder = keeping.find(settings.backups_dir, name)
    keys = encryption.read_keys(identity) if identity else None
    if keys is None and manifest.glance(folder).encrypted:
        _only_looked_at(manifest.read(folder), json)
        return
    found = proving.verify(folder, keys=keys)
    try:
        with Server(settings).use(), connect(settings, "app_writer") as conn:
            conn.autocommit = True
            noted = proving.record(conn, found, now(), keys)
    except NotInitialised:
        noted = False
    if json:
        show.as_json({"backup_id": found.backup_id, "equal": True, "noted": noted, **_facts(found)})
        return
    typer.echo(f"backup {found.backup_id} came out equal: {_words(found)}")
    if not noted:
        typer.echo("This home did not make it, so no proof was noted.")


def _only_looked_at(found: Manifest, json: bool) -> None:
    assert found.encrypted is not None
    if json:
        show.as_json({"backup_id": found.backup_id, "equal": None, "noted": False, **_facts(found)})
        return
    typer.echo(f"backup {found.backup_id}: every file is what was written: {_words(found)}")
    typer.echo(
        f"It is encrypted to {found.encrypted.recipient} and was not restored. "
        "Name the file that holds its private key: --identity FILE."
    )


@app.command("list")
def backup_list(json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Backups of this home, newest first, each with when it was proven."""
    with opened() as (conn, settings):
        proven = backups.proven(conn)
        rows = [_row(each, proven) for each in reversed(keeping.every(settings.backups_dir))]
    if json:
        show.as_json(rows)
    else:
        show.as_table(rows, "There is no backup yet. `trading-ops backup create` makes one.")


@app.command("restore")
def backup_restore(name: Which = None, identity: Identity = None) -> None:
    """Restore a backup into an empty home: the database, data snapshots, tickets and reports."""
    settings = Settings.from_env()
    keys = encryption.read_keys(identity) if identity else None
    found = restoring.restore(keeping.find(settings.backups_dir, name), settings, keys)
    with opened() as (conn, _):
        head = audit.head(conn)
        last = tickets.every(conn)[-1:]
    typer.echo(f"restored {found.backup_id} into {settings.home}: {_words(found)}")
    typer.echo(f"audit head {head.seq} {head.hash[:16]}" + (f", last ticket {last[0].ticket_id}" if last else ""))
    typer.echo(
        "Not part of a backup, set them again: mail and source keys (secrets/secrets.env), TLS certificates. "
        "What happened after the backup was made is not in it: compare the account before the next ticket."
    )


def _facts(found: Manifest) -> dict[str, Any]:
    return {
        "made_at": found.made_at.isoformat(),
        "book": found.book,
        "tables": len(found.database.tables),
        "rows": sum(table.rows for table in found.database.tables.values()),
        "files": found.kept,
        "audit_seq": found.database.audit_seq,
        "audit_hash": found.database.audit_hash,
        "manifest_sha256": found.sha256,
        "encrypted_to": found.encrypted.recipient if found.encrypted else None,
    }


def _words(found: Manifest) -> str:
    facts = _facts(found)
    return (
        f"{facts['tables']} tables, {facts['rows']} rows, {facts['files']} files, audit head {facts['audit_seq']} "
        f"{facts['audit_hash'][:16]}, as of {london_moment(found.made_at)}"
    )


def _row(each: keeping.Kept, proven: dict[str, dt.datetime]) -> dict[str, object]:
    made = each.manifest
    return {
        "backup": each.folder.name,
        "made": london_moment(made.made_at) if made else each.fault,
        "proven": london_moment(proven[each.folder.name]) if each.folder.name in proven else "not proven",
        "audit_head": made.database.audit_seq if made else "",
        "encrypted": "yes" if made and made.encrypted else "",
        "megabytes": f"{each.size / 1_000_000:.1f}",
    }
