"""Is the server there, and is it ours? Alive means that it lets us in and names our data folder."""

import enum
from pathlib import Path

import psycopg

from trading_ops.store.cluster import HOST, SUPERUSER, Cluster

CONNECT_SECONDS = 10


class Answer(enum.Enum):
    """What the recorded port answers."""

    OURS = "ours"
    BUSY = "starting or stopping"
    FOREIGN = "another server"
    NOTHING = "nothing"


def ask(cluster: Cluster, port: int | None = None) -> Answer:
    """Knock at a port of the cluster, the recorded one by default."""
    where = port if port is not None else cluster.port()
    if where is None:
        return Answer.NOTHING
    try:
        with psycopg.connect(
            host=HOST, port=where, user=SUPERUSER, password=cluster.password(), dbname="postgres",
            connect_timeout=CONNECT_SECONDS, autocommit=True,
        ) as conn:  # fmt: skip
            row = conn.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError as exc:
        return _classify(str(exc))
    return Answer.OURS if row is not None and _same(Path(row[0]), cluster.data) else Answer.FOREIGN


def _classify(text: str) -> Answer:
    # The server's messages are in English: we start it with LC_ALL=C.
    if any(words in text for words in ("starting up", "shutting down", "recovery", "not yet accepting")):
        return Answer.BUSY
    if "authentication failed" in text or "no pg_hba.conf entry" in text:
        return Answer.FOREIGN
    return Answer.NOTHING


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
