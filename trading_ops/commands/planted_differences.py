"""What became of the differences that sloppy people planted: by kind, and case by case of the examination.

Belongs here: rows and sentences for people and programs. Does not belong here: planting or finding them.
"""

from collections.abc import Sequence

import typer

from trading_ops.commands import show
from trading_ops.simulation.examination import Examined
from trading_ops.simulation.kinds import KINDS, Kind
from trading_ops.simulation.sloppy_life import Met


def by_kind(met: Sequence[Met], examined: Sequence[Examined]) -> list[dict[str, object]]:
    """Every kind: how often it was planted, the class that it was to get, those it got, how often all agreed after."""
    rows: list[dict[str, object]] = []
    for kind in KINDS:
        lived = [m for m in met if m.planted.kind is kind]
        cases = [e for e in examined if kind in e.kinds]
        found = {_listed(codes) for m in lived for codes in (m.found, m.found_last)}
        rows.append(
            {
                "kind": kind.name,
                "wrong_in": kind.side,
                "refuses": "yes" if kind.refused else "no",
                "planted": len(lived),
                "class_expected": _expected(kind) or "-",
                "class_found": "; ".join(sorted(found)) if kind.expected else "-",
                "cleared": sum(m.agrees for m in lived),
                "examined": len(cases),
                "right": "yes" if all(one.right for one in (*lived, *cases)) else "NO",
            }
        )
    return rows


def wrong_rows(met: Sequence[Met], examined: Sequence[Examined]) -> list[dict[str, object]]:
    """Those that got another class than planted, or did not clear."""
    rows: list[dict[str, object]] = [
        _row(m.asof.isoformat(), m.planted.kind.name, m.planted.subject, (_expected(m.planted.kind),),
             " then ".join(_listed(codes) for codes in dict.fromkeys((m.found, m.found_last))), agrees=m.agrees)
        for m in met if not m.right
    ]  # fmt: skip
    rows += [
        _row("examination", " + ".join(k.name for k in e.kinds), ", ".join(e.subjects), e.expected, _listed(e.found),
             agrees=e.agrees)
        for e in examined if not e.right
    ]  # fmt: skip
    return rows


def _row(when: str, kind: str, subject: str, expected: Sequence[str], found: str, *, agrees: bool) -> dict[str, object]:
    return {
        "when": when, "kind": kind, "subject": subject, "class_expected": ", ".join(expected),
        "class_found": found, "cleared": "yes" if agrees else "NO",
    }  # fmt: skip


def _expected(kind: Kind) -> str:
    return f"{kind.expected} with {kind.truth} among its readings" if kind.truth else kind.expected


def _listed(codes: Sequence[str]) -> str:
    return ", ".join(codes) or "nothing"


def as_data(met: Sequence[Met], examined: Sequence[Examined]) -> dict[str, object]:
    """The same for programs."""
    return {"differences": by_kind(met, examined), "wrong": wrong_rows(met, examined), "examined": len(examined)}


def tell(met: Sequence[Met], examined: Sequence[Examined]) -> None:
    """Print the table of kinds, and what is wrong."""
    typer.echo()
    show.as_table(by_kind(met, examined), "")
    kinds = len({m.planted.kind for m in met})
    right = sum(m.right for m in met)
    typer.echo(
        f"{len(met)} differences of {kinds} kinds planted, {right} found as planted and cleared to the last unit and "
        f"penny, {len(met) - right} not"
    )
    if examined:
        right = sum(e.right for e in examined)
        typer.echo(
            f"{len(examined)} cases examined at the end (kinds singly and in pairs), {right} right, "
            f"{len(examined) - right} not"
        )
    wrong = wrong_rows(met, examined)
    if wrong:
        show.as_table(wrong, "")
