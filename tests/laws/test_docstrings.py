"""Docstring and signature of every public function say the same: parameters, shapes, errors."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.laws.places import modules
from tests.laws.test_public_names import definitions, described, members, sections

Array = NDArray[np.float64]


def public_functions(name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The classes, functions and methods that a module defines and lists, by their name in it."""
    for key, value in definitions(name).items():
        if value.__module__ != name:
            continue
        yield key, value
        for method, member in members(value).items():
            if not isinstance(member, property):
                yield f"{key}.{method}", getattr(member, "__func__", member)


def undescribed(function: Callable[..., Any]) -> str:
    """What is wrong with a Parameters section: it names all parameters in their order, and of ``*args`` and ``**kwargs`` what it likes."""
    try:
        parameters = dict(inspect.signature(function).parameters)
    except ValueError:  # an exception without an __init__ of its own
        return ""
    parameters.pop("self", None)
    parameters.pop("cls", None)
    free = {one.name for one in parameters.values() if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    taken, said = [one for one in parameters if one not in free], described(function)
    if [one for one in said if one not in free] != taken:
        return f"takes {taken}, describes {said}"
    text = entries(sections(function).get("Parameters", ""))
    shapeless = [
        one
        for one in taken
        if re.match(r"NDArray|Array\b", str(parameters[one].annotation))
        and not re.search(r"\(\w+(,|\))", text.get(one, ""))
    ]
    return f"gives no shape, as (n, F), of {shapeless}" if shapeless else ""


def entries(section: str) -> dict[str, str]:
    """The texts of a Parameters section by name."""
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\S.*)\n((?:[ \t]+.*\n?|\n)*)", section, flags=re.MULTILINE):
        found |= dict.fromkeys([one.strip(" *") for one in names.partition(":")[0].split(",")], text)
    return found


def raised(function: Callable[..., Any]) -> set[str]:
    """The names of the errors that a function's own ``raise`` statements make and that it does not catch itself."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    found: set[str] = set()

    def walk(node: ast.AST, caught: frozenset[str]) -> None:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef() | ast.ClassDef() | ast.Lambda():
                    continue
                case ast.Raise(exc=ast.Call(func=ast.Name(id=name)) | ast.Name(id=name)) if name.endswith("Error"):
                    found.update({name} - caught)
                case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                    here = {
                        one.id
                        for handler in handlers
                        if handler.type
                        for one in ast.walk(handler.type)
                        if isinstance(one, ast.Name)
                    }
                    for part in body:
                        walk(ast.Module([part], []), caught | here)
                    for part in (*handlers, *orelse, *final):
                        walk(ast.Module([part], []) if isinstance(part, ast.stmt) else part, caught)
                    continue
            walk(child, caught)

    walk(tree, frozenset())
    return found


def faults(name: str) -> list[str]:
    """One line for each public function of a module whose docstring and code do not say the same."""
    lines = []
    for key, function in public_functions(name):
        if wrong := undescribed(function):
            lines.append(f"{name}.{key}: {wrong}")
        if inspect.isfunction(function):
            told = set(re.findall(r"^(\w+)", sections(function).get("Raises", ""), flags=re.MULTILINE))
            if silent := sorted(raised(function) - told):
                lines.append(f"{name}.{key}: raises {', '.join(silent)}, and its Raises section does not say so")
    return lines


@pytest.mark.parametrize("name", modules())
def test_docstrings_describe_parameters_and_errors(name):
    """Every parameter of every public function, class and method is described, arrays with their shapes, and so is every error it raises."""
    assert faults(name) == []


def _whole(values: Array, n: int, *rest: int) -> None:
    """Say so.

    Parameters
    ----------
    values
        Of shape (n, F).
    n
        How many.

    Raises
    ------
    ValueError
        When there are none.
    """
    if not n:
        raise ValueError(values, rest)


def _caught() -> None:
    """Say so."""
    try:
        raise KeyError  # noqa: TRY301  found to be caught
    except KeyError:
        return


def _silent() -> None:
    """Say so."""
    raise KeyError


def _order(values: Array, n: int) -> None:
    """Say so.

    Parameters
    ----------
    n, values
        (n, F).
    """


def _shapeless(values: Array) -> None:
    """Say so.

    Parameters
    ----------
    values
        Numbers.
    """


@pytest.mark.parametrize(
    ("function", "wrong", "errors"),
    [
        (_whole, "", {"ValueError"}),
        (_caught, "", set()),
        (_silent, "", {"KeyError"}),
        (_order, "takes ['values', 'n'], describes ['n', 'values']", set()),
        (_shapeless, "gives no shape, as (n, F), of ['values']", set()),
    ],
)
def test_planted_faults_are_found(function, wrong, errors):
    """A parameter too few, another order, an array without a shape and an error nobody is told of are found; what is caught is none."""
    assert undescribed(function) == wrong
    assert raised(function) == errors
