"""What a run does before it does its work: each stage begins, goes on and ends, and nobody takes it for stuck."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streamrnn.daemon import stages as module
from streamrnn.daemon.health import Health
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.daemon.server import StatusServer
from streamrnn.daemon.stages import PROGRESS_S, WORK_S, Stages
from tests.daemon.daemon_rig import Process, get, place, wait

SERVER = "[server]\nport = 0\nstuck_after_s = 60\n"


class Clock:
    """A clock of CPU seconds that goes as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_compiling_is_told_from_start_to_end() -> None:
    """A line at the start with the CPU seconds to expect, one every 30 s with those spent, one at the end; and not more."""
    said: list[tuple[str, dict[str, Any]]] = []
    clock = Clock()
    one = Stages(lambda stage, **fields: said.append((stage, fields)), cpu=clock)
    one.compiles(24.0)
    began = time.monotonic()
    for second in range(1, 76):
        clock.now += 0.5
        one.look(began + second)
    one.compiled()
    one.look(began + 500)

    assert [stage for stage, _ in said] == ["compiling", "compiling", "compiling", "compiled"]
    assert said[0][1]["cpu_s_expected"] == 24
    assert said[1][1] == {"cpu_s": PROGRESS_S / 2, "cpu_s_expected": 24}
    assert said[3][1]["cpu_s"] == 37.5
    assert (one.stage, one.detail()) == (None, "")


def test_a_compiler_that_works_is_not_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, as long as it uses the processor; one that waits for ever is stuck."""
    health, clock = Health(), Clock()
    health.stages = Stages(lambda *_, **__: None, cpu=clock)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    health.progress = now
    health.stages.compiles(24.0)
    silent = []
    for _ in range(300):
        now += 1.0
        clock.now += 0.3
        health.stages.look(now)
        silent.append(health.silent_s())
    assert health.state == "compiling"
    assert max(silent) <= 2.0

    for _ in range(100):
        now += 1.0
        clock.now += 0.001  # those who ask
        health.stages.look(now)
    assert health.silent_s() >= 99.0
    assert WORK_S > 100 * 0.001


def test_what_the_pages_say() -> None:
    """/readyz gives the stage and how far it is, /startupz waits for compiling and not for replaying, /status and /livez agree."""
    health = MeteredHealth()
    health.stages = Stages(lambda *_, **__: None)
    with StatusServer(health, 0) as server:
        health.stages.compiles(24.0)
        compiling = [get(server.port, address) for address in ("/readyz", "/startupz", "/livez")]
        health.stages.compiled()
        health.phase = "running"
        health.replaying("0", 1500)
        replaying = [get(server.port, address) for address in ("/readyz", "/startupz", "/livez")]
        status = json.loads(get(server.port, "/status")[1])
        health.replayed("0")
        ready = get(server.port, "/readyz")

    assert compiling == [(503, b"compiling: 0 of about 24 CPU seconds\n")] * 2 + [(200, b"ok\n")]
    assert replaying == [(503, b"replaying: 1,500 events read again\n"), (200, b"ok\n"), (200, b"ok\n")]
    assert (status["state"], status["detail"]) == ("replaying", "1,500 events read again")
    assert ready == (200, b"ok\n")


def test_replaying_is_told(tmp_path: Path) -> None:
    """A run that was killed says when it begins to read again and when it has caught up, with how many events."""
    path = place(tmp_path, 2300, follow=True, more=SERVER)
    with Process(path) as run:
        port = run.port()
        wait(lambda: json.loads(get(port, "/status")[1])["events"] == 2300)  # committed, not only written
        run.process.kill()
        run.process.wait()
    with Process(path) as run:
        told = wait(lambda: run.said("replayed"))
        assert run.stop(signal.SIGTERM) == 0
        events = [line["event"] for line in run.log()]

    assert events == ["listening", "started", "restored", "replaying", "replayed", "stopping", "stopped"]
    assert told["events"] == 252
    assert run.outputs() == 2300


def test_replays_are_told_every_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several partitions are one stage: it begins with the first, goes on every 30 s, and each says its end."""
    said: list[tuple[str, dict[str, Any]]] = []
    now = 50.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    one = Stages(lambda stage, **fields: said.append((stage, fields)))
    one.replays("a", 0)
    one.replays("b", 0)
    for second in range(1, 65):
        now = 50.0 + second
        one.replays("a", 10 * second)
    one.replayed("a")
    assert one.stage == "replaying"
    one.replayed("b")
    one.replayed("b")

    assert [stage for stage, _ in said] == ["replaying"] * 3 + ["replayed"] * 2
    assert said[1][1] == {"events": 300, "seconds": 30.0}
    assert one.stage is None


MOMENTS = 12


@pytest.mark.slow
def test_a_signal_at_any_moment(tmp_path: Path) -> None:
    """SIGTERM from our first line on, while it imports, reads and ends, is exit code 0; what was written is a whole number of lines."""
    path = place(tmp_path, 500)
    line = [sys.executable, "-m", "streamrnn", "run", str(path)]
    subprocess.run(line, check=True, capture_output=True, timeout=120)
    began = time.monotonic()
    subprocess.run([*line, "--fresh"], check=True, capture_output=True, timeout=120)
    lasts = time.monotonic() - began
    drawn = random.Random(5)
    codes = []
    for i in range(MOMENTS):
        with subprocess.Popen([*line, "--fresh"], stderr=subprocess.DEVNULL) as run:
            wait(lambda run=run: takes_over(run))
            time.sleep(lasts * (i + drawn.random()) / MOMENTS)
            run.send_signal(signal.SIGTERM)
            codes.append(run.wait(timeout=60))

    assert codes == [0] * MOMENTS
    out = path.parent / "out.jsonl"
    assert not out.exists() or out.read_bytes()[-1:] in (b"", b"\n")


WITHIN_THE_LINKER = """
import os, signal, sys
sys.argv = ["streamrnn", "run", sys.argv[1], "--fresh"]
import streamrnn.__main__
from llvmlite.binding import ffi

class Interrupted:
    def __getattr__(self, name, real=ffi.lib):
        found = getattr(real, name)
        if name != "LLVMPY_LinkModules":
            return found
        return lambda *given: (found(*given), os.kill(os.getpid(), signal.SIGTERM))[0]

ffi.lib = Interrupted()
streamrnn.__main__.main()
"""


def test_a_signal_within_the_linker(tmp_path: Path) -> None:
    """Where the compiler has given one piece of code to another and not yet noted it, a signal frees nothing twice: code 0, and last words."""
    path = place(tmp_path, 50)
    done = subprocess.run(
        [sys.executable, "-c", WITHIN_THE_LINKER, str(path)],
        check=False,
        capture_output=True,
        timeout=120,
        cwd=tmp_path,
    )
    said = [json.loads(line)["event"] for line in done.stderr.splitlines()]

    assert done.returncode == 0, done.stderr[-2000:]
    assert said == ["started", "stopped"]


def takes_over(run: subprocess.Popen[bytes]) -> bool:
    """Whether the process has reached the first line of ours, or has ended; where nobody tells, guess."""
    status = Path(f"/proc/{run.pid}/status")
    if not Path("/proc/self/status").exists():
        time.sleep(0.2)
        return True
    try:
        found = next(one for one in status.read_text().splitlines() if one.startswith("SigCgt"))
    except (OSError, StopIteration):
        return True
    return bool(int(found.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_the_first_line_takes_the_signals(tmp_path: Path) -> None:
    """A run ends with 0 at once where a signal comes before the command begins; once it is over, signals change nothing."""
    code = (
        "import os, signal, sys\n"
        "sys.argv = ['streamrnn', 'run', 'no-such.toml']\n"
        "import streamrnn.__main__\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, cwd=tmp_path)
    late = code.replace("os.kill", "from streamrnn.daemon import signals; signals.end(); os.kill") + "sys.exit(66)\n"

    assert done.returncode == 0
    assert subprocess.run([sys.executable, "-c", late], check=False, timeout=60, cwd=tmp_path).returncode == 66


@pytest.mark.slow
def test_a_signal_while_it_compiles(tmp_path: Path) -> None:
    """With nothing in the cache: the run says that it compiles, answers for it, and a signal ends it with 0 within seconds."""
    path = place(tmp_path, 500, more=SERVER)
    with Process(path, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}) as run:
        told = wait(lambda: run.said("compiling"))
        ready, startup, alive = (get(run.port(), address) for address in ("/readyz", "/startupz", "/livez"))
        run.process.send_signal(signal.SIGTERM)
        code = run.process.wait(timeout=60)

    assert told["cpu_s_expected"] > 5
    assert (ready[0], startup[0], alive[0]) == (503, 503, 200)
    assert ready[1].startswith(b"compiling: ")
    assert code == 0
    assert run.log()[-1]["event"] == "stopped"
