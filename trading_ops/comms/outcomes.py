"""How a try to send ended, and what may be repeated of a server's words."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from trading_ops.comms.letter import one_line

LONGEST = 200


@dataclass(frozen=True)
class Sent:
    """It was taken."""

    words: str = "taken"


@dataclass(frozen=True)
class NotNow:
    """It may work later."""

    words: str


@dataclass(frozen=True)
class Unreachable:
    """The server itself could not be used: no other message has to be tried there now."""

    words: str


@dataclass(frozen=True)
class Never:
    """It was refused for good."""

    words: str


Result: TypeAlias = Sent | NotNow | Unreachable | Never


def repeatable(said: bytes | str, secrets: Iterable[str | None]) -> str:
    """A foreign server's words: on one line, shortened, with nothing of ours that must not be shown."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    for secret in secrets:
        for form in _forms(secret) if secret else ():
            words = words.replace(form, "[secret]")
    return one_line(words)[:LONGEST].rstrip() or "no reason given"


def _forms(secret: str) -> list[str]:
    return [secret, base64.b64encode(secret.encode()).decode()]
