"""Alarms that belong together are one episode, whatever the blocks, the keys and the restarts."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from streamrnn.config import Alarm, Alarms
from streamrnn.engine.episodes import columns_of, follow
from streamrnn.engine.shard import Shard
from streamrnn.errors import StateError
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.scored import Scored

KIND = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
N = 400


def stream(keys=("a", "b", "c")):
    rng = np.random.default_rng(5)
    values = np.sin(np.arange(N) / 7)[:, None] + rng.normal(scale=0.05, size=(N, 1))
    for at in (120, 121, 124, 200, 260, 261, 262, 350, 396):
        values[at] += 4.0 + at % 3
    chosen = None if keys is None else [keys[i % 7 % len(keys)] for i in range(N)]
    return Block(("x",), values, range(N), N, chosen, [f"t{i}" for i in range(N)])


def part(block, start, stop):
    keys = None if block.keys is None else block.keys[start:stop]
    return Block(("x",), block.values[start:stop], block.positions[start:stop], stop, keys, block.times[start:stop])


def shard(**options):
    return Shard(KIND, Alarm(rate=0.02, warm_up=20), alarms=Alarms(path="-", ends_after=5), **options)


def events(shards, block, cuts):
    made = shards()
    return [json.loads(one.data) for a, b in itertools.pairwise(cuts) for one in made.score(part(block, a, b)).episodes]


@pytest.mark.parametrize("keys", [None, ("a", "b", "c")], ids=["one", "keys"])
def test_blocks_and_restarts_leave_no_mark(keys):
    """One by one, in blocks of 7, and restored at any event: the same alarms with the same ids."""
    block = stream(keys)
    whole = events(shard, block, [0, N])

    cut = events(shard, block, [*range(0, N, 7), N])
    resumed, one = [], shard()
    for start in range(0, N, 11):
        again = shard()
        if start:
            again.restore(one.snapshot())
        resumed += [json.loads(found.data) for found in again.score(part(block, start, min(start + 11, N))).episodes]
        one = again

    assert len(whole) >= 6
    assert cut == whole
    assert resumed == whole


def test_an_episode_has_one_start_and_one_end():
    """Of each key, starts and ends alternate; the end names the start, the peak and the last event."""
    open_now: dict[str, dict[str, object]] = {}
    found = events(shard, stream(), [0, N])

    for one in found:
        assert one["event"] == ("end" if one["key"] in open_now else "start")
        if one["event"] == "start":
            open_now[one["key"]] = one["start"]
            continue
        assert one["start"] == open_now.pop(one["key"])
        assert one["start"]["position"] <= one["end"]["position"]
        assert one["peak"]["score"] >= one["start"]["score"]
        assert one["alarms"] >= 1
    assert len({one["id"] for one in found}) == len(found)


def said(alarms, since=None, scores=None, quiet=3):
    n = len(alarms)
    details = {} if since is None else {"since": np.array(since, dtype=float)}
    scored = Scored(np.array(scores or np.linspace(0, 1, n)), np.zeros((n, 1)), alarms, [1.0] * n, details=details)
    block = Block(("x",), np.zeros((n, 1)), range(n), n)
    _, found = follow(None, range(n), columns_of(block, scored), None, quiet)
    return [(row, json.loads(one.data)) for row, one in found]


def test_the_end_comes_with_the_last_quiet_event():
    """``quiet`` events without an alarm end an episode, not one less; an alarm in between begins to count anew."""
    found = said([True, False, False, True, False, False, False, False], quiet=3)

    assert [(row, one["event"]) for row, one in found] == [(0, "start"), (6, "end")]
    assert (found[1][1]["alarms"], found[1][1]["events"], found[1][1]["end"]["position"]) == (2, 4, 3)


def test_a_change_that_lasts_is_one_episode():
    """While the model says that a change lasts, the episode does."""
    lasting = [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0]

    assert [row for row, _ in said([True] + [False] * 7, lasting, quiet=3)] == [0, 7]
    assert [row for row, _ in said([True] + [False] * 7, quiet=3)] == [0, 3]


def test_the_peak_is_the_highest_score():
    """The peak is where the score was highest, an event without an alarm too; equal ones: the first."""
    (_, start), (_, end) = said([True, False, False, False], scores=[0.5, 0.9, 0.9, 0.1], quiet=3)

    assert start["start"]["score"] == 0.5
    assert end["peak"]["position"] == 1


def test_a_key_that_is_forgotten_takes_its_episode_along():
    """The episode of an evicted key is gone with it, and a snapshot holds none of a key that it does not hold."""
    one = shard(max_keys=1)
    block = stream(("a",))
    starts = [json.loads(e.data) for e in one.score(part(block, 0, 125)).episodes]
    assert [e["event"] for e in starts][-1] == "start"

    other = Block(("x",), np.zeros((1, 1)), (125,), 126, ["z"], ["t"])
    one.score(other)
    back = Block(("x",), np.zeros((9, 1)), range(126, 135), 135, ["a"] * 9, ["t"] * 9)

    assert one.score(back).episodes == []


def test_a_snapshot_with_an_episode_of_no_key_is_refused():
    """An episode whose key is not there is damage."""
    from streamrnn.container import pack, unpack

    one = shard()
    one.score(part(stream(), 0, 125))
    manifest, blobs = unpack(one.snapshot())
    manifest["episodes"] = [[99, episode] for _, episode in manifest["episodes"]]
    assert manifest["episodes"]

    with pytest.raises(StateError, match="episode"):
        shard().restore(pack(manifest, blobs))
