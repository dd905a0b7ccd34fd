"""Transactions whose end was not told to a partition: the mark is set that is missing, before more is written behind them.

A broker that restarts ends the transactions that time-outs and commits have left to it. A topic that it does not know yet it then takes for
deleted, and leaves its partitions out (Apache Kafka 4.3, ``TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue``). Readers of
committed records wait there for ever, and what was to be aborted becomes valid with the next commit under the same id. The coordinator
still says how the transaction ended, until a producer begins anew under its id: so this is asked before and behind that.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import TransactionState
from kafka.errors import AuthorizationError, IncompatibleBrokerVersion, KafkaError, UnsupportedVersionError

from streamrnn.errors import AccessError, UnavailableError
from streamrnn_kafka.connection import causes, connect
from streamrnn_kafka.options import ConnectionOptions
from streamrnn_kafka.partitions import name_of

__all__ = ["OFFSETS_TOPIC", "Undecided", "offsets_partition"]

_log = logging.getLogger("streamrnn.kafka")

OFFSETS_TOPIC: Final = "__consumer_offsets"

ENDED: Final = (
    TransactionState.EMPTY,
    TransactionState.COMPLETE_COMMIT,
    TransactionState.COMPLETE_ABORT,
    TransactionState.DEAD,
)
"""States in which all marks are written, as the coordinator sees it."""

ENDING: Final = (TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT, TransactionState.PREPARE_EPOCH_FENCE)

ENDING_S: Final = 5.0
"""How long to wait for marks that the coordinator is about to write."""


class _Open(NamedTuple):
    """A transaction that is open in a partition, as the leader of that one sees it."""

    partition: TopicPartition
    producer: int
    epoch: int
    offset: int
    coordinator: int  # its epoch, as of the last mark there: an older one is refused


class _Mark(NamedTuple):
    """What the client's admin takes, and whether the mark is that of a commit."""

    topic_partition: TopicPartition
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int
    commits: bool


class _Admin(KafkaAdminClient):  # type: ignore[misc]
    """Can also write the mark of a commit."""

    @staticmethod
    def _abort_transaction_request(spec: _Mark) -> Any:
        request = KafkaAdminClient._abort_transaction_request(spec)  # noqa: SLF001
        for marker in request.markers:
            marker.transaction_result = spec.commits
        return request


def offsets_partition(group: str, count: int) -> TopicPartition:
    """Return where the brokers keep a group's offsets.

    Parameters
    ----------
    group
        The consumer group.
    count
        Number of partitions of the topic of offsets.

    Examples
    --------
    >>> from streamrnn_kafka.undecided import offsets_partition
    >>> offsets_partition("watch", 50).partition
    25
    """
    code = 0  # that of Java's String.hashCode, over units of UTF-16
    units = group.encode("utf-16-be")
    for i in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[i : i + 2], "big")) & 0xFFFFFFFF
    return TopicPartition(OFFSETS_TOPIC, (code & 0x7FFFFFFF) % count)


class Undecided:
    """Looks for transactions of a group's members that are over, but open in a partition, and ends them there as they ended.

    Parameters
    ----------
    options
        How to reach the brokers.
    group
        The consumer group; its members' transactional ids begin with it and a hyphen.
    member
        This one's.
    partitions
        Where members write.
    offsets
        Where the brokers keep the group's offsets; not every user may look there.
    """

    def __init__(
        self,
        options: ConnectionOptions,
        group: str,
        member: str,
        partitions: Collection[TopicPartition],
        offsets: Collection[TopicPartition] = (),
    ) -> None:
        self._options = options
        self._group = group
        self._member = member
        self._partitions = list(partitions)
        self._offsets = list(offsets)
        self._last = -float("inf")
        self._said: set[str] = set()

    def look(self, after_s: float) -> None:
        """Look, if the last look was longer ago. Where no broker answers, that is for what comes behind this to say.

        Parameters
        ----------
        after_s
            How long, in seconds.
        """
        if time.monotonic() - self._last > after_s:
            self._last = time.monotonic()
            with (
                contextlib.suppress(KafkaError, UnavailableError),
                contextlib.closing(connect(_Admin, self._options, client_id=self._member)) as admin,
            ):
                self._look(admin)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Look before and behind what is inside.

        Raises
        ------
        KafkaError
            When no broker answers.
        AccessError
            When a mark is missing of a transaction of this member, and it may not be set.
        """
        with contextlib.closing(connect(_Admin, self._options, client_id=self._member)) as admin:
            self._look(admin)
            yield
            self._look(admin)
        self._last = time.monotonic()

    def _look(self, admin: Any) -> None:
        try:
            for mark, owner in self._missing(admin):
                self._set(admin, mark, owner)
        except KafkaError as error:
            old = any(isinstance(one, UnsupportedVersionError | IncompatibleBrokerVersion) for one in causes(error))
            if not old and not isinstance(error, AuthorizationError):
                raise
            self._say("transactions that a broker has forgotten cannot be looked for: %s", f"{type(error).__name__}")

    def _say(self, text: str, about: str) -> None:
        if about not in self._said:
            self._said.add(about)
            _log.warning(text, about)

    def _open(self, admin: Any) -> set[_Open]:
        found = admin.describe_producers(self._partitions)
        with contextlib.suppress(AuthorizationError):
            found |= admin.describe_producers(self._offsets)
        return {
            _Open(at, one.producer_id, one.producer_epoch, one.current_transaction_start_offset, one.coordinator_epoch)
            for at, state in found.items()
            for one in state.active_producers
            if one.current_transaction_start_offset >= 0
        }

    def _missing(self, admin: Any) -> list[tuple[_Mark, str]]:
        """Return the marks that are missing, with the transactional id of each.

        What is open before and after the coordinator says that all is over, that has been left out.
        """
        end = time.monotonic() + ENDING_S
        while before := self._open(admin):
            listed = admin.list_transactions(producer_id_filters=sorted({one.producer for one in before}))
            ids = {one.transactional_id for some in listed.values() for one in some}
            ours = {one for one in ids if one.startswith(f"{self._group}-")}
            states = {one.producer_id: (name, one) for name, one in admin.describe_transactions(sorted(ours)).items()}
            if any(one.state in ENDING for _, one in states.values()) and time.monotonic() < end:
                time.sleep(0.1)
                continue
            over = {number: found for number, found in states.items() if found[1].state in ENDED}
            if not any(one.producer in over for one in before):
                return []
            still = self._open(admin)
            return [
                (_Mark(one.partition, one.producer, one.epoch, one.coordinator, commits=_committed(one, over[one.producer][1])), over[one.producer][0])
                for one in sorted(before & still)
                if one.producer in over
            ]  # fmt: skip
        return []

    def _set(self, admin: Any, mark: _Mark, owner: str) -> None:
        what = "committed" if mark.commits else "aborted"
        where = name_of(mark.topic_partition)
        try:
            admin.abort_transaction(mark)
        except AuthorizationError as error:
            how = (
                f"A transaction of {owner!r} is over ({what}), but a broker has not told {where}: readers of committed records "
                "wait there. This user may not set the mark: that takes the right to alter the cluster. Grant it, or have it set: "
                f"kafka-transactions.sh find-hanging, then abort --topic {mark.topic_partition.topic} --partition "
                f"{mark.topic_partition.partition}."
            )
            if owner == self._member:
                raise AccessError(how) from error
            self._say("%s", how)
            return
        _log.warning("%s: the mark was missing that a transaction of %s was %s; it has been set", where, owner, what)


def _committed(one: _Open, state: Any) -> bool:
    """Whether an ended transaction was committed, as its coordinator says: it may have begun anew under a later epoch since."""
    return state.state is TransactionState.COMPLETE_COMMIT and state.producer_epoch == one.epoch
