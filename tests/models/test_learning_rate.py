"""The learning rate of a live model: changed by river's ``mutate``, kept by snapshots, the same in blocks and one by one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from river import optim, preprocessing

import streamrnn
from streamrnn import RNNForecaster, RNNRegressor, dumps, loads
from streamrnn.errors import ParameterError
from streamrnn.kernels.net import words as at
from streamrnn.testing.playing import kind_of, learn

ESTIMATORS = [getattr(streamrnn, name) for name in streamrnn.__all__ if name.startswith("RNN")]
X = np.random.default_rng(5).normal(size=(90, 2))
Y = np.concatenate([[0.0], X[:-1, 0]])
CHANGES = {30: 0.05, 45: None, 64: 0.0001}  # before these events


def learn_block(model, start, stop):
    """Learn some rows in one call, as :func:`learn` learns each of them."""
    rows, y = X[start:stop], Y[start:stop]
    kind = kind_of(model)
    if kind == "detector":
        model.progressive_many(rows)
    elif kind == "surprise":
        model.progressive_many(rows, y)
    elif kind == "forecaster":
        model.learn_many(y, rows)
    elif kind == "classifier":
        model.learn_many(rows, ["up" if value > 0 else "down" for value in y])
    elif kind == "targets":
        import pandas as pd

        model.learn_many(rows, pd.DataFrame({"y": y, "minus y": -y}))
    else:
        model.learn_many(rows, y)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_blocks_and_restarts_change_nothing(cls):
    """Changed three times on the way, from and to the optimiser's own: in blocks, one by one and restored at each change, the same bits."""
    single, blocks, restored = (cls(hidden_size=8) for _ in range(3))
    for i in range(len(X)):
        if i in CHANGES:
            single.mutate({"lr": CHANGES[i]})
            restored.mutate({"lr": CHANGES[i]})
            restored = loads(dumps(restored))
        for model in (single, restored):
            learn(model, dict(enumerate(X[i].tolist())), float(Y[i]))
    for start, stop in ((0, 30), (30, 45), (45, 64), (64, 90)):
        if start:
            blocks.mutate({"lr": CHANGES[start]})
        learn_block(blocks, start, stop)

    assert pickle.dumps(blocks) == pickle.dumps(single)
    assert dumps(restored) == dumps(single)
    assert single.lr == 0.0001


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_rate_of_next_to_nothing_stops_learning(cls):
    """What is asked for is what the nets do: all of their weights stay where they are, but for a pull."""
    model = cls(hidden_size=8)
    learn_block(model, 0, 60)
    model.mutate({"lr": 1e-30})
    before = {name: view.copy() for name, view in model.weights.items()}
    updates = model.n_updates
    learn_block(model, 60, 90)

    assert model.n_updates > updates
    for name, view in before.items():
        np.testing.assert_allclose(model.weights[name], view, atol=2e-3, err_msg=name)


def test_all_nets_of_a_forecaster_follow():
    """Each expert that is a net keeps its share of the rate: as in a forecaster that was made with it."""
    made, changed = RNNForecaster(hidden_size=8, lr=0.03), RNNForecaster(hidden_size=8)
    changed.mutate({"lr": 0.03})

    rates = [[float(net.array("settings")[at.LR]) for net in model._nets] for model in (made, changed)]
    assert rates[0] == rates[1]
    assert len(rates[0]) == 2


def test_a_schedule_goes_on():
    """With an optimiser whose rate falls, a new rate falls from there by the updates made so far."""
    model = RNNRegressor(hidden_size=8, optimizer=optim.SGD(optim.schedulers.InverseScaling(0.1)))
    model.learn_many(X, Y)
    model.mutate({"lr": 0.5})

    assert model._net.header[at.SCHEDULE] == 1
    assert model._net.array("settings")[[at.LR, at.POWER]].tolist() == [0.5, 0.5]


def test_through_a_pipeline_and_what_may_not_be_changed():
    """``pipeline.mutate`` reaches the model behind a scaler; a rate that is none, and a parameter that is fixed, change nothing."""
    model = preprocessing.StandardScaler() | RNNRegressor(hidden_size=8)
    own = model["RNNRegressor"]
    own.mutate({"lr": 0.02})

    for wrong in (0.0, -1.0, "fast", float("inf")):
        with pytest.raises(ParameterError, match=r"'lr' parameter of RNNRegressor must be a number > 0, or None\. Got"):
            own.mutate({"lr": wrong})
    with pytest.raises(ValueError, match="'hidden_size' is not a mutable attribute of RNNRegressor"):
        own.mutate({"hidden_size": 4})
    assert (own.lr, own.clone().lr) == (0.02, 0.02)
    assert own._net.array("settings")[at.LR] == 0.02
