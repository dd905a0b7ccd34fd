"""What estimators are held to where labels are missing, or come late."""

from __future__ import annotations

import inspect
import math
import pickle
from typing import Any

import numpy as np

from streamrnn.testing.playing import N, fresh, hold, kind_of, learn, learn_unlabelled, numbers, play, predict, stream

__all__ = ["check_late_labels", "check_unknown_labels_move_the_state", "check_unlabelled_events_alone"]


def check_unknown_labels_move_the_state(model: Any) -> None:
    """A label that is None moves the state on and teaches nothing: weights stay as they are.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    play(model, stream())
    weights = {name: view.copy() for name, view in model.weights.items()}
    updates, events = model.n_updates, model.n_events
    for x, _ in stream(3 * (model.window or 4), seed=5):
        learn(model, x, None)
    due = model.n_updates - updates
    hold(model.n_events == events + 3 * (model.window or 4))
    if due == 0:  # no label waited for the window's end
        hold(all(np.array_equal(model.weights[name], view) for name, view in weights.items()))
    hold(due <= 1)


def check_unlabelled_events_alone(model: Any) -> None:
    """Nothing but unlabelled events, first and for long, are taken in as events, None or NaN alike; labels are learned behind them as ever.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    has = inspect.signature(type(model)).parameters
    for params in [{}, *({name: value} for name, value in (("key", "b"), ("advance", "predict")) if name in has)]:
        models = [fresh(model, **params) for _ in range(2)]
        for one, unknown in zip(models, (None, math.nan), strict=True):
            try:
                for i in range(3 * (model.window or 4) + 5):
                    x = {"a": math.sin(i), "b": float(i % 3)}
                    hold(all(map(math.isfinite, numbers(predict(one, x)))))
                    learn_unlabelled(one, x, unknown)
                hold(one.n_events == 3 * (model.window or 4) + 5)
                hold(one.n_updates == 0 or kind_of(model) in ("detector", "transformer"))  # which need no labels
                answers = play(one, [({"a": 0.0, **x, "b": i % 3}, y) for i, (x, y) in enumerate(stream())])
            except Exception as error:
                raise AssertionError(f"check_unlabelled_events_alone: {error!r}") from error
            hold(all(math.isfinite(value) for answer in answers for value in numbers(answer)))
            hold(one.n_updates > 0)
        hold(pickle.dumps(models[0]) == pickle.dumps(models[1]))


def check_late_labels(model: Any) -> None:
    """With ``advance="predict"`` a delay of zero changes nothing, labels arrive at their events, and answers know what waits.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    usual, ahead = fresh(model), fresh(model, advance="predict")
    events = list(stream())
    for one in (usual, ahead):
        predict(one, events[0][0])
        learn(one, events[0][0], events[0][1])
    hold(play(usual, events[1:]) == play(ahead, events[1:]))
    late = fresh(model, advance="predict")
    for i, (x, _) in enumerate(events):
        predict(late, x)
        if i >= 9:
            learn(late, *events[i - 9])
    hold((late.n_events, late.n_dropped_labels) == (N - 9, 0))
    other = pickle.loads(pickle.dumps(late))
    for one, value in ((late, 2.0), (other, -2.0)):
        predict(one, {"a": value, "b": 0.0})
    hold(predict(late, events[0][0]) != predict(other, events[0][0]))
