"""What a run is doing before it does what it was started for: starting, compiling, replaying. Each begins, goes on and ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

__all__ = ["COMPILING", "REPLAYING", "Stages"]

COMPILING, REPLAYING = "compiling", "replaying"

LOOK_S = 1.0  # between two looks at what goes on
PROGRESS_S = 30.0  # between two log lines about it
WORK_S = (
    0.2  # CPU seconds since the last look that show that a compiler works; answering those who ask takes a thousandth
)


class Stages:
    """Context manager: knows which stage goes on, and has a thread of its own tell of it where the loop cannot.

    Parameters
    ----------
    tell
        Called with ``compiling`` and the fields of a log line: at its start, every ``every_s``, at its end.
    alive
        Called about once a second while a compiler works: the loop cannot come round meanwhile.
    every_s
        Seconds between two calls of ``tell`` while a stage lasts.
    cpu
        A clock of CPU seconds.

    Examples
    --------
    >>> from streamrnn.daemon.stages import Stages
    >>> with Stages(lambda stage, **fields: print(stage, sorted(fields))) as stages:
    ...     stages.compiles(20.0)
    ...     print(stages.stage, stages.detail())
    ...     stages.compiled()
    ...     print(stages.stage)
    compiling ['cpu_s_expected', 'why']
    compiling 0 of about 20 CPU seconds
    compiled ['cpu_s', 'seconds']
    None
    """

    def __init__(
        self,
        tell: Callable[..., None],
        alive: Callable[[], None] = lambda: None,
        every_s: float = PROGRESS_S,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._tell, self._alive, self._every_s, self._cpu = tell, alive, every_s, cpu
        self._expected = 0.0
        self._since: tuple[float, float] | None = None  # monotonic and CPU seconds when compiling began
        self._worked = (0.0, 0.0)  # the same when a compiler was last seen to work
        self._replays: dict[str, int] = {}
        self._replay_since = 0.0
        self._last_said = 0.0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, name="stages", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()

    @property
    def stage(self) -> str | None:
        """What goes on; None where it is neither compiling nor replaying."""
        return COMPILING if self._since is not None else REPLAYING if self._replays else None

    def detail(self) -> str:
        """Return how far the stage is, in words; nothing where there is none."""
        since = self._since
        if since is not None:
            return f"{self._cpu() - since[1]:,.0f} of about {self._expected:,.0f} CPU seconds"
        return f"{sum(list(self._replays.values())):,} events read again" if self._replays else ""

    def working_s(self) -> float | None:
        """Return seconds since a compiler was last seen to work; None where nothing is compiled."""
        return None if self._since is None else max(0.0, time.monotonic() - self._worked[0])

    def compiles(self, expected_s: float) -> None:
        """Note that something is compiled from now on, which takes about so many CPU seconds.

        Parameters
        ----------
        expected_s
            CPU seconds.
        """
        now = time.monotonic()
        self._expected, self._worked, self._last_said = expected_s, (now, self._cpu()), now
        self._since = (now, self._cpu())
        why = "no code for this release, model and processor is in NUMBA_CACHE_DIR"
        self._tell(COMPILING, why=why, cpu_s_expected=round(expected_s))

    def compiled(self) -> None:
        """Note that all is compiled."""
        since, self._since = self._since, None
        if since is not None:
            spent = round(self._cpu() - since[1], 1)
            self._tell("compiled", seconds=round(time.monotonic() - since[0], 1), cpu_s=spent)

    def replays(self, partition: str, events: int) -> None:
        """Note that a partition reads events again that an earlier run has written; ``events`` so far.

        Parameters
        ----------
        partition
            Its name.
        events
            How many.
        """
        now = time.monotonic()
        if not self._replays:
            self._replay_since = self._last_said = now
            self._tell(REPLAYING, partition=partition)
        self._replays[partition] = events
        if now - self._last_said >= self._every_s:
            self._last_said = now
            self._tell(REPLAYING, events=sum(self._replays.values()), seconds=round(now - self._replay_since, 1))

    def replayed(self, partition: str) -> None:
        """Note that a partition has caught up, or has gone.

        Parameters
        ----------
        partition
            Its name.
        """
        events = self._replays.pop(partition, None)
        if events is not None:
            self._tell(
                "replayed", partition=partition, events=events, seconds=round(time.monotonic() - self._replay_since, 1)
            )

    def _watch(self) -> None:
        while not self._end.wait(LOOK_S):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """See whether a compiler works, and say so where it is time: what the thread does once a second.

        Parameters
        ----------
        now
            In seconds of the monotonic clock.
        """
        since, cpu = self._since, self._cpu()
        if since is None:
            return
        if cpu - self._worked[1] >= WORK_S:
            self._worked = (now, cpu)
            self._alive()
        if now - self._last_said >= self._every_s:
            self._last_said = now
            self._tell(COMPILING, cpu_s=round(cpu - since[1], 1), cpu_s_expected=round(self._expected))
