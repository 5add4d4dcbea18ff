"""One value, one sequence of bytes, one hash."""

import datetime as dt
import json
import random
import subprocess
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.domain.canonical import NotCanonical, canonical_bytes, sha256_hex
from trading_ops_tests.unit.golden_files import GOLDEN

VECTORS: list[dict[str, Any]] = json.loads((GOLDEN / "canonical_vectors.json").read_text("utf-8"))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", max_size=3), inner, max_size=4),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["about"])[:40])
def test_golden_vectors_keep_their_bytes_and_hashes(vector: dict[str, Any]) -> None:
    data = canonical_bytes(vector["value"])
    assert data.decode("utf-8") == vector["canonical"]
    assert sha256_hex(data) == vector["sha256"]


def test_sha256_agrees_with_the_coreutils() -> None:
    data = canonical_bytes({"ticket": "2018-W05"})
    answer = subprocess.run(["sha256sum"], input=data, capture_output=True, check=True).stdout.decode()
    assert answer.split()[0] == sha256_hex(data)


@given(values)
def test_parsing_canonical_bytes_and_writing_them_again_changes_nothing(value: object) -> None:
    data = canonical_bytes(value)
    assert canonical_bytes(json.loads(data)) == data


@given(st.dictionaries(st.text("abcxyz€é", max_size=3), values, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_never_counts(value: dict[str, object], chance: random.Random) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert canonical_bytes(dict(items)) == canonical_bytes(value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [1, 0.1]}, r"\$\.a\[1\]: 0\.1 is a float"),
        ({"price": Decimal("1.10")}, r"\$\.price: Decimal\('1\.10'\) is a Decimal"),
        ({"day": dt.date(2018, 2, 2)}, r"\$\.day: .* is a date"),
        ((1, 2), r"\$: \(1, 2\) is a tuple"),
        ({"colour": Colour.RED}, r"\$\.colour: .* is a Colour"),
        ({1: "a"}, r"\$: key 1 is a int"),
        ([2**53], r"\$\[0\]: 9007199254740992 is larger"),
        ([-(2**53)], r"\$\[0\]: -9007199254740992 is larger"),
        ("\ud800", "no Unicode text"),
        ({"é": 1, "e\u0301": 2}, "occurs twice"),
    ],
)
def test_what_has_no_single_form_is_refused_with_its_place(value: object, says: str) -> None:
    with pytest.raises(NotCanonical, match=says):
        canonical_bytes(value)
