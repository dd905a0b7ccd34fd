"""What belongs to the offset that the group has committed of a partition: its snapshot, by the pointer beside it or by position."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import NamedTuple

from kafka.errors import KafkaError

from streamrnn.errors import StateError
from streamrnn.io import Restored, StoredSnapshot
from streamrnn_kafka.options import SinkOptions
from streamrnn_kafka.partitions import partition_of
from streamrnn_kafka.source import KafkaSource
from streamrnn_kafka.state import Manifest, Pointer
from streamrnn_kafka.state_reader import StateReader

__all__ = ["Found", "StateFinder"]

_log = logging.getLogger("streamrnn.kafka")


class Found(NamedTuple):
    """What there is of a partition.

    Parameters
    ----------
    restored
        What a runtime restores from.
    manifest
        That of its snapshot.
    pointer
        What the last commit says of its state. None: a tool has set the offset, which erases that.
    """

    restored: Restored
    manifest: Manifest
    pointer: Pointer | None


class StateFinder:
    """Finds the state of partitions in the state topic.

    Parameters
    ----------
    options
        Those of the sink: how to reach the brokers.
    source
        Whose offsets point to the state.
    topic
        The state topic.
    """

    def __init__(self, options: SinkOptions, source: KafkaSource, topic: str) -> None:
        self._options = options
        self._source = source
        self._topic = topic
        self._opened: StateReader | None = None

    def _reader(self) -> StateReader:
        if self._opened is None:
            self._opened = StateReader(self._options, self._source.member, self._topic)
        return self._opened

    def close(self) -> None:
        """Close the client; the next question is asked by another one."""
        reader, self._opened = self._opened, None
        if reader is not None:
            with contextlib.suppress(KafkaError):
                reader.close()

    def stored(self) -> list[StoredSnapshot]:
        """Return the newest snapshot of each partition, good or damaged."""
        return self._reader().stored()

    def find(self, partition: str) -> Found | None:
        """Return what the last commit of a partition recorded, or None where there is none.

        Parameters
        ----------
        partition
            Its name.

        Raises
        ------
        StateError
            When there is state that no offset points to, or the state is damaged, or the topic has other partitions now.
        """
        committed = self._source.committed(partition)
        pointer = None if committed is None else Pointer.decode(committed.metadata or "", partition)
        reader = self._reader()
        if committed is None:
            if reader.holds(partition):
                raise StateError(
                    f"Topic {self._topic!r} holds a state of {partition}, but the group has no offset: it expired while "
                    "nothing ran, was deleted, or went with a topic that was deleted. Going on would score events twice, or leave "
                    "some out. Set the group's offset with kafka-consumer-groups --reset-offsets, if you know it: the newest "
                    "snapshot at or before it is taken up; or start anew with --fresh."
                )
            return None
        if pointer is None:
            return self._by_offset(partition, committed.offset)
        manifest, restored = reader.restored(partition, committed.offset, pointer)
        self._check_count(partition, manifest)
        return Found(restored, manifest, pointer)

    def _by_offset(self, partition: str, offset: int) -> Found:
        """Return what belongs to an offset that a tool has set, which erases what a commit says of the state."""
        reader = self._reader()
        if not reader.holds(partition):
            raise StateError(
                f"The group has read {partition} up to offset {offset}, but there is no state. Was it another "
                "program? Use another [source] group, or start anew with --fresh."
            )
        pointer, is_newest = reader.before(partition, offset)
        manifest, restored = reader.restored(partition, offset, pointer)
        self._check_count(partition, manifest)
        _log.warning(
            "the offset of %s was set to %d by another program: the newest snapshot before it, from offset %s, is taken up, "
            "events up to %d are learned without results, and results begin there, whether they were written before or not",
            partition, offset, manifest.position, offset,
        )  # fmt: skip
        return Found(dataclasses.replace(restored, passing=not is_newest), manifest, None)

    def _check_count(self, partition: str, manifest: Manifest) -> None:
        self._source.check_count(partition_of(partition).topic, manifest.count, "when its state was written")
