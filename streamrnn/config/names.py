"""Names that somebody may have meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable

__all__ = ["nearest", "parameter_names"]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to say about an unknown ``name``: the nearest known ones, or all of them.

    Parameters
    ----------
    name
        What was written.
    known
        What there is.

    Examples
    --------
    >>> from streamrnn.config import nearest
    >>> nearest("pth", ["path", "format"])
    "Did you mean 'path'?"
    >>> nearest("zzz", ["path", "format"])
    'Known: format, path.'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    return f"Known: {', '.join(known) or 'none'}."


def parameter_names(cls: Callable[..., object]) -> list[str]:
    """Return the names of the parameters that a class may be configured with.

    Examples
    --------
    >>> from streamrnn.config import parameter_names
    >>> parameter_names(complex)
    ['real', 'imag']
    """
    return [name for name in inspect.signature(cls).parameters if name != "self"]
