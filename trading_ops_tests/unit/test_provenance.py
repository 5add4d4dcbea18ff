"""Which code made a ticket: a checkout is asked, and an image carries what its build wrote down."""

from pathlib import Path

import pytest

from trading_ops.store import provenance
from trading_ops.store.provenance import CodeState

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_an_image_names_the_commit_it_was_built_from(tmp_path: Path) -> None:
    (tmp_path / "code_state.json").write_text(f'{{"commit": "{COMMIT}", "dirty": false}}\n')
    assert provenance.code_state_of(tmp_path) == CodeState(COMMIT, False)


@pytest.mark.parametrize("text", ["", "[]", '{"commit": 7, "dirty": false}', '{"commit": "abc", "dirty": "no"}'])
def test_a_record_that_cannot_be_read_counts_as_unknown_and_dirty(tmp_path: Path, text: str) -> None:
    (tmp_path / "code_state.json").write_text(text)
    assert provenance.code_state_of(tmp_path) == CodeState("unknown", True)


def test_outside_of_both_the_code_is_unknown(tmp_path: Path) -> None:
    assert provenance.code_state_of(tmp_path) == CodeState("unknown", True)


def test_a_checkout_is_asked_itself_whatever_lies_in_it() -> None:
    assert provenance.code_state() == provenance.code_state_of(provenance.ROOT)
    assert len(provenance.code_state().commit) == 40
