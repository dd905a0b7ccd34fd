"""``streamrnn alerts``: committed alarms to a webhook, each at least once, with an id by which a second one is known."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from streamrnn.config import Config
from streamrnn.engine.assemble import make_sink, make_source
from streamrnn.errors import ConfigError, SinkError, StateError, UnavailableError
from streamrnn.io import AlarmSink, AttachedSink
from streamrnn.whole import write_whole

__all__ = ["Alerts", "alarm_sink"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Between two tries, twice as long each time: a receiver that comes back after an hour has its alarms half a minute later."""

LOOK_EVERY_S = 1.0
"""How often it is looked for new alarms."""

TRY_LATER = (408, 425, 429)
"""Refusals of HTTP that are about the moment; other 4xx are about the alarm, and come again with it."""


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
    """Posts alarms to a webhook, in their order, and keeps in a file how far it has come.

    The file is written behind each answer: whoever is killed between the two posts that alarm once more, with the same id in
    ``Idempotency-Key`` and in the alarm itself. An alarm that the receiver refuses for what it is (a 4xx) goes to a file beside.

    Parameters
    ----------
    sink
        Whose alarms are read.
    webhook
        Where they are posted to.
    position
        The file that says how far it has come.
    timeout_s
        Seconds that an answer is waited for.
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
        webhook: str,
        position: str,
        *,
        timeout_s: float = 10.0,
        stopped: Callable[[], bool] = lambda: False,
        say: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self.posted = 0
        self.refused = 0
        self._sink = sink
        self._webhook = webhook
        self._position = Path(position)
        self._timeout_s = timeout_s
        self._stopped = stopped
        self._say = say
        self._after = _read_position(self._position)

    def run(self, *, once: bool = False) -> None:
        """Post what is there and what comes, until stopped.

        Parameters
        ----------
        once
            Return when all that was committed is posted.
        """
        while not self._stopped():
            for place, number, data in self._found():
                if not self._deliver(data):
                    return
                self._after[place] = number
                self._keep()
            if once:
                return
            self._wait(LOOK_EVERY_S)

    def _found(self) -> Any:
        """Yield new alarms; where the store does not answer, none now."""
        try:
            yield from self._sink.alarms(dict(self._after))
        except UnavailableError as error:
            self._say("alarms_unavailable", message=str(error))

    def _deliver(self, data: bytes) -> bool:
        """Post an alarm until it is taken or refused for good; return False where the command was stopped before."""
        pause = FIRST_PAUSE_S
        while True:
            why, for_good = self._post(data)
            if why is None:
                self.posted += 1
                return True
            if for_good:
                self._put_aside(data, why)
                return True
            self._say("webhook_failed", reason=why, retry_s=pause)
            self._wait(pause)
            if self._stopped():
                return False
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _post(self, data: bytes) -> tuple[str | None, bool]:
        """Post an alarm once; return why it was not taken, and whether that is for good."""
        headers = {"Content-Type": "application/json", "User-Agent": "streamrnn", "Idempotency-Key": _id_of(data)}
        request = urllib.request.Request(self._webhook, data, headers, method="POST")  # noqa: S310  (http or https, see [alarms] webhook)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s):  # noqa: S310
                return None, False
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}", 400 <= error.code < 500 and error.code not in TRY_LATER
        except (OSError, http.client.HTTPException) as error:
            return str(getattr(error, "reason", None) or error) or type(error).__name__, False

    def _put_aside(self, data: bytes, why: str) -> None:
        self.refused += 1
        path = self._position.with_name(self._position.name + ".refused.jsonl")
        self._say("alarm_refused", reason=why, kept_in=str(path))
        line = json.dumps({"reason": why, "alarm": data.decode(errors="replace")}).encode() + b"\n"
        try:
            with path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise SinkError(f"{str(path)!r} cannot be written: {error.strerror}.") from error

    def _keep(self) -> None:
        try:
            write_whole(self._position, msgspec.json.encode(self._after))
        except OSError as error:
            raise SinkError(
                f"[alarms] position_file: {str(self._position)!r} cannot be written: {error.strerror}."
            ) from error

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


def _id_of(data: bytes) -> str:
    """Return the id of an alarm that was read back."""
    try:
        return str(msgspec.json.decode(data)["id"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""


def _read_position(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StateError(
            f"[alarms] position_file: {str(path)!r} is not such a file: {error}. Name another one, or delete it."
        ) from error
    except OSError as error:
        raise SinkError(f"[alarms] position_file: {str(path)!r} cannot be read: {error.strerror}.") from error
