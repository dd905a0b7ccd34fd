"""The small web server of a run: health, metrics, status and a page; feedback, where a token is set. Whatever comes in disturbs nothing."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

from streamrnn.config_secrets import redact_all
from streamrnn.daemon.feedback import FeedbackDesk
from streamrnn.daemon.hosts import Hosts
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.errors import SinkError
from streamrnn.safe_text import safe_text

__all__ = ["StatusServer"]

ASK_S = 2.0
"""Time that a client has to send its request, all of it; a browser that opens a connection ahead opens it again."""

CONNECTION_S = 10.0
"""Time that a connection may live, the answer included."""

CONNECTIONS = 24
"""Open at once, each a thread. One more takes the place of the oldest that has not asked yet, so health is answered meanwhile."""

BODY_BYTES = 2048  # of what is sent

ENDING_S = 0.5  # what threads that were cut off are given to end, before one that comes is turned away

_JSON = "application/json"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}

Answer = tuple[int, str, bytes]


def _json(data: Any) -> bytes:
    """Return data as JSON without secrets; what a terminal would obey is written as its escape, which is the same to a program."""
    text = msgspec.json.encode(redact_all(data)).decode()
    return re.sub(r"[^ -~]", lambda one: one[0] if one[0].isprintable() else json.dumps(one[0])[1:-1], text).encode()


class _Pages:
    """What each address answers: a table."""

    def __init__(self, health: MeteredHealth, stuck_after_s: float, desk: FeedbackDesk | None) -> None:
        self.desk = desk
        self._health = health
        self._stuck_after_s = stuck_after_s
        self.table: dict[str, Callable[[dict[str, list[str]]], Answer]] = {
            "/": lambda _: (200, "text/html", files("streamrnn.daemon").joinpath("page.html").read_bytes()),
            "/livez": self._live,
            "/readyz": self._ready,
            "/startupz": self._started,
            "/metrics": lambda _: (200, "text/plain; version=0.0.4", self._health.exposition()),
            "/status": lambda _: (200, _JSON, _json(self._health.status())),
            "/series": self._series,
            "/keys": lambda query: (200, _JSON, _json(self._health.find(query.get("find", [""])[0]))),
        }

    def _live(self, _: dict[str, list[str]]) -> Answer:
        silent = self._health.silent_s()
        if silent > self._stuck_after_s:
            return 503, "text/plain", f"stuck: the loop has not come round for {silent:.0f} s\n".encode()
        return 200, "text/plain", b"ok\n"

    def _ready(self, query: dict[str, list[str]]) -> Answer:
        if self._health.state != "running":
            detail = self._health.detail()
            said = f"{self._health.state}: {detail}" if detail else self._health.state
            return 503, "text/plain", f"{said}\n".encode()
        if self._health.trouble is not None:
            return 503, "text/plain", f"{safe_text(self._health.trouble)}\n".encode()
        return self._live(query)

    def _started(self, query: dict[str, list[str]]) -> Answer:
        if self._health.phase != "starting":
            return 200, "text/plain", b"ok\n"
        return self._ready(query)

    def _series(self, query: dict[str, list[str]]) -> Answer:
        if "id" in query:
            points = self._health.points_of(query["id"][0])
        else:
            name = query.get("partition", [""])[0], query.get("key", [None])[0]
            self._health.watch(*name)
            points = self._health.points(*name)
        return 200, _JSON, _json(points)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: _Server
    timeout = ASK_S
    server_version, sys_version = "streamrnn", ""
    error_content_type = "text/plain"
    error_message_format = "%(code)d %(message)s\n"

    def log_message(self, *_: Any) -> None:
        """Say nothing: what strangers send belongs into no log."""

    def _meant_for_us(self, address: SplitResult) -> bool:
        """Whether it was sent here under one of our names; whoever sent it is told where not."""
        named = [address.netloc] if address.netloc else self.headers.get_all("Host", [])
        if (refusal := self.server.hosts.refusal(named)) is not None:
            self._send(421, "text/plain", f"{refusal}\n".encode())
        return refusal is None

    def do_POST(self) -> None:
        """Take feedback: the one thing that can be sent."""
        address, desk = urlsplit(self.path), self.server.pages.desk
        if not self._meant_for_us(address):
            return
        if desk is None or address.path != "/feedback":
            self._send(404, "text/plain", b"nothing can be sent here\n")
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= BODY_BYTES):
            self._send(413, "text/plain", b"a length is needed, and of 2048 bytes at most\n")
            return
        body = self.rfile.read(int(length))
        self.server.has_asked(self.connection)
        self.connection.settimeout(CONNECTION_S)
        reply = desk.take(self.headers.get("Authorization"), body)
        self._send(reply.code, _JSON, _json({"text": reply.text}))

    def do_GET(self) -> None:
        self.server.has_asked(self.connection)
        self.connection.settimeout(CONNECTION_S)
        address = urlsplit(self.path)
        if not self._meant_for_us(address):
            return
        answer = self.server.pages.table.get(address.path)
        if answer is None:
            known = " ".join(self.server.pages.table)
            self._send(404, "text/plain", f"there is: {known}\n".encode())
            return
        self._send(*answer(parse_qs(address.query, keep_blank_values=True, max_num_fields=8)))

    do_HEAD = do_GET  # noqa: N815  (the name that http.server looks for)

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind != _JSON else kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@dataclass(slots=True)
class _Connection:
    """When it was opened, whether its request has come, and whether it was cut off: its thread then ends."""

    since: float
    asked: bool = False
    cut: bool = False


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    """Threads, but not any number of them; connections, but not for ever."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    families: ClassVar[dict[bool, socket.AddressFamily]] = {True: socket.AF_INET6, False: socket.AF_INET}

    def __init__(self, address: tuple[str, int] | str, pages: _Pages, hosts: Hosts) -> None:
        self.address_family = socket.AF_UNIX if isinstance(address, str) else self.families[":" in address[0]]
        self.pages = pages
        self.hosts = hosts
        self.refused = 0
        self._lock = threading.Condition()
        self._open: dict[socket.socket, _Connection] = {}
        super().__init__(address, _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind without asking a name server who we are; a socket file that nobody listens on any more gives way."""
        if self.address_family == socket.AF_UNIX:
            path = Path(str(self.server_address))
            if _left_behind(path):
                path.unlink()
            self.socket.bind(str(path))
            path.chmod(0o660)  # before it listens: nobody is connected yet
            return
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            if not self._room():
                self.refused += 1
                self.shutdown_request(request)
                return
            self._open[request] = _Connection(time.monotonic())
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._close(request)

    def _room(self) -> bool:
        """Make room for one more connection; return whether there is."""
        living = [(request, one) for request, one in self._open.items() if not one.cut]
        if len(living) >= CONNECTIONS:
            # Those that never asked before those that do not take their answer; of both the oldest.
            self._cut(*min(living, key=lambda found: (found[1].asked, found[1].since)))
        # Those that were cut off end at once, but not in no time.
        return self._lock.wait_for(lambda: len(self._open) < 2 * CONNECTIONS, ENDING_S)

    def _cut(self, request: socket.socket, connection: _Connection) -> None:
        connection.cut = True
        self.refused += 1
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def has_asked(self, request: socket.socket) -> None:
        """Note that a connection has sent its request."""
        with self._lock:
            if request in self._open:
                self._open[request].asked = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._close(request)

    def _close(self, request: Any) -> None:
        with self._lock:
            known = self._open.pop(request, None) is not None
            self._lock.notify()
        if known:
            self.shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off those who are too slow."""
        now = time.monotonic()
        with self._lock:
            for request, one in self._open.items():
                if not one.cut and now - one.since > (CONNECTION_S if one.asked else ASK_S):
                    self._cut(request, one)

    def handle_error(self, *_: Any) -> None:
        """Count it: a client that went away, or sent nonsense, is no event."""
        self.refused += 1


def _left_behind(path: Path) -> bool:
    """Whether a path is a socket on which nobody listens: of a process that was killed."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(ASK_S)
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False


class StatusServer:
    """Context manager: answers on ``host:port``, on a socket file, or on both, from threads of its own.

    Parameters
    ----------
    health
        What to tell.
    port
        0 takes a free one; None: none.
    host
        Address to listen on.
    stuck_after_s
        Seconds without progress after which ``/livez`` says so.
    hosts
        Names that it may be asked by, besides IP addresses, localhost and ``host``.
    desk
        Takes feedback on alarms; None: nobody does.
    path
        Of a socket file; None: none.
    """

    def __init__(
        self,
        health: MeteredHealth,
        port: int | None,
        host: str = "127.0.0.1",
        stuck_after_s: float = 60.0,
        hosts: Sequence[str] = (),
        desk: FeedbackDesk | None = None,
        path: str | None = None,
    ) -> None:
        health.takes_feedback = desk is not None
        self._pages = _Pages(health, stuck_after_s, desk)
        self._hosts = Hosts((host, *hosts))
        self._where = () if port is None else ((host, port),)
        self._path = path
        self._servers: list[_Server] = []

    def __enter__(self) -> Self:
        for address in self._where:
            self._listen(address, f"[server] port: cannot listen on {address[0]}:{address[1]}")
        if self._path is not None:
            self._listen(self._path, f"[server] socket_file: cannot listen on {self._path}")
        return self

    def _listen(self, address: tuple[str, int] | str, failure: str) -> None:
        try:
            server = _Server(address, self._pages, self._hosts)
        except (OSError, OverflowError) as error:
            self.__exit__()
            raise SinkError(f"{failure}: {getattr(error, 'strerror', None) or error}.") from error
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.5}, name="status", daemon=True).start()

    def __exit__(self, *exc: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
            if server.address_family == socket.AF_UNIX:
                Path(str(server.server_address)).unlink(missing_ok=True)
        self._servers.clear()

    @property
    def port(self) -> int | None:
        """The port that is listened on; None: none."""
        listening = [server.server_port for server in self._servers if server.address_family != socket.AF_UNIX]
        return listening[0] if listening else None
