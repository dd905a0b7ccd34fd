"""What a run needs is compiled before it counts as started."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from streamrnn import config
from streamrnn.config import Forecast
from streamrnn.models.numerics import told_of_compiling
from streamrnn.runtime import daemon
from streamrnn.runtime.models import ModelKind, check_model, model_kind
from streamrnn.runtime.warm import warm_up
from tests.runtime.daemon_rig import HIDDEN_SIZE, place


def test_compiling_is_told_once() -> None:
    """Before the first function that is compiled, not before others, nor where nothing is."""
    told: list[str] = []
    with told_of_compiling(lambda: told.append("compiling")):
        for _ in range(2):
            numba.njit(lambda x: x + 1)(1)
    numba.njit(lambda x: x + 2)(1)

    assert told == ["compiling"]


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
    monkeypatch.setattr(daemon, "set_up", lambda *_: None)
    monkeypatch.setattr(daemon, "warm_up", lambda kind, forecast, tell: tell())
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
    load: Callable[[], config.Config] = lambda: config.load(path, check_model)  # noqa: E731
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(10)
        daemon.Daemon(load(), load, "watch.toml").run()
        heard = [manager.recv(4096).decode() for _ in range(2)]

    assert heard == ["STATUS=compiling", "READY=1\nSTATUS=running"]
