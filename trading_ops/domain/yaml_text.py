"""YAML as exact text: every scalar is kept as it was written, with the place where it stands.

Belongs here: what YAML is. Which keys and numbers are allowed is the business of `policy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import yaml

from trading_ops.domain.errors import ConfigError


class _Mark(Protocol):
    """PyYAML's mark, counted from 0."""

    line: int
    column: int


Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top: `("sizing", "seats")`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """A YAML file read as text.

    Attributes:
        values: Nested dicts and lists of strings; None stands for YAML's null.
        places: The place of every value by its path, and of every section's key.
    """

    values: dict[str, object]
    places: Mapping[Path, Place]


def dotted(path: Path) -> str:
    """A path as people write it: `data.usual_splits[2]`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def complaint(where: str, place: Place, path: Path, sentence: str) -> ConfigError:
    """The error that names file, line, column and key."""
    key = f", {dotted(path)}" if path else ""
    return ConfigError(f"{where}, line {place.line}, column {place.column}{key}: {sentence}")


def read_yaml(text: str, where: str) -> Document:
    """Read a YAML mapping without converting a single scalar.

    Args:
        text: The file's text.
        where: The file's name for messages.

    Raises:
        ConfigError: Not YAML, not a mapping, a key twice, an alias, or a key that is not text.
    """
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise complaint(where, _place(event.start_mark), (), "aliases are not allowed. Write the value itself.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark)
        raise complaint(where, place, (), f"this is not YAML ({error.problem}). Correct the line.") from error
    except yaml.YAMLError as error:
        raise complaint(where, Place(1, 1), (), "this is not YAML text. Save the file as UTF-8 text.") from error
    if not isinstance(root, yaml.MappingNode):
        raise complaint(where, Place(1, 1), (), "sections such as `sizing:` are expected. Restore the file.")
    places: dict[Path, Place] = {(): Place(1, 1)}
    values = _mapping(root, (), where, places)
    return Document(values, places)


def _place(mark: _Mark | None) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _mapping(node: yaml.MappingNode, path: Path, where: str, places: dict[Path, Place]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        place = _place(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            raise complaint(where, place, path, "a key must be a word. Write `name: value`.")
        key = key_node.value
        inner = (*path, key)
        if key in found:
            first = places[inner]
            raise complaint(where, place, inner, f"the key is here twice, first in line {first.line}. Remove one.")
        # A section is found by its key, a value by itself.
        places[inner] = place if isinstance(value_node, yaml.MappingNode) else _place(value_node.start_mark)
        found[key] = _value(value_node, inner, where, places)
    return found


def _value(node: yaml.Node, path: Path, where: str, places: dict[Path, Place]) -> object:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, where, places)
    if isinstance(node, yaml.SequenceNode):
        items: list[object] = []
        for position, item in enumerate(node.value):
            places[*path, position] = _place(item.start_mark)
            items.append(_value(item, (*path, position), where, places))
        return items
    text: str = node.value
    return None if node.tag == "tag:yaml.org,2002:null" else text
