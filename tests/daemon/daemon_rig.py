"""A daemon as a process of its own, and a client that asks it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from tests.compiled import compile_detector

HIDDEN_SIZE = 4
HEAD = "time,flow,sensor\n"
CONFIG = """
[source]
path = "in.csv"
key = "sensor"
follow = {follow}
[model]
hidden_size = {hidden_size}
seed = 3
[alarm]
warm_up = 100
rate = 0.05
[sink]
path = "out.jsonl"
[state]
dir = "state"
every = 500
"""


def lines(n: int, start: int = 0) -> str:
    """Rows of two series, a day of seconds over and over, with a spike here and there."""
    return "".join(
        f"2024-01-01T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z,{10 + (i * 7 % 24) / 3 + 60 * (i % 97 == 50):.2f},s{i % 2}\n"
        for i in range(start, start + n)
    )


def place(folder: Path, n: int, *, follow: bool = False, more: str = "") -> Path:
    """Lay out an input of ``n`` rows and its configuration, whose net is in the cache from then on."""
    compile_detector(HIDDEN_SIZE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.csv").write_text(HEAD + lines(n))
    (folder / "watch.toml").write_text(CONFIG.format(follow=str(follow).lower(), hidden_size=HIDDEN_SIZE) + more)
    return folder / "watch.toml"


def wait(ready: Callable[[], Any], seconds: float = 150) -> Any:
    """Return what ``ready`` returns, once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(0.05)
    raise TimeoutError


class Process:
    """``streamrnn run``; killed at the end, if it still runs."""

    def __init__(self, config: Path, *arguments: str, **options: Any) -> None:
        line = [sys.executable, "-m", "streamrnn", "run", str(config), *arguments]
        self.err = config.parent / "err"
        self._config = config
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(line, stderr=err, cwd=config.parent, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def log(self) -> list[dict[str, Any]]:
        """The lines on standard error so far."""
        return [json.loads(line) for line in self.err.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def said(self, event: str) -> dict[str, Any] | None:
        """The last line of this event, or None."""
        return next((line for line in reversed(self.log()) if line["event"] == event), None)

    def port(self) -> int:
        """The port it listens on, once it does."""
        return int(wait(lambda: self.said("listening"))["port"])

    def stop(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def outputs(self) -> int:
        """Lines written so far."""
        out = self._config.parent / "out.jsonl"
        return out.read_bytes().count(b"\n") if out.exists() else 0


def get(port: int, address: str) -> tuple[int, bytes]:
    """Ask by HTTP, and return code and body."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{address}", timeout=10) as answer:
            return answer.status, answer.read()
    except OSError as error:
        if not hasattr(error, "code"):
            raise
        return error.code, error.read()  # type: ignore[attr-defined]


def send(port: int, data: bytes) -> bytes:
    """Send bytes of any kind, and return what comes back before the connection ends or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
        got = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                got += more
        except OSError:
            pass
        return got
