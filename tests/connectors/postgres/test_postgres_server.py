"""The throw-away server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

ENDED_S = 20.0


def free_port() -> int:
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="what outlives kill -9 of its parent is up to the system")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind(tmp_path, how):
    """What ``python -m streamrnn_postgres.server`` prints can be connected to; whatever ends it, PostgreSQL ends too; data is deleted where that is possible."""
    with subprocess.Popen(
        [sys.executable, "-m", "streamrnn_postgres.server", "--port", str(free_port())],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as one:
        assert one.stdout is not None
        assert "PostgreSQL listens" in one.stdout.readline()
        with contextlib.closing(psycopg.connect(one.stdout.readline().strip())) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        [lock] = tmp_path.glob("*/data/postmaster.pid")
        server = int(lock.read_text().splitlines()[0])
        assert Path(f"/proc/{server}").exists()
        one.send_signal(signal.Signals[how])
        assert one.wait() == (0 if how == "SIGTERM" else -9)
    end = time.monotonic() + ENDED_S
    while Path(f"/proc/{server}").exists() and time.monotonic() < end:
        time.sleep(0.02)

    assert not Path(f"/proc/{server}").exists()
    assert bool(list(tmp_path.iterdir())) is (how == "SIGKILL")
