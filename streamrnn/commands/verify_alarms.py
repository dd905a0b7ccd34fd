"""The alarms of a run beside those that its input gives: part of ``streamrnn verify``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streamrnn.io import AlarmEvent, AlarmSink

__all__ = ["AlarmProof"]


class AlarmProof:
    """Compares what ``[alarms]`` holds with what a second pass gives, while the run may go on.

    Parameters
    ----------
    sink
        Whose alarms are read; None: there is no such output, and nothing is compared.
    whole
        Whether the pass began where the run did; else the alarms before it are passed over.

    Examples
    --------
    >>> from streamrnn.commands.verify_alarms import AlarmProof
    >>> AlarmProof(None, whole=True).difference() is None
    True
    """

    def __init__(self, sink: AlarmSink | None, *, whole: bool) -> None:
        self._sink = sink
        self._whole = whole
        self._before = self._stored()
        self._given: dict[str, list[bytes]] = {}
        self._due: dict[str, int] = {}

    def _stored(self) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for _, _, data in () if self._sink is None else self._sink.alarms({}):
            found.setdefault(_partition_of(data), []).append(data)
        return found

    def take(self, partition: str, events: Sequence[AlarmEvent], *, written: bool) -> None:
        """Take the alarms that a block of the input gives.

        Parameters
        ----------
        partition
            Of the block.
        events
            Its alarms.
        written
            Whether the run has written all results of the block: then its alarms must be there, else they may.
        """
        given = self._given.setdefault(partition, [])
        given += [one.data for one in events]
        if written:
            self._due[partition] = len(given)

    def difference(self) -> str | None:
        """Return a sentence about the first alarm that is not what the input gives, or None."""
        after = self._stored()
        for partition, given in self._given.items():
            before, now = self._before.get(partition, []), after.get(partition, [])
            first = self._from(given, now)
            due = given[first : self._due.get(partition, 0)]
            skipped = 0 if self._whole or not given or given[0] not in now else now.index(given[0])
            for i in range(max(len(due), len(before) - skipped)):
                there = now[skipped + i] if skipped + i < len(now) else None
                right = given[first + i] if first + i < len(given) else None
                if there != right and (self._whole or given):
                    return f"partition {partition}, alarm {i + 1:,}: [alarms] holds {_said(there)}, the input gives {_said(right)}."
        return None

    def _from(self, given: list[bytes], now: list[bytes]) -> int:
        """Return which of the given alarms is the first that is stored still: a topic may have deleted older ones."""
        return given.index(now[0]) if self._whole and now and now[0] in given else 0


def _partition_of(data: bytes) -> str:
    try:
        return str(msgspec.json.decode(data)["partition"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""


def _said(data: bytes | None) -> str:
    if data is None:
        return "none"
    text = data.decode(errors="backslashreplace")
    return text if len(text) <= 300 else text[:297] + "..."
