"""The throw-away broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from streamrnn_kafka.broker import Broker, free_ports

ENDED_S = 20.0
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what outlives kill -9 of its parent is up to the system")


def descendants(process: int) -> list[int]:
    """The processes that a process has started, in whichever thread, and those that they have."""
    found = [int(one) for path in Path(f"/proc/{process}/task").glob("*/children") for one in path.read_text().split()]
    return found + [one for child in found for one in descendants(child)]


def is_there(process: int) -> bool:
    """Whether a process runs: one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def becomes(true: Callable[[], bool]) -> bool:
    """Whether something comes true before long."""
    end = time.monotonic() + ENDED_S
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


@pytest.mark.broker
@pytest.mark.slow
def test_every_name_of_a_cluster_is_one(tmp_path, monkeypatch):
    """One name in 64 begins with a dash: no option for that."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" + bytes(15)))

    Broker(folder=tmp_path)._prepare()

    assert "cluster.id=-AAAAA" in (tmp_path / "node-0" / "data" / "meta.properties").read_text()


OWNER = """
import sys, threading, time
from streamrnn_kafka.broker import start_owned
thread = threading.Thread(target=lambda: started.append(start_owned(["/bin/sleep", "1000"], sys.stderr)))
started = []
thread.start()
thread.join()
time.sleep(0.3)
print(started[0].poll(), flush=True)
time.sleep(1000)
"""


@LINUX
def test_what_is_owned_ends_with_its_owner():
    """A command started for this process ends with it, killed as it may be, and not with the thread that asked for it."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"None\n"
    [owned] = descendants(owner.pid)
    assert Path(f"/proc/{owned}/comm").read_text() == "sleep\n"

    owner.kill()
    owner.wait()
    owner.stdout.close()

    assert becomes(lambda: not is_there(owned))


@pytest.mark.broker
@pytest.mark.slow
@LINUX
@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("SIGTERM", "while it starts"),
        ("SIGKILL", "while it starts"),
        ("SIGINT", "while it runs"),
        ("SIGTERM", "while it runs"),
        ("SIGKILL", "while it runs"),
    ],
)
def test_no_java_is_left_behind(tmp_path, how, when):
    """Whatever ends ``python -m streamrnn_kafka.broker``, its Java ends too; data is deleted where that is possible."""
    command = [sys.executable, "-m", "streamrnn_kafka.broker", "--port", str(free_ports(1)[0])]
    with subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' INT; exec {' '.join(command)}"],  # as a shell starts what is to run behind it
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as one:
        assert one.stdout is not None
        one.stdout.readline()
        if when == "while it runs":
            assert b"Kafka listens on" in one.stdout.readline()
        assert becomes(lambda: bool(descendants(one.pid)))
        javas = descendants(one.pid)
        one.send_signal(signal.Signals[how])
        code = one.wait(timeout=ENDED_S)

    assert becomes(lambda: not any(map(is_there, javas)))
    if how != "SIGKILL":
        assert code == 0
        assert list(tmp_path.iterdir()) == []
