"""The throw-away server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from streamrnn.errors import SourceError
from streamrnn_postgres.server import Server

ENDED_S = 20.0


def free_port() -> int:
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def short_folder():
    """One that a socket's path has room for."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.mark.usefixtures("server")
@pytest.mark.skipif(sys.platform != "linux", reason="what outlives kill -9 of its parent is up to the system")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind(short_folder, how):
    """What ``python -m streamrnn_postgres.server`` prints can be connected to; whatever ends it, PostgreSQL ends too; data is deleted where that is possible."""
    with subprocess.Popen(
        [sys.executable, "-m", "streamrnn_postgres.server", "--port", str(free_port())],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(short_folder)},
    ) as one:
        assert one.stdout is not None
        assert "PostgreSQL listens" in one.stdout.readline()
        with contextlib.closing(psycopg.connect(one.stdout.readline().strip())) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        [lock] = short_folder.glob("*/data/postmaster.pid")
        server = int(lock.read_text().splitlines()[0])
        assert Path(f"/proc/{server}").exists()
        one.send_signal(signal.Signals[how])
        assert one.wait() == (0 if how == "SIGTERM" else -9)
    end = time.monotonic() + ENDED_S
    while Path(f"/proc/{server}").exists() and time.monotonic() < end:
        time.sleep(0.02)

    assert not Path(f"/proc/{server}").exists()
    assert bool(list(short_folder.iterdir())) is (how == "SIGKILL")


@pytest.mark.usefixtures("server")
def test_a_long_path(tmp_path, monkeypatch):
    """Where the folder of temporary files has a path too long for a socket, the server lies elsewhere; where it was given, why is said at once."""
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with (
        Server(settings={"listen_addresses": ""}) as server,
        contextlib.closing(psycopg.connect(server.url)) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not server.folder.exists()
    assert list(deep.iterdir()) == []
    with pytest.raises(SourceError, match="too long"), Server(folder=deep / "pg", settings={"listen_addresses": ""}):
        pass
