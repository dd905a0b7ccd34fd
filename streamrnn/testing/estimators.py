"""The conformance suite of estimators: what river's checks do not ask, and a net with memory must hold.

Each check takes a fresh estimator and raises :class:`AssertionError` when it breaks its promise. Run all that apply:

>>> from streamrnn import RNNRegressor
>>> from streamrnn.testing.estimators import checks_for
>>> for check in checks_for(RNNRegressor()):
...     check(RNNRegressor())
"""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from river import compose, preprocessing

from streamrnn.testing.labels import (
    check_late_labels,
    check_unknown_labels_move_the_state,
    check_unlabelled_events_alone,
)
from streamrnn.testing.playing import N, fresh, hold, kind_of, learn, numbers, play, predict, stream

__all__ = [
    "CHECKS",
    "check_clone_keeps_every_parameter",
    "check_columns_are_stable",
    "check_estimator",
    "check_filters_may_score_twice",
    "check_keys_in_a_pipeline",
    "check_learning_rate_may_change",
    "check_memory_is_counted",
    "check_odd_values_survive",
    "check_order_of_names_is_no_order",
    "check_predicting_is_not_needed",
    "check_predicting_is_pure",
    "check_prefix_causality",
    "check_resume_is_exact",
    "checks_for",
]


def check_predicting_is_pure(model: Any) -> None:
    """Predicting, scoring or transforming changes nothing: pickles before and after are equal, new names included.

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
    before = pickle.dumps(model)
    for x, _ in stream(10, seed=2):
        predict(model, x)
        predict(model, {**x, "never seen": 1.0})
    hold(pickle.dumps(model) == before)


def check_predicting_is_not_needed(model: Any) -> None:
    """A model that was never asked has learned the same, bit for bit, as one that was asked twice.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    silent, asked = fresh(model), fresh(model)
    for x, y in stream():
        learn(silent, x, y)
        hold(predict(asked, x) == predict(asked, x))
        learn(asked, x, y)
    hold(pickle.dumps(silent) == pickle.dumps(asked))


def check_resume_is_exact(model: Any) -> None:
    """Stopped and resumed anywhere, by pickle or by ``dumps``, the run gives the bits of one that never stopped.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    from streamrnn.models._snapshot_classes import MODELS  # noqa: PLC0415  imports much of river
    from streamrnn.models.persistence import dumps, loads  # noqa: PLC0415

    events = list(stream())
    whole = play(model, events)
    backs: list[Callable[[Any], Any]] = [lambda m: pickle.loads(pickle.dumps(m))]
    if (
        type(model).__module__ == f"streamrnn.models.{MODELS.get(type(model).__name__)}"
    ):  # a class of yours is pickled alone
        backs.append(lambda m: loads(dumps(m)))
    for back in backs:
        parts: list[Any] = []
        other = fresh(model)
        for start in range(0, N, 13):
            parts += play(other, events[start : start + 13])
            other = back(other)
        hold(parts == whole)
        hold(pickle.dumps(other) == pickle.dumps(model))


def check_clone_keeps_every_parameter(model: Any) -> None:
    """``clone`` keeps each parameter of the signature, learned state not; a clone with new ones has those.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    names = list(inspect.signature(type(model)).parameters)
    changed = fresh(model, seed=7, window=24, stride=5, lr=0.001)
    play(changed, stream(20))
    clone = changed.clone()
    hold([getattr(clone, name) for name in names] == [getattr(changed, name) for name in names])
    hold(pickle.dumps(clone) == pickle.dumps(fresh(changed)))
    hold(changed.clone({"seed": 8}).seed == 8)


def check_odd_values_survive(model: Any) -> None:
    """NaN, infinities and 1e30 in features and targets leave no trace of NaN in later answers or in the state.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    events = list(stream())
    for i, odd in ((10, math.nan), (20, math.inf), (30, -math.inf), (40, 1e30), (45, -1e300)):
        events[i] = ({**events[i][0], "a": odd}, odd)
    play(model, events)
    answers = [numbers(answer) for answer in play(model, stream(seed=3))]
    hold(all(math.isfinite(value) for answer in answers for value in answer))
    hold(all(np.isfinite(view).all() for view in model.weights.values()))


def check_columns_are_stable(model: Any) -> None:
    """A name that sorts before all others gets a place of its own and moves no one else's weights.

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
    known = {name: view.copy() for name, view in model.weights.items()}
    model.freeze()
    learn(model, {"A first": 1.0, "b": 0.5, "a": 0.5}, 0.0)
    for name, view in known.items():
        grown = model.weights[name]
        shared = tuple(slice(0, n) for n in view.shape)
        hold(np.array_equal(grown[shared], view))


def check_prefix_causality(model: Any) -> None:
    """What comes later changes no answer given before.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    short, long = fresh(model), fresh(model)
    events = list(stream())
    other = [({**x, "a": -9.0}, 5.0) for x, _ in stream(seed=4)]
    hold(play(short, events) == play(long, [*events, *other])[:N])


def check_order_of_names_is_no_order(model: Any) -> None:
    """The order of names inside an event does not matter, on the first event either.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    turned = fresh(model)
    events = list(stream())
    hold(play(model, events) == play(turned, [(dict(reversed(x.items())), y) for x, y in events]))
    hold(pickle.dumps(model) == pickle.dumps(turned))


def check_learning_rate_may_change(model: Any) -> None:
    """``mutate({"lr": ...})`` holds from the next update on, before the first event as if it had been given; pickles and clones know it.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    hold("lr" in model._mutable_attributes)  # noqa: SLF001  river's protocol
    for before, after in ((None, 0.1), (0.1, None)):
        early, usual = fresh(model, lr=before), fresh(model, lr=before)
        early.mutate({"lr": after})
        hold(pickle.dumps(early) == pickle.dumps(fresh(model, lr=after)))
        play(usual, stream())
        same, changed = pickle.loads(pickle.dumps(usual)), pickle.loads(pickle.dumps(usual))
        same.mutate({"lr": before})
        hold(pickle.dumps(same) == pickle.dumps(usual))
        changed.mutate({"lr": after})
        again = pickle.loads(pickle.dumps(changed))
        hold((changed.lr, again.lr, again.clone().lr) == (after, after, after))
        hold(play(again, stream(seed=7)) == play(changed, stream(seed=7)) != play(usual, stream(seed=7)))
        hold(pickle.dumps(again) == pickle.dumps(changed))


def check_filters_may_score_twice(model: Any) -> None:
    """Behind a filter, which asks again and again, a detector learns what it would alone.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    alone, behind = fresh(model), fresh(model)
    for x, _ in stream():
        alone.learn_one(x)
        for _ in range(3):
            behind.score_one(x)
        behind.learn_one(x)
        behind.score_one(x)
    hold(pickle.dumps(alone) == pickle.dumps(behind))


def check_keys_in_a_pipeline(model: Any) -> None:
    """The key passes a scaler beside it, and each key has a state of its own, which other keys' events do not move.

    Parameters
    ----------
    model
        A fresh estimator; it is not changed.

    Raises
    ------
    AssertionError
        When the promise is broken.
    """
    keyed = fresh(model, key="key")
    features = compose.Discard("key") | preprocessing.StandardScaler()
    pipeline = (features + compose.Select("key")) | keyed
    for i, (x, y) in enumerate(stream()):
        x = {name: value for name, value in x.items() if isinstance(value, float) and value == value}  # noqa: PLR0124, PLW2901
        if kind_of(model) == "detector":
            pipeline.learn_one({**x, "key": ("sensor", i % 3)})
        else:
            pipeline.learn_one({**x, "key": ("sensor", i % 3)}, y if kind_of(model) != "classifier" else y > 0)
    learned = list(pipeline.steps.values())[-1]
    hold(learned.n_events == N)
    learned.freeze()
    x = {"a": 0.5, "b": 0.5, "key": ("sensor", 0)}
    before = predict(learned, x)
    learn(learned, {**x, "a": -2.0, "key": ("sensor", 1)}, None)
    hold(predict(learned, x) == before)
    learn(learned, {**x, "a": -2.0}, None)
    hold(predict(learned, x) != before)


def check_memory_is_counted(model: Any) -> None:
    """``memory_usage`` is at least the slab and stops growing with the stream.

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
    before = model.memory_usage()
    play(model, stream(seed=6))
    hold(model.memory_usage() == before)
    hold(before > sum(view.nbytes for view in model.weights.values()))


_EVERY: Final = ("classifier", "detector", "forecaster", "regressor", "surprise", "targets", "transformer")
_LABELLED: Final = ("classifier", "regressor", "surprise", "targets")
CHECKS: Final[dict[Callable[[Any], None], tuple[str, ...]]] = {
    check_predicting_is_pure: _EVERY,
    check_predicting_is_not_needed: _EVERY,
    check_resume_is_exact: _EVERY,
    check_clone_keeps_every_parameter: _EVERY,
    check_odd_values_survive: _EVERY,
    check_columns_are_stable: _EVERY,
    check_prefix_causality: _EVERY,
    check_order_of_names_is_no_order: _EVERY,
    check_unknown_labels_move_the_state: (*_LABELLED, "transformer"),
    check_unlabelled_events_alone: _EVERY,
    check_learning_rate_may_change: _EVERY,
    check_filters_may_score_twice: ("detector",),
    check_late_labels: ("classifier", "regressor"),
    check_keys_in_a_pipeline: ("classifier", "detector", "regressor", "surprise"),
    check_memory_is_counted: _EVERY,
}
"""Each check, and the kinds of estimators that it is for."""


def checks_for(model: Any) -> list[Callable[[Any], None]]:
    """Return the checks that apply to an estimator.

    Parameters
    ----------
    model
        An estimator of the library, or one built on :class:`streamrnn.models._recurrent.Recurrent`.

    Examples
    --------
    >>> from streamrnn import RNNAnomalyDetector
    >>> from streamrnn.testing.estimators import checks_for
    >>> "check_filters_may_score_twice" in [check.__name__ for check in checks_for(RNNAnomalyDetector())]
    True
    """
    return [check for check, kinds in CHECKS.items() if kind_of(model) in kinds]


def check_estimator(model: Any) -> None:
    """Run all checks that apply, each on a fresh model with the same parameters.

    Parameters
    ----------
    model
        An estimator; it is left as it is.

    Raises
    ------
    AssertionError
        When a promise is broken; the check's docstring says which.

    Examples
    --------
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.testing.estimators import check_estimator
    >>> check_estimator(RNNRegressor())
    """
    for check in checks_for(model):
        check(fresh(model))
