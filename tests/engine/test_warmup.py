"""What a run needs is compiled before it counts as started."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from streamrnn import config
from streamrnn.config import Forecast
from streamrnn.daemon import daemon
from streamrnn.engine.warmup import warm_up
from streamrnn.models._numerics import watch_compilation
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import ModelKind, model_kind
from tests.daemon.daemon_rig import HIDDEN_SIZE, Process, place, wait


def test_compiling_is_told() -> None:
    """Before a function is compiled and behind it, what it calls included; not where nothing is, nor outside."""
    told: list[str] = []
    inner = numba.njit(lambda x: x + 1)
    outer = numba.njit(lambda x: inner(x) + 1)
    with watch_compilation(lambda: told.append("begins"), lambda: told.append("ends")):
        for _ in range(2):
            outer(1)
    numba.njit(lambda x: x + 2)(1)

    assert told == ["begins", "ends"]


def test_a_warm_net_is_not_compiled() -> None:
    """What one has compiled the next one loads; a model that is not ours is not touched."""
    kind = model_kind("RNNAnomalyDetector", {"hidden_size": HIDDEN_SIZE})
    told: list[str] = []
    warm_up(kind)
    warm_up(kind, Forecast(), lambda: told.append("compiling"))
    warm_up(ModelKind("mine", {}, lambda: 1 / 0))

    assert told == []


def test_ready_comes_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service manager hears of compiling, then that the start is over: meanwhile no watchdog runs."""
    path = place(tmp_path, 20)
    monkeypatch.setattr(daemon, "set_up", lambda *_, **__: None)
    monkeypatch.setattr(daemon, "warm_up", lambda kind, forecast, tell: tell())
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
    load: Callable[[], config.Config] = lambda: config.load(path, check_model)  # noqa: E731
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(10)
        daemon.Daemon(load(), load, "watch.toml").run()
        heard = [manager.recv(4096).decode()]
        while heard[-1].startswith("STATUS=compiling"):  # a slow machine says more of it, each CPU second
            heard.append(manager.recv(4096).decode())

    assert (heard[0], heard[-1]) == ("STATUS=compiling", "READY=1\nSTATUS=running")


def test_a_signal_waits_for_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun then: in a process that does other things as well the run ends, with no event, once the compiler is done."""
    path = place(tmp_path, 20)

    def compiling(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(daemon, "set_up", lambda *_, **__: None)
    monkeypatch.setattr(daemon, "warm_up", compiling)
    before = signal.getsignal(signal.SIGTERM)
    load: Callable[[], config.Config] = lambda: config.load(path, check_model)  # noqa: E731

    assert daemon.Daemon(load(), load, "watch.toml").run().events == 0
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells which signals a process takes")
def test_a_signal_while_it_starts(tmp_path: Path) -> None:
    """A signal that comes while everything is imported asks for a stop or a reload, too."""
    path = place(tmp_path, 20, follow=True)
    with Process(path) as run:
        wait(lambda: takes(run.process.pid, signal.SIGHUP))
        for number in (signal.SIGHUP, signal.SIGTERM):
            run.process.send_signal(number)

        assert run.process.wait(timeout=60) == 0
        assert run.log()[-1]["event"] == "stopped"


def takes(pid: int, number: int) -> bool:
    """Whether a process handles a signal itself."""
    found = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)
