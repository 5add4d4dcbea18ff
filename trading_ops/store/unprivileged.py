"""PostgreSQL refuses to run as root: how root runs it all the same, without adding users or opening folders."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trading_ops.store.errors import ServerFailed

ACCOUNT_VARIABLE = "TRADING_OPS_SERVER_ACCOUNT"
DEFAULT_ACCOUNT = "postgres"
# Root of the outside is an ordinary user inside: files stay root's, privileges do not come along.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class RunAs:
    """How PostgreSQL's programs are run.

    Attributes:
        prefix: Words before the program's own.
        uid: Owner of its files, as this process sees them.
        gid: Group of its files.
    """

    prefix: tuple[str, ...]
    uid: int
    gid: int


def run_as(data: Path) -> RunAs:
    """Choose how to run the server of a data folder, which need not exist yet.

    Raises:
        ServerFailed: This process is root, and there is neither a user namespace nor an account to use.
    """
    if os.geteuid() != 0:
        return RunAs((), os.geteuid(), os.getegid())
    owner = data.stat().st_uid if data.exists() else None
    if owner:
        return as_account(pwd.getpwuid(owner).pw_name)
    if namespaces_work():
        return RunAs(NAMESPACE, 0, 0)
    if owner == 0:
        raise ServerFailed(
            f"{data} belongs to root, PostgreSQL refuses to run as root, and user namespaces are off here. "
            "Run as an ordinary user with a home of its own, or set TRADING_OPS_DATABASE_URL."
        )
    return as_account(os.environ.get(ACCOUNT_VARIABLE) or DEFAULT_ACCOUNT)


def as_account(name: str) -> RunAs:
    """Run as an account that exists already, with none of root's capabilities.

    Raises:
        ServerFailed: There is no such account, it is root's, or `setpriv` is missing.
    """
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        account = None
    if account is None or account.pw_uid == 0 or shutil.which("setpriv") is None:
        raise ServerFailed(
            f"PostgreSQL refuses to run as root, user namespaces are off here, and the account {name!r} cannot be used "
            f"through setpriv. Run as an ordinary user, name an account in {ACCOUNT_VARIABLE}, "
            "or set TRADING_OPS_DATABASE_URL to a PostgreSQL server of your own."
        )
    prefix = ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--inh-caps=-all")
    return RunAs(prefix, account.pw_uid, account.pw_gid)


@cache
def namespaces_work() -> bool:
    """Whether this machine lets us make a user namespace."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*NAMESPACE, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    return tried.returncode == 0
