"""Golden files: what people read, and bytes that must never change by accident.

Rewrite them with `TRADING_OPS_REWRITE_GOLDEN=1 .venv/bin/python -m pytest trading_ops_tests/unit/test_ticket_text.py`
(or any other test that uses them), then read the difference before it is committed.
"""

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def rewriting() -> bool:
    """True when golden files are written instead of compared."""
    return os.environ.get("TRADING_OPS_REWRITE_GOLDEN") == "1"


def assert_golden(name: str, text: str, folder: Path = GOLDEN) -> None:
    """Compare a text with its golden file byte for byte, or write it."""
    path = folder / name
    if rewriting():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    assert path.exists(), f"{path} is missing: write it with TRADING_OPS_REWRITE_GOLDEN=1 and read it"
    assert text == path.read_bytes().decode("utf-8"), f"{path.name} changed: read the difference, then rewrite it"
