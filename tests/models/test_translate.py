"""river's optimisers, schedulers and losses as settings: each is translated, or refused with what works."""

from __future__ import annotations

import inspect

import pytest
from river import optim

from streamrnn.errors import ParameterError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.schedules import SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS, WORDS
from streamrnn.models._translate import LossChoice, OptimizerChoice, loss, optimizer

ABSTRACT = {"Optimizer", "BinaryLoss", "MultiClassLoss", "RegressionLoss"}
REFUSED = {"Newton", "Averager"}
RIVERS_OPTIMIZERS = [
    name for name in optim.__all__ if inspect.isclass(getattr(optim, name)) and name not in ABSTRACT | REFUSED
]
RIVERS_LOSSES = [name for name in optim.losses.__all__ if name not in ABSTRACT]


def test_every_row_has_a_word_for_each_setting():
    """No setting of a row, nor of a schedule, is lost on its way into the slab, and none shares another's place."""
    for rule in OPTIMIZERS.values():
        words = [WORDS[name] for name in (*rule.defaults, "power")]
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("name", RIVERS_OPTIMIZERS)
def test_every_element_wise_optimiser_of_river_has_a_twin(name):
    """All of river's optimisers but Newton and Averager are known, with all their settings, those at default too."""
    spec = getattr(optim, name)()
    taken = dict(inspect.signature(type(spec)).parameters)

    choice = optimizer(spec)

    assert OPTIMIZERS[choice.name].river == name
    assert set(choice.settings) | ({"alpha"} if name == "FTRLProximal" else set()) >= set(taken)
    for key, parameter in taken.items():
        assert choice.settings[{"alpha": "lr"}.get(key, key)] == parameter.default


@pytest.mark.parametrize("name", RIVERS_LOSSES)
def test_every_loss_of_river_has_a_twin(name):
    """All of river's losses are known, with their settings."""
    spec = getattr(optim.losses, name)()

    choice = loss(spec)

    assert LOSSES[choice.name].river == name
    assert choice.settings == {key: getattr(spec, key) for key in LOSSES[choice.name].defaults}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_row_by_name_stands_for_its_defaults(name):
    """A name gives the row's defaults, as a copy."""
    choice = optimizer(name)

    assert choice == OptimizerChoice(name, OPTIMIZERS[name].defaults, "Constant")
    assert choice.settings is not OPTIMIZERS[name].defaults


def test_schedules():
    """Each of river's schedulers comes through with its numbers."""
    optimal = optim.schedulers.Optimal(optim.losses.Hinge(), alpha=0.01)
    found = [
        optimizer(optim.SGD(lr))
        for lr in (0.5, optim.schedulers.Constant(2), optim.schedulers.InverseScaling(0.2, power=0.7), optimal)
    ]

    assert found == [
        OptimizerChoice("sgd", {"lr": 0.5}, "Constant"),
        OptimizerChoice("sgd", {"lr": 2.0}, "Constant"),
        OptimizerChoice("sgd", {"lr": 0.2, "power": 0.7}, "InverseScaling"),
        OptimizerChoice("sgd", {"lr": 0.01, "t0": optimal.t0}, "Optimal"),
    ]
    assert {choice.schedule for choice in found} == set(SCHEDULES)


class Mine(optim.SGD):
    """A step that cannot be known."""


class Warm(optim.base.Scheduler):
    """A schedule that cannot be known."""

    def get(self, t):
        return t / (t + 1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (optim.Newton(), "Got Newton instead. Newton keeps a matrix"),
        (optim.Averager(optim.SGD()), "Got Averager instead. Averager keeps a second net"),
        (Mine(), "Got Mine instead"),
        (optim.SGD(Warm()), "river.optim.schedulers.{Constant, InverseScaling, Optimal}. Got Warm instead"),
        ("rmsprob", "Did you mean 'rmsprop'?"),
        (optim.SGD, "Got type instead"),
        (None, "Got NoneType instead"),
        (0.01, "Got float instead"),
        (optim.SGD(float("nan")), "The setting 'lr' in 'optimizer' of RNNRegressor must be > 0. Got nan instead."),
        (optim.SGD(-0.1), "'lr'"),
        (optim.Adam(beta_1=1.0), "'beta_1' in 'optimizer' of RNNRegressor must be in [0, 1). Got 1.0"),
        (optim.AdaGrad(eps=0.0), "'eps'"),
        (optim.FTRLProximal(alpha=0.0), "'lr'"),
    ],
)
def test_optimisers_without_a_twin_are_refused(spec, said):
    """The error names the parameter, what came, and what works."""
    with pytest.raises(ParameterError) as caught:
        optimizer(spec, "RNNRegressor")

    assert said in str(caught.value)
    assert "of RNNRegressor" in str(caught.value)
    if "must be one of" in str(caught.value):
        assert all(name in str(caught.value) for name in [*OPTIMIZERS, *RIVERS_OPTIMIZERS])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (optim.losses.CrossEntropy({"a": 2.0}), "without class weights"),
        (optim.losses.Quantile(1.0), "The setting 'alpha' in 'loss' of RNNClassifier must be in (0, 1). Got 1.0"),
        (optim.losses.Huber(0.0), "'epsilon'"),
        ("hubert", "Did you mean 'huber'?"),
        (abs, "Got builtin_function_or_method instead"),
    ],
)
def test_losses_without_a_twin_are_refused(spec, said):
    """The same for losses."""
    with pytest.raises(ParameterError) as caught:
        loss(spec, "RNNClassifier")

    assert said in str(caught.value)


def test_a_loss_of_another_task_is_refused():
    """A regressor does not take a classifier's loss, by name or as an object, and lists its own."""
    for spec in ("log", optim.losses.Log()):
        with pytest.raises(ParameterError, match="must be one of huber, squared, absolute") as caught:
            loss(spec, tasks=("regression",))
        assert "cross_entropy" not in str(caught.value)
    assert loss(optim.losses.Log(2.0), tasks=("binary",)) == LossChoice("log", {"weight_pos": 2.0, "weight_neg": 1.0})
