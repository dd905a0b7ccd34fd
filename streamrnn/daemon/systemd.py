"""Tells systemd how it goes (``Type=notify``): READY, STATUS, RELOADING, STOPPING, WATCHDOG. Nothing where there is none."""

from __future__ import annotations

import os
import socket
import time

from streamrnn.safe_text import safe_text

__all__ = ["Notifier"]


class Notifier:
    """Speaks sd_notify(3): datagrams to the socket that ``NOTIFY_SOCKET`` names.

    The watchdog is fed by :meth:`alive`, which the loop calls as it makes progress: a loop that hangs starves it.

    Parameters
    ----------
    environment
        Environment variables by name. None: those of this process.

    Examples
    --------
    >>> from streamrnn.daemon.systemd import Notifier
    >>> Notifier({}).ready("running")  # no systemd: nothing happens
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        given = dict(os.environ) if environment is None else environment
        self._address = given.get("NOTIFY_SOCKET", "")
        mine = given.get("WATCHDOG_PID") in (None, str(os.getpid()))
        limit = given.get("WATCHDOG_USEC", "") if mine else ""
        # A third of the limit, so that one late turn of the loop does no harm.
        self._every_s = int(limit) / 3e6 if limit.isdecimal() and int(limit) else None
        self._fed = 0.0

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)
                out.sendto("\n".join(lines).encode(), address)
        except OSError:  # a manager that does not listen must not stop the stream
            pass

    def ready(self, status: str) -> None:
        """Say that the start is over.

        Parameters
        ----------
        status
            A line.
        """
        self._send("READY=1", f"STATUS={safe_text(status)}")

    def status(self, status: str) -> None:
        """Say in one line what is going on: ``systemctl status`` shows it.

        Parameters
        ----------
        status
            A line.
        """
        self._send(f"STATUS={safe_text(status)}")

    def reloading(self) -> None:
        """Say that SIGHUP is being answered; :meth:`ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        """Say that the end has begun.

        Parameters
        ----------
        status
            A line.
        """
        self._send("STOPPING=1", f"STATUS={safe_text(status)}")

    def alive(self, now: float) -> None:
        """Feed the watchdog, if it is time; ``now`` is a monotonic time in seconds.

        Parameters
        ----------
        now
            In seconds of the monotonic clock.
        """
        if self._every_s is not None and now - self._fed >= self._every_s:
            self._fed = now
            self._send("WATCHDOG=1")
