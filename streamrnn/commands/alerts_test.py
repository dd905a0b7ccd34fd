"""``streamrnn alerts test``: whether alarms would arrive."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamrnn.commands.receivers import Receiver
from streamrnn.errors import UnavailableError

__all__ = ["tried"]


def tried(receivers: Sequence[Receiver]) -> Iterator[str]:
    """Tell each receiver of a start and an end that say they are a test; yield a line for each that took them.

    Parameters
    ----------
    receivers
        Who is told.

    Raises
    ------
    UnavailableError
        When one did not take them; the others were told before.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    failed = []
    for receiver in receivers:
        began = time.perf_counter()
        for event in ("start", "end"):
            why, _ = receiver.post([msgspec.json.encode(_alarm(event, now))])
            if why is not None:
                failed.append(f"The {receiver.name} did not take the {event} of a test alarm: {why}.")
                break
        else:
            yield f"{receiver.name}: took the start and the end of a test alarm in {1e3 * (time.perf_counter() - began):.0f} ms."
    if failed:
        raise UnavailableError(" ".join(failed))


def _alarm(event: str, now: str) -> dict[str, Any]:
    """Return an alarm of a key that is no sensor."""
    moment = {"position": "test", "time": now, "score": 1.0, "severity": 1.0, "feature": "test", "view": "test"}
    moment |= {"value": 1.0, "prediction": 0.0}
    alarm = {"id": f"test-{now}-{event}", "event": event, "partition": "test", "key": "streamrnn-test", "start": moment}
    return alarm | ({"peak": moment, "end": moment, "alarms": 1, "events": 1} if event == "end" else {})
