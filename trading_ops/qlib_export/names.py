"""Names as Qlib keeps them: folders in small letters, and words that it or pandas would read as something else."""

import re
from collections.abc import Iterable

from trading_ops.domain.errors import Refused

_SAFE = re.compile(r"[A-Z0-9][A-Z0-9._^=-]{0,31}", re.ASCII)
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL"} | {f"{word}{n}" for word in ("COM", "LPT") for n in range(10)})
_READ_AS_MISSING = frozenset({"NA", "NAN", "NULL", "NONE"})
_WAY_OUT = "Leave it out of the export."


def folder_name(symbol: str) -> str:
    """The folder of a name below `features`; words that Windows keeps for devices get the prefix Qlib looks for."""
    return f"_qlib_{symbol}".lower() if symbol.upper() in _DEVICES else symbol.lower()


def check_names(symbols: Iterable[str]) -> None:
    """Refuse names that cannot be told apart, or not be read back.

    Raises:
        Refused: Two names have one folder, or a name is unsafe as a file name or means "missing" to Qlib.
    """
    seen: dict[str, str] = {}
    for symbol in symbols:
        other = seen.setdefault(folder_name(symbol), symbol)
        if other != symbol:
            raise Refused(f"Qlib export: {other!r} and {symbol!r} are one folder to Qlib. Leave one out of the export.")
        if not _SAFE.fullmatch(symbol.upper()) or symbol.endswith(".") or not symbol.isascii():
            raise Refused(f"Qlib export: {symbol!r} cannot be the name of a folder. {_WAY_OUT}")
        if symbol.upper() in _READ_AS_MISSING:
            raise Refused(f"Qlib export: Qlib reads the name {symbol!r} as missing data. {_WAY_OUT}")
