"""A configuration file as tables, and the line each option stands on. TOML, YAML and JSON say the same things."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamrnn.errors import ConfigError, MissingExtraError, SourceError

__all__ = ["ConfigFile", "read"]

MOST_BYTES = 1 << 20
"""Of a configuration. A whole one has some 2 KB; a data file given by mistake is refused, not read."""

DEEPEST = 50
"""Levels of tables and lists in a configuration. A pipeline of pipelines has ten."""

Place = tuple[str, ...]
Lines = dict[Place, int]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says, and where.

    Parameters
    ----------
    path
        As it was given.
    data
        Tables by name.
    lines
        1-based line of each table and option, by the names that lead to it.
    """

    path: str
    data: dict[str, Any]
    lines: Lines

    def locate(self, problem: str) -> str:
        """Put file and line before a problem that begins with ``[table] option``.

        Parameters
        ----------
        problem
            A sentence that begins with ``[table] option``.

        Examples
        --------
        >>> from streamrnn.config_file import ConfigFile
        >>> ConfigFile("a.toml", {}, {("alarm",): 3, ("alarm", "rate"): 4}).locate("[alarm] rate: must be a number.")
        'a.toml:4: [alarm] rate: must be a number.'
        """
        line = self.line_of(problem)
        return f"{self.path}:{line}: {problem}" if line else f"{self.path}: {problem}"

    def line_of(self, problem: str) -> int:
        """Return the line of the option that a problem begins with, or of its table; 0 where neither is in the file.

        Parameters
        ----------
        problem
            A sentence that begins with ``[table] option``.
        """
        found = re.match(r"\[([^\]]+)\](?: ([^\s:]+))?", problem)
        names = (found[1], *(found[2] or "").split(".")) if found else ()
        return next((self.lines[names[:n]] for n in range(len(names), 0, -1) if names[:n] in self.lines), 0)


def _too_deep(line: int = 0) -> str:
    return f"it has more than {DEEPEST} levels{f' (at line {line})' if line else ''}: it is nested too deeply"


def _check_levels(value: object, levels: int) -> None:
    if isinstance(value, dict | list):
        if levels == 0:
            raise ValueError(_too_deep())
        for one in value.values() if isinstance(value, dict) else value:
            _check_levels(one, levels - 1)


_TOKEN = re.compile(  # of TOML; each is found in one pass, closed or not
    r"""
    \"{3}(?:[^"\\]|\\.|"(?!""))*+\"{0,5} | '{3}(?:[^']|'(?!''))*+'{0,5}   # texts of several lines
    | "(?:[^"\\\n]|\\[^\n])*+"? | '[^'\n]*+'? | \#[^\n]*+               # texts of one, comments
    | [\[\]{}=.,\n]""",
    re.DOTALL | re.VERBOSE,
)


def _names(dotted: str) -> Place:
    return tuple(quoted or bare for quoted, bare in re.findall(r"[\"']([^\"']*)[\"']|([\w-]+)", dotted))


def _statements(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield line, name and whether it is an option's, of each line of TOML that begins a table or an option.

    Raises
    ------
    ValueError
        When something is nested too deeply: the parser would take minutes to say so.
    """
    number = line = 1
    start, end, depth, dots, is_option = 0, -1, 0, 0, False
    for token in _TOKEN.finditer(text + "\n"):
        said, at = token[0], token.start()
        number += said.count("\n")
        dots = dots + 1 if said == "." else 0 if said in "[]{}=,\n" else dots
        depth = max(depth + (said in "[{") - (said in "]}"), 0)
        if max(depth, dots) > DEEPEST:
            raise ValueError(_too_deep(number))
        if depth == 0 and end < 0 and said[0] in "=#\n":
            end, is_option = at, said == "="
        if depth == 0 and said == "\n":
            if name := text[start:end].strip():
                yield line, name, is_option
            start, end, line = at + 1, -1, number


def _toml_lines(text: str) -> Lines:
    """Find where tables and options begin."""
    lines: Lines = {}
    table: Place = ()
    count: dict[Place, int] = {}
    for number, name, is_option in _statements(text):
        if is_option:
            lines.setdefault((*table, *_names(name)), number)
            continue
        table = _names(name.strip("[]"))
        lines.setdefault(table, number)
        if name.startswith("[["):
            count[table] = count.get(table, -1) + 1
            table = (*table, str(count[table]))
        lines.setdefault(table, number)
    return lines


def _load_toml(text: str) -> tuple[Any, Lines]:
    lines = _toml_lines(text)
    return tomllib.loads(text), lines


def _node_places(node: Any, place: Place) -> Iterator[tuple[Place, int]]:
    import yaml  # noqa: PLC0415

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _node_places(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*place, str(i)), value.start_mark.line + 1
            yield from _node_places(value, (*place, str(i)))


def _places(node: Any) -> Lines:
    lines: Lines = {}
    for place, line in _node_places(node, ()):
        if place in lines:
            raise ValueError(f"{'.'.join(place)!r} is given twice, in line {lines[place]} and line {line}")
        lines[place] = line
    return lines


def _load_yaml(text: str) -> tuple[Any, Lines]:
    try:
        import yaml  # noqa: PLC0415  (20 ms that a TOML file should not pay)
    except ImportError as error:
        raise MissingExtraError("A configuration in YAML needs PyYAML: pip install pyyaml") from error
    try:
        depth = 0
        for token in yaml.scan(text, yaml.SafeLoader):  # which stops where it is told to: what is refused is not parsed
            kind = type(token).__name__
            if kind in ("AliasToken", "AnchorToken"):
                raise ValueError(
                    "anchors and aliases (& and *) are not supported; write the value out, or quote the text"
                )
            depth += kind.endswith(("SequenceStartToken", "MappingStartToken")) - (
                kind in ("FlowSequenceEndToken", "FlowMappingEndToken", "BlockEndToken")
            )
            if depth > DEEPEST:
                raise ValueError(_too_deep(token.start_mark.line + 1))
        lines = _places(yaml.compose(text, yaml.SafeLoader))
        return yaml.safe_load(text), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (at line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{getattr(error, 'problem', None) or error}{where}") from error


def _load_json(text: str) -> tuple[Any, Lines]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} (at line {error.lineno}, column {error.colno})") from error
    _check_levels(data, DEEPEST)
    try:
        import yaml  # noqa: PLC0415
    except ImportError:
        return data, {}
    try:
        node = yaml.compose(text.replace("\t", " "), yaml.SafeLoader)  # JSON is YAML, but for tabs
    except yaml.YAMLError:
        return data, {}
    return data, _places(node)


FORMATS: dict[str, tuple[str, Callable[[str], tuple[Any, Lines]]]] = {
    ".toml": ("TOML", _load_toml),
    ".yaml": ("YAML", _load_yaml),
    ".yml": ("YAML", _load_yaml),
    ".json": ("JSON", _load_json),
}


def _strange_key(value: object, place: Place) -> str | None:
    """Say where a name is no text, as YAML allows it; None where all are."""
    if isinstance(value, dict):
        for name, one in value.items():
            if not isinstance(name, str):
                inside = f" in [{'.'.join(place)}]" if place else ""
                return f"the name {name!r}{inside} is no text; put it in quotes"
            if said := _strange_key(one, (*place, name)):
                return said
    elif isinstance(value, list):
        return next((said for i, one in enumerate(value) if (said := _strange_key(one, (*place, str(i))))), None)
    return None


def read(path: str | Path) -> ConfigFile:
    r"""Read a configuration file; its name's end says which language: .toml, .yaml, .yml, .json, anything else is TOML.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SourceError
        When the file is missing or cannot be read.
    ConfigError
        When it is no text of that language.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from streamrnn.config_file import read
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.toml")
    >>> _ = path.write_text("[source]\npath = 'a.csv'\n")
    >>> read(path).lines
    {('source',): 1, ('source', 'path'): 2}
    """
    path = Path(path)
    said = f"The configuration file {str(path)!r}"
    language, loads = FORMATS.get(path.suffix.lower(), FORMATS[".toml"])
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{said} cannot be read: {error.strerror}.") from error
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{said} is larger than {MOST_BYTES} bytes. Give a configuration, not the data.")
    try:
        data, lines = loads(raw.decode("utf-8-sig"))
        _check_levels(data, DEEPEST)
    except MissingExtraError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"{said} is not UTF-8 text: {error.reason}.") from error
    except RecursionError as error:
        raise ConfigError(f"{said} is not valid {language}: it is nested too deeply.") from error
    except Exception as error:  # tomllib's own is a ValueError; a wrong tag of YAML leads to many
        why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ConfigError(f"{said} is not valid {language}: {why[:500].rstrip('.')}.") from error
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise ConfigError(f"{said} must hold tables ([source], [model], ...). It is a {type(data).__name__} instead.")
    if strange := _strange_key(data, ()):
        raise ConfigError(f"{said}: {strange}.")
    return ConfigFile(str(path), data, lines)
