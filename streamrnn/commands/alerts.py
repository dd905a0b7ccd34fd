"""``streamrnn alerts``: committed alarms to those who are to be told, each at least once, with an id by which a second one is known."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from streamrnn.commands.alerts_progress import Progress
from streamrnn.commands.receivers import AGAIN_S, Receiver, decoded, known_by
from streamrnn.config import Config
from streamrnn.engine.assemble import make_sink, make_source
from streamrnn.errors import ConfigError, SinkError, UnavailableError
from streamrnn.io import AlarmSink, AttachedSink

__all__ = ["Alerts", "alarm_sink", "post_to_all"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Between two tries, twice as long each time: a receiver that comes back after an hour has its alarms half a minute later."""

LOOK_EVERY_S = 0.2
"""How often it is looked for new alarms: a receiver hears of one within a second of its event."""

HOUR_S = 3600.0
AT_ONCE = 500
"""Open episodes in one post."""


def alarm_sink(config: Config) -> AlarmSink:
    """Return the sink of a configuration, whose alarms are read from outside.

    Parameters
    ----------
    config
        A checked configuration.

    Raises
    ------
    ConfigError
        When it has no output for alarms.
    """
    if not config.alarms.wanted:
        raise ConfigError(
            "[alarms] path: is missing. Set path, topic or table of [alarms], so that a run writes its alarms there."
        )
    sink = make_sink(config)
    if not isinstance(sink, AlarmSink):
        raise ConfigError(f"[sink] kind: the alarms of the connector {config.sink.kind!r} cannot be read back.")
    if isinstance(sink, AttachedSink):
        sink.attach(make_source(config))
    return sink


class Alerts:
    """Posts alarms to a receiver, in their order, and keeps in a file how far it has come.

    The file is written behind each answer: whoever is killed between the two posts that alarm once more, and the receiver knows it by its
    id. An alarm that is refused for what it is (a 4xx) goes to a file beside, and so does one that is held back by ``max_per_hour``.

    Parameters
    ----------
    sink
        Whose alarms are read.
    receiver
        Who is told.
    position
        The file that says how far it has come.
    max_per_hour
        Of one key, episodes that are posted within an hour; None: all.
    stopped
        Asked between two tries.
    say
        Told of trouble: an event's name and its fields.

    Raises
    ------
    StateError
        When the file of the position holds something else.
    """

    def __init__(
        self,
        sink: AlarmSink,
        receiver: Receiver,
        position: str,
        *,
        max_per_hour: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
        say: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self.posted = 0
        self.refused = 0
        self.held = 0
        self._sink = sink
        self.receiver = receiver
        self._position = Path(position)
        self._max_per_hour = max_per_hour
        self._stopped = stopped
        self._say = say
        self._progress = Progress.read(self._position)
        self._reminded = time.monotonic()

    def run(self, *, once: bool = False) -> None:
        """Post what is there and what comes, until stopped.

        Parameters
        ----------
        once
            Return when all that was committed is posted.
        """
        while not self._stopped():
            for place, number, data in self._found():
                if not self._deal_with(data):
                    return
                self._progress.after[place] = number
                self._progress.write(self._position)
            if once:
                return
            self._remind()
            self._wait(LOOK_EVERY_S)

    def _found(self) -> Any:
        """Yield new alarms; where the store does not answer, none now."""
        try:
            yield from self._sink.alarms(dict(self._progress.after))
        except UnavailableError as error:
            self._say("alarms_unavailable", message=str(error))

    def _deal_with(self, data: bytes) -> bool:
        """Post an alarm, or put it aside; return False where the command was stopped before."""
        alarm = decoded(data)
        name, starts = known_by(alarm), alarm.get("event") == "start"
        if self._is_held(alarm, name, starts=starts):
            self.held += 1
            self._put_aside(data, f"more than {self._max_per_hour} of its key in an hour", "held")
            return True
        if (began := self._progress.open.get(name)) is not None and not starts:
            alarm = {
                "start": decoded(began.encode()).get("start")
            } | alarm  # the end of a silence does not say when it began
            data = msgspec.json.encode(alarm)
        taken = self._deliver(data)
        if taken is None:
            return False
        if self.receiver.reminded and taken and starts:
            self._progress.open[name] = data.decode()
        elif not starts:
            self._progress.open.pop(name, None)
        return True

    def _deliver(self, data: bytes) -> bool | None:
        """Post an alarm until it is taken (True) or refused for good (False); None where the command was stopped before."""
        pause = FIRST_PAUSE_S
        while True:
            why, for_good = self.receiver.post([data])
            if why is None:
                self.posted += 1
                return True
            if for_good:
                self.refused += 1
                self._put_aside(data, why, "refused")
                return False
            self._say("alarm_not_taken", receiver=self.receiver.name, reason=why, retry_s=pause)
            self._wait(pause)
            if self._stopped():
                return None
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _is_held(self, alarm: dict[str, Any], name: str, *, starts: bool) -> bool:
        """Whether a start is one too many of its key within an hour, or an end that of one that was."""
        progress = self._progress
        if not starts:
            held = name in progress.held
            progress.held = [one for one in progress.held if one != name]
            return held
        if self._max_per_hour is None:
            return False
        key, now = str(alarm.get("key")), time.time()
        progress.recent = {
            one: left
            for one, times in progress.recent.items()
            if (left := [when for when in times if now - HOUR_S < when <= now])
        }
        times = progress.recent.setdefault(key, [])
        if len(times) >= self._max_per_hour:
            progress.held.append(name)
            return True
        times.append(now)
        return False

    def _remind(self) -> None:
        """Tell of open episodes once more, where the receiver needs that."""
        if not self.receiver.reminded or time.monotonic() - self._reminded < AGAIN_S:
            return
        self._reminded = time.monotonic()
        for some in _batched(self._progress.open.values(), AT_ONCE):
            why, _ = self.receiver.post([one.encode() for one in some])
            if why is not None:
                self._say("alarm_not_taken", receiver=self.receiver.name, reason=why, retry_s=AGAIN_S)

    def _put_aside(self, data: bytes, why: str, what: str) -> None:
        path = self._position.with_name(f"{self._position.name}.{what}.jsonl")
        self._say(f"alarm_{what}", receiver=self.receiver.name, reason=why, kept_in=str(path))
        line = json.dumps({"reason": why, "alarm": data.decode(errors="replace")}).encode() + b"\n"
        try:
            with path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise SinkError(f"{str(path)!r} cannot be written: {error.strerror}.") from error

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


def post_to_all(
    receivers: Sequence[tuple[Receiver, AlarmSink]],
    position: str,
    *,
    max_per_hour: int | None = None,
    once: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    say: Callable[..., None] = lambda *_, **__: None,
) -> list[Alerts]:
    """Post alarms to several receivers, none of which waits for another; return what was done for each.

    Parameters
    ----------
    receivers
        Who is told, each with a sink of its own whose alarms are read.
    position
        The file that says how far the webhook has come; those of others have their name at the end.
    max_per_hour, once, stopped, say
        See :class:`Alerts` and :meth:`Alerts.run`.

    Raises
    ------
    StateError
        When a file of a position holds something else.
    """
    failed: list[BaseException] = []

    def end() -> bool:
        return stopped() or bool(failed)

    def run(one: Alerts) -> None:
        try:
            one.run(once=once)
        except BaseException as error:  # noqa: BLE001  (raised below, where the command can end with it)
            failed.append(error)

    made = []
    for receiver, sink in receivers:
        file = position if receiver.name == "webhook" else f"{position}.{receiver.name}"
        made.append(Alerts(sink, receiver, file, max_per_hour=max_per_hour, stopped=end, say=say))
    threads = [threading.Thread(target=run, args=(one,), name=one.receiver.name) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return made


def _batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of at most ``size`` items."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
