"""What Stooq answers with: a CSV, or with the same HTTP 200 one of many things that are none, each called by its name.

Belongs here: telling these bodies apart. Does not belong here: asking (`stooq`), or what the CSV's rows mean
(`stooq_text`).
"""

from typing import NamedTuple

from trading_ops.providers.columns import Sheet
from trading_ops.providers.formats.sheets import open_sheet
from trading_ops.providers.formats.stooq_text import ENGLISH, POLISH
from trading_ops.providers.protocol import RefusalKind, RefusedData
from trading_ops.providers.web_answer import Answer

_HEADERS = (ENGLISH, POLISH)


class _Said(NamedTuple):
    """A body that is no CSV: what it begins with, or what stands anywhere in it, in small letters."""

    kind: RefusalKind
    begins: tuple[str, ...]
    holds: tuple[str, ...]
    sentence: str


_SAID = (
    _Said(
        RefusalKind.NO_DATA,
        ("no data", "brak danych"),
        (),
        "Stooq has no data of this name on these days. Check the symbol in the universe if it should.",
    ),
    _Said(
        RefusalKind.QUOTA_SPENT,
        ("exceeded the daily hits limit", "przekroczony dzienny limit"),
        (),
        "the day's limit of questions is spent. Stooq answers again tomorrow.",
    ),
    _Said(
        RefusalKind.CHALLENGE,
        (),
        ("requires javascript to verify", "verify your browser", "wymaga javascript", "/__verify"),
        "Stooq sent its page that makes browsers prove themselves, which is never solved here. "
        "Get a key in a browser and put it among the secrets, or let another source answer.",
    ),
    _Said(
        RefusalKind.KEY_WANTED,
        (),
        ("get your apikey", "get_apikey"),
        "Stooq wants a key, or does not know ours. Get one in a browser and put it among the secrets.",
    ),
)


def open_answer(answer: Answer, with_volume: bool) -> Sheet:
    """The CSV of an answer.

    Args:
        answer: What came back.
        with_volume: Shares have a volume; currencies may be without one.

    Raises:
        RefusedData: Every other body that Stooq is known to send, and any that it is not.
    """
    text = answer.body.decode("utf-8-sig", "replace").strip()
    first, *others = text.splitlines() or [""]
    if not _is_header(first):
        raise _no_csv(answer, text, others)
    if not answer.body.endswith((b"\n", b"\r")):
        sentence = "the last line has no end, so the answer was cut off. Nothing was kept."
        raise answer.refuse(RefusalKind.CUT_OFF, sentence)
    if not others:
        sentence = "there is a header and no row, so nothing was said about the name. Ask again later."
        raise answer.refuse(RefusalKind.HEADER_ONLY, sentence)
    answer.text()  # whole, header and rows
    sheet = open_sheet(answer.where, answer.body)
    _require_columns(answer, sheet.table.column_names, with_volume)
    return sheet


def _is_header(line: str) -> bool:
    cells = line.strip().split(",")
    return any(cells[0] == names[0] and len(set(cells) & set(names)) > 2 for names in _HEADERS)


def _no_csv(answer: Answer, text: str, others: list[str]) -> RefusedData:
    if not text:
        return answer.refuse(RefusalKind.EMPTY_FILE, "the answer is empty. Ask again later.")
    if any(_is_header(line) for line in others):
        sentence = (
            f'the server wrote "{answer.excerpt()}" before the data, so it was not well when it made them. '
            "Nothing was kept; ask again later."
        )
        return answer.refuse(RefusalKind.NOISE_BEFORE_DATA, sentence)
    small = text.lower()
    for said in _SAID:
        if small.startswith(said.begins) or any(phrase in small for phrase in said.holds):
            return answer.refuse(said.kind, said.sentence)
    if any(",".join(names).startswith(text) for names in _HEADERS):
        return answer.refuse(RefusalKind.CUT_OFF, "the answer was cut off in its header. Nothing was kept.")
    sentence = f'this is no market data: "{answer.excerpt()}". Look at the page in a browser.'
    return answer.refuse(RefusalKind.NOT_MARKET_DATA, sentence)


def _require_columns(answer: Answer, found: list[str], with_volume: bool) -> None:
    names = ENGLISH if ENGLISH[0] in found else POLISH
    needed = names if with_volume else names[:-1]
    missing = [name for name in needed if name not in found]
    unknown = [name for name in found if name not in names]
    if missing:
        sentence = f"the column {missing[0]} is missing; expected are {', '.join(needed)}. Nothing was kept."
        raise answer.refuse(RefusalKind.MISSING_COLUMN, sentence)
    if unknown:
        sentence = f"a column is unknown; expected are {', '.join(needed)}. Nothing was kept."
        raise answer.refuse(RefusalKind.UNKNOWN_COLUMN, sentence)
