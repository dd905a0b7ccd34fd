"""A real Prometheus, samples written to it, and the rig of the suite for all connectors.

It belongs to the package ``prometheus``; ``.ci/run`` installs it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from streamrnn.io import Poll, SinkContext, SourceContext
from streamrnn.testing import Record
from streamrnn_prometheus import PrometheusSource
from streamrnn_prometheus.steps import canonical
from streamrnn_sqlite import SqliteSink
from tests.connectors.connector_rigs import SqliteRig

_names = itertools.count()

MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)
"""When the records of the suite begin."""


def found_server() -> str:
    """Return the program; where it could have been installed, its absence is a failure."""
    found = shutil.which("prometheus")
    if found is None:
        if os.environ.get("CI") == "true" and shutil.which("apt-get") and os.getuid() == 0:
            pytest.fail("prometheus is missing, though .ci/run could install it")
        pytest.skip("prometheus was not found; on Debian: apt-get install prometheus")
    return found


def varint(n: int) -> bytes:
    found = bytearray()
    while n > 127:
        found.append(n & 127 | 128)
        n >>= 7
    return bytes([*found, n])


def field(number: int, data: bytes) -> bytes:
    """A field of Protobuf that holds bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def write_request(series: Sequence[tuple[Mapping[str, str], Sequence[tuple[int, float]]]]) -> bytes:
    """Remote write 1.0: labels with samples, milliseconds and value each; Snappy's format, in pieces that are not compressed."""
    data = b""
    for labels, samples in series:
        one = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in sorted(labels.items()))
        data += field(
            1, one + b"".join(field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + varint(ms)) for ms, v in samples)
        )
    pieces = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    return varint(len(data)) + b"".join(b"\xf4" + struct.pack("<H", len(one) - 1) + one for one in pieces)


class Server:
    """A Prometheus of the tests' own."""

    def __init__(self, program: str, folder: Path, web: Path | None = None) -> None:
        self.program, self.folder, self.web = program, folder, web
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"{'http' if web is None else 'https'}://127.0.0.1:{self.port}"
        self.begin = (int(time.time()) - 3000) // 60 * 60
        """A whole minute, seconds since 1970, whose samples a new server still takes."""

    def __enter__(self) -> Self:
        (self.folder / "prometheus.yml").write_text("{}")
        self.start()
        return self

    def start(self) -> None:
        command = [
            self.program, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver", "--web.enable-admin-api",
            "--query.max-samples=20000", *([] if self.web is None else [f"--web.config.file={self.web}"]),
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while not self.ready():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)

    def ready(self) -> bool:
        trusted = None if self.web is None else ssl.create_default_context(cafile=self.web.with_name("cert.pem"))
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5, context=trusted).status == 200
        except urllib.error.HTTPError as error:
            return error.code == 401  # it asks who comes, and so it is there
        except OSError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(20)

    def __exit__(self, *exc: object) -> None:
        self.stop(signal.SIGKILL)

    def post(self, path: str, data: bytes = b"", **headers: str) -> None:
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def write(self, *series: tuple[Mapping[str, str], Sequence[tuple[int, float]]]) -> None:
        """Write samples: labels, and milliseconds and value of each."""
        more = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        self.post("/api/v1/write", write_request(series), **more | {"X-Prometheus-Remote-Write-Version": "0.1.0"})

    def metric(self) -> str:
        """Return a name that no other test has."""
        return f"test{next(_names)}"

    def ask(self, query: str) -> list[dict[str, Any]]:
        asked = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def stored(self, selector: str) -> dict[str, dict[int, float]]:
        """Return the samples of the last hours, however long the tests took: of each series, by milliseconds."""
        return {
            canonical(one["metric"], named=True): {round(when * 1000): float(text) for when, text in one["values"]}
            for one in self.ask(f"{selector}[3h]")
        }


class _AsWritten(PrometheusSource):
    """Has times as the suite writes them: a new server takes no samples of 2024, so all are of today."""

    begin = 0.0

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        poll = super().poll(max_events, timeout_s)
        return replace(
            poll, blocks=[replace(one, times=[self.then(when) for when in one.times]) for one in poll.blocks]
        )

    def then(self, when: str) -> str:
        seconds = datetime.fromisoformat(when).timestamp() - self.begin
        return datetime.fromtimestamp(MIDNIGHT.timestamp() + seconds, UTC).isoformat()[:-6]

    def reread(self) -> _AsWritten:
        found = _AsWritten(msgspec.structs.replace(self._options, follow=False), self._context)
        found.begin = self.begin
        return found


class PrometheusRig(SqliteRig):
    """Two metrics of one server, a sample of each a second; results go to SQLite."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.path = server, str(folder / "plant.db")
        self.a, self.b = server.metric(), server.metric()

    def write(self, records: Sequence[Record | None], partition: str) -> None:
        first = self.count()
        series = []
        for i, one in enumerate(records, first):
            ms = (self.server.begin + i) * 1000
            if one is None:
                series.append(({"__name__": self.a, "k": "bad"}, [(ms, float("nan"))]))
                continue
            series.append(({"__name__": self.a, "k": one.key}, [(ms, one.a)]))
            if one.b is not None:
                series.append(({"__name__": self.b, "k": one.key}, [(ms, one.b)]))
        self.server.write(*series)

    def count(self) -> int:
        found = self.server.ask(f"sum(count_over_time({self.a}[3h]))")
        return int(found[0]["value"][1]) if found else 0

    def truncate(self, partition: str, keep: int) -> None:
        start = self.server.begin + keep
        for name in (self.a, self.b):
            asked = urllib.parse.urlencode({"match[]": name, "start": start})
            self.server.post(f"/api/v1/admin/tsdb/delete_series?{asked}")

    def source(self, context: SourceContext) -> PrometheusSource:
        options = PrometheusSource.Options(
            url=self.server.url,
            queries={name: f"last_over_time({one}[500ms])" for name, one in (("a", self.a), ("b", self.b))},
            key="k", step_s=1.0, lag_s=1.0, start=self.server.begin, follow=False,
        )  # fmt: skip
        found = _AsWritten(options, context)
        found.begin = self.server.begin
        return found

    def sink(self, context: SinkContext) -> SqliteSink:
        return SqliteSink(SqliteSink.Options(path=self.path), context)
