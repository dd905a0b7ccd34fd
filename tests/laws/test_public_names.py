"""Public = in ``__all__`` = documented = has a doctest."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.laws.places import CONNECTORS, load, modules

# The front doors. What lies behind them (kernels, engine, the inside of a connector) may change in any release.
INTERFACES = (
    "streamrnn",
    "streamrnn.adapters",
    "streamrnn.cli",
    "streamrnn.config",
    "streamrnn.errors",
    "streamrnn.io",
    "streamrnn.testing",
    *CONNECTORS,
)


def is_definition(value):
    return inspect.isclass(value) or inspect.isfunction(value)


def definitions(name):
    """The classes and functions in a module's ``__all__``, by name."""
    module = load(name)
    listed = {key: getattr(module, key) for key in getattr(module, "__all__", [])}
    return {key: value for key, value in listed.items() if is_definition(value)}


def members(value):
    """A class's own public methods and properties; a function has none."""
    if not inspect.isclass(value):
        return {}
    own = {name: member for name, member in vars(value).items() if not name.startswith("_")}
    return {name: m for name, m in own.items() if inspect.isfunction(m) or isinstance(m, property | classmethod)}


def sections(value):
    """Docstring sections by title, of a class or function."""
    text = inspect.getdoc(value) or ""
    parts = re.split(r"^(\w[\w ]*)\n-+\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(value):
    """Names in the Parameters section."""
    lines = re.findall(r"^(\S.*)$", sections(value).get("Parameters", ""), flags=re.MULTILINE)
    return [name.strip(" *") for line in lines for name in line.partition(":")[0].split(",")]


@pytest.mark.parametrize("name", modules())
def test_all_lists_exactly_what_is_public(name):
    """``__all__``, where there is one, is sorted, true and complete: each public class and function is in it."""
    module = load(name)
    if not hasattr(module, "__all__"):
        return
    listed = module.__all__
    here = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and is_definition(value) and value.__module__ == name
    }

    assert sorted(listed) == listed
    assert [key for key in listed if not hasattr(module, key)] == []
    assert sorted(here - set(listed)) == []


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for(name):
    """A module begins with a docstring."""
    assert load(name).__doc__


@pytest.mark.parametrize("name", INTERFACES)
def test_interfaces_say_what_is_public(name):
    """A front door has an ``__all__``."""
    assert isinstance(load(name).__all__, list)


@pytest.mark.parametrize("name", modules())
def test_public_names_are_documented(name):
    """Every public class and function has a docstring, and so has each of its public methods and properties."""
    silent = [
        ".".join(path)
        for key, value in definitions(name).items()
        for path, one in [((key,), value), *(((key, method), getattr(value, method)) for method in members(value))]
        if not inspect.getdoc(one)
    ]

    assert silent == []


@pytest.mark.parametrize("name", INTERFACES)
def test_public_names_have_a_doctest(name):
    """Every public class and function shows itself at work: it, or one of its methods, has an example that runs."""
    unseen = [
        key
        for key, value in definitions(name).items()
        if not any(">>> " in (inspect.getdoc(one) or "") for one in [value, *members(value).values()])
    ]

    assert unseen == []


@pytest.mark.parametrize("name", modules())
def test_parameters_are_those_of_the_signature(name):
    """A Parameters section names the parameters of the signature, all of them, in their order."""
    for value in definitions(name).values():
        if "Parameters" in sections(value):
            taken = [parameter for parameter in inspect.signature(value).parameters if parameter != "self"]

            assert described(value) == taken
