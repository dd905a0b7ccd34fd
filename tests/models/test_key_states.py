"""The state of one key as bytes, for engines that keep it themselves; and a model that takes up another's state in place."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from streamrnn import (
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    RNNMultiTargetRegressor,
    RNNRegressor,
    RNNSupervisedAnomalyDetector,
    dumps,
    load_into,
    loads,
)
from streamrnn.errors import ParameterError, StateError

NET: dict[str, Any] = {"hidden_size": 8, "key": "k"}
MODELS: dict[str, Any] = {
    "detector": lambda: RNNAnomalyDetector(**NET, memory=64, warm_up=5),
    "regressor": lambda: RNNRegressor(**NET, window=4, learning="tbptt"),
    "late labels": lambda: RNNRegressor(**NET, window=4, advance="predict"),
    "classifier": lambda: RNNClassifier(**NET, window=4, learning="tbptt"),
    "judged": lambda: RNNSupervisedAnomalyDetector(**NET, memory=64, warm_up=5),
    "forecaster": lambda: RNNForecaster(horizon=2, key="k"),
}


def play(model: Any, keys: str, start: int = 0) -> list[Any]:
    """Ask and learn an event of each of these keys; return the answers."""
    found = []
    for i, key in enumerate(keys, start):
        x = {"k": key, "a": i % 7 / 3.0, "b": float(i % 5)}
        if isinstance(model, RNNAnomalyDetector):
            found.append(model.score_one(x))
            model.learn_one(x)
        elif isinstance(model, RNNSupervisedAnomalyDetector):
            found.append(model.score_one(x, i % 3))
            model.learn_one(x, i % 3)
        elif isinstance(model, RNNForecaster):
            model.learn_one(i % 7 / 3.0, {"k": key})
            found.append(model.forecast(2, key=key))
        else:
            found.append(model.predict_one(x))
            model.learn_one(x, i % 3)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_key_goes_on_elsewhere(name: str) -> None:
    """In a model with the same weights, under another name and in another place, bit for bit; and it is written as it came."""
    model = MODELS[name]()
    play(model, "abcabcab" * 4)
    other = pickle.loads(pickle.dumps(model))
    state = model.key_state("b")
    for key in ("a", "b"):
        assert other.drop_key(key)
    assert not other.drop_key("b")

    other.set_key_state("moved", state)

    assert other.key_state("moved") == state
    assert list(other.slots) == ["c", "moved"]
    assert play(model, "bbbbbbbb", 32) == play(other, ["moved"] * 8, 32)  # type: ignore[arg-type]
    assert other.key_state("moved") == model.key_state("b")


@pytest.mark.parametrize("name", MODELS)
def test_a_keys_part_is_what_a_snapshot_has_of_it(name: str) -> None:
    """Of the key that had the last event too, before and after it is put back in its place, where it then goes on."""
    model = MODELS[name]()
    play(model, "abcabcab" * 3)
    for _ in range(2):
        [net, *_] = model._key_nets()
        areas = [bytes(net.area_state(place)) for place in range(4)]

        assert b"".join(areas) == bytes(net.pieces(4))[net.layout.area_at :][: sum(map(len, areas))]

        other = pickle.loads(pickle.dumps(model))
        model.set_key_state("b", model.key_state("b"))
        assert play(model, "ba", 24) == play(other, "ba", 24)


@pytest.mark.parametrize("name", MODELS)
def test_hostile_states_are_refused(name: str) -> None:
    """Cut, changed, of another model or version: an error, and nothing has changed."""
    model = MODELS[name]()
    play(model, "abab")
    whole, before = model.key_state("a"), pickle.dumps(model)
    drawn = np.random.default_rng(1)
    wrong = [whole[:n] for n in (0, 5, 30, len(whole) - 1)] + [whole + b"x", b"SRNNKEY\x04" + whole[8:]]
    places = drawn.integers(len(whole), size=20).tolist()
    wrong += [whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :] for place in places]

    for data in wrong:
        with pytest.raises(StateError):
            model.set_key_state("c", data)
    with pytest.raises(ParameterError, match="bytes"):
        model.set_key_state("c", "text")
    with pytest.raises(ParameterError, match="holds no key 'z'"):
        model.key_state("z")
    assert pickle.dumps(model) == before


def test_a_state_of_another_model_is_refused() -> None:
    """Of other columns, or of another class; and a model without keys has none."""
    one, other, none = MODELS["regressor"](), MODELS["regressor"](), RNNRegressor(hidden_size=8)
    play(one, "a")
    other.learn_one({"k": "a", "c": 1.0}, 1.0)

    with pytest.raises(StateError, match="other columns"):
        other.set_key_state("a", one.key_state("a"))
    for ask in (lambda: none.key_state("a"), lambda: none.drop_key("a"), lambda: none.set_key_state("a", b"")):
        with pytest.raises(ParameterError, match="key"):
            ask()


def test_a_dropped_key_leaves_its_place() -> None:
    """The next new key takes it, before and after a restart, and begins with nothing."""
    model = MODELS["regressor"]()
    play(model, "abc")
    model.drop_key("b")
    again = loads(dumps(model))
    for one in (model, again):
        play(one, "d")

    assert dict(model.slots) == dict(again.slots) == {"a": 1, "c": 3, "d": 2}
    assert dumps(model) == dumps(again)


@pytest.mark.parametrize("name", MODELS)
def test_load_into(name: str) -> None:
    """A model that takes up another's state in place is the other; one of another class, or damaged bytes, leave it as it was."""
    one, other = MODELS[name](), MODELS[name]()
    play(one, "abcabcab" * 2)
    play(other, "abc")
    data, before = dumps(one), dumps(other)

    with pytest.raises(StateError):
        load_into(other, data[:-1])
    with pytest.raises(StateError):
        load_into(other, dumps(RNNMultiTargetRegressor()))
    assert dumps(other) == before

    for _ in range(2):
        load_into(other, data)
        assert dumps(other) == data
        assert play(other, "abca", 50) == play(copy.deepcopy(one), "abca", 50)
