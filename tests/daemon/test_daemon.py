"""A run that nobody watches: health, signals, log, systemd, a full disk, strangers on its port."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console

from streamrnn.daemon.log import set_up
from streamrnn.daemon.recent_series import NUMBERS
from streamrnn.display.top import picture
from tests.daemon.daemon_rig import Process, get, lines, place, send, wait

SERVER = "[server]\nport = 0\n"


def whole(folder: Path, n: int) -> bytes:
    """What one undisturbed run writes."""
    config = place(folder, n)
    done = subprocess.run(
        [sys.executable, "-m", "streamrnn", "run", config], capture_output=True, check=True, timeout=120
    )
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events == ["started", "stopped"]
    return (folder / "out.jsonl").read_bytes()


def test_health(tmp_path: Path) -> None:
    """Every address answers with what is going on; the log has a line for each change of state and no other."""
    config = place(tmp_path, 3000, follow=True, more=SERVER)
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 3000)

        status = wait(lambda: (s := json.loads(get(port, "/status")[1]))["events"] == 3000 and s)
        metrics = dict(
            line.rsplit(" ", 1) for line in get(port, "/metrics")[1].decode().splitlines() if not line.startswith("#")
        )
        series = json.loads(get(port, "/series?partition=0&key=s1")[1])

        assert [get(port, address)[0] for address in ("/livez", "/readyz", "/startupz", "/", "/none")] == [200] * 4 + [
            404
        ]
        assert (status["state"], status["partitions"]["0"]["keys"], status["dead_letters"]) == ("running", 2, 0)
        assert {one["key"] for one in status["series"]} == {"s0", "s1"}
        assert status["input"]["file"].endswith("in.csv")
        assert (status["input"]["key"], status["input"]["bad_cells"]) == ("sensor", {})
        assert sum(one["alarms"] for one in status["series"]) == status["alarms"] > 0
        [flow] = series["features"]
        assert [len(series[name]) for name in ("time", "score", "threshold", "alarm")] == [600] * 4
        assert [len(flow[name]) for name in NUMBERS] == [600] * 4
        assert all(
            low < expected < high
            for low, expected, high in zip(flow["low"], flow["expected"], flow["high"], strict=True)
        )
        assert (flow["name"], flow["value"][-1]) == ("flow", float(lines(1, 2999).split(",")[1]))
        assert all(threshold >= 0.05 for threshold in series["threshold"])
        assert float(metrics["streamrnn_events_total"]) == 3000
        assert float(metrics['streamrnn_keys{partition="0"}']) == 2
        assert float(metrics["streamrnn_commit_seconds_count"]) > 0
        assert float(metrics['streamrnn_keys_room{partition="0"}']) == 1000
        assert 0 < float(metrics['streamrnn_loss{partition="0",quantile="0.5"}']) < 1
        assert float(metrics['streamrnn_state_bytes{partition="0"}']) > 1000
        assert run.stop(signal.SIGTERM) == 0
        events = [line["event"] for line in run.log()]

    assert events == ["listening", "started", "stopping", "stopped"]


def test_port_taken(tmp_path: Path) -> None:
    """A port that is not free is one sentence, and no output was touched."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = place(tmp_path, 10, more=f"[server]\nport = {taken.getsockname()[1]}\n")
        done = subprocess.run([sys.executable, "-m", "streamrnn", "run", config], capture_output=True, check=False)

    assert done.returncode == 73
    assert b"cannot listen on 127.0.0.1" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


REQUESTS = [
    b"", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200,
    b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
    b"POST /status HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nx", b"DELETE / HTTP/1.1\r\n\r\n", b"\0" * 5000,
    b"GET /../../../../etc/passwd HTTP/1.1\r\n\r\n", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n\r\n",
    b"GET //etc/passwd HTTP/1.1\r\n\r\n", b"GET file:///etc/passwd HTTP/1.1\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n",
    b"GET /watch.toml HTTP/1.1\r\n\r\n", b"GET /series?" + b"&".join(b"a=1" for _ in range(999)) + b" HTTP/1.1\r\n\r\n",
    b"GET /series?partition=%00%ff&key=%F0%9F HTTP/1.1\r\n\r\n", b"GET /series HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"HEAD /status HTTP/1.1\r\n\r\n", b"GET /status HTTP/1.1\nTransfer-Encoding: chunked\n\nzz",
]  # fmt: skip


def test_strangers(tmp_path: Path) -> None:
    """Nonsense on the port, hangers-on included: the stream goes on bit for bit, no file and no secret can be read."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "secret").write_text("correct-horse\n")
    more = SERVER + '[dead_letter]\npath = "${file:hidden/secret}.jsonl"\n'
    expected = whole(tmp_path / "whole", 6000)
    config = place(tmp_path / "run", 3000, follow=True, more=more.replace("hidden", "../hidden"))
    drawn = random.Random(1)
    with Process(config) as run:
        port = run.port()
        hanging = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        answers = [send(port, request) for request in REQUESTS]
        answers += [send(port, drawn.randbytes(drawn.randrange(3000))) for _ in range(40)]
        with (config.parent / "in.csv").open("a") as file:
            file.write(lines(3000, 3000))
        wait(lambda: run.outputs() == 6000)
        code, status = get(port, "/status")
        metrics = get(port, "/metrics")[1]
        threads = len(list(Path(f"/proc/{run.process.pid}/task").iterdir())) if Path("/proc/self/task").exists() else 0
        for one in hanging:
            one.close()

        assert code == 200
        assert threads < 40
        assert run.stop(signal.SIGTERM) == 0
        assert [line["event"] for line in run.log()] == ["listening", "started", "stopping", "stopped"]
    assert (config.parent / "out.jsonl").read_bytes() == expected
    everything = b"".join([*answers, status, metrics, run.err.read_bytes()])
    assert b"root:" not in everything
    assert b"horse" not in everything
    assert b"[source]" not in everything
    assert b"Traceback" not in everything


def test_reload(tmp_path: Path) -> None:
    """SIGHUP takes over what is safe, refuses the rest with names, and survives a broken file."""
    config = place(tmp_path, 200, follow=True, more=SERVER)
    text = config.read_text()
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 200)
        config.write_text(text.replace("rate = 0.05", "rate = 0.5").replace("seed = 3", "seed = 4"))
        run.process.send_signal(signal.SIGHUP)
        wait(lambda: run.said("reload_refused"))

        assert run.said("reloaded") | {"time": 0} == {  # type: ignore[operator]
            "time": 0, "level": "info", "event": "reloaded", "changed": "[alarm] rate"
        }  # fmt: skip
        assert run.said("reload_refused")["options"] == "[model] seed"  # type: ignore[index]
        assert json.loads(get(port, "/status")[1])["alarm_rate"] == 0.5

        config.write_text("[source]\npth = 3\n")
        run.process.send_signal(signal.SIGHUP)
        wait(lambda: "problems" in (run.said("reload_refused") or {}))
        with (tmp_path / "in.csv").open("a") as file:
            file.write(lines(1000, 200))
        wait(lambda: run.outputs() == 1200)
        assert "Did you mean 'path'?" in run.said("reload_refused")["problems"]  # type: ignore[index]
        assert run.stop(signal.SIGTERM) == 0
    alarms = [json.loads(line)["alarm"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert 0 < sum(alarms) < 50  # spikes; a rate is a promise of at most


def test_systemd(tmp_path: Path) -> None:
    """What systemd hears, in order: ready, alive, a status, reloading, ready again, stopping."""
    config = place(tmp_path, 100, follow=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "300000"}
        heard: list[str] = []
        with Process(config, env=environment) as run:
            while "READY=1" not in "".join(heard):
                heard.append(manager.recv(4096).decode())
            run.process.send_signal(signal.SIGHUP)
            while "RELOADING=1" not in heard[-1]:
                heard.append(manager.recv(4096).decode())
            while "READY=1" not in heard[-1]:
                heard.append(manager.recv(4096).decode())
            heard += [manager.recv(4096).decode() for _ in range(3)]
            assert run.stop(signal.SIGTERM) == 0
            while "STOPPING=1" not in heard[-1]:
                heard.append(manager.recv(4096).decode())

    assert sum(one == "WATCHDOG=1" for one in heard) >= 3
    assert any(one.startswith("STATUS=") and "events" in one for one in heard)
    assert "MONOTONIC_USEC=" in next(one for one in heard if "RELOADING" in one)


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="the size of a running process's files can be limited on Linux only"
)
def test_full_disk(tmp_path: Path) -> None:
    """Where no room is left it waits and says so; with room again it goes on, and nothing is missing or doubled."""
    expected = whole(tmp_path / "whole", 4000)
    config = place(tmp_path / "run", 4000, follow=True, more=SERVER)
    limit = len(expected) // 2

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    with Process(config, preexec_fn=narrow) as run:
        port = run.port()
        trouble = wait(lambda: run.said("trouble"))
        ready, said = get(port, "/readyz")
        alive, _ = get(port, "/livez")
        unchanged = run.outputs()
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait(lambda: run.outputs() == 4000)
        recovered = wait(lambda: run.said("recovered"), 90)

        assert (ready, alive) == (503, 200)
        assert b"File too large" in said
        assert "File too large" in trouble["why"]
        assert recovered["after"] == trouble["why"]
        assert unchanged < 4000
        assert run.stop(signal.SIGTERM) == 0
    assert (config.parent / "out.jsonl").read_bytes() == expected


def test_top(tmp_path: Path) -> None:
    """The terminal view shows what the status says; nobody there, or somebody else, is one sentence."""
    config = place(tmp_path, 500, follow=True, more=SERVER)
    top = [sys.executable, "-m", "streamrnn", "top", "--once"]
    with Process(config) as run:
        port = run.port()
        wait(lambda: json.loads(get(port, "/status")[1])["events"] == 500)
        done = subprocess.run(
            [*top, f"127.0.0.1:{port}"],
            capture_output=True,
            check=True,
            timeout=60,
            env={**os.environ, "COLUMNS": "80"},
        )
        assert run.stop(signal.SIGTERM) == 0
    gone = subprocess.run([*top, f"127.0.0.1:{port}"], capture_output=True, check=False, timeout=60)

    said = done.stdout.decode()
    assert "running" in said
    assert "500 events" in said
    assert {"s0", "s1"} <= set(said.split())
    assert "▁" in said
    assert gone.returncode == 75
    assert f"No run answers at 127.0.0.1:{port}".encode() in gone.stderr
    assert b"Traceback" not in gone.stderr


@pytest.mark.parametrize("width", [80, 120, 200])
def test_top_fits(width: int) -> None:
    """On a terminal of any usual width names and figures stay readable: curves give way."""
    one = {
        "position": "aa9f5ebc:123456789", "lag_records": 1000, "event_lag_s": 3600.0, "keys": 10000, "stale_keys": 321, "evicted": 5, "snapshot_age_s": 30.0,
        "score_quantiles": {"0.5": 3.2e-5, "0.99": 0.5}, "loss_quantiles": {"0.5": 0.25},
    }  # fmt: skip
    series = [{"partition": "flow-3", "key": "sensor-12", "alarms": 12, "score": 6.8e-6, "worst": 0.987}]
    status = {
        "state": "running", "trouble": None, "events": 10**7, "events_per_s": 5000.0, "alarms": 9, "dead_letters": 0, "uptime_s": 7.0,
        "partitions": {"flow-3": one}, "series": series,
        "coldest": [{"partition": "flow-3", "key": "sensor-7", "events_since": 123456}],
    }  # fmt: skip
    points = {
        ("flow-3", "sensor-12"): {"features": [{"name": "flow", "value": [1.0, 2.0] * 50}], "score": [0.0, 1.0] * 50}
    }
    console = Console(width=width, file=io.StringIO())

    console.print(picture(status, points, width))

    said = console.file.getvalue().split()
    assert {
        "sensor-12",
        "12",
        "6.8e-06",
        "0.99",
        "3.2e-05",
        "10,000",
        "321",
        "3,600",
        "0.25",
        "sensor-7",
        "123,456",
    } <= set(said)
    assert len([word for word in said if word.count("█") >= 4]) == 2  # of the values, and of the scores
    assert "…" not in "".join(said)


def test_warnings_are_log_lines() -> None:
    """What is warned of comes as its text alone, without place and source of the warning."""
    out = io.StringIO()
    try:
        set_up("json", "info", out)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=False)
            logging.captureWarnings(capture=True)
            warnings.warn("Snapshot 'a: 3' is damaged;\ngoing on: from an older one.", RuntimeWarning, stacklevel=1)
    finally:
        logging.captureWarnings(capture=False)

    line = json.loads(out.getvalue())
    assert (line["event"], line["level"]) == ("warning", "warning")
    assert line["message"] == "Snapshot 'a: 3' is damaged; going on: from an older one."


@pytest.mark.slow
def test_warm_up(tmp_path: Path) -> None:
    """``warmup`` compiles what a configuration needs and keeps it: the run after it compiles nothing."""
    config = place(tmp_path, 50)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "streamrnn", "warmup", config],
        capture_output=True,
        check=True,
        timeout=600,
        env=environment,
    )
    kept = sorted(path.name for path in (tmp_path / "cache").rglob("*.nb?"))
    with Process(config, env=environment) as run:
        assert run.process.wait(timeout=150) == 0

    assert [line["event"] for line in run.log()] == ["started", "stopped"]  # and not: compiling
    assert done.stdout.startswith(b"RNNAnomalyDetector: compiled and kept")
    assert kept
    assert kept == sorted(path.name for path in (tmp_path / "cache").rglob("*.nb?"))
