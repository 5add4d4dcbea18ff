"""A sheet as Markdown and as one HTML page that needs nothing from anywhere else.

Every word is text: markup in it is shown, never obeyed.
"""

import base64
import html
import re
from collections.abc import Sequence

from trading_ops.domain.report_facts import Facts, Tone
from trading_ops.reports.layout import sheet_of
from trading_ops.reports.sheet import Block, Chart, Lead, Pairs, Points, Say, Section, Sheet, Side, Table

_MARKUP = re.compile(r"[\\`*\[\]<>~|$]|&(?=[#\w])|(?<!\w)_|_(?!\w)")
_TONES: dict[Tone, tuple[str, str, str]] = {
    "green": ("#e6f4ea", "#0b5d1e", "#137333"),
    "amber": ("#fff4d6", "#6b4500", "#b06f00"),
    "red": ("#fde8e8", "#8a0f0f", "#b3261e"),
    "grey": ("#eef0f2", "#3a3f45", "#5f6770"),
}
_STYLE = """
.report {font: 16px/1.45 system-ui, sans-serif; color: #1f2328; max-width: 64rem; margin: 0 auto; padding: 12px;
  box-sizing: border-box; background: #fff;}
.report h1 {font-size: 1.35rem !important; line-height: 1.3; margin: .2rem 0 .7rem; padding: 0 !important;}
.report h2 {font-size: 1.12rem !important; margin: 1.5rem 0 .5rem; border-bottom: 2px solid #d8dce1;
  padding: 0 0 .15rem !important;}
.report h3 {font-size: 1rem !important; margin: 0 0 .2rem; padding: 0 !important;}
.report p {margin: .35rem 0;}
.report ul {margin: .4rem 0; padding-left: 1.2rem;}
.report li {margin: .2rem 0;}
.report dl {margin: 0 !important; padding: 0 !important;}
.report dl div {display: flex; flex-wrap: wrap; gap: .05rem .8rem; padding: .25rem 0; border-bottom: 1px solid #e4e7ea;}
.report dt {flex: 0 0 9rem; margin: 0 !important; padding: 0 !important; color: #3a3f45;}
.report dd {flex: 1 1 10rem; margin: 0 !important; padding: 0 !important; font-variant-numeric: tabular-nums;}
.report .wide {overflow-x: auto; margin: .6rem 0;}
.report table {border-collapse: collapse; font-size: .9rem; min-width: 100%;}
.report caption {text-align: left; color: #3a3f45; padding-bottom: .25rem;}
.report th {text-align: left; border-bottom: 2px solid #8a9099; padding: .25rem .8rem .25rem 0; white-space: nowrap;}
.report td {border-bottom: 1px solid #e4e7ea; padding: .25rem .8rem .25rem 0; vertical-align: top;}
.report .num {text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;}
.report td:first-child {white-space: nowrap;}
.report .side {display: flex; flex-wrap: wrap; gap: 1rem; margin: .9rem 0;}
.report figure {flex: 1 1 20rem; min-width: 0; max-width: 34rem; margin: 0;}
.report figcaption {color: #3a3f45; font-size: .9rem;}
.report img {display: block; width: 100%; height: auto;}
@media (max-width: 600px) {
  .report table {font-size: .82rem;}
  .report th, .report td {padding-right: .55rem;}
  .report td:first-child {white-space: normal;}
}
.report footer {margin-top: 1.6rem; color: #5f6770; font-size: .82rem; overflow-wrap: anywhere;}
"""
_BEGINS, _ENDS = '<body style="margin:0"><main>\n', "\n</main></body></html>\n"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_markdown(facts: Facts) -> str:
    """The report as Markdown. The same facts give the same bytes."""
    sheet = sheet_of(facts)
    parts = [f"# {_plain(sheet.title)}", *(_markdown(block) for block in sheet.blocks)]
    return "\n\n".join([*(p for p in parts if p), "---", *map(_plain, sheet.foot)]) + "\n"


def to_html(facts: Facts) -> str:
    """The report as one page with its pictures in it. The same facts give the same bytes."""
    sheet = sheet_of(facts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{html.escape(sheet.title)}</title></head>\n"
        f"{_BEGINS}{_body(sheet)}{_ENDS}"
    )


def body_of(page: str) -> str:
    """What stands inside a page that `to_html` made, for a page of the desk: as it was written, whatever came since."""
    return page.partition(_BEGINS)[2].rpartition(_ENDS)[0]


def _body(sheet: Sheet) -> str:
    blocks = "\n".join(_html(block) for block in sheet.blocks)
    foot = "".join(f"<p>{html.escape(words)}</p>" for words in sheet.foot)
    return (
        f'<style>{_STYLE}</style>\n<article class="report"><h1>{html.escape(sheet.title)}</h1>\n{blocks}\n'
        f"<footer>{foot}</footer></article>"
    )


def _markdown(block: Block) -> str:  # noqa: PLR0911  # one return a kind of block
    match block:
        case Lead(_, words):
            return f"**{_plain(words)}**"
        case Section(words):
            return f"## {_plain(words)}"
        case Say(words):
            return _plain(words)
        case Points(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Pairs(pairs):
            return "\n".join(f"- {_plain(name)}: {_plain(said)}" for name, said in pairs)
        case Table(caption, columns, rows, numbers):
            marks = ["---:" if place in numbers else "---" for place in range(len(columns))]
            head = [_row([_plain(c) for c in columns]), _row(marks)]
            lines = [*head, *(_row([_plain(cell) for cell in row]) for row in rows)]
            return "\n".join([*([f"{_plain(caption)}:", ""] if caption else []), *lines])
        case Chart(title, words, _):
            return f"{_plain(title)}: {_plain(words)}"
        case Side(charts):
            return "\n\n".join(_markdown(chart) for chart in charts)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(words: str) -> str:
    clean = "".join(c for c in " ".join(words.split()) if c.isprintable())
    return _MARKUP.sub(r"\\\g<0>", clean)


def _html(block: Block) -> str:  # noqa: PLR0911  # one return a kind of block
    said = _escaped
    match block:
        case Lead(tone, words):
            back, ink, edge = _TONES[tone]
            return (
                f'<p style="background:{back};color:{ink};border-left:.5rem solid {edge};padding:.6rem .8rem;'
                f'font-weight:600">{said(words)}</p>'
            )
        case Section(words):
            return f"<h2>{said(words)}</h2>"
        case Say(words):
            return f"<p>{said(words)}</p>"
        case Points(items):
            return "<ul>" + "".join(f"<li>{said(item)}</li>" for item in items) + "</ul>"
        case Pairs(pairs):
            rows = "".join(f"<div><dt>{said(name)}</dt><dd>{said(what)}</dd></div>" for name, what in pairs)
            return f"<dl>{rows}</dl>"
        case Table():
            return _table(block)
        case Chart(title, words, svg):
            return (
                f'<figure><h3>{said(title)}</h3><img alt="{said(words)}" src="{_picture(svg)}">'
                f"<figcaption>{said(words)}</figcaption></figure>"
            )
        case Side(charts):
            return f'<div class="side">{"".join(_html(chart) for chart in charts)}</div>'


def _escaped(words: str) -> str:
    """Text for the page; a number and its per cent stay on one line."""
    return html.escape(words).replace(" %", "\u00a0%")


def _picture(svg: str) -> str:
    """A picture inside the page: as an image it stays whole where pages take drawings out of foreign text."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _table(table: Table) -> str:
    kinds = [' class="num"' if place in table.numbers else "" for place in range(len(table.columns))]
    head = "".join(f'<th scope="col"{k}>{html.escape(c)}</th>' for k, c in zip(kinds, table.columns, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{k}>{_escaped(cell)}</td>" for k, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    name = html.escape(table.caption or " ".join(table.columns[:2]), quote=True)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{name}"><table>{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
