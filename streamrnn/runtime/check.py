"""Tries what a configuration names, without running it: the part of ``streamrnn check`` that touches the world."""

from __future__ import annotations

from streamrnn.config import Config
from streamrnn.errors import ConfigError, StreamrnnError
from streamrnn.io import Checkable
from streamrnn.runtime.assemble import make_sink, make_source

__all__ = ["try_parts"]


def try_parts(config: Config) -> tuple[list[str], list[StreamrnnError]]:
    """Ask source and sink whether they would work.

    Returns
    -------
    tuple
        What was tried, in words; and what is wrong, all of it.
    """
    tried: list[str] = []
    wrong: list[StreamrnnError] = []
    for role, make in (("source", make_source), ("sink", make_sink)):
        try:
            part = make(config)
        except ConfigError as error:
            wrong.append(error)
            continue
        if isinstance(part, Checkable):
            found = part.check()
            wrong += found
            tried.append(f"{role}: {'not good' if found else 'good'}")
        else:
            tried.append(f"{role}: the connector {getattr(config, role).kind!r} has no way to try it")
    return tried, wrong
