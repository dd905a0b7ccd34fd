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

from streamrnn.testing.playing import N, fresh, kind_of, learn, learn_unlabelled, numbers, play, predict, stream

__all__ = [
    "CHECKS",
    "check_clone_keeps_every_parameter",
    "check_columns_are_stable",
    "check_estimator",
    "check_filters_may_score_twice",
    "check_keys_in_a_pipeline",
    "check_late_labels",
    "check_learning_rate_may_change",
    "check_memory_is_counted",
    "check_odd_values_survive",
    "check_order_of_names_is_no_order",
    "check_predicting_is_not_needed",
    "check_predicting_is_pure",
    "check_prefix_causality",
    "check_resume_is_exact",
    "check_unknown_labels_move_the_state",
    "check_unlabelled_events_alone",
    "checks_for",
]


def _hold(kept: Any) -> None:
    """Raise an AssertionError that says which promise is broken, unless it is kept (``assert`` is gone under ``-O``)."""
    if not kept:
        check = inspect.stack()[1].function
        raise AssertionError(f"{check}: {inspect.getdoc(globals()[check])}")


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
    _hold(pickle.dumps(model) == before)


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
        _hold(predict(asked, x) == predict(asked, x))
        learn(asked, x, y)
    _hold(pickle.dumps(silent) == pickle.dumps(asked))


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
        _hold(parts == whole)
        _hold(pickle.dumps(other) == pickle.dumps(model))


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
    _hold([getattr(clone, name) for name in names] == [getattr(changed, name) for name in names])
    _hold(pickle.dumps(clone) == pickle.dumps(fresh(changed)))
    _hold(changed.clone({"seed": 8}).seed == 8)


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
    _hold(all(math.isfinite(value) for answer in answers for value in answer))
    _hold(all(np.isfinite(view).all() for view in model.weights.values()))


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
        _hold(np.array_equal(grown[shared], view))


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
    _hold(play(short, events) == play(long, [*events, *other])[:N])


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
    _hold(play(model, events) == play(turned, [(dict(reversed(x.items())), y) for x, y in events]))
    _hold(pickle.dumps(model) == pickle.dumps(turned))


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
    for x, _ in stream(3 * model.window, seed=5):
        learn(model, x, None)
    due = model.n_updates - updates
    _hold(model.n_events == events + 3 * model.window)
    if due == 0:  # no label waited for the window's end
        _hold(all(np.array_equal(model.weights[name], view) for name, view in weights.items()))
    _hold(due <= 1)


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
                for i in range(3 * model.window + 5):
                    x = {"a": math.sin(i), "b": float(i % 3)}
                    _hold(all(map(math.isfinite, numbers(predict(one, x)))))
                    learn_unlabelled(one, x, unknown)
                _hold(one.n_events == 3 * model.window + 5)
                _hold(one.n_updates == 0 or kind_of(model) in ("detector", "transformer"))  # which need no labels
                answers = play(one, [({"a": 0.0, **x, "b": i % 3}, y) for i, (x, y) in enumerate(stream())])
            except Exception as error:
                raise AssertionError(f"check_unlabelled_events_alone: {error!r}") from error
            _hold(all(math.isfinite(value) for answer in answers for value in numbers(answer)))
            _hold(one.n_updates > 0)
        _hold(pickle.dumps(models[0]) == pickle.dumps(models[1]))


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
    _hold("lr" in model._mutable_attributes)  # noqa: SLF001  river's protocol
    for before, after in ((None, 0.1), (0.1, None)):
        early, usual = fresh(model, lr=before), fresh(model, lr=before)
        early.mutate({"lr": after})
        _hold(pickle.dumps(early) == pickle.dumps(fresh(model, lr=after)))
        play(usual, stream())
        same, changed = pickle.loads(pickle.dumps(usual)), pickle.loads(pickle.dumps(usual))
        same.mutate({"lr": before})
        _hold(pickle.dumps(same) == pickle.dumps(usual))
        changed.mutate({"lr": after})
        again = pickle.loads(pickle.dumps(changed))
        _hold((changed.lr, again.lr, again.clone().lr) == (after, after, after))
        _hold(play(again, stream(seed=7)) == play(changed, stream(seed=7)) != play(usual, stream(seed=7)))
        _hold(pickle.dumps(again) == pickle.dumps(changed))


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
    _hold(pickle.dumps(alone) == pickle.dumps(behind))


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
    _hold(play(usual, events[1:]) == play(ahead, events[1:]))
    late = fresh(model, advance="predict")
    for i, (x, _) in enumerate(events):
        predict(late, x)
        if i >= 9:
            learn(late, *events[i - 9])
    _hold((late.n_events, late.n_dropped_labels) == (N - 9, 0))
    other = pickle.loads(pickle.dumps(late))
    for one, value in ((late, 2.0), (other, -2.0)):
        predict(one, {"a": value, "b": 0.0})
    _hold(predict(late, events[0][0]) != predict(other, events[0][0]))


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
    _hold(learned.n_events == N)
    learned.freeze()
    x = {"a": 0.5, "b": 0.5, "key": ("sensor", 0)}
    before = predict(learned, x)
    learn(learned, {**x, "a": -2.0, "key": ("sensor", 1)}, None)
    _hold(predict(learned, x) == before)
    learn(learned, {**x, "a": -2.0}, None)
    _hold(predict(learned, x) != before)


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
    _hold(model.memory_usage() == before)
    _hold(before > sum(view.nbytes for view in model.weights.values()))


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
