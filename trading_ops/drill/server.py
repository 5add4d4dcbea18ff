"""An HTTP server on loopback whose answers are scripted: damaged bodies, lying lengths, cut lines, silence."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from urllib.parse import parse_qs, urlsplit

LONGEST_SILENCE = 120.0
"""Seconds after which a silent answer is given up, should nobody ever hang up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived: path, first value of each query parameter, headers with small letters."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer.

    Attributes:
        body: What is sent.
        status: HTTP status.
        headers: Beside Content-Length.
        says_length: A Content-Length other than the body's.
        cut_after: Bytes of the body after which the line is cut.
        silent: Nothing is ever sent; the client's own timeout must end it.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"Content-Type": "text/plain"}))
    says_length: int | None = None
    cut_after: int | None = None
    silent: bool = False


class LocalSource:
    """A server on 127.0.0.1 for as long as it is entered; `answer` may be replaced between requests."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "LocalSource":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(parts.path, query, headers)
                source.asked.append(asked)
                self.close_connection = True
                reply = source.answer(asked)
                if reply.silent:
                    source._over.wait(LONGEST_SILENCE)
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                length = len(reply.body) if reply.says_length is None else reply.says_length
                try:
                    if "Date" in reply.headers:  # the scripted one alone
                        self.send_response_only(reply.status)
                    else:
                        self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(length))
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(reply.body[: reply.cut_after])
                except (BrokenPipeError, ConnectionResetError):
                    return  # the client hung up, which is what some faults are about

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal; `asked` has it."""

        return Handler
