"""A proxy in front of a broker that knows Kafka's frames: it loses, delays or cuts requests and answers, by API.

The broker must have a listener whose advertised address is the proxy's, or clients would go around it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

PRODUCE, FETCH, OFFSET_FETCH, JOIN_GROUP, SYNC_GROUP = 0, 1, 9, 11, 14
ADD_OFFSETS, END_TXN, TXN_OFFSET_COMMIT = 25, 26, 28

Rule = Callable[[str, int], str | float | None]
"""Direction ("request" or "answer") and API key to what happens: None passes, "lose" swallows the frame, "cut" swallows it
and closes the connection, "double" sends it twice, a number delays by so many seconds."""


def _frame(stream: socket.socket) -> bytes | None:
    """Return one frame with its length, or None at the end."""
    data = b""
    need = 4
    while len(data) < need:
        part = stream.recv(need - len(data))
        if not part:
            return None
        data += part
        if len(data) == 4:
            need = 4 + struct.unpack(">i", data)[0]
    return data


@dataclass
class Proxy:
    """Listens on ``port`` and passes frames on to ``target``; ``rule`` may be changed at any time."""

    port: int
    target: int
    rule: Rule = lambda _direction, _api: None
    seen: list[tuple[str, int, str | float]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    broker = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # the broker is down
                    client.close()
                    continue
                self._open += [client, broker]
                apis: dict[int, int] = {}
                for args in ((client, broker, apis, "request"), (broker, client, apis, "answer")):
                    threading.Thread(target=self._carry, args=args, daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket, apis: dict[int, int], direction: str) -> None:
        with contextlib.suppress(OSError):
            while (frame := _frame(source)) is not None:
                if direction == "request":
                    api, _, number = struct.unpack_from(">hhi", frame, 4)
                    apis[number] = api
                else:
                    api = apis.pop(struct.unpack_from(">i", frame, 4)[0], -1)
                    if api == -1:  # the answer to a doubled request
                        continue
                what = self.rule(direction, api)
                if what is not None:
                    self.seen.append((direction, api, what))
                if isinstance(what, float):
                    time.sleep(what)
                elif what == "double":
                    to.sendall(frame)
                elif what == "lose":
                    continue
                elif what == "cut":
                    break
                to.sendall(frame)
        for one in (source, to):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
