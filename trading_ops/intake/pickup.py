"""The inbox: files that a person drops into `<home>/inbox` are loaded and put away, or refused with a note beside them.

Each entry of the inbox (a file, or a folder of files that belong together) is loaded whole or not at all. A CSV of
Yahoo waits for its two companions in the same folder; Stooq's texts count only below a folder named `as-traded`, whose
name is a person's word for the basis.
"""

import datetime as dt
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from trading_ops.domain.universe import Universe
from trading_ops.providers.files import FilesProvider
from trading_ops.providers.protocol import Fetched, Refusal, Request
from trading_ops.settings import Settings
from trading_ops.store import fetches, market
from trading_ops.store.fetches import OK, Fetch

AS_TRADED = "as-traded"
SETTLED = dt.timedelta(seconds=10)
"""A file that was written this recently may still be on its way; it is looked at again later."""
DONE, REFUSED = "done", "refused"
_ASIDE = frozenset({DONE, REFUSED, AS_TRADED})


@dataclass(frozen=True)
class PickedUp:
    """What became of one entry of the inbox.

    Attributes:
        name: The entry.
        sentence: What was loaded, or why nothing was.
        loaded: It was loaded.
        put: Where it lies now.
    """

    name: str
    sentence: str
    loaded: bool
    put: Path


def waiting(settings: Settings, now: dt.datetime) -> tuple[Path, ...]:
    """Entries of the inbox that have settled, by name."""
    return tuple(sorted(path for path, _ in _entries(settings.inbox_dir) if _settled(path, now)))


def pick_up(
    conn: psycopg.Connection[Any], settings: Settings, universe: Universe, now: dt.datetime
) -> Iterator[PickedUp]:
    """Load every settled entry of the inbox; each is put away before the next is begun.

    Args:
        conn: A writer's connection in autocommit.
        settings: The home.
        universe: Names outside it are left out.
        now: The moment, UTC.
    """
    for path, basis in sorted(_entries(settings.inbox_dir)):
        if _settled(path, now):
            request = Request(universe, basis="as-traded" if basis else None, skip_unknown=True)
            yield _one(conn, settings.inbox_dir, path, request, now)


def _one(conn: psycopg.Connection[Any], inbox: Path, path: Path, request: Request, now: dt.datetime) -> PickedUp:
    outcome = FilesProvider(path).fetch(request)
    if isinstance(outcome, Refusal):
        record(conn, outcome, path, now)
        put = _put_away(path, inbox / REFUSED, now)
        put.with_name(put.name + ".why.txt").write_text(f"{outcome}\n", encoding="utf-8")
        return PickedUp(path.name, str(outcome), False, put)
    result = store(conn, outcome, str(path), now)
    put = _put_away(path, inbox / DONE, now)
    sentence = (
        f"{result.bars} new or restated bars, {result.actions} corporate actions, {result.fixings} fixings "
        f"(load {result.load_id})."
    )
    return PickedUp(path.name, sentence, True, put)


def store(conn: psycopg.Connection[Any], answer: Fetched, origin: str, now: dt.datetime) -> market.LoadResult:
    """Store what files gave, with a journal row for each of them, in one transaction."""
    simulated = answer.provenance.source == "simulated"
    with conn.transaction():
        result = market.write_load(
            conn, provider=answer.provenance.source, origin=origin, simulated=simulated, fetched_at=now,
            tables={"bars": answer.bars, "actions": answer.actions, "fixings": answer.fixings},
        )  # fmt: skip
        round_id = uuid.uuid4()
        for fact in answer.provenance.files:
            fetches.record(
                conn,
                Fetch(
                    round_id, answer.provenance.source, "file", None, None, None, now, 0, OK, "", fact.name,
                    fact.sha256, fact.size, (fact.rows, 0, 0), (fact.format, *answer.provenance.notes), result.load_id,
                ),
            )  # fmt: skip
    return result


def record(conn: psycopg.Connection[Any], refusal: Refusal, path: Path, now: dt.datetime) -> None:
    """Write a refused entry into the journal."""
    body = refusal.answer
    with conn.transaction():
        fetches.record(
            conn,
            Fetch(
                uuid.uuid4(), "files", "file", None, None, None, now, 0, refusal.kind.value, str(refusal), path.name,
                body.sha256 if body else None, body.size if body else None,
            ),
        )  # fmt: skip


def _entries(inbox: Path) -> Iterator[tuple[Path, bool]]:
    """Entries with whether a person says, by their place, that their prices are as traded."""
    for folder, basis in ((inbox, False), (inbox / AS_TRADED, True)):
        if folder.is_dir():
            for path in folder.iterdir():
                if not path.name.startswith(".") and path.name not in _ASIDE:
                    yield path, basis


def _settled(path: Path, now: dt.datetime) -> bool:
    inside = [path, *path.rglob("*")] if path.is_dir() else [path]
    try:
        newest = max(entry.stat().st_mtime for entry in inside)
    except FileNotFoundError:
        return False  # somebody is moving it this moment
    return now - dt.datetime.fromtimestamp(newest, dt.UTC) >= SETTLED


def _put_away(path: Path, folder: Path, now: dt.datetime) -> Path:
    """Move an entry below a folder of today; one of the same name does not replace another."""
    today = folder / f"{now:%Y-%m-%d}"
    today.mkdir(parents=True, exist_ok=True)
    target = today / path.name
    number = 1
    while target.exists():
        number += 1
        target = today / f"{number}-{path.name}"
    shutil.move(path, target)
    return target
