"""What a shard makes of its series together is what each would say alone."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from river.anomaly import HalfSpaceTrees

from streamrnn import RNNAnomalyDetector
from streamrnn.config import Alarm
from streamrnn.container import unpack
from streamrnn.engine.positions import cut
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.kinds import ModelKind, model_kind

RATE, WARM_UP = 0.05, 20
KIND = model_kind("RNNAnomalyDetector", {"hidden_size": 8, "seed": 3})
KEYS = ("a", "b", "c")


def stream(n: int = 120) -> tuple[np.ndarray, list[str]]:
    """Values of two features, some missing, and whose they are."""
    drawn = np.random.default_rng(1)
    values = drawn.normal(size=(n, 2)).cumsum(axis=0)
    values[drawn.random(values.shape) < 0.1] = np.nan
    return values, [KEYS[i] for i in drawn.integers(len(KEYS), size=n)]


def block(values: np.ndarray, keys: list[str], names: tuple[str, ...], start: int, stop: int) -> Block:
    places = tuple(range(start, stop))
    return Block(names, values[start:stop, : len(names)], places, stop, keys=tuple(keys[start:stop]))


@pytest.mark.parametrize("cuts", [(0, 120), (0, 1, 2, 50, 51, 120)])
def test_series_together(cuts: tuple[int, ...]) -> None:
    """All that is said of a block of several series is, bit for bit, what a detector for each of them says; also when a column is new."""
    values, keys = stream()
    shard = Shard(KIND, Alarm(rate=RATE, warm_up=WARM_UP))
    alone = {key: RNNAnomalyDetector(RATE, warm_up=WARM_UP, hidden_size=8, seed=3) for key in KEYS}

    for start, stop in pairwise(cuts):
        names = ("x", "y") if start >= 50 else ("x",)
        scored = shard.score(block(values, keys, names, start, stop))
        for key, model in alone.items():
            rows = [i for i in range(stop - start) if keys[start + i] == key]
            if not rows:
                continue
            expected = model.progressive_many(values[start:stop, : len(names)][rows], names)
            assert scored.scores[rows].tolist() == expected.pop("score").tolist()
            assert [scored.alarms[i] for i in rows] == expected.pop("alarm").tolist()
            assert [scored.p_values[i] for i in rows] == expected.pop("p_value").tolist()
            np.testing.assert_array_equal(scored.predictions[rows], expected.pop("prediction"))
            assert scored.details.keys() == expected.keys()
            for name, part in expected.items():
                np.testing.assert_array_equal(scored.details[name][rows], part)


def test_losses() -> None:
    """The losses of all blocks together are what the nets have lost, whether they stopped in between or not."""
    values, keys = stream()
    shard, again = (Shard(KIND, Alarm(rate=RATE, warm_up=WARM_UP)) for _ in range(2))

    first = shard.score(block(values, keys, ("x",), 0, 60)).losses
    again.restore(shard.snapshot())
    scored, resumed = (one.score(block(values, keys, ("x",), 60, 120)) for one in (shard, again))
    alone = {key: RNNAnomalyDetector(RATE, warm_up=WARM_UP, hidden_size=8, seed=3) for key in KEYS}
    means = []
    for start, stop in ((0, 60), (60, 120)):
        for key in dict.fromkeys(keys[start:stop]):
            _, learned, loss = alone[key].learning_counters
            alone[key].progressive_many(values[start:stop, :1][[one == key for one in keys[start:stop]]], ("x",))
            _, learned_then, loss_then = alone[key].learning_counters
            means.append((loss_then - loss) / (learned_then - learned))

    assert sorted([*first, *scored.losses]) == sorted(means)
    assert sorted(scored.losses.tolist()) == sorted(resumed.losses.tolist())
    assert min(means) > 0


def test_losses_of_others() -> None:
    """A model that keeps no counters has no losses, and is scored all the same."""
    values, keys = stream(30)

    whole = np.nan_to_num(values)
    scored = Shard(ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees)).score(block(whole, keys, ("x",), 0, 30))

    assert len(scored.scores) == 30
    assert scored.losses.size == 0


def test_size_of_a_series() -> None:
    """What is said of a series' memory is what its net holds, and a little for what is around it."""
    model = RNNAnomalyDetector(hidden_size=8, seed=3)
    model.learn_one({"x": 1.0})

    told = Shard(KIND).key_bytes(("x",))

    assert model.memory_usage() < told < model.memory_usage() + 10_000


def of_keys(keys: str) -> Block:
    """One event for each letter, whose it is."""
    values = np.arange(float(len(keys))).reshape(-1, 1)
    return Block(("x",), values, tuple(range(len(keys))), len(keys), keys=tuple(keys))


@pytest.mark.parametrize("cuts", [(0, 5), (0, 1, 2, 3, 4, 5)])
def test_the_key_unseen_for_longest_goes(cuts: tuple[int, ...]) -> None:
    """Not the one that came first: a, seen again after b, stays when c comes, and what it has learned with it."""
    shard, whole = Shard(KIND, max_keys=2), Shard(KIND)
    block = of_keys("abaca")

    for start, stop in pairwise(cuts):
        shard.score(cut(block, start, stop))
    whole.score(block)

    assert (shard.keys(), shard.evicted) == (["c", "a"], 1)
    assert model_of(shard, "a") == model_of(whole, "a")


def model_of(shard: Shard, key: str) -> bytes:
    """What a shard has learned of a key."""
    manifest, blobs = unpack(shard.snapshot())
    return blobs[manifest["keys"].index(key)]


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_less_room_after_a_restart(most: int) -> None:
    """Restored with a lower ``max_keys`` the keys seen last stay, in their order, and go on with what they learned."""
    before, after = Shard(KIND), Shard(KIND, max_keys=most)
    before.score(of_keys("abcdabc"))

    after.restore(before.snapshot())

    assert after.keys() == ["d", "a", "b", "c"][-most:]
    for key in ["d", "a", "b", "c"][-most:]:
        assert model_of(after, key) == model_of(before, key)
    after.score(of_keys("e"))
    assert after.keys() == ["d", "a", "b", "c", "e"][-most:]


@pytest.mark.parametrize(
    "kind",
    [KIND, model_kind("RNNRegressor", {"hidden_size": 8, "label": "y"})],
    ids=["detector", "label"],
)
def test_a_snapshot_is_hashed_once(kind: ModelKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and read each byte goes through one checksum: a key's model is no container of its own."""
    values, keys = stream()
    shard, hashed = Shard(kind), []
    shard.score(block(values, keys, ("x", "y"), 0, 60))
    Shard(kind).restore(shard.snapshot())  # what names compiled code is hashed, too, the first time
    real = hashlib.sha256

    class Counted:
        def __init__(self, data: bytes = b"") -> None:
            self.real = real()
            self.update(data)

        def update(self, data: bytes) -> None:
            hashed.append(len(data))
            self.real.update(data)

        def digest(self) -> bytes:
            return self.real.digest()

    monkeypatch.setattr(hashlib, "sha256", Counted)
    data = shard.snapshot()
    Shard(kind).restore(data)

    assert sum(hashed) == 2 * (len(data) - 32)


def test_infinity_is_counted_and_missing_where_it_cannot_be_learned() -> None:
    """A detector sees it; for a regressor the value is missing, as NaN is, bit for bit. Either way it is counted."""
    values = np.random.default_rng(4).normal(size=(60, 2))
    values[::7, 1] = np.inf
    without = np.where(np.isinf(values), np.nan, values)
    regressor = model_kind("RNNRegressor", {"hidden_size": 8, "label": "a"})
    told = {}
    for name, kind in (("detector", KIND), ("regressor", regressor)):
        made, other = Shard(kind), Shard(kind)
        scores = [
            shard.score(Block(("a", "b"), cells, range(60), 60)).scores
            for shard, cells in ((made, values), (other, without))
        ]
        told[name] = (made.infinite, other.infinite, np.array_equal(*scores, equal_nan=True))

    assert told == {"detector": (9, 0, False), "regressor": (9, 0, True)}
