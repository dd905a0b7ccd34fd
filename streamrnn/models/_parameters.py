"""Parameters of estimators checked, and written into their docstrings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import cleandoc
from textwrap import indent
from typing import Any, TypeVar

from streamrnn.errors import ParameterError
from streamrnn.models._parameter_table import PARAMETERS, Parameter

__all__ = ["check", "check_all", "documented", "row_of"]

_Class = TypeVar("_Class", bound=type)


def check(owner: str, name: str, value: Any, rule: str, *, ok: bool) -> None:
    """Raise a :class:`~streamrnn.errors.ParameterError` unless ``ok``.

    Parameters
    ----------
    owner
        The class or function whose parameter it is.
    name
        Of the parameter.
    value
        What was given.
    rule
        Words that fit behind "must be".
    ok
        Whether the rule is kept.

    Raises
    ------
    ParameterError
        When it is not.
    """
    if not ok:
        raise ParameterError(f"The {name!r} parameter of {owner} must be {rule}. Got {value!r} instead.")


def row_of(name: str, given: Collection[str]) -> Parameter:
    """Return what is said of a parameter; the experts of models that learn labels are others than a forecaster's.

    Parameters
    ----------
    name
        Of the parameter.
    given
        The names of all parameters of the estimator.
    """
    return PARAMETERS[f"{name} of labels" if name == "experts" and "autoregressive" in given else name]


def check_all(owner: str, given: Mapping[str, Any]) -> None:
    """Check all parameters of an estimator that are in the table.

    Parameters
    ----------
    owner
        The class, for the error.
    given
        All parameters by name; those that are not in the table are passed over.

    Raises
    ------
    ParameterError
        At the first that breaks its rule.
    """
    for name, value in given.items():
        if name in PARAMETERS:
            row = row_of(name, given)
            rule = (
                row.rule.replace("window", f"window ({given['window']})")
                if name == "stride" and given["window"]
                else row.rule
            )
            check(owner, name, value, rule, ok=row.ok(value, given))


def documented(cls: _Class) -> _Class:
    """Fill in the docstring of an estimator: a line ``{name}``, or ``{name of labels}``, becomes that parameter's entry.

    Examples
    --------
    >>> from streamrnn.models._parameters import documented
    >>> @documented
    ... class Net:
    ...     '''Parameters
    ...     ----------
    ...     {seed}
    ...     '''
    >>> print(Net.__doc__.splitlines()[2].strip())
    seed
    """
    lines = []
    for line in (cls.__doc__ or "").splitlines():
        name = line.strip()[1:-1]
        if line.strip() == f"{{{name}}}" and name in PARAMETERS:
            start = line[: len(line) - len(line.lstrip())]
            lines += [
                start + name.removesuffix(" of labels"),
                *indent(cleandoc(PARAMETERS[name].text), start + "    ").splitlines(),
            ]
        else:
            lines.append(line)
    cls.__doc__ = "\n".join(lines)
    return cls
