"""What came back from the network, and how it may be spoken of: no text here or in a refusal shows a secret.

Belongs here: the answer as bytes, its refusals, and safe texts. Does not belong here: getting it (`web`), or what a
body means (each source).
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

import httpx2

from trading_ops.domain.clock_evidence import Reading
from trading_ops.domain.errors import ConfigError
from trading_ops.providers.protocol import FileFact, Refusal, RefusalKind, RefusedData

_SECRET = "(secret)"
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)
_AGE = re.compile(r"\d{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came back.

    Attributes:
        status: 200, or one of the statuses that the caller wanted to read itself.
        headers: By small name; values of one name are joined by a comma.
        body: As it is after unpacking.
        fact: URL without its secrets, SHA-256 and size of the body; format and rows are not known here.
        secrets: What no text may show.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    fact: FileFact
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.fact.name!r}, {self.fact.size} bytes)"

    @property
    def where(self) -> str:
        """The URL without its secrets, for messages."""
        return self.fact.name

    def excerpt(self, length: int = 120) -> str:
        """The beginning of the body, safe to show: one line, printable, without secrets."""
        return shown(self.body.decode("utf-8", "replace"), self.secrets, length)

    def text(self) -> str:
        """The body as text, without a byte order mark.

        Raises:
            RefusedData: It is no UTF-8.
        """
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            sentence = f"byte {error.start + 1} is not UTF-8, so the answer is damaged. Nothing was kept."
            raise self.refuse(RefusalKind.DAMAGED_FILE, sentence) from None

    def refuse(self, kind: RefusalKind, sentence: str) -> RefusedData:
        """The refusal of this body."""
        return RefusedData(kind, self.where, sentence, self.fact)


def status_refusal(answer: Answer) -> RefusedData:
    """The refusal of a status that means no data, with what the server said of waiting."""
    status = f"HTTP {answer.status}"
    if answer.status == httpx2.codes.TOO_MANY_REQUESTS:
        return answer.refuse(RefusalKind.RATE_LIMITED, f"it was asked too often ({status}{patience(answer)}).")
    said = f': "{answer.excerpt()}"' if answer.body.strip() else ""
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        sentence = f"the source has a trouble of its own ({status}{patience(answer)}){said}"
        return answer.refuse(RefusalKind.SERVER_ERROR, sentence)
    sentence = f"it refuses the question ({status}){said}. Look at the page in a browser."
    return answer.refuse(RefusalKind.HTTP_ERROR, sentence)


def patience(answer: Answer) -> str:
    """What the server said of waiting, as `, Retry-After: 30`; empty when it said nothing."""
    asked = shown(answer.headers.get("retry-after", ""), answer.secrets, 40)
    return f", Retry-After: {asked}" if asked else ""


def clocks_of(headers: Mapping[str, str], machine: dt.datetime) -> Reading | None:
    """The server's clock beside this machine's, out of an answer's headers; None when they do not tell.

    A cache on the way passes on the time at which it got the answer, and in `Age` how long ago that was.

    Args:
        headers: By small name.
        machine: This machine's clock when the answer was there, aware UTC.
    """
    said, age = headers.get("date", ""), headers.get("age", "0")
    if not _DATE.fullmatch(said) or not _AGE.fullmatch(age):
        return None
    try:
        return Reading(machine, parsedate_to_datetime(said).astimezone(dt.UTC) + dt.timedelta(seconds=int(age)))
    except (ValueError, OverflowError):
        return None


def about(refusal: Refusal, answer: Answer | None) -> Refusal:
    """A refusal with the body that it is about; cells of that body may be quoted in it, so its texts are made safe."""
    if answer is None:
        return refusal
    return Refusal(
        refusal.kind,
        shown(refusal.where, answer.secrets, 600),
        shown(refusal.sentence, answer.secrets, 1000),
        refusal.answer or answer.fact,
    )


def secret_text(name: str, text: str) -> str:
    """A key as it may be sent.

    Raises:
        ConfigError: It is empty, or holds what no header can; the text is not shown.
    """
    kept = text.strip()
    if not kept or not kept.isascii() or not kept.isprintable() or " " in kept:
        raise ConfigError(f"{name}: this is no key. Write it without blanks and line breaks, as the source gave it.")
    return kept


def shown(text: str, secrets: tuple[str, ...], length: int) -> str:
    """Foreign text as a message may show it: one line of printable characters, without secrets, cut to a length."""
    for secret in secrets:
        for spelled in {secret, quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(spelled, _SECRET)
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * length]).split())
    return line if len(line) <= length else f"{line[:length]}…"
