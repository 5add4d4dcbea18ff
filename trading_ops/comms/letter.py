"""A letter: its subject, its rows, one sentence for a push; and the two bodies it is mailed with.

Whatever a row holds is text: Markdown, HTML and line breaks in it are shown, never obeyed.
"""

import html
import re
from dataclasses import dataclass

from trading_ops.domain.ticket_layout import Row, text

SUBJECT_LENGTH = 140
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_UNESCAPE = re.compile(r"\\([\\`*\[\]<>~&_])")
_STYLE = "font-family: system-ui, sans-serif; font-size: 17px; line-height: 1.45; color: #111; max-width: 42em"
_BUTTON = "display: inline-block; padding: 12px 18px; background: #0a5c36; color: #fff; text-decoration: none"


@dataclass(frozen=True)
class Attached:
    """A page that goes with a letter: the name of its file, and its HTML."""

    name: str
    html: str


@dataclass(frozen=True)
class Letter:
    """What is said to one reader.

    Attributes:
        subject: One line.
        rows: The whole text.
        sentence: The gist, for a push.
        link: The page to open, or None.
        link_words: What the link is called.
        answers: Key of the outbox row whose mail this one belongs to, so that a phone shows them together.
        attached: A page that goes with the mail, or None.
    """

    subject: str
    rows: tuple[Row, ...]
    sentence: str
    link: str | None = None
    link_words: str = "Open the page"
    answers: str | None = None
    attached: Attached | None = None

    @property
    def subject_line(self) -> str:
        """The subject on one line, without control signs, cut at a length that phones show."""
        words = one_line(self.subject)
        return words if len(words) <= SUBJECT_LENGTH else words[: SUBJECT_LENGTH - 1] + "…"


def one_line(words: str) -> str:
    """Any text on one line, without control or direction signs."""
    return Row("text", words).clean


def plain_body(letter: Letter) -> str:
    """The plain part: every word, without markup."""
    return text(_with_link(letter))


def html_body(letter: Letter) -> str:
    """The HTML part: the same words, all escaped; the only link is the letter's own."""
    parts: list[str] = []
    in_list = False
    for row in letter.rows:
        if (row.kind == "item") is not in_list:
            parts.append("<ul>" if not in_list else "</ul>")
            in_list = not in_list
        parts.append(_html_row(row))
        if row is letter.rows[0] and not in_list:
            parts += _button(letter)
    parts += ["</ul>"] if in_list else []
    title = html.escape(letter.subject_line)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body style="{_STYLE}">\n' + "\n".join(parts) + "\n</body></html>\n"
    )


def rows_of_markdown(markdown: str) -> tuple[Row, ...]:
    """The rows of a sheet that `ticket_layout.markdown` wrote: the stored ticket, word for word."""
    rows: list[Row] = []
    for line in markdown.splitlines():
        if not line.strip():
            continue
        if line.startswith("**") and line.endswith("**") and len(line) > 4:
            rows.append(Row("strong", _plain(line[2:-2])))
        elif line.startswith("# "):
            rows.append(Row("title", _plain(line[2:])))
        elif line.startswith("## "):
            rows.append(Row("section", _plain(line[3:])))
        elif line.startswith("- "):
            rows.append(Row("item", _plain(line[2:])))
        else:
            rows.append(Row("text", _plain(line)))
    return tuple(rows)


def _plain(words: str) -> str:
    return _UNESCAPE.sub(r"\1", words)


def _with_link(letter: Letter) -> tuple[Row, ...]:
    if letter.link is None:
        return letter.rows
    return (*letter.rows[:1], Row("strong", f"{letter.link_words}: {letter.link}"), *letter.rows[1:])


def _button(letter: Letter) -> list[str]:
    if letter.link is None:
        return []
    shown = html.escape(one_line(letter.link))
    words = html.escape(letter.link_words)
    if not _URL.fullmatch(letter.link):
        return [f"<p>{words}: {shown}</p>"]
    return [f'<p><a style="{_BUTTON}" href="{shown}">{words}</a></p>', f"<p>{shown}</p>"]


def _html_row(row: Row) -> str:
    words = html.escape(row.clean)
    forms = {
        "title": "<h1>{}</h1>", "section": "<h2>{}</h2>", "strong": "<p><strong>{}</strong></p>", "text": "<p>{}</p>",
        "item": "<li>{}</li>",
    }  # fmt: skip
    return forms[row.kind].format(words)
