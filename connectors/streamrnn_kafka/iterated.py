"""A source that is read without a runtime, one event after the other: how far they have been dealt with."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator

from kafka import TopicPartition
from kafka.errors import KafkaError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from streamrnn.errors import UnavailableError
from streamrnn.io import Block, Event
from streamrnn_kafka.connection import translated
from streamrnn_kafka.member import Member
from streamrnn_kafka.offsets import ANSWER_MS
from streamrnn_kafka.partitions import name_of, partition_of

__all__ = ["Iterated"]


class Iterated:
    """Remembers up to where events were yielded, until that is committed.

    Parameters
    ----------
    member
        This process in its group.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._done: dict[TopicPartition, int] = {}

    def events(self, block: Block) -> Iterator[Event]:
        """Yield the events of a block.

        Parameters
        ----------
        block
            What a poll has brought.
        """
        for event, position in zip(block.events(), block.positions, strict=True):
            self._done[partition_of(block.partition)] = int(position) + 1
            yield event

    def forget(self, partitions: Collection[TopicPartition] | None = None) -> None:
        """Forget partitions that are read by others now, or from elsewhere.

        Parameters
        ----------
        partitions
            Topic and number of each. None: all.
        """
        for one in list(self._done) if partitions is None else partitions:
            self._done.pop(one, None)

    def commit(self, paused: Collection[TopicPartition]) -> None:
        """Record that every event that was yielded has been dealt with.

        Parameters
        ----------
        paused
            Partitions that stay paused while the group comes to rest.

        Raises
        ------
        UnavailableError
            When the group does not come to rest within the session time-out.
        """
        end = time.monotonic() + self._member.options.session_timeout_s + ANSWER_MS / 1000
        while not self._committed():
            if time.monotonic() > end:
                raise UnavailableError("The group does not come to rest; nothing was committed.")
            self._let_rebalance(paused)

    def _committed(self) -> bool:
        """Try to commit what has been dealt with of the partitions still held; return False while the group rebalances."""
        held = self._member.client().assignment()
        done = {name_of(one): OffsetAndMetadata(offset, "", -1) for one, offset in self._done.items() if one in held}
        if not done:
            return True
        try:
            self._member.commit(done)
        except KafkaError as error:
            if any(isinstance(one, RebalanceInProgressError) for one in (error, *error.args)):
                return False
            raise translated(error, "committing offsets") from error
        return True

    def _let_rebalance(self, paused: Collection[TopicPartition]) -> None:
        """Give the group a moment to settle, which it does inside a poll only, without reading anything."""
        consumer = self._member.client()
        held = consumer.assignment()
        consumer.pause(*held)
        try:
            consumer.poll(timeout_ms=100)
        finally:
            consumer.resume(*((held & consumer.assignment()) - set(paused)))
