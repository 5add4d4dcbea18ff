"""Other processes that use a home's server, for tests of who may stop it."""

import os
import subprocess
import sys
from pathlib import Path

USER = """
import sys
from pathlib import Path
from trading_ops.settings import Settings
from trading_ops.store.server import Server
with Server(Settings(Path(sys.argv[1]))).use(create=True):
    print("inside", flush=True)
    sys.stdin.readline()
"""


class OtherProcess:
    """A process inside `Server.use()` until it is told to leave."""

    def __init__(self, home: Path) -> None:
        """Start it; `entered` waits until it is inside."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def entered(self) -> "OtherProcess":
        """Wait until it is inside `use()`."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "inside\n"
        return self

    def leave(self) -> None:
        """Let it go the ordinary way."""
        self._process.communicate("\n", timeout=60)
        assert self._process.returncode == 0

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self._process.kill()
        self._process.communicate(timeout=60)


def bystander() -> "subprocess.Popen[bytes]":
    """A process that has nothing to do with any database."""
    return subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def running(pid: int) -> bool:
    """Whether a signal would find the process, zombies left out."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
