"""What may be a password, and how it is kept."""

import unicodedata

import pytest

from trading_ops.domain.errors import BadInput
from trading_ops.store.passwords import NOBODYS, check_new, hashed, matches

GOOD = "three brown walnut trees"


def test_a_kept_password_matches_itself_only() -> None:
    kept = hashed(GOOD)
    assert kept.startswith("scrypt$32768$8$1$")
    assert GOOD not in kept
    assert matches(GOOD, kept)
    for other in (GOOD + " ", GOOD.upper(), "", kept):
        assert not matches(other, kept)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert hashed(GOOD) != hashed(GOOD)


def test_however_a_keyboard_composes_it() -> None:
    assert matches(unicodedata.normalize("NFD", "grüne Äpfel im März"), hashed("grüne Äpfel im März"))


def test_nobody_costs_as_much_and_matches_nothing() -> None:
    assert NOBODYS.split("$")[:4] == hashed(GOOD).split("$")[:4]
    assert not matches("", NOBODYS)
    assert not matches(GOOD, NOBODYS)


@pytest.mark.parametrize("password", [GOOD, "Tr4-xk9!mmQz", "grüne Äpfel", "correct horse battery"])
def test_a_good_password_is_taken(password: str) -> None:
    check_new(password, "anna")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 10"), ("nine char", "at least 10"), ("x" * 300, "longer"),
        ("three\x00brown trees", "no key types"), ("Annas trees are brown", "username"), ("password123", "first"),
        ("Passw0rd2026!", "first"), ("1234567890", "first"), ("qwertyuiop", "first"), ("aaaaaaaaaaaa", "first"),
        ("ababababab", "first"), ("iloveyou2026", "first"), ("0987654321", "first"), ("abcdefghijkl", "first"),
    ],
)  # fmt: skip
def test_one_that_is_guessed_is_refused(password: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_new(password, "anna")
