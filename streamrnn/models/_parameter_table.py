"""The parameters that all estimators share: rule and text of each, said once."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.forecast.experts.table import EXPERTS
from streamrnn.kernels.net.front.table import FRONT_EXPERTS as FRONT
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS
from streamrnn.kernels.net.words import MAX_LAYERS
from streamrnn.models._parameter_rules import (
    are_counters,
    is_alarm_rate,
    is_by_feature,
    is_day,
    is_maintenance,
    is_rate,
    is_window,
    whole,
)
from streamrnn.models._policy import OF_FEATURES, is_policy

__all__ = ["PARAMETERS", "Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what is allowed, as words and as a test, and what it does.

    Parameters
    ----------
    rule
        Words that fit behind "must be".
    ok
        ``ok(value, all parameters)``.
    text
        What it does, and why its default is what it is.
    """

    rule: str
    ok: Callable[[Any, Mapping[str, Any]], bool]
    text: str


def _names(table: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in table)


PARAMETERS: Final[dict[str, Parameter]] = {
    "cell": Parameter(
        f"one of {', '.join(CELLS)}",
        lambda value, _: isinstance(value, str) and value in CELLS,
        """``"lstm"``, ``"trace_lstm"``, ``"peephole_lstm"``, ``"slstm"``, ``"gru"``, ``"elman"``, ``"elman_logistic"``, ``"dense"`` (no
        memory), or one of an installed package.""",
    ),
    "hidden_size": Parameter(
        "an int from 1 to 1024",
        whole(1, 1024),
        "Units a layer. 16 learn a daily and a weekly pattern; time per event grows with the square.",
    ),
    "n_layers": Parameter(f"an int from 1 to {MAX_LAYERS}", whole(1, MAX_LAYERS), "Layers, each fed by the one below."),
    "window": Parameter(
        "an int from 1 to 65536, or None, where y is learned and of detectors",
        is_window,
        """Events over which error flows back exactly. Older causes are reached by the traces. None, where y is learned: 4, or 16 where there
        are no traces and no ``key``; at least two strides. None, of a detector: 16, with ``key`` or the light ``expectation`` 4; at least a stride.""",
    ),
    "stride": Parameter(
        "an int from 1 to window, or None",
        lambda value, given: value is None or whole(1, given["window"] or 16384)(value, given),
        """Events between two updates of the weights, at most ``window``: the longer, the less an event costs. None, where y is learned:
        half of ``window``, at most 8, and 4 with ``key``. 4 for detectors and forecasters, 8 for transformers without ``key``, at most ``window``.""",
    ),
    "learning": Parameter(
        "'traces', 'tbptt' or None",
        lambda value, _: value is None or value in ("traces", "tbptt"),
        """``"traces"`` (where the cell has a cell state; others use the plain rule) or ``"tbptt"``. None: traces, but with
        ``key`` plain, because every key would have traces of its own (as large as three quarters of the weights).""",
    ),
    "optimizer": Parameter(
        f"one of {', '.join(OPTIMIZERS)}, or an optimiser of river",
        lambda *_: True,  # translate.optimizer says what is wrong
        f"""One of {_names(OPTIMIZERS)}, or an optimiser of ``river.optim``, whose settings are read. Adam was never far
        from the best.""",
    ),
    "lr": Parameter(
        "a number > 0, or None",
        is_rate,
        """Learning rate, before that of an optimiser given as an object. None: the optimiser's own (0.005 for Adam, never far from the best on smooth, noisy and
        switching streams). Where y is learned it is for updates of up to 4 known y; one of 8 or more counts as two, at twice
        the rate. ``mutate`` of river's changes that of a live model.""",
    ),
    "loss": Parameter(
        "a loss for the task, or one of river",
        lambda *_: True,  # translate.loss says what is wrong
        f"""One of {_names({n: row for n, row in LOSSES.items() if row.task == "regression"})}, in units of the
        target's running standard deviation, or a loss of ``river.optim.losses``. Huber's bounded errors survive outliers.""",
    ),
    "normalize": Parameter(
        "True or False",
        lambda value, _: isinstance(value, bool | np.bool_),
        "Whether features and targets are standardised as they run. False for a scaler of your own in front.",
    ),
    "autoregressive": Parameter(
        "True or False",
        lambda value, _: isinstance(value, bool | np.bool_),
        """Whether the net is told the last known target of the same key (classes: one input each) and how many events ago it came, as
        inputs beside the features. False, the default of the supervised detector: it sees the features alone.""",
    ),
    "missing": Parameter(
        "'auto', 'mean' or 'zero'",
        lambda value, _: value in ("auto", "mean", "zero"),
        """What a feature counts as that an event's dict does not have: its running ``"mean"``, or ``"zero"``, as words, indicators and hashed features
        are given without their zeros. ``"auto"``: 0 for counts, whole numbers that were up to 8 at first or shares whose squares add up to 1,
        from the event on that brings a new one and lacks an old one; the mean for all others. None and NaN are not known, and never 0.""",
    ),
    "class_weight": Parameter(
        "None, 'balanced' or a dict of numbers >= 0 by class",
        lambda value, _: (
            value is None
            or value == "balanced"
            or (
                isinstance(value, dict)
                and all(isinstance(w, int | float | np.number) and 0 <= w < math.inf for w in value.values())
            )
        ),
        """What a label weighs, times ``w`` of ``learn_one``: by class (1 where the dict has none), or ``"balanced"``: the more, the rarer it was among
        the last thousand, at most 20, so that each class weighs as much as another. Probabilities are then those of classes that are as weighed.""",
    ),
    "horizon": Parameter(
        "an int from 1 to 1000",
        whole(1, 1000),
        """Steps ahead that are forecast at once, one output of the nets each. Choose the longest that is needed regularly; memory
        grows with its square.""",
    ),
    "experts of labels": Parameter(
        f"a tuple or list of different names among {_names(FRONT)}, or None",
        lambda value, _: (
            value is None
            or (
                isinstance(value, tuple | list)  # a configuration has lists
                and all(isinstance(name, str) and name in FRONT for name in value)
                and 0 < len(value) == len(set(value))
            )
        ),
        """What the prediction is mixed from: the net, the last known target (of classes the last one, with its learned rate of repeats), a linear
        model of the features, the last targets and a few events before, and one of 64 random Fourier features, whose boundaries bend, where there are at most
        64 features. Weights follow whoever is right of late. ``("net",)``: the net
        alone. None: all of them, where the loss aims at the middle of the target and ``autoregressive`` is True.""",
    ),
    "experts": Parameter(
        f"a tuple of different names among {_names(EXPERTS)}, not arx alone",
        lambda value, _: (
            isinstance(value, tuple)
            and value != ("arx",)
            and 0 < len(value) == len(set(value))
            and all(isinstance(name, str) and name in EXPERTS for name in value)
        ),
        f"""The experts: some of {_names(EXPERTS)}. A single one is used without a mixture. Default: all, as each helped on
        some stream and costs little.""",
    ),
    "period": Parameter(
        "an int from 2 to 10000, two different ones as a tuple, or None",
        lambda value, given: (
            value is None
            or whole(2, 10_000)(value, given)
            or (
                isinstance(value, tuple)
                and 1 <= len(value) == len(set(value)) <= 2
                and all(whole(2, 10_000)(one, given) for one in value)
            )
        ),
        """The season of ``seasonal``, ``drift`` and the profiles, in events; or that and the one within it, as (24, 168): hours of a day
        and of a week. None: they are found, up to 2016 events, a week of five minutes.""",
    ),
    "minimum": Parameter(
        "a number, 'auto' or None",
        lambda value, _: (
            value in (None, "auto")
            if value is None or isinstance(value, str)
            else isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
        ),
        """What no value lies below: quantiles and intervals are cut off there; forecasts, and what is learned, are not. ``"auto"``: 0 for a channel
        whose values so far are all counts (whole numbers from 0 on). None: nothing is cut off.""",
    ),
    "calendar": Parameter(
        "a tuple of 'hour' and 'weekday', or None, as it is without time",
        lambda value, given: (
            value is None
            or (
                isinstance(value, tuple)
                and 0 < len(value) == len(set(value))
                and all(name in ("hour", "weekday") for name in value)
                and given.get("time") is not None
            )
        ),
        """What of the event's time, in seconds since 1970 or as a date, is known to matter. ``"hour"``: a day is a season of ``profile``, ``"weekday"``: a week,
        both: a week and the day in it, as soon as the step is known and as long as both are whole numbers of steps. None: seasons are found as without time.""",
    ),
    "holidays": Parameter(
        "a tuple of dates as text, '2024-12-25', or None, as it is without time",
        lambda value, given: (
            value is None
            or (
                isinstance(value, tuple)
                and len(value) > 0
                and all(map(is_day, value))
                and given.get("time") is not None
            )
        ),
        """Days on which a week goes otherwise, past and to come. A listed day is forecast as partly a Sunday, by a share that is learned, and teaches the shape of the week
        nothing. Days begin at midnight of ``time``: of UTC, where it has a zone. May be set anew at any time.""",
    ),
    "key": Parameter(
        "hashable, or None",
        lambda value, _: isinstance(value, Hashable),
        """Name of the feature that identifies the series of an event. Each value has a hidden state and a running mean and spread of its own; weights
        are shared. None: all events are one series.""",
    ),
    "max_keys": Parameter(
        "an int >= 1",
        whole(1, 2**31),
        """Most keys kept at a time; the least recently seen one is evicted (LRU). Memory grows with the keys
        seen, up to this number.""",
    ),
    "advance": Parameter(
        "'learn', 'predict' or 'event'",
        lambda value, _: value in ("learn", "predict", "event"),
        """When the hidden state advances. ``"learn"``: with the label, as in river's protocol. ``"predict"``: with each
        ``predict_one``, for delayed labels; ``learn_one`` then finds the oldest waiting event
        with the same x. ``"event"``: once for each dict, with whichever of both comes first with it, for ensembles and samplers, which
        predict and learn an event any number of times.""",
    ),
    "max_pending": Parameter(
        "an int >= 1",
        whole(1, 2**31),
        'Unless ``advance="learn"``: most events that wait for their label, for each key. Beyond it the oldest is dropped without being learned.',
    ),
    "time": Parameter(
        "hashable, or None",
        lambda value, _: isinstance(value, Hashable),
        """Name of the feature that is the event's time: seconds, datetime or timedelta. The net sees log(1 + gap / mean
        gap) instead. Time that stands still or runs backwards is a gap of 0, a missing one the mean. None: the only date or datetime
        among the features of the first event, if there is one.""",
    ),
    "max_classes": Parameter(
        "an int >= 1",
        whole(1, 2**31),
        "Most classes. One more is an error, so that memory stays bounded.",
    ),
    "alarm_rate": Parameter(
        "a number from 0.00001 to 0.5, or with time a text such as '2/day', '1/week' or '3/hour'",
        is_alarm_rate,
        """Largest share of normal events that may alarm, for being new or not as expected. Thresholds adapt so that it holds within a factor of 1.5;
        streams on which nothing happens alarm more rarely. ``"2/day"``, a second, minute, hour, day or week: by the mean time between two events, which is
        learned; with ``key`` that many of each.""",
    ),
    "direction": Parameter(
        "'both', 'above' or 'below'",
        lambda value, _: is_policy("direction", value),
        """On which side of what was expected a value may alarm. What lies on the other scores 0 and is charged to no budget, nor is the way back from it
        within ``patience`` events.""",
    ),
    "min_deviation": Parameter(
        "a number >= 0, or a share as text such as '10%'",
        lambda value, _: is_policy("min_deviation", value),
        """How far from what was expected a value must be to alarm: in units of the feature, or a share of what was expected. What is nearer
        scores 0 and is charged to no budget.""",
    ),
    "valid_range": Parameter(
        "a pair (low, high), low < high, or None",
        lambda value, _: is_policy("valid_range", value),
        """The values that can be, ends included; an end may be infinite. One outside alarms at once, in the warm-up too, with the greatest severity there is; one alarm until
        ten events in a row are valid. It is learned as missing. None: all.""",
    ),
    "maintenance": Parameter(
        "the name of a feature, or with time a list of weekly times such as 'Sun 02:00-04:00' or 'Mon-Fri 22:30-00:30 Europe/Berlin', or None",
        is_maintenance,
        """When a maintenance is: a name, which is then no feature, whose value is not 0, or weekly times, of UTC where they name no zone. Its events are scored, raise no alarm,
        and are learned as if all their values were missing.""",
    ),
    "counters": Parameter(
        "a list or tuple of different names of features, neither key nor time, or None",
        are_counters,
        """Features that only grow, such as requests served: what is watched is how fast, per second with ``time``, else per event. A counter that began anew
        counts from 0, a missing reading is bridged. Predictions, bands and a policy are about the rate. None: none is one.""",
    ),
    "by_feature": Parameter(
        f"a dict of features, each with a dict of some of {', '.join(OF_FEATURES)} that are as those must be, or None",
        is_by_feature,
        """What differs for some features: ``{"flow": {"direction": "below"}}``. None: nothing.""",
    ),
    "cooldown": Parameter(
        "an int >= 0",
        whole(0, 2**31),
        "Events after an alarm in which no other alarm is raised. Default 0: the score habituates anyway.",
    ),
    "warm_up": Parameter(
        "an int >= 0",
        whole(0, 2**31),
        """Events before the first alarm, in which net and memory fill; scores of the first half do not count for the threshold.
        Below 100 the threshold rests on a few scores.""",
    ),
    "protect": Parameter(
        "an int >= 0",
        whole(0, 2**31),
        "Events from an alarm on, that one included, from which the net does not learn, so that an anomaly is not learned as normal.",
    ),
    "patience": Parameter(
        "an int >= 10",
        whole(10, 2**31),
        """Events after which an episode outside the normal range is reported as a lasting change and becomes the new normal. Until then
        it raises no further alarm.""",
    ),
    "expectation": Parameter(
        "'full', 'light' or None",
        lambda value, _: value is None or value in ("full", "light"),
        """What a value is compared with. ``"full"``: a regression on 13 residuals, seasons of up to 343 events, and forecasts two and eight events ahead for the
        views ``expectation`` and ``residual``. ``"light"``: a regression on 8, seasons of up to 167 events, none with a ``memory`` below 64, and the last value in
        the place of the longer forecasts: a third of the memory, and faster. None: full, and with ``key`` light.""",
    ),
    "memory": Parameter(
        "an int from 16 to 1048576, or None",
        lambda value, given: value is None or whole(16, 2**20)(value, given),
        """Remembered events of each feature and key, 16 bytes each, that new ones are compared with. A longer memory knows more, and forgets an
        old regime later; below 512 nothing alarms for being new alone. None: 6000, and with ``key`` 1024; where ``expectation`` is light 960, and with ``key`` 64.""",
    ),
    "max_features": Parameter(
        "an int >= 1",
        whole(1, 2**31),
        """Most features. One more is an error, so that memory stays bounded; names of counts (``missing``) that are too many share
        the columns of others, by their hash.""",
    ),
    "seed": Parameter(
        "an int >= 0",
        whole(0, 2**63 - 1),
        "Seed of the initial weights: the same seed and events give the same results, bit for bit.",
    ),
}
