"""Topics that must be there before anything is written: created where they are missing, checked where they are not."""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import AuthorizationError, KafkaError, TopicAlreadyExistsError

from streamrnn.errors import AccessError, ConfigError, SinkError, StateError, StreamrnnError, UnavailableError
from streamrnn_kafka.letters import PAGE_ROOM
from streamrnn_kafka.state import PAGE_BYTES

__all__ = ["ensure_topics", "wrong_topics"]

STATE_SETTINGS = {"cleanup.policy": "compact"}
"""Snapshots must never be deleted for their age, only when a newer one is there."""

APPEAR_S = 15.0


def _partitions(admin: Any, topics: list[str]) -> dict[str, int]:
    """Return the number of partitions of those topics that there are."""
    return {
        one["name"]: len(one["partitions"])
        for one in admin.describe_topics(topics)
        if one["error_code"] == 0 and all(part["leader_id"] >= 0 for part in one["partitions"])
    }


def ensure_topics(
    admin: Any, wanted: Mapping[str, int], state_topic: str, *, create: bool, record_bytes: int
) -> dict[str, int]:
    """Return the number of partitions of each topic of ``wanted`` (with that number, where created) and of the state topic.

    Parameters
    ----------
    admin
        A client that may describe and create topics.
    wanted
        Topics of results and dead letters, each with the number of partitions to create it with.
    state_topic
        The topic of snapshots.
    create
        Whether to create topics that are missing.
    record_bytes
        The longest record that the wanted topics must take.

    Raises
    ------
    SinkError
        When one is missing and may not be created.
    StateError
        When the state topic is not compacted.
    ConfigError
        When a topic does not take records of ``record_bytes``, or the state topic no pages.
    UnavailableError
        When a topic that was created does not appear in time.
    """
    names = [*wanted, state_topic]
    there = _partitions(admin, names)
    missing = [name for name in names if name not in there]
    if missing and not create:
        raise _lacking(missing)
    for name in missing:
        _create(admin, name, None if name == state_topic else wanted[name])
    end = time.monotonic() + APPEAR_S
    while missing and len(there := _partitions(admin, names)) < len(names):
        if time.monotonic() > end:
            lacking = [name for name in names if name not in there]
            raise UnavailableError(f"Topics {lacking} were created, but have no leader after {APPEAR_S:.0f} s.")
        time.sleep(0.05)
    for error in _wrong_settings(admin, list(wanted), state_topic, record_bytes):
        raise error
    return there


def _lacking(missing: list[str]) -> SinkError:
    return SinkError(
        f"Kafka has no topic {', '.join(map(repr, missing))}, and [sink] create_topics = false. Create it; the state "
        "topic with cleanup.policy=compact."
    )


def _create(admin: Any, name: str, partitions: int | None, *, trial: bool = False) -> None:
    """Create a topic, the state topic where ``partitions`` is None; as a ``trial`` only ask whether that would do."""
    state = partitions is None
    topic = {"num_partitions": 1 if state else partitions, "configs": STATE_SETTINGS if state else {}}
    try:
        admin.create_topics({name: topic}, validate_only=trial)
    except TopicAlreadyExistsError:  # another process of the group was faster
        return
    except AuthorizationError as error:
        raise AccessError(
            f"Topic {name!r} is missing, and this user may not create it ({type(error).__name__}). Have it created"
            f"{' with cleanup.policy=compact' if state else ''}, or allow it."
        ) from error
    except KafkaError as error:
        raise SinkError(f"Topic {name!r} is missing and cannot be created: {type(error).__name__}: {error}.") from error


def wrong_topics(
    admin: Any, wanted: Sequence[str], state_topic: str, *, create: bool, record_bytes: int
) -> list[StreamrnnError]:
    """Return what :func:`ensure_topics` would raise, all of it, and create nothing.

    Parameters
    ----------
    admin
        A client that may describe topics.
    wanted
        Topics of results and dead letters.
    state_topic
        The topic of snapshots.
    create
        Whether topics that are missing would be created.
    record_bytes
        The longest record that the wanted topics must take.
    """
    there = _partitions(admin, [*wanted, state_topic])
    missing = [name for name in (*wanted, state_topic) if name not in there]
    found: list[StreamrnnError] = []
    if missing and not create:
        found.append(_lacking(missing))
    for name in missing if create else ():
        try:
            _create(admin, name, None if name == state_topic else 1, trial=True)
        except StreamrnnError as error:
            found.append(error)
    found += _wrong_settings(admin, [name for name in wanted if name in there], state_topic, record_bytes, there)
    return found


def _wrong_settings(
    admin: Any, wanted: Sequence[str], state_topic: str, record_bytes: int, there: Container[str] | None = None
) -> list[StreamrnnError]:
    """Return what is wrong with how topics are set that are there."""
    needs = dict.fromkeys(wanted, (record_bytes, "[sink] max_record_bytes"))
    found: list[StreamrnnError] = []
    if there is None or state_topic in there:
        needs[state_topic] = (PAGE_BYTES + PAGE_ROOM, "a page of a snapshot")
    for name, (needed, what) in needs.items():
        settings = _settings(admin, name)
        if settings is None:
            continue
        policy, most = settings["cleanup.policy"]["value"], int(settings["max.message.bytes"]["value"])
        if name == state_topic and policy != "compact":
            found.append(
                StateError(
                    f"Topic {name!r} has cleanup.policy={policy}: snapshots in it would be deleted for their age. Set it to compact."
                )
            )
        if most < needed:
            found.append(
                ConfigError(
                    f"Topic {name!r} takes records of max.message.bytes={most}, fewer than the {needed} of {what}. Raise the "
                    f"topic's{'' if name == state_topic else ', or lower the option'}."
                )
            )
    return found


def _settings(admin: Any, topic: str) -> Any:
    """Return the settings of a topic, or None where this user may write it, but not ask: then others look after it."""
    try:
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    except AuthorizationError:
        return None
    return found["topic"][topic]
