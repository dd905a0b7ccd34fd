"""A whole configuration: all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamrnn.config.alarm_options import Alarm
from streamrnn.config.options import DEFAULT_MODEL, OPTION_TABLES, Config, Named
from streamrnn.config.records import Records
from streamrnn.config.rules import nearest
from streamrnn.config.tables import check_table, show
from streamrnn.config_secrets import Filled, plain, shown
from streamrnn.errors import ConfigError

__all__ = ["label_of", "parse"]

_TABLES = ("source", "model", "sink", *OPTION_TABLES)


def _check_connector(role: str, data: object, base: Path, others: Sequence[str] = ()) -> tuple[Named | None, list[str]]:
    from streamrnn.io import default_kind, find_connector  # noqa: PLC0415  (imports numpy; --help needs none)

    if not isinstance(data, Mapping):
        return None, [f"[{role}]: must be a table. Got {show(data)} instead."]
    kind = data.get("kind")
    if kind is not None and not isinstance(kind, str):
        return None, [f"[{role}] kind: must be a text. Got {show(kind)} instead."]
    try:
        kind = default_kind(role) if kind is None else kind
        connector = find_connector(role, kind)
    except ConfigError as error:
        return None, error.problems
    rest = {name: value for name, value in data.items() if name != "kind"}
    options, problems = check_table(role, connector.Options, rest, base, others)
    return (None if problems else Named(kind, options)), problems


def _check_records(data: object) -> tuple[object, Records | None, list[str]]:
    """Return what of ``[source]`` is the connector's, what is every connector's, and what is wrong with those."""
    if not isinstance(data, Mapping):
        return data, None, []  # the check of its connector says so
    names = Records.__struct_fields__
    records, problems = check_table("source", Records, {name: data[name] for name in names if name in data})
    return {name: value for name, value in data.items() if name not in names}, records, problems


def _guessed(value: object) -> Any:
    """Return a model's parameter: where it came from a reference, as the number or truth it reads like."""
    if not isinstance(value, Filled):
        return plain(value)
    for reading in (int, float, {"true": True, "false": False}.__getitem__):
        try:
            return reading(value)
        except (ValueError, KeyError):
            continue
    return plain(value)


CheckModel = Callable[[str, Mapping[str, Any], Alarm | None], list[str]]
"""Called with a model's kind and parameters, and the settings of ``[alarm]`` where those are good; returns one line for each mistake."""


def _check_model(data: object, alarm: object, check: CheckModel | None) -> tuple[Named, list[str]]:
    if not isinstance(data, Mapping):
        return Named("", {}), [f"[model]: must be a table. Got {show(data)} instead."]
    parameters = {name: _guessed(value) for name, value in data.items()}
    kind = parameters.pop("kind", DEFAULT_MODEL)
    if not isinstance(kind, str):
        return Named("", {}), [f"[model] kind: must be a text. Got {show(kind)} instead."]
    if check is None:
        return Named(kind, parameters), []
    return Named(kind, parameters), check(kind, parameters, alarm if isinstance(alarm, Alarm) else None)


def _odd_texts(value: object, where: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a line for each text that no file can be called, and no connection can carry."""
    if isinstance(value, Mapping | list | tuple):
        for name, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _odd_texts(one, (*where, str(name)))
    elif isinstance(value, str) and not ("\0" not in value and (value.isascii() or _is_unicode(value))):
        yield f"{label_of(where)}: must be text without the character NUL or halves of characters. Got {show(shown(where[-1], value))} instead."


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def parse(data: Mapping[str, Any], base: Path, check_model: CheckModel | None = None) -> Config:
    """Check a configuration that is already in memory.

    Parameters
    ----------
    data
        Tables by name.
    base
        Directory that relative paths are relative to.
    check_model
        Called with the model's kind and parameters, and the settings of ``[alarm]``; returns one line for each mistake. Whoever
        runs the model gives it: this module knows the name of the default and no other.

    Raises
    ------
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from pathlib import Path
    >>> from streamrnn.config import parse
    >>> parse({"source": {"path": "x.csv", "formt": "csv"}, "sorce": {}}, Path())
    Traceback (most recent call last):
    ...
    streamrnn.errors.ConfigError: [sorce]: there is no such table. Did you mean 'source'?
    [source] formt: there is no such option. Did you mean 'format'?
    """
    problems = [f"[{name}]: there is no such table. {nearest(name, _TABLES)}" for name in data if name not in _TABLES]
    if odd := list(_odd_texts(data)):  # no path and no address can hold them: nothing is tried with those
        raise ConfigError(problems + odd)
    parts: dict[str, Any] = {}
    for name, struct in OPTION_TABLES.items():
        parts[name], found = check_table(name, struct, data.get(name, {}), base)
        problems += found
    source, parts["records"], found = _check_records(data.get("source", {}))
    problems += found
    parts["source"], found = _check_connector("source", source, base, Records.__struct_fields__)
    problems += found
    parts["sink"], found = _check_connector("sink", data.get("sink", {}), base)
    problems += found
    parts["model"], found = _check_model(data.get("model", {}), parts["alarm"], check_model)
    problems += found
    if problems:
        raise ConfigError(problems)
    return Config(**parts)


def label_of(names: Sequence[str]) -> str:
    """Return how messages name an option.

    Parameters
    ----------
    names
        Of the table, of the option, and of what is inside.

    Examples
    --------
    >>> from streamrnn.config.parsing import label_of
    >>> label_of(("source", "path"))
    '[source] path'
    """
    return f"[{names[0]}]" + (f" {'.'.join(names[1:])}" if len(names) > 1 else "")
