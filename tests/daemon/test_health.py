"""What is told of a run while it goes on: of now, not of what has been."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.daemon.health import ALARM_MEMORY, COLDEST_SHOWN, Health
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.daemon.stages import Stages
from streamrnn.engine.monitor import Summary
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored
from tests.engine.memory import MemorySink, MemorySource
from tests.engine.test_loop import runtime


def test_a_partition_that_goes_is_read_again_no_more() -> None:
    """Where the only partition that is replayed goes to another process, the run is ready: nothing holds it up."""
    health = Health()
    health.stages = Stages(lambda *_, **__: None)
    health.phase = "running"
    health.replaying("a", 10)
    health.replaying("b", 20)
    states = [health.state]
    for name in ("a", "b"):
        health.revoked(name)
        states.append(health.state)

    assert states == ["replaying", "replaying", "running"]
    assert (health.detail(), health.revoked_partitions) == ("", 2)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A long run that has become slow says so: events of the last ten seconds count, those before do not."""
    health = Health()
    health.runtime = runtime(MemorySource(1), MemorySink())
    start = health.started
    for second in range(40):
        health.runtime.summary.events = 1_000_000 + (1000 * second if second <= 20 else 20_000 + 3 * (second - 20))
        health.tick(start + second)

    assert health.rate() == 3.0


def test_any_key_is_found_and_kept_from_then_on() -> None:
    """By a part of its name, the one seen longest ago first; a key that is not held is not watched."""
    health = Health()
    health.runtime = runtime(MemorySource(600, keys=70), MemorySink(), block_events=40)
    health.runtime.run()
    [shard] = health.runtime.shards().values()
    held = shard.keys()
    found = health.find("K1")

    assert [one["key"] for one in found["keys"]] == [key for key in held if key is not None and "k1" in key]
    assert found["found"] == len(found["keys"]) == 11
    assert health.find("", most=5)["found"] == len(held)
    assert [one["key"] for one in health.find("", most=5)["keys"]] == held[:5]
    for key in (held[0], "unknown"):
        health.watch("0", key)
    assert [health._seen.get(("0", key)) is not None for key in (held[0], "unknown")] == [True, False]


def test_the_coldest_keys_are_told() -> None:
    """A bounded number of them, with names that are safe to show; metrics say how cold, and have no name of a key."""
    health = MeteredHealth()
    source = MemorySource(600, keys=70)
    assert source.key is not None
    source.key = [f"\x1b{key}" for key in source.key]
    health.runtime = runtime(source, MemorySink(), block_events=40)
    health.runtime.run()
    [shard] = health.runtime.shards().values()
    told, text = health.status(), health.exposition().decode()

    assert [(one["key"], one["events_since"]) for one in told["coldest"]] == shard.coldest(COLDEST_SHOWN)
    assert len(told["coldest"]) == COLDEST_SHOWN
    assert all(one["key"][0] == "\x1b" and one["name"].isprintable() for one in told["coldest"])
    assert told["partitions"].get("0", {"stale_keys": shard.stale})["stale_keys"] == shard.stale
    assert f'streamrnn_stale_keys{{partition="0"}} {shard.stale:.1f}' in text
    assert f'streamrnn_coldest_key_events{{partition="0"}} {shard.coldest(1)[0][1]:.1f}' in text
    assert not [line for line in text.splitlines() if "k1" in line]


@pytest.mark.parametrize("n", [ALARM_MEMORY // 4, ALARM_MEMORY, 3 * ALARM_MEMORY])
def test_the_share_of_alarms_is_a_share(n: int) -> None:
    """A block counts by its length, and one longer than what is remembered counts alone: never more than all."""
    health = Health(keep_series=False)
    for size, alarm in ((10, False), (n, True)):
        block = Block(("a",), np.zeros((size, 1)), range(size), size)
        health.observe(block, Scored(np.zeros(size), np.zeros((size, 1)), [alarm] * size, [1.0] * size), Summary())

    assert health.partitions["0"].alarm_share == min(1.0, n / ALARM_MEMORY)
