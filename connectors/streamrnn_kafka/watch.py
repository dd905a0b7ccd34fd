"""Looks now and then at how far each partition has come: for metrics, for what retention leaves, and to notice one that the client has forgotten."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, NamedTuple

from kafka import TopicPartition
from kafka.errors import KafkaError

from streamrnn_kafka.partitions import name_of

__all__ = ["Watch"]

LOOK_S = 5.0
"""Between two looks: a look is two questions to each broker."""

LEAST_LOOKS = 3
"""A loop that was itself held up for long, by a commit say, has not looked often: then nothing is stuck."""

ANSWER_MS = 2000
"""Longest wait for an answer: a look is worth no more."""


class _Standing(NamedTuple):
    """Since when a partition stands where it does, and where its end was then."""

    position: int
    end: int
    since: float
    looks: int


class Watch:
    """Remembers positions and ends of partitions.

    Parameters
    ----------
    stuck_after_s
        A partition is stuck when it has stood still for so long while its end grew.
    """

    def __init__(self, stuck_after_s: float) -> None:
        self._stuck_after_s = stuck_after_s
        self._between_s = min(LOOK_S, stuck_after_s / (LEAST_LOOKS + 1))
        self._next = 0.0
        self._standing: dict[TopicPartition, _Standing] = {}
        self.lag: dict[str, int] = {}
        self.held: dict[str, tuple[int, int]] = {}  # first offset and end

    def forget(self) -> None:
        """Begin anew: the partitions are read from elsewhere now."""
        self._standing.clear()
        self._next = 0.0

    def look(self, consumer: Any, partitions: Collection[TopicPartition]) -> list[TopicPartition]:
        """Return what is stuck among ``partitions``, if it is time for a look.

        Parameters
        ----------
        consumer
            The client, to ask for positions and ends.
        partitions
            Those to look at.
        """
        now = time.monotonic()
        if now < self._next:
            return []
        self._next = now + self._between_s
        try:
            ends = consumer.end_offsets(list(partitions), timeout_ms=ANSWER_MS) if partitions else {}
            firsts = consumer.beginning_offsets(list(partitions), timeout_ms=ANSWER_MS) if partitions else {}
            at = {one: consumer.position(one, timeout_ms=ANSWER_MS) for one in ends}
        except KafkaError:  # no answer, or no position yet: no news
            return []
        before, self._standing = self._standing, {}
        for one, end in ends.items():
            old = before.get(one)
            moved = old is None or old.position != at[one] or end <= at[one]
            self._standing[one] = (
                _Standing(at[one], end, now, 0) if old is None or moved else old._replace(looks=old.looks + 1)
            )
        self.lag = {name_of(one): max(0, end - at[one]) for one, end in ends.items()}
        self.held = {name_of(one): (firsts[one], end) for one, end in ends.items() if one in firsts}
        return [
            one
            for one, old in self._standing.items()
            if old.looks >= LEAST_LOOKS and ends[one] > old.end and now - old.since >= self._stuck_after_s
        ]
