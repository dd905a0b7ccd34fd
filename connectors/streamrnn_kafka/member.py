"""A process as a member of its consumer group: its client, what it holds, and the group's offsets."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.errors import FencedInstanceIdError, KafkaError, KafkaTimeoutError
from kafka.structs import MemberState, OffsetAndMetadata

from streamrnn.errors import SourceError
from streamrnn_kafka.connection import connect, translated
from streamrnn_kafka.members import PROTOCOL, Changes, GroupConsumer, held_as, leave, missed_generation
from streamrnn_kafka.offsets import ANSWER_MS
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.outside import close_consumer
from streamrnn_kafka.partitions import partition_of
from streamrnn_kafka.read_errors import check_inputs, explained

__all__ = ["Member"]


class Member:
    """A member of a consumer group, while it is one.

    Parameters
    ----------
    options
        Those of the source.
    """

    def __init__(self, options: SourceOptions) -> None:
        self.options = options
        self._consumer: Any = None
        self._changes = Changes()
        self._membership: Any = None

    def client(self) -> Any:
        """Return the client.

        Raises
        ------
        SourceError
            When the group has not been joined.
        """
        if self._consumer is None:
            raise SourceError("The source is not open: read it inside a with statement.")
        return self._consumer

    def join(self) -> None:
        """Subscribe to the topics as a member of the group."""
        options = self.options
        self._consumer = connect(
            GroupConsumer,
            options,
            client_id=options.member,
            group_id=options.group,
            group_instance_id=options.member,
            enable_auto_commit=False,
            auto_offset_reset="none",  # where to begin is said by the source; a lost position is never passed over
            isolation_level="read_committed",
            partition_assignment_strategy=[PROTOCOL],
            session_timeout_ms=int(1000 * options.session_timeout_s),
            heartbeat_interval_ms=int(1000 * options.session_timeout_s / 5),
            allow_auto_create_topics=False,
            fetch_max_wait_ms=1000,  # records are sent at once; where none come, an answer is due as often as this
            metrics_enabled=False,
            metadata_max_age_ms=30_000,  # how late a topic of a pattern, or a new partition, is noticed
        )
        self._changes = Changes(self._consumer)
        self._membership = None
        if options.pattern is None:
            check_inputs(self._consumer, options)
            self._consumer.subscribe(topics=list(options.topics), listener=self._changes)
        else:
            self._consumer.subscribe(pattern=options.pattern, listener=self._changes)

    def close(self, *, leaving: bool) -> None:
        """Close the client.

        Parameters
        ----------
        leaving
            Whether the others get the partitions at once, where the options say so.
        """
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            close_consumer(consumer)
            if leaving and self.options.leave_on_stop:
                leave(self.options, self.options.group, self.options.member)

    def changes(self) -> tuple[set[TopicPartition], set[TopicPartition]]:
        """Return what came and what went since the last call. What went and came again is in both."""
        came, went = self._changes.take()
        missed = self._missed(came)
        return came | missed, went | missed

    def _missed(self, came: set[TopicPartition]) -> set[TopicPartition]:
        """Return partitions that stayed ours although we were not in the group in between: another may have gone on with them."""
        before, now = self._membership, self.client().group_metadata()
        if now.state is not MemberState.STABLE:
            return set()
        self._membership = now
        return set(self.client().assignment()) - came if missed_generation(before, now) else set()

    def metadata(self) -> Any:
        """Return what fences offsets in a transaction: group, generation, member, as of the last poll.

        The client may have joined anew since then, on its own thread; what was read before is not of that generation.
        """
        return self.client().group_metadata() if self._membership is None else self._membership

    def check_name(self, within_s: float | None = None) -> None:
        """Ask the brokers who has this process's name: whoever writes on without it would fence who has it now.

        Parameters
        ----------
        within_s
            Longest wait for a broker, in seconds. None: ``connect_timeout_s``.

        Raises
        ------
        StateError
            When it is another process.
        """
        mine = self.client().group_metadata().member_id
        longest = self.options.connect_timeout_s
        options = msgspec.structs.replace(self.options, connect_timeout_s=min(within_s or longest, longest))
        there = held_as(options, self.options.group, self.options.member)
        if mine and there not in (None, mine) and self.client().group_metadata().member_id == mine:
            raise explained(FencedInstanceIdError(), self.client(), self.options)

    def committed(self, partition: str) -> OffsetAndMetadata | None:
        """Return what the group has committed of ``partition``, with its metadata, or None.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.

        Raises
        ------
        UnavailableError
            When the coordinator does not answer.
        """
        end = time.monotonic() + self.options.session_timeout_s + ANSWER_MS / 1000
        while True:  # the answer waits for a dead member's transaction; the broker ends that one by itself
            try:
                found = self.client().committed(partition_of(partition), metadata=True, timeout_ms=ANSWER_MS)
            except KafkaTimeoutError as error:
                if time.monotonic() > end:
                    raise translated(error, f"asking for the committed offset of {partition}") from error
                continue
            except KafkaError as error:
                raise translated(error, f"asking for the committed offset of {partition}") from error
            return None if found is None or found.offset < 0 else found

    def commit(self, offsets: dict[str, OffsetAndMetadata]) -> None:
        """Commit offsets of the group, outside any transaction.

        Parameters
        ----------
        offsets
            Offset and metadata by name of the partition.
        """
        self.client().commit({partition_of(name): one for name, one in offsets.items()}, timeout_ms=ANSWER_MS)
