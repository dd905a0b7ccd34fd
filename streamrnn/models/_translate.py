"""Optimisers and losses as users give them: a row's name, or an object of river's, read as settings.

river's objects work on dicts of weights, in Python. Here they are configuration: class and settings choose a
row of our tables, and the compiled kernels do the rest. What an object has already learned (moments, number of
iterations) is not taken over.
"""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from streamrnn.errors import ParameterError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.schedules import MOST_PACES, PACE, SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS

__all__ = ["LossChoice", "OptimizerChoice", "is_river", "level_of", "loss", "optimizer", "paced"]


class OptimizerChoice(NamedTuple):
    """A row of the table of optimisers, its settings, and how the learning rate goes on.

    Parameters
    ----------
    name
        The row.
    settings
        All settings of the row by name. With a schedule: ``lr`` and ``power`` (``"InverseScaling"``), or
        ``lr``, which is alpha, and ``t0`` (``"Optimal"``).
    schedule
        ``"Constant"``, ``"InverseScaling"`` or ``"Optimal"``, by the number of updates; ``"Paced"``, by the number of
        targets in each.
    """

    name: str
    settings: dict[str, float]
    schedule: str = "Constant"


class LossChoice(NamedTuple):
    """A row of the table of losses and its settings.

    Parameters
    ----------
    name
        The row.
    settings
        All settings of the row by name, in the row's order.
    """

    name: str
    settings: dict[str, float]


# Settings whose name in river is another one.
_RENAMED: Final = {"FTRLProximal": {"lr": "alpha"}}

# What a setting must be. Outside of these a step would divide by zero, or leave float32.
_Rule = tuple[str, Callable[[float], bool]]
_MOST: Final = 1e15
_POSITIVE: Final[_Rule] = ("> 0", lambda v: 0.0 < v < _MOST)
_NOT_NEGATIVE: Final[_Rule] = ("a finite number >= 0", lambda v: 0.0 <= v < _MOST)
_FINITE: Final[_Rule] = ("a finite number", lambda v: abs(v) < _MOST)
_DECAY: Final[_Rule] = ("in [0, 1)", lambda v: 0.0 <= v < 1.0)
_OPTIMIZER_RULES: Final[dict[str, _Rule]] = {
    **dict.fromkeys(("beta_1", "beta_2", "rho"), _DECAY),
    **dict.fromkeys(("lr", "final_lr", "kappa", "beta", "gamma", "t0"), _POSITIVE),
    **dict.fromkeys(("l1", "l2", "power"), _NOT_NEGATIVE),
    "eps": ("in [1e-15, 1]", lambda v: 1e-15 <= v <= 1.0),
    "correct_bias": ("True or False", lambda v: v in (0.0, 1.0)),
}
_LOSS_RULES: Final[dict[str, _Rule]] = {
    **dict.fromkeys(("epsilon", "C", "gamma"), _POSITIVE),
    **dict.fromkeys(("eps", "weight_pos", "weight_neg"), _NOT_NEGATIVE),
    **dict.fromkeys(("threshold", "beta"), _FINITE),
    "alpha": ("in (0, 1)", lambda v: 0.0 < v < 1.0),
}
_NOT_ELEMENTWISE: Final = {
    "Newton": "Newton keeps a matrix of all weights by all weights",
    "Averager": "Averager keeps a second net, the mean of the first",
}


def is_river(value: Any, module: str, name: str) -> bool:
    """Tell whether ``value`` is of river's class ``module.name``, itself and no subclass; imports nothing.

    ``river.optim`` takes longer to import than numba; while nobody has imported it there is no such object.

    Parameters
    ----------
    value
        Anything.
    module
        Where river has the class.
    name
        Of the class.

    Examples
    --------
    >>> from river import optim
    >>> from streamrnn.models._translate import is_river
    >>> is_river(optim.Adam(), "river.optim", "Adam"), is_river("adam", "river.optim", "Adam")
    (True, False)
    """
    home = sys.modules.get(module)
    return home is not None and type(value) is getattr(home, name, None)


def _checked(owner: str, parameter: str, settings: Mapping[str, Any], rules: Mapping[str, _Rule]) -> dict[str, float]:
    """Return the settings as floats, each within its rule."""
    found = {}
    for name, value in settings.items():
        text, holds = rules[name]
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not holds(number):
            raise ParameterError(
                f"The setting {name!r} in {parameter!r} of {owner} must be {text}. Got {value!r} instead."
            )
        found[name] = number
    return found


def _refuse(owner: str, parameter: str, spec: Any, works: str, reason: str = "") -> ParameterError:
    got = repr(spec) if isinstance(spec, str) else type(spec).__name__
    return ParameterError(f"The {parameter!r} parameter of {owner} must be {works}. Got {got} instead.{reason}")


def _near(spec: Any, names: Collection[str]) -> str:
    close = difflib.get_close_matches(spec, names, n=1) if isinstance(spec, str) else []
    return f" Did you mean {close[0]!r}?" if close else ""


def _schedule(owner: str, scheduler: Any) -> tuple[str, dict[str, Any]]:
    """Return the row of SCHEDULES and its settings."""
    if is_river(scheduler, "river.optim.schedulers", "Constant"):
        return "Constant", {"lr": scheduler.learning_rate}
    if is_river(scheduler, "river.optim.schedulers", "InverseScaling"):
        return "InverseScaling", {"lr": scheduler.learning_rate, "power": scheduler.power}
    if is_river(scheduler, "river.optim.schedulers", "Optimal"):
        return "Optimal", {"lr": scheduler.alpha, "t0": scheduler.t0}
    works = f"a number or one of river.optim.schedulers.{{{', '.join(SCHEDULES)}}}"
    raise ParameterError(
        f"The learning rate in 'optimizer' of {owner} must be {works}. Got {type(scheduler).__name__} instead."
    )


def optimizer(spec: Any, owner: str = "the net") -> OptimizerChoice:
    """Return the compiled twin of an optimiser.

    Parameters
    ----------
    spec
        The name of a row, which stands for that row with its defaults, or an optimiser of ``river.optim``, whose
        settings are read, a scheduler as learning rate included.
    owner
        The class whose parameter it is, for the error.

    Raises
    ------
    ParameterError
        For whatever has no twin (``Newton`` and ``Averager`` are not element-wise; classes of one's own cannot be
        compiled), with the list of those that have, and for a setting outside its range.

    Examples
    --------
    >>> from river import optim
    >>> from streamrnn.models._translate import optimizer
    >>> optimizer("sgd")
    OptimizerChoice(name='sgd', settings={'lr': 0.01}, schedule='Constant')
    >>> optimizer(optim.Momentum(optim.schedulers.InverseScaling(0.1), rho=0.8))
    OptimizerChoice(name='momentum', settings={'lr': 0.1, 'power': 0.5, 'rho': 0.8}, schedule='InverseScaling')
    >>> optimizer("adm")
    Traceback (most recent call last):
    ...
    streamrnn.errors.ParameterError: The 'optimizer' parameter of the net must be one of adam, ... Did you mean 'adam'?
    """
    if isinstance(spec, str) and spec in OPTIMIZERS:
        return OptimizerChoice(spec, dict(OPTIMIZERS[spec].defaults))
    for rule in OPTIMIZERS.values():
        if not rule.river or not is_river(spec, "river.optim", rule.river):
            continue
        renamed = _RENAMED.get(rule.river, {})
        settings = {name: getattr(spec, renamed.get(name, name)) for name in rule.defaults if name != "lr"}
        schedule = "Constant"
        if "lr" in renamed:
            settings = {"lr": getattr(spec, renamed["lr"]), **settings}
        elif "lr" in rule.defaults:
            schedule, rate = _schedule(owner, spec.lr)
            settings = {**rate, **settings}
        return OptimizerChoice(rule.name, _checked(owner, "optimizer", settings, _OPTIMIZER_RULES), schedule)
    rivers = ", ".join(rule.river for rule in OPTIMIZERS.values() if rule.river)
    works = f"one of {', '.join(OPTIMIZERS)}, or a river.optim object of one of these classes: {rivers}"
    reason = next((text for name, text in _NOT_ELEMENTWISE.items() if is_river(spec, "river.optim", name)), None)
    said = f" {reason}; only element-wise optimisers run compiled." if reason else _near(spec, OPTIMIZERS)
    raise _refuse(owner, "optimizer", spec, works, said)


def paced(choice: OptimizerChoice, stride: int) -> OptimizerChoice:
    """Return a rule with its own settings as they are for updates every ``stride`` events.

    An update of k times 4 learned events takes the place of k updates. Its rate is k times as high, which the kernel sees to, since
    only it knows how many targets came; the decays of averages are to the power of k, so that they last as many events as before. k is at least 1
    and at most 2. Rules without a rate, and those that bound each step by themselves, stay as they are.

    Parameters
    ----------
    choice
        The rule with its own settings.
    stride
        Events between two updates.

    Examples
    --------
    >>> from streamrnn.models._translate import optimizer, paced
    >>> choice = paced(optimizer("adam"), 8)
    >>> choice.schedule, round(choice.settings["beta_1"], 4), round(choice.settings["beta_2"], 4)
    ('Paced', 0.81, 0.9801)
    """
    k = min(max(stride / PACE, 1.0), MOST_PACES)
    if k == 1.0 or "lr" not in choice.settings or OPTIMIZERS[choice.name].two_pass:
        return choice
    decays = {name: value**k for name, value in choice.settings.items() if name in ("beta_1", "beta_2", "rho")}
    return OptimizerChoice(choice.name, {**choice.settings, **decays}, "Paced")


def loss(
    spec: Any, owner: str = "the net", tasks: Collection[str] = ("regression", "binary", "multiclass")
) -> LossChoice:
    """Return the compiled twin of a loss.

    Parameters
    ----------
    spec
        The name of a row, or a loss of ``river.optim.losses``, whose settings are read.
    owner
        The class whose parameter it is, for the error.
    tasks
        The tasks that the owner can do: ``"regression"``, ``"binary"``, ``"multiclass"``.

    Raises
    ------
    ParameterError
        For whatever has no twin or belongs to another task, with the list of those that fit, and for a setting outside
        its range. ``CrossEntropy`` with class weights has no twin.

    Examples
    --------
    >>> from river import optim
    >>> from streamrnn.models._translate import loss
    >>> loss(optim.losses.Huber(1.5))
    LossChoice(name='huber', settings={'epsilon': 1.5})
    >>> loss("squared", tasks=("binary",))
    Traceback (most recent call last):
    ...
    streamrnn.errors.ParameterError: The 'loss' parameter of the net must be one of log, ...
    """
    rows = {name: row for name, row in LOSSES.items() if row.task in tasks}
    if isinstance(spec, str) and spec in rows:
        return LossChoice(spec, dict(rows[spec].defaults))
    for row in rows.values():
        if not row.river or not is_river(spec, "river.optim.losses", row.river):
            continue
        if getattr(spec, "class_weight", None):
            raise _refuse(owner, "loss", spec, "without class weights", " Use CrossEntropy().")
        settings = {name: getattr(spec, name) for name in row.defaults}
        return LossChoice(row.name, _checked(owner, "loss", settings, _LOSS_RULES))
    rivers = ", ".join(row.river for row in rows.values() if row.river)
    works = f"one of {', '.join(rows)}, or a river.optim.losses object of one of these classes: {rivers}"
    raise _refuse(owner, "loss", spec, works, _near(spec, rows))


def level_of(choice: LossChoice) -> float:
    """Return the level of the quantile that a loss aims at; 0 where that is the mean, or no number.

    Parameters
    ----------
    choice
        From :func:`loss`.

    Examples
    --------
    >>> from river import optim
    >>> from streamrnn.models._translate import level_of, loss
    >>> level_of(loss("absolute")), level_of(loss(optim.losses.Quantile(0.9))), level_of(loss("huber"))
    (0.5, 0.9, 0.0)
    """
    level = LOSSES[choice.name].level
    return choice.settings.get("alpha", level) if level else 0.0
