"""Which code is running: the git commit and whether the tree differs from it."""

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class CodeState:
    """A commit and whether the working tree has anything beside it, untracked files included."""

    commit: str
    dirty: bool


@functools.cache
def code_state() -> CodeState:
    """The state of the code when this process first asked; commit `unknown` and dirty outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        dirty = bool(_git("status", "--porcelain", "--untracked-files=all"))
    except (OSError, subprocess.SubprocessError):
        return CodeState("unknown", True)
    return CodeState(commit, dirty)


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()
