"""The application: the pages inside, the gate around them, and the server that listens.

Which pages there are does not belong here (`main`), nor who may come in (`auth`).
"""

import contextlib
import datetime as dt
import gc
import signal
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from streamlit_app.auth.answers import SafeAnswers
from streamlit_app.auth.door import Door, door_of
from streamlit_app.auth.gate import Gate
from streamlit_app.auth.outside import ALWAYS_HOSTS
from streamlit_app.auth.routes import Routes
from streamlit_app.main import load_pages
from streamlit_app.person import SignedOut, show_signed_out
from trading_ops.domain import calendar
from trading_ops.domain.errors import Refused, TradingOpsError
from trading_ops.settings import Settings

SCRIPT = Path(__file__).parent / "visit" / "script.py"
STOP_SECONDS = 5
LARGEST_UPLOAD_MB = 20
LARGEST_MESSAGE = 32 * 1024 * 1024
OPTIONS: dict[str, object] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "runner.fastReruns": True,
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": LARGEST_UPLOAD_MB,
    "server.runOnSave": False,
    "server.scriptHealthCheckEnabled": False,
    "theme.base": "light",
    "theme.baseFontSize": 19,
    "theme.primaryColor": "#0b5394",
}
"""Told to the framework in so many words: a config.toml of the account or the folder changes none of them."""


@dataclass(frozen=True)
class Listening:
    """Where the server listens.

    Attributes:
        host: Address of this machine.
        port: Its port.
        cert: Certificate chain as a PEM file, or None for plain HTTP.
        key: Its private key.
        names: Further names under which browsers call this machine.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    cert: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """Every name that a request may call us by."""
        return ALWAYS_HOSTS | {name.lower().rstrip(".") for name in self.names}


def build(door: Door, hosts: Collection[str]) -> st.App:
    """The application; nothing listens yet."""
    return st.App(
        SCRIPT,
        routes=Routes(door).all(),
        middleware=[Middleware(SafeAnswers), Middleware(Gate, door=door, hosts=hosts)],
        on_script_error=tell,
    )


def tell(error: Exception) -> bool:
    """Show an error that was foreseen as its sentence; any other stays a traceback in the log and a short notice."""
    if isinstance(error, SignedOut):
        show_signed_out()
        return True
    if isinstance(error, TradingOpsError):
        st.error(str(error))
        return True
    return False


def run(settings: Settings, listening: Listening) -> None:
    """Serve until asked to stop; the database server is kept running by the caller.

    Raises:
        Refused: The address cannot be listened on.
    """
    bootstrap.load_config_options(
        OPTIONS
        | {
            "server.address": listening.host,
            "server.port": listening.port,
            "server.sslCertFile": str(listening.cert) if listening.cert else None,
            "server.sslKeyFile": str(listening.key) if listening.key else None,
        }
    )
    get_ready()
    server = uvicorn.Server(
        uvicorn.Config(
            build(door_of(settings), listening.hosts),
            ssl_certfile=listening.cert,
            ssl_keyfile=listening.key,
            proxy_headers=False,
            forwarded_allow_ips="",
            server_header=False,
            access_log=False,
            log_level="warning",
            ws_max_size=LARGEST_MESSAGE,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    with _listening_at(listening) as bound, contextlib.suppress(KeyboardInterrupt):
        # The server ends itself on a signal and then passes it on: to us, so that the database is left in order.
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)
        server.run(sockets=[bound])


def get_ready() -> None:
    """Do now what the first person would wait for, and keep what stays for ever out of every press.

    After each press, before it says that the page is drawn, the framework looks for garbage through every object of the
    process; with modules and calendar among them that was nine tenths of the server's work.
    """
    load_pages()
    calendar.last_closed(dt.datetime.now(dt.UTC))
    gc.collect()
    gc.freeze()


def _listening_at(listening: Listening) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in listening.host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listening.host, listening.port))
    except OSError as exc:
        bound.close()
        raise Refused(
            f"{listening.host} port {listening.port} cannot be listened on: {exc.strerror}. Stop what listens there, "
            "or give another --port."
        ) from exc
    return bound


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
