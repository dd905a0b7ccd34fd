"""Which connectors are installed: found by entry point, with their examples."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from streamrnn.errors import ConfigError

__all__ = ["connector_kinds", "default_kind", "example_names", "find_connector", "find_example"]


@functools.cache
def _registered(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name. Looking through all that is installed takes a while."""
    return {point.name: point for point in entry_points(group=group)}


def connector_kinds(role: str, *, ours: bool = False) -> list[str]:
    """Return the kinds that are installed, in order.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.
    ours
        Those alone that come with the library itself, whatever the packages of others are called.

    Examples
    --------
    >>> from streamrnn.io import connector_kinds
    >>> {"files", "kafka", "sqlite"} <= set(connector_kinds("source"))
    True
    """
    found = _registered(f"streamrnn.{role}s")
    return sorted(name for name, point in found.items() if not ours or _is_ours(point))


def _is_ours(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "streamrnn"


def default_kind(role: str) -> str:
    """Return what ``kind`` is where a configuration does not say it: the connector that is registered as the default.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.

    Raises
    ------
    ConfigError
        When the library is installed without its own connectors.

    Examples
    --------
    >>> from streamrnn.io import default_kind
    >>> default_kind("source")
    'files'
    """
    default = _registered("streamrnn.default").get(role)
    same = [
        name for name, point in _registered(f"streamrnn.{role}s").items() if default and point.value == default.value
    ]
    if not same:
        raise ConfigError(
            f"[{role}] kind: is missing, and no connector is registered as the default. Install the library again."
        )
    return same[0]


def find_connector(role: str, kind: str) -> Any:
    """Return the class registered under ``kind``.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.
    kind
        Name of the entry point, as a configuration writes it.

    Raises
    ------
    ConfigError
        When there is none; the message lists those there are.

    Examples
    --------
    >>> from streamrnn.io import find_connector
    >>> find_connector("source", "files").__name__
    'FileSource'
    """
    found = _registered(f"streamrnn.{role}s")
    if kind not in found:
        known = ", ".join(sorted(found)) or "none installed"
        raise ConfigError(f"[{role}] kind: there is no {role} connector {kind!r}. Known: {known}.")
    return found[kind].load()


def example_names() -> list[str]:
    """Return the names of the example configurations that connectors bring, in order.

    Examples
    --------
    >>> from streamrnn.io import example_names
    >>> "file" in example_names()
    True
    """
    return sorted(_registered("streamrnn.examples"))


def find_example(name: str) -> str:
    """Return an example configuration, with comments.

    Parameters
    ----------
    name
        One of :func:`example_names`.

    Raises
    ------
    ConfigError
        When there is none; the message lists those there are.

    Examples
    --------
    >>> from streamrnn.io import find_example
    >>> "[source]" in find_example("file")
    True
    """
    found = _registered("streamrnn.examples")
    if name not in found:
        raise ConfigError(f"There is no example {name!r}. Known: {', '.join(example_names()) or 'none installed'}.")
    return str(found[name].load())
