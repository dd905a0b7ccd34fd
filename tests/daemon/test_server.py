"""The status port: answers while others hang, knows its names, and tells of any stream without obeying it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamrnn import config
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.daemon.server import ASK_S, CONNECTION_S, CONNECTIONS, StatusServer
from streamrnn.display.top import watch
from streamrnn.engine.monitor import Summary
from streamrnn.errors import ConfigError, RetriableSourceError, SinkError
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored
from tests.display.test_safe_text import HOSTILE, assert_safe


def health_of(keys: list[str], partition: str = "0") -> MeteredHealth:
    """A run that is going on, and has seen these series."""
    health = MeteredHealth()
    health.phase = "running"
    n = len(keys)
    block = Block(("a",), np.ones((n, 1)), range(n), n, keys=keys, times=keys, partition=partition)
    health.observe(block, Scored(np.ones(n), np.ones((n, 1)), [False] * n, []), Summary())
    return health


@pytest.fixture
def port() -> Iterator[int]:
    health = health_of(["s0"])
    with StatusServer(health, 0, hosts=("Watch.example.org",)) as server:
        going = threading.Event()
        loop = threading.Thread(
            target=lambda: [health.tick(time.monotonic()) for _ in iter(lambda: going.wait(0.2), True)]
        )
        loop.start()
        yield server.port
        going.set()
        loop.join()


def ask(port: int, address: str, **headers: str) -> tuple[int, str]:
    """Ask for an address, and return code and text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", address, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def open_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


# What a client does that costs it nothing.
SLOW = {
    "silent": b"",
    "half a line": b"GET /li",
    "headers without end": b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: ",
    "a body to come": b"POST /livez HTTP/1.1\r\nContent-Length: 9",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_health_while_clients_hang(port: int, sent: bytes) -> None:
    """Two hundred slow clients leave each question of health answered within a second, and few threads."""
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(open_to(port)).sendall(sent)
        took = []
        for address in ("/livez", "/readyz", "/startupz", "/metrics", "/livez"):
            started = time.monotonic()
            assert ask(port, address)[0] == 200
            took.append(time.monotonic() - started)

        assert max(took) < 1
        assert threading.active_count() < 2 * CONNECTIONS + 10


def test_health_while_clients_do_not_read(port: int) -> None:
    """So do those that ask and take no answer."""
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(open_to(port)).sendall(b"GET / HTTP/1.1\r\n\r\n")
        started = time.monotonic()

        assert ask(port, "/livez") == (200, "ok\n")
        assert time.monotonic() - started < 1


def test_slow_clients_are_cut_off(port: int) -> None:
    """Who does not send a request at once is let go, though a byte comes now and then."""
    with open_to(port) as silent, open_to(port) as dripping:
        started = time.monotonic()
        silent.settimeout(0.05)
        closed = False
        while not closed and time.monotonic() - started < 20:
            with contextlib.suppress(OSError):
                dripping.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                closed = silent.recv(1) == b""

        assert closed
        assert time.monotonic() - started < ASK_S + 3
        dripping.settimeout(20)
        with contextlib.suppress(ConnectionError):
            assert dripping.recv(1000) in (b"", b"x")
        assert time.monotonic() - started < ASK_S + 5 < CONNECTION_S


ANSWERED = (
    "localhost", "LOCALHOST:9100", "run.localhost", "127.0.0.1:80", "10.2.3.4:9100", "[::1]:9100", "[fe80::1]", "watch.example.org",
    "WATCH.example.org.:8443",
)  # fmt: skip
REFUSED = (
    "evil.example", "evil.example:9100", "watch.example.org.evil.example", "127.0.0.1.evil.example", "localhost.evil", "0x7f000001", "",
    ":9100", "a b", "watch.example.org@evil.example", "watch.example.org/evil", "[::1", "\x1b[2J",
)  # fmt: skip


@pytest.mark.parametrize("host", ANSWERED)
def test_names_that_are_answered(port: int, host: str) -> None:
    """Its own names, localhost, and any IP address: kubelet and Prometheus ask by the pod's."""
    assert [ask(port, address, Host=host)[0] for address in ("/livez", "/status", "/")] == [200] * 3


@pytest.mark.parametrize("host", REFUSED, ids=ascii)
def test_names_that_are_not(port: int, host: str) -> None:
    """A page that has its own name lead here reads nothing; the sentence names the option."""
    with open_to(port) as connection:
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    assert said.startswith("HTTP/1.0 421 ")
    assert "[server] hosts" in said
    assert_safe(said.replace("\r", ""), lines=True)


def test_other_ways_to_name_a_host(port: int) -> None:
    """Without a name (HTTP/1.0) it answers; a whole address counts as the name; two names are none."""
    codes = []
    for head in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        with open_to(port) as connection:
            connection.sendall(b"GET /livez HTTP/1.0\r\n" + head + b"\r\n")
            codes.append(connection.recv(100).split()[1])
    with open_to(port) as connection:
        connection.sendall(b"GET http://evil.example/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        codes.append(connection.recv(100).split()[1])

    assert codes == [b"200", b"421", b"421"]


def test_top_says_why_it_gets_no_answer(port: int) -> None:
    """A server that answers with a refusal is quoted: not called one that is away."""
    with pytest.raises(ConfigError, match=r"answers 404: there is: / /livez"):
        watch(f"127.0.0.1:{port}/elsewhere", once=True)


def test_hosts_are_names(tmp_path: Path) -> None:
    """What can never match is refused with the rule."""
    for wrong in ("https://watch.example.org", "watch.example.org:9100", "a/b", "", "*.example.org"):
        text = f"[source]\npath = 'a'\n[sink]\npath = 'b'\n[server]\nport = 1\nhosts = ['{wrong}']\n"
        (tmp_path / "watch.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"\[server\] hosts: must be"):
            config.load(tmp_path / "watch.toml")


def test_names_of_the_stream() -> None:
    """Status and series hold each key exactly, in bytes that no terminal obeys, with a name to show and an id to ask by."""
    names = [one for one in HOSTILE if one != "\ud800"]  # no source gives half a character: it has no bytes in UTF-8
    for start in range(0, len(names), 12):
        keys = names[start : start + 12]
        health = health_of(keys, partition=keys[0])
        with StatusServer(health, 0) as server:
            code, text = ask(server.port, "/status")
            assert code == 200
            assert_safe(text)
            status = json.loads(text)
            found = {one["key"]: one for one in status["series"]}
            assert set(found) == set(keys)
            for key in keys:
                assert_safe(found[key]["name"])
                code, text = ask(server.port, f"/series?id={found[key]['id']}")
                assert_safe(text)
                assert (code, json.loads(text).keys()) == (200, {"time", "score", "threshold", "alarm", "features"})
                assert [one["value"] for one in json.loads(text)["features"]] == [[1.0]]
            (partition,) = status["partitions"].values()
            assert_safe(partition["name"])


def test_names_of_partitions_in_metrics() -> None:
    """A label is whole, and the exposition stays one that can be read."""
    for name in (*HOSTILE, "x" * 249):
        text = health_of(["a"], partition=name).exposition().decode()

        labels = {
            one.labels["partition"]
            for family in text_string_to_metric_families(text)
            for one in family.samples
            if "partition" in one.labels
        }
        assert len(labels) == 1
        assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]*", text)
        if name.isascii() and name.isprintable():
            assert labels == {name}


def test_a_socket_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status is had on a UNIX socket that only its owner and group may open; one left behind by a killed process gives way, a file or a living one does not."""
    place = tmp_path / "watch.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))
    health = health_of(["s0"])
    with StatusServer(health, None, path=str(place)) as server:
        assert server.port is None
        assert place.stat().st_mode & 0o777 == 0o660
        watch(str(place), once=True)
        assert "running" in capsys.readouterr().out
        with pytest.raises(SinkError, match=r"\[server\] socket_file: cannot listen on .*: Address already in use"):
            StatusServer(health, None, path=str(place)).__enter__()
        watch(str(place), once=True)
    assert not place.exists()
    place.write_text("mine")
    with pytest.raises(SinkError, match="socket_file"):
        StatusServer(health, None, path=str(place)).__enter__()
    assert place.read_text() == "mine"
    with pytest.raises(RetriableSourceError, match="Connection refused"):
        watch(str(place), once=True)
