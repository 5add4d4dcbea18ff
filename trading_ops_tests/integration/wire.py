"""What a stranger can put on the wire: requests byte by byte, websocket handshakes, and what a page sends back."""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from trading_ops_tests.integration.page_server import Served, SessionCookie

SECONDS = 15


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


def raw(served: Served, line: str, headers: Mapping[str, str] | None = None) -> Raw:
    """Send a request line as it is; no client tidies the path. An own Host replaces the right one."""
    sent = {"Host": f"127.0.0.1:{served.port}", "Connection": "close", **(headers or {})}
    text = f"{line}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", served.port), SECONDS) as wire:
        wire.sendall(text.encode("latin-1"))
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := wire.recv(65536):
                got += piece
                if b" 101 " in got.split(b"\r\n", 1)[0]:
                    break
    head, _, body = got.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in rest if ": " in line)
    return Raw(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, body)


def handshake(served: Served, **headers: str | None) -> int:
    """Try to open the websocket; the status of the answer. A header given as None is left out; _ stands for -."""
    usual = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": served.url,
    }  # fmt: skip
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in {**usual, **given}.items() if value is not None}
    return raw(served, "GET /_stcore/stream HTTP/1.1", sent).status


class Visit:
    """One open page, without a browser."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire = wire

    def run(self) -> str:
        """Have the page drawn; everything it said, one piece a line."""
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        self._wire.send(asked.SerializeToString())
        said: list[str] = []
        finished = False
        while not finished:
            message = ForwardMsg.FromString(bytes(self._wire.recv(SECONDS)))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "delta":
                said.append(str(message.delta.new_element))
            # A run that only led to another page is followed by that page's run.
            finished = (
                message.WhichOneof("type") == "script_finished"
                and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            )
        return "\n".join(said)


@contextlib.contextmanager
def visiting(served: Served, cookie: SessionCookie, **headers: str) -> Iterator[Visit]:
    """A page opened with a session."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    with connect(
        f"ws://127.0.0.1:{served.port}/_stcore/stream", origin=served.url, subprotocols=["streamlit"],  # type: ignore[arg-type, list-item]
        additional_headers={"Cookie": cookie.header, **more}, max_size=None, open_timeout=SECONDS,
    ) as wire:  # fmt: skip
        yield Visit(wire)
