"""The report of a whole history, as Markdown for people and as plain rows for programs.

Belongs here: layout. Does not belong here: anything that is judged or counted (`examine`, `margin`, `by_hand`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from trading_ops.domain.move_classes import MoveClass
from trading_ops.domain.move_words import signed
from trading_ops.domain.values import fixed, plain
from trading_ops.history.by_hand import Comparison
from trading_ops.history.findings import FUNDS, MEANINGS, STOCKS, Code, History, LargeMove, Margin, count


def markdown(history: History, comparison: Comparison | None = None) -> str:
    """The report: what was looked at, what was found, every large move with its evidence and what to look up."""
    parts = [
        _head(history),
        _coverage(history),
        _classes(history),
        _comparison(comparison) if comparison is not None else "",
        _moves(history.moves),
        _margin(history.margin) if history.margin is not None else "",
        _findings(history),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def rows(history: History, comparison: Comparison | None = None) -> dict[str, Any]:
    """The same as lists and dictionaries of text and whole numbers."""
    found: dict[str, Any] = {
        "coverage": [_texts(asdict(row)) for row in history.coverage],
        "findings": [_texts(asdict(finding)) for finding in history.findings],
        "jump_max": plain(history.jump_max),
        "moves": [_move_row(move) for move in history.moves],
    }
    if history.margin is not None:
        found["margin"] = {
            "unrecorded_splits": _counts(v.kind for _, v in history.margin.unrecorded),
            "narrow_moves": _counts(v.kind for _, v in history.margin.narrow),
            "narrowest": plain(history.margin.narrowest),
        }
    if comparison is not None:
        found["against"] = {
            "counts": [asdict(row) for row in comparison.counts],
            "wrong": list(comparison.wrong),
        }
    return found


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(header), ["---"] * len(header), *cells])


def _head(history: History) -> str:
    if not history.coverage:
        return "# Price history\n\nThere is no bar to look at."
    first, last = min(c.first for c in history.coverage), max(c.last for c in history.coverage)
    looked = _groups("bar", [(c.group, c.bars) for c in history.coverage])
    large = _groups("close", [(FUNDS if move.fund else STOCKS, 1) for move in history.moves])
    return (
        f"# Price history from {first} to {last}\n\n"
        f"{looked} went through every quality rule. {large} moved by more than a factor of {plain(history.jump_max)} "
        "either way beyond the recorded split."
    )


def _groups(noun: str, counted: Sequence[tuple[str, int]]) -> str:
    """`51 closes of stocks and 1 close of funds`; a group with none is left out unless both are."""
    sums = {group: sum(number for of, number in counted if of == group) for group in (STOCKS, FUNDS)}
    named = {group: number for group, number in sums.items() if number} or {STOCKS: 0}
    return " and ".join(f"{number:,} {noun}{'' if number == 1 else 's'} of {group}" for group, number in named.items())


def _coverage(history: History) -> str:
    header = ("source", "what", "names", "from", "to", "bars", "sessions", "missing", "without a trade", "impossible")
    lines = [
        (
            *(c.source, c.group, c.names, c.first, c.last, f"{c.bars:,}"),
            *(f"{c.expected:,}", c.missing, c.zero_volume, c.invalid),
        )
        for c in history.coverage
    ]
    found = [(code, len(history.of_code(code)), MEANINGS[code]) for code in Code]
    return f"## Coverage\n\n{table(header, lines)}\n\n{table(('finding', 'found', 'what it is'), found)}"


def _classes(history: History) -> str:
    stocks = count(m.verdict.kind for m in history.moves if not m.fund)
    funds = count(m.verdict.kind for m in history.moves if m.fund)
    lines: list[tuple[str, int, int]] = [(kind, stocks[kind], funds[kind]) for kind in MoveClass]
    lines.append(("all", sum(stocks.values()), sum(funds.values())))
    return f"## Large moves by class\n\n{table(('class', 'stocks', 'funds'), lines)}"


def _comparison(comparison: Comparison) -> str:
    lines = [(row.group, row.kind, row.right, row.total) for row in comparison.counts]
    lines += [(group, "all", *comparison.sums(group)) for group in (STOCKS, FUNDS)]
    text = f"## Against the list made by hand\n\n{table(('of', 'class', 'right', 'by hand'), lines)}"
    return text + "\n\n" + "\n".join(f"- {sentence}" for sentence in (comparison.sentence(), *comparison.wrong))


def _moves(moves: Sequence[LargeMove]) -> str:
    lines = [
        (m.move.symbol, m.move.session, m.verdict.kind, fixed(m.move.ratio, 3), m.gate or "-", m.verdict.evidence[0])
        for m in moves
    ]
    header = ("name", "session", "class", "move", "the gate says", "what decided")
    return "\n\n".join(["## Large moves", table(header, lines), *map(_evidence, moves)]) if moves else ""


def _evidence(large: LargeMove) -> str:
    move, verdict = large.move, large.verdict
    after = [f"The session after came to {signed(large.after)} (for the reader; it decides nothing)."] if (
        large.after is not None
    ) else []  # fmt: skip
    lines = [*verdict.evidence, *after, f"To do: {verdict.look_up}"]
    if verdict.proposal:
        lines.append(f"To record if that confirms it: {verdict.proposal}.")
    return f"### {move.symbol} {move.session}: {verdict.kind}\n\n" + "\n".join(f"- {line}" for line in lines)


def _margin(margin: Margin) -> str:
    taken = count(v.kind for _, v in margin.unrecorded)
    narrow = count(v.kind for _, v in margin.narrow)
    lines = [(kind, taken[kind], narrow[kind]) for kind in MoveClass]
    others = [
        f"- {move.symbol} {move.session}: {verdict.kind}. {verdict.evidence[0]}"
        for move, verdict in margin.unrecorded
        if verdict.kind is not MoveClass.MISSING_SPLIT
    ]
    return "\n\n".join(
        [
            "## How far the classes can be trusted",
            f"{len(margin.unrecorded)} splits that are on record were judged as if they were not, from prices and "
            f"volumes alone; and {len(margin.narrow)} moves between a factor of {plain(margin.narrowest)} and the "
            "policy's, which nobody is asked about, were judged all the same.",
            table(("class", "splits taken off the record", "moves too small to ask about"), lines),
            "Splits that were not found again:",
            "\n".join(others) or "- none",
        ]
    )


def _findings(history: History) -> str:
    parts = []
    for code in Code:
        found = history.of_code(code)
        if found:
            lines = "\n".join(f"- {f.symbol} {f.session}: {f.sentence}" for f in found)
            parts.append(f"## {code}: {MEANINGS[code]}\n\n{lines}")
    return "\n\n".join(parts)


def _move_row(large: LargeMove) -> dict[str, Any]:
    move, verdict = large.move, large.verdict
    return {
        "symbol": move.symbol,
        "session": str(move.session),
        "class": str(verdict.kind),
        "gate": large.gate,
        "fund": large.fund,
        "previous_session": str(move.previous_session),
        "previous_close": plain(move.previous_close),
        "close": plain(move.close),
        "ratio": fixed(move.ratio, 6),
        "split": plain(move.split),
        "distribution": plain(move.distribution),
        "evidence": list(verdict.evidence),
        "look_up": verdict.look_up,
        "proposal": verdict.proposal,
        "after": None if large.after is None else fixed(large.after, 6),
    }


def _counts(kinds: Iterable[MoveClass]) -> dict[str, int]:
    return {str(kind): number for kind, number in count(kinds).items()}


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, int) else str(value) for key, value in row.items()}
