"""What the group's rebalances have changed, from the client's thread to ours: flags only, no questions to any broker."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import FencedInstanceIdError, KafkaError
from kafka.structs import MemberState

from streamrnn.errors import StreamrnnError
from streamrnn_kafka.connection import connect
from streamrnn_kafka.options import ConnectionOptions

__all__ = ["Changes", "GroupConsumer", "held_as", "leave", "missed_generation", "other_protocol"]

PROTOCOL = CooperativeStickyAssignor
"""How the members of a group share its partitions."""


class GroupConsumer(KafkaConsumer):  # type: ignore[misc]
    """Ends in later polls a join that a poll has left under way, and says when another has taken its name.

    The client joins anew when it comes to know other partitions of its topics, but forgets why as soon as it has asked. A poll
    that runs out before the answer would leave it between two generations, without heartbeats, until the group gives it up.
    Kafka's own client remembers (KAFKA-9815). An answer to a heartbeat, that another member has this one's name now, makes
    the client stop its heartbeats and say nothing.
    """

    def __init__(self, *topics: str, **settings: Any) -> None:
        super().__init__(*topics, **settings)
        self._fenced: KafkaError | None = None
        self._heard = self._coordinator._handle_heartbeat_response  # noqa: SLF001  (said nowhere else)
        self._coordinator._handle_heartbeat_response = self._hear  # noqa: SLF001

    def _hear(self, *answer: Any) -> None:
        try:
            self._heard(*answer)
        except FencedInstanceIdError as error:
            self._fenced = error
            raise

    def rejoin(self) -> None:
        """Join anew with the next poll. Who comes back under its name is given what it had, without a look at what there is now."""
        self._coordinator.request_rejoin()

    def poll(self, timeout_ms: float = 0, max_records: int | None = None) -> Any:
        """Read, as a member of the group that one is or is about to be.

        Parameters
        ----------
        timeout_ms
            Longest wait for the first record, in milliseconds.
        max_records
            Most records, >= 1. None: as the client is set.
        """
        records = super().poll(timeout_ms=timeout_ms, max_records=max_records)
        if self._fenced is not None:
            raise self._fenced
        if self.group_metadata().state is MemberState.REBALANCING:
            self._coordinator.request_rejoin()
        return records


class Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """Remembers partitions that came and went until :meth:`take` asks.

    The methods run on the client's own thread, inside a poll. New partitions are paused at once, at an offset that stands
    for nothing: nothing is read of them before the main loop has said where.

    Parameters
    ----------
    consumer
        The client in which new partitions are paused. None: before there is one.
    """

    def __init__(self, consumer: Any = None) -> None:
        self._consumer = consumer
        self._lock = threading.Lock()
        self._came: set[TopicPartition] = set()
        self._went: set[TopicPartition] = set()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause new partitions and note them.

        Parameters
        ----------
        assigned
            The partitions that came.
        """
        for partition in assigned:
            self._consumer.pause(partition)
            self._consumer.seek(partition, 0)
        with self._lock:
            self._came.update(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Note partitions that went.

        Parameters
        ----------
        revoked
            The partitions that went.
        """
        with self._lock:
            self._came.difference_update(revoked)
            self._went.update(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Note partitions that went because the group has given us up.

        Parameters
        ----------
        lost
            The partitions that went.
        """
        self.on_partitions_revoked(lost)

    def take(self) -> tuple[set[TopicPartition], set[TopicPartition]]:
        """Return what came and what went since the last call. What went and came again is in both."""
        with self._lock:
            came, went = self._came, self._went
            self._came, self._went = set(), set()
        return came, went


def missed_generation(before: Any, now: Any) -> bool:
    """Whether the group went on without this member between two of its memberships.

    The client says that partitions are lost where it knows so before it begins to join; where the group gives it up while
    it joins, it says nothing, and keeps what it is given again. Each generation of a group has the number behind the one before,
    and who comes back after having been given up is given a new name.

    Parameters
    ----------
    before
        The client's group metadata as it was, or None where there was none.
    now
        The client's group metadata as it is.
    """
    if before is None or before == now:
        return False
    return bool((now.generation_id, now.member_id) != (before.generation_id + 1, before.member_id))


def leave(options: ConnectionOptions, group: str, member: str) -> None:
    """Remove a static member from its group: by itself it never leaves, and its partitions wait for the session time-out.

    Where this does not succeed they wait all the same; nothing is lost.

    Parameters
    ----------
    options
        How to reach the brokers.
    group
        The consumer group.
    member
        Name of the static member (``group.instance.id``).
    """
    with (
        contextlib.suppress(KafkaError, StreamrnnError),
        contextlib.closing(connect(KafkaAdminClient, options, client_id=member)) as admin,
    ):
        admin.remove_group_members(group, [MemberToRemove(group_instance_id=member, reason="stopped")])


def held_as(options: ConnectionOptions, group: str, member: str) -> str | None:
    """Return the id that the brokers have given who is in the group under a name, or None where they do not say.

    Parameters
    ----------
    options
        How to reach the brokers.
    group
        The consumer group.
    member
        Name of the static member (``group.instance.id``).
    """
    with contextlib.closing(connect(KafkaAdminClient, options, client_id=member)) as admin:
        [found] = admin.describe_groups([group]).values()
    return next((str(one["member_id"]) for one in found["members"] if one["group_instance_id"] == member), None)


def other_protocol(options: ConnectionOptions, group: str, client_id: str) -> str | None:
    """Return how members that are in the group now share partitions, where it is not our way.

    Parameters
    ----------
    options
        How to reach the brokers.
    group
        The consumer group.
    client_id
        The name that the request is made under.
    """
    with contextlib.closing(connect(KafkaAdminClient, options, client_id=client_id)) as admin:
        [found] = admin.describe_groups([group]).values()
    protocol = str(found["protocol_data"] or found["protocol_type"])
    return protocol if found["members"] and protocol not in (PROTOCOL.name, "consumer") else None
