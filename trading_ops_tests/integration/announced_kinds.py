"""Which kinds of facts an act announces, read from the code: every function that it can reach, and what they append.

A function reaches what it names: functions and classes of its own module, and imported ones. Calls on objects are not
followed; the product announces through functions of the store alone.
"""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import streamlit_app
import trading_ops

APPEND = ("audit.append", "append")


class Piece(NamedTuple):
    """A function or class: what of the product it names, and the kinds that it announces itself."""

    names: frozenset[str]
    kinds: frozenset[str]


def every_kind() -> set[str]:
    """Every kind that the product announces, as its code spells them."""
    return {kind for piece in _pieces().values() for kind in piece.kinds}


def kinds_of(begins: Callable[[str], bool], stops: Callable[[str], bool] = lambda _: False) -> set[str]:
    """The kinds that some functions can announce, however deep.

    Args:
        begins: Whether a dotted name is one of them.
        stops: Whether it is not entered: it works as another role of the database.
    """
    pieces = _pieces()
    seen: set[str] = set()
    todo = [name for name in pieces if begins(name)]
    while todo:
        name = todo.pop()
        if name in pieces and name not in seen and not stops(name):
            seen.add(name)
            todo += pieces[name].names
    return {kind for name in seen for kind in pieces[name].kinds}


@cache
def _pieces() -> dict[str, Piece]:
    found = {}
    for package in (trading_ops, streamlit_app):
        root = Path(package.__file__ or "").parent
        for file in root.rglob("*.py"):
            tree = ast.parse(file.read_text())
            module = ".".join((package.__name__, *file.relative_to(root).with_suffix("").parts))
            imported = dict(_imported(tree))
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    names = frozenset(_named(node, module, imported))
                    found[f"{module}.{node.name}"] = Piece(names, frozenset(_appended(node)))
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _named(node: ast.stmt, module: str, imported: dict[str, str]) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in imported:
            yield f"{imported[part.value.id]}.{part.attr}"
        elif isinstance(part, ast.Name):
            yield imported.get(part.id, f"{module}.{part.id}")


def _appended(node: ast.stmt) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in APPEND and len(call.args) > 1:
            kind = call.args[1]
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                yield kind.value
