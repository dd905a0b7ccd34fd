"""One table of a configuration against its declaration."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from streamrnn.config.rules import nearest, rule_of
from streamrnn.config_secrets import Filled, plain, shown
from streamrnn.errors import ConfigError, StreamrnnError

__all__ = ["check_table", "checked_table", "show"]


def show(value: object) -> str:
    """Return a value as messages quote it, in 80 characters at most.

    Parameters
    ----------
    value
        Of an option.

    Examples
    --------
    >>> from streamrnn.config.tables import show
    >>> show(True), show("a")
    ('true', "'a'")
    """
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_path(name: str) -> bool:
    """Whether an option names a file: by its name, in every table and connector."""
    return name in ("path", "dir", "directory") or name.endswith(("_path", "_dir", "_file"))


def _resolve(value: object, base: Path) -> object:
    if isinstance(value, str) and value not in ("", "-"):
        return str(base / value)
    if isinstance(value, list | tuple):
        return [_resolve(one, base) for one in value]
    return value


def _converted(given: object, declared: Any, *, filled: bool) -> Any:
    """Return a value as its type says. What is text and may be a number is read as one, where a reference was filled in."""
    if filled and isinstance(given, str) and "_" not in given:
        for reading in (int, float):
            with contextlib.suppress(ValueError, msgspec.ValidationError):
                return msgspec.convert(reading(given), declared)
    return msgspec.convert(given, declared, strict=not filled)


def check_table(
    table: str, options: type, data: object, base: Path | None = None, others: Sequence[str] = ()
) -> tuple[Any, list[str]]:
    r"""Check one table against its declaration.

    Parameters
    ----------
    table
        Its name, for messages.
    options
        A msgspec Struct: one field for each option.
    data
        What the file says.
    base
        Directory that relative paths are relative to, or None to leave them.
    others
        Options of the table that are declared elsewhere, for messages.

    Returns
    -------
    tuple
        The struct, or None where something is wrong, and one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import Alarm, check_table
    >>> value, problems = check_table("alarm", Alarm, {"rate": 7, "warmup": 3})
    >>> print(*problems, sep="\n")
    [alarm] rate: must be a number > 0 and <= 0.5 or a text such as '2/day'. Got 7 instead.
    [alarm] warmup: there is no such option. Did you mean 'warm_up'?
    """
    if not isinstance(data, Mapping):
        return None, [f"[{table}]: must be a table. Got {show(data)} instead."]
    fields = {field.name: field for field in msgspec.structs.fields(options)}
    problems: list[str] = []
    good: dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            problems.append(f"[{table}] {name}: there is no such option. {nearest(name, (*fields, *others))}")
            continue
        given = plain(value)
        if base is not None and _is_path(name):
            given = _resolve(given, base)
        try:  # what a variable holds is always text: "9100" is as good as 9100 there
            good[name] = _converted(given, fields[name].type, filled=isinstance(value, Filled))
        except msgspec.ValidationError:
            rule = rule_of(msgspec.inspect.type_info(fields[name].type))
            problems.append(f"[{table}] {name}: must be {rule}. Got {show(shown(name, value))} instead.")
    problems += [
        f"[{table}] {name}: is missing. It must be {rule_of(msgspec.inspect.type_info(field.type))}."
        for name, field in fields.items()
        if field.required and name not in data
    ]
    if problems:
        return None, problems
    try:
        return options(**good), []
    except (ValueError, TypeError, StreamrnnError) as error:
        said = str(error)
        return None, [said if said.startswith("[") else f"[{table}]: {said}"]


def checked_table(table: str, options: type, data: object) -> Any:
    """Return one table as its struct, for whoever makes a connector without a configuration file.

    Parameters
    ----------
    table, options, data
        As for :func:`check_table`.

    Raises
    ------
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import Alarm, checked_table
    >>> checked_table("alarm", Alarm, {"rate": 0.1}).rate
    0.1
    """
    value, problems = check_table(table, options, data)
    if value is None:
        raise ConfigError(problems)
    return value
