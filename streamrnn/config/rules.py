"""What a declaration accepts, in words; and names that somebody may have meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

__all__ = ["describe_type", "nearest", "parameter_names", "rule_of"]


def _bounds(info: Any) -> str:
    signs = (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
    said = [f"{sign} {getattr(info, name)}" for name, sign in signs if getattr(info, name, None) is not None]
    return " " + " and ".join(said) if said else ""


def rule_of(info: Any) -> str:
    """Say in words what a type accepts.

    Parameters
    ----------
    info
        Of msgspec.
    """
    match info:
        case msgspec.inspect.Metadata():
            examples = (info.extra_json_schema or {}).get("examples")
            return f"{rule_of(info.type)} such as {examples[0]!r}" if examples else rule_of(info.type)
        case msgspec.inspect.IntType():
            return "an int" + _bounds(info)
        case msgspec.inspect.FloatType():
            return "a number" + _bounds(info)
        case msgspec.inspect.StrType():
            return "a text" if info.min_length is None else f"a text of at least {info.min_length} character"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType():
            return "one of " + ", ".join(repr(value) for value in info.values)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            return f"a list, each item {rule_of(info.item_type)}"
        case msgspec.inspect.DictType():
            return "a table"
        case msgspec.inspect.UnionType():
            return " or ".join(rule_of(one) for one in info.types if not isinstance(one, msgspec.inspect.NoneType))
        case _:
            return "another type"


def describe_type(declared: Any) -> tuple[str, str]:
    """Return what an option's declaration accepts, in words, and its description.

    Parameters
    ----------
    declared
        The type of a field of an options struct.

    Examples
    --------
    >>> import msgspec
    >>> from streamrnn.config import Alarm, describe_type
    >>> describe_type(msgspec.structs.fields(Alarm)[2].type)
    ('an int >= 0', 'Events of a key before its first alarm: the net must see something first.')
    """
    info = msgspec.inspect.type_info(declared)
    extra = info.extra_json_schema or {} if isinstance(info, msgspec.inspect.Metadata) else {}
    return rule_of(info), str(extra.get("description", ""))


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
