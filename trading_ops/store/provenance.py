"""Which code is running: the git commit and whether the tree differs from it."""

import functools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = "code_state.json"
"""In a container's image, which has no checkout: what the build knew."""


@dataclass(frozen=True)
class CodeState:
    """A commit and whether the working tree has anything beside it, untracked files included."""

    commit: str
    dirty: bool


UNKNOWN = CodeState("unknown", True)


@functools.cache
def code_state() -> CodeState:
    """The state of the code when this process first asked; commit `unknown` and dirty when nothing tells."""
    return code_state_of(ROOT)


def code_state_of(root: Path) -> CodeState:
    """The state of the code in a folder: of its checkout, else what an image's build wrote down."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=all"))
    except (OSError, subprocess.SubprocessError):
        return _recorded(root / RECORD)
    return CodeState(commit, dirty)


def _recorded(path: Path) -> CodeState:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        commit, dirty = found["commit"], found["dirty"]
    except (OSError, ValueError, KeyError, TypeError):
        return UNKNOWN
    if not isinstance(commit, str) or not isinstance(dirty, bool):
        return UNKNOWN
    return CodeState(commit, dirty)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()
