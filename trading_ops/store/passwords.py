"""Passwords: what may be one, how it is kept, and how one is compared.

Kept is `scrypt$n$r$p$salt$key`; the cost stands in the text, so a later one does not shut out those of today.
"""

import base64
import hashlib
import hmac
import secrets
import unicodedata

from trading_ops.domain.errors import BadInput

SHORTEST = 10
LONGEST = 256
FEWEST_DIFFERENT = 5
COST, BLOCK, LANES = 2**15, 8, 1
SALT_BYTES, KEY_BYTES = 16, 32
MEMORY = 64 * 1024 * 1024
RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
"""A password that is a piece of one of these is among the first that are tried."""
_COMMON = """
admin administrator baseball changeme chelsea default desk dragon etoro everton executor football household iloveyou
letmein liverpool login master michael monkey operator passphrase passwort password princess qwerty qwertyuiop secret
summer sunshine superman trading tradingops trustno welcome whatever winter
"""
COMMON = frozenset(_COMMON.split())
"""Words that are no password even with digits and signs around them."""
LOOK_ALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s", "!": "i"})


def check_new(password: str, username: str) -> None:
    """Refuse a password that is guessed early.

    Raises:
        BadInput: It is too short, too long, holds the username, or is one of the most common.
    """
    folded = _even(password).casefold()
    if len(password) < SHORTEST:
        raise BadInput(f"The password has {len(password)} characters. Use at least {SHORTEST}; three words do well.")
    if len(password) > LONGEST or any(unicodedata.category(c) == "Cc" for c in password):
        raise BadInput(f"The password is longer than {LONGEST} characters, or holds characters that no key types.")
    if username.casefold() in folded:
        raise BadInput(f"The password holds the username {username!r}. Choose one that does not.")
    if len(set(folded)) < FEWEST_DIFFERENT or any(folded in run for run in RUNS) or _words(folded) & COMMON:
        raise BadInput("The password is one of those that are tried first. Choose another; three words do well.")


def hashed(password: str) -> str:
    """The text that is kept of a password; another one each time."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _derived(password, salt, COST, BLOCK, LANES, KEY_BYTES)
    return "$".join(("scrypt", str(COST), str(BLOCK), str(LANES), _text(salt), _text(key)))


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one of which `kept` is kept; takes as long for a wrong one as for the right one."""
    _, cost, block, lanes, salt, key = kept.split("$")
    wanted = base64.b64decode(key)
    found = _derived(password, base64.b64decode(salt), int(cost), int(block), int(lanes), len(wanted))
    return hmac.compare_digest(found, wanted)


def _derived(password: str, salt: bytes, cost: int, block: int, lanes: int, size: int) -> bytes:
    typed = _even(password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(typed, salt=salt, n=cost, r=block, p=lanes, maxmem=MEMORY, dklen=size)


def _even(password: str) -> str:
    """The same letters however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)


def _words(folded: str) -> set[str]:
    stripped = folded.strip("0123456789!?.,-_#*$@+ ")
    return {stripped, folded.translate(LOOK_ALIKES), stripped.translate(LOOK_ALIKES)}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


NOBODYS = "$".join(("scrypt", str(COST), str(BLOCK), str(LANES), _text(bytes(SALT_BYTES)), _text(bytes(KEY_BYTES))))
"""Compared with when there is no such person, so that the answer takes as long; no password matches it."""
