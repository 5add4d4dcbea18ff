"""A form that is sent counts once, however often its button is pressed; and what is typed survives a closed browser.

The page makes the key before it shows the button. The same key with the same content gives the stored result; with
other content it is refused. Keys never expire.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from trading_ops.domain.canonical import canonical_bytes, sha256_hex
from trading_ops.domain.errors import Refused

Result = Mapping[str, Any]


class SentAlready(Refused):
    """The same form was sent with other content."""


@dataclass(frozen=True)
class Sent:
    """What became of a form: its result, and whether this press was the one that did it."""

    result: Result
    first: bool


def once(
    conn: psycopg.Connection[Any],
    submission_id: uuid.UUID,
    kind: str,
    subject: str,
    content: Mapping[str, object],
    username: str,
    work: Callable[[], Result],
) -> Sent:
    """Do the work of a form once.

    Args:
        conn: A connection inside a transaction; the work happens in it.
        submission_id: The key that the page made for this form.
        kind: Which form, `answers`.
        subject: What it is about, `2018-W05`.
        content: Everything that was sent; strings, integers, booleans, None, lists and maps only.
        username: Who sent it.
        work: What to do; its result is stored and must be JSON.

    Raises:
        SentAlready: The key was used with other content.
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7301))", (str(submission_id),))
    digest = sha256_hex(canonical_bytes({"kind": kind, "subject": subject, "content": dict(content)}))
    found = conn.execute(
        "SELECT content_sha256, result FROM ops.submissions WHERE submission_id = %s", (submission_id,)
    ).fetchone()
    if found:
        if found["content_sha256"] != digest:
            raise SentAlready("This form was sent already, with other content. Open the page again to change it.")
        return Sent(found["result"], first=False)
    result = json.dumps(dict(work()))
    conn.execute(
        "INSERT INTO ops.submissions (submission_id, kind, subject, content_sha256, username, result) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (submission_id, kind, subject, digest, username, result),
    )
    return Sent(json.loads(result), first=True)


def save_draft(conn: psycopg.Connection[Any], username: str, page: str, subject: str, body: Mapping[str, Any]) -> None:
    """Keep what is typed and not yet sent; the same again is not kept twice."""
    text = json.dumps(dict(body), sort_keys=True)
    newest = draft(conn, username, page, subject)
    if newest is not None and json.dumps(dict(newest), sort_keys=True) == text:
        return
    conn.execute(
        "INSERT INTO ops.page_drafts (username, page, subject, body) VALUES (%s, %s, %s, %s)",
        (username, page, subject, text),
    )


def draft(conn: psycopg.Connection[Any], username: str, page: str, subject: str) -> Mapping[str, Any] | None:
    """What this person typed last on a page, or None."""
    row = conn.execute(
        "SELECT body FROM ops.page_drafts WHERE page = %s AND subject = %s AND username = %s "
        "ORDER BY draft_id DESC LIMIT 1",
        (page, subject, username),
    ).fetchone()
    return row["body"] if row else None
