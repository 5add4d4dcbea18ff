"""Tables, notices and links as plain HTML: every text escaped, numbers to the right, wide ones scroll by themselves.

Belongs here: what several of the operator's pages draw. Does not belong here: what a cell says (`words`).
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import streamlit as st

Tone: TypeAlias = Literal["green", "amber", "red", "grey"]
"""What a notice means; its word is always said too."""

_TONES: dict[Tone, tuple[str, str, str]] = {
    "green": ("#e6f4ea", "#0b5d1e", "#137333"),
    "amber": ("#fff4d6", "#6b4500", "#b06f00"),
    "red": ("#fde8e8", "#8a0f0f", "#b3261e"),
    "grey": ("#eef0f2", "#3a3f45", "#5f6770"),
}
_STYLE = """<style>
.ops-scroll {overflow-x: auto; margin: 0 0 1rem 0;}
.ops-table {border-collapse: collapse; width: 100%; font-size: 0.84rem; line-height: 1.35;}
.ops-table caption {text-align: left; font-weight: 600; padding: 0 0 .35rem 0; color: #1f2328;}
.ops-table th {text-align: left; border-bottom: 2px solid #8a9099; padding: .3rem .6rem .3rem 0; white-space: nowrap;
  vertical-align: bottom; color: #3a3f45;}
.ops-table td {border-bottom: 1px solid #d8dce1; padding: .3rem .6rem .3rem 0; vertical-align: top; color: #1f2328;}
.ops-table .num {text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;}
.ops-table .keep {white-space: nowrap;}
.ops-table .words {min-width: 11rem; overflow-wrap: anywhere;}
.ops-table s {color: #5f6770;}
.ops-table tr.sum td {border-top: 2px solid #8a9099; font-weight: 600;}
</style>"""


_PAGE = """<style>
.stMainBlockContainer {padding: 3.2rem 1.2rem 5rem; max-width: 58rem;}
.stMainBlockContainer h1 {font-size: 2rem; padding: 0 0 .4rem;}
.stMainBlockContainer h2 {font-size: 1.35rem; padding: .8rem 0 .3rem;}
</style>"""


def begin(title: str) -> None:
    """The page's style and title; first on every page of the operator."""
    st.html(_PAGE)
    st.title(title)


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how its cells stand."""

    title: str
    kind: Literal["keep", "num", "words"] = "keep"


@dataclass(frozen=True)
class Line:
    """A row of texts; `struck` when it is no longer in force, `total` when it adds the others up."""

    cells: Sequence[str]
    struck: bool = False
    total: bool = False


def table(caption: str, columns: Sequence[Column], lines: Iterable[Line | Sequence[str]]) -> None:
    """Draw a table; a struck row is crossed out in all cells but its last, which says why."""
    head = "".join(f'<th scope="col" class="{c.kind}">{html.escape(c.title)}</th>' for c in columns)
    body = "".join(_row(columns, line if isinstance(line, Line) else Line(line)) for line in lines)
    name = html.escape(caption, quote=True)
    st.html(
        f'{_STYLE}<div class="ops-scroll" tabindex="0" role="region" aria-label="{name}"><table class="ops-table">'
        f"<caption>{name}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], line: Line) -> str:
    cells = []
    for place, (column, text) in enumerate(zip(columns, line.cells, strict=True)):
        said = html.escape(text)
        if line.struck and place < len(columns) - 1 and text:
            said = f"<s>{said}</s>"
        cells.append(f'<td class="{column.kind}">{said}</td>')
    return f'<tr class="{"sum" if line.total else "one"}">{"".join(cells)}</tr>'


def notice(tone: Tone, word: str, sentence: str, more: Sequence[str] = ()) -> None:
    """A coloured notice that begins with its word in capitals: the colour is never all that says it."""
    back, text, edge = _TONES[tone]
    said = "".join(f"<p style='margin:.35rem 0 0 0'>{html.escape(line)}</p>" for line in more)
    st.html(
        f"<div style='background:{back};color:{text};border-left:.6rem solid {edge};border-radius:.3rem;"
        f"overflow-wrap:anywhere;padding:.7rem 1rem'><p style='margin:0;font-size:1.05rem'>"
        f"<strong>{html.escape(word)}</strong> {html.escape(sentence)}</p>{said}</div>"
    )


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and what they are, one below the other."""
    rows = "".join(
        f"<div style='display:flex;flex-wrap:wrap;gap:.1rem .8rem;padding:.3rem 0;border-bottom:1px solid #d8dce1'>"
        f"<dt style='flex:0 0 12rem;margin:0;padding:0;color:#3a3f45'>{html.escape(name)}</dt>"
        f"<dd style='flex:1 1 14rem;margin:0;padding:0;color:#1f2328'>{html.escape(what)}</dd></div>"
        for name, what in pairs
    )
    st.html(f"<dl style='margin:0 0 .6rem 0;padding:0'>{rows}</dl>")


def links(pairs: Sequence[tuple[str, str]]) -> None:
    """Links to pages of the desk, `(words, address)`, side by side."""
    made = " · ".join(
        f'<a href="{html.escape(address, quote=True)}" target="_self" style="color:#0b5394">{html.escape(words)}</a>'
        for words, address in pairs
    )
    st.html(f"<p style='margin:.2rem 0'>{made}</p>")


def verbatim(text: str, label: str) -> None:
    """A text exactly as it is, in lines that wrap."""
    name = html.escape(label, quote=True)
    st.html(
        f'<div tabindex="0" role="region" aria-label="{name}" style="max-height:38rem;overflow:auto;'
        'background:#f6f7f8;border:1px solid #c9ced4;border-radius:.3rem;padding:.7rem .9rem">'
        f'<pre style="white-space:pre-wrap;margin:0;font-size:.78rem;color:#1f2328">{html.escape(text)}</pre></div>'
    )
