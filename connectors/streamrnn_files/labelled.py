"""Lines that name each of their values, ``level=info ms=12.5`` or ``Temp: 23.4, Hum: 45``, to JSON Lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from streamrnn_files.cells import is_number

__all__ = ["is_labelled", "labelled_rows", "measured", "pairs_of"]

TITLES = 2
"""Lines before the first that names a value."""

_EQUAL = re.compile(r"""(?:^|(?<=[\s,;|\[({]))([A-Za-z_@][\w.\-/@]*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;|\])}"']*)""")
_COLON = re.compile(
    r"(?:^|(?<=[\s,;|]))([^\W\d][\w./%°()\-]*(?: [\w./%°()\-]+){0,3}?)\s?[:=]\s*"
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\s?[%°A-Za-zµ/²³]{1,6})??)(?=\s*(?:[,;|]|$)|\s+[^\W\d])"
)
_MOMENT = re.compile(
    r"\W{0,2}(\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?)?|\d{1,2}:\d\d:\d\d(?:[.,]\d+)?|"
    r"\d{10,19}(?:\.\d+)?(?=\W))"
)


def pairs_of(text: str) -> dict[str, object]:
    """Return the values that a text names with a sign of equality.

    Parameters
    ----------
    text
        Of a line.

    Examples
    --------
    >>> from streamrnn_files.labelled import pairs_of
    >>> pairs_of('level=info msg="it is done" ms=12.5')
    {'level': 'info', 'msg': 'it is done', 'ms': 12.5}
    """
    return _first_of_each(_EQUAL, text, "\"'")


def _first_of_each(pattern: re.Pattern[str], text: str, around: str | None) -> dict[str, object]:
    """Return the first value of each name that a pattern finds, without the signs around it."""
    found: dict[str, object] = {}
    for name, value in pattern.findall(text):
        found.setdefault(name, _value(value.strip(around)))
    return found


def _value(text: str) -> object:
    return float(text) if is_number(text) else text


def measured(text: str) -> dict[str, object]:
    """Return the numbers that a text names with a colon, without what stands behind them.

    Parameters
    ----------
    text
        Of a line.

    Examples
    --------
    >>> from streamrnn_files.labelled import measured
    >>> measured("Ping: 18.459 ms, Hops: 4")
    {'Ping': 18.459, 'Hops': 4.0}
    """
    return _first_of_each(_COLON, text, None)


def _moment(line: str) -> tuple[str | None, str]:
    """Return the moment that a line begins with, and what follows it."""
    found = _MOMENT.match(line)
    return (None, line) if found is None else (found.group(1).replace(",", "."), line[found.end() :])


def _row(line: str) -> dict[str, object]:
    moment, rest = _moment(line)
    row = pairs_of(rest)
    if len(row) < 2:
        row = measured(rest) or row
    return row if moment is None else {"timestamp" if "time" in row else "time": moment, **row}


def _covered(line: str) -> bool:
    """Whether a line holds little else than numbers with their names."""
    rest = re.sub(r"^[^\w]*(?:->|[])>]) *", "", _moment(line)[1])
    left = re.sub(r"[\s,;|]", "", _COLON.sub("", rest))
    return len(left) <= 0.3 * len(rest.strip())


def is_labelled(lines: Sequence[str]) -> bool:
    """Whether lines name each of their values, all of them the same ones, or most.

    Parameters
    ----------
    lines
        The first lines of a file, without their ends.

    Examples
    --------
    >>> from streamrnn_files.labelled import is_labelled
    >>> is_labelled(["a=1 b=2", "a=2 b=1"]), is_labelled(["Temp: 23.4 C, Hum: 45 %"]), is_labelled(["time,load", "10:00,4"])
    (True, True, False)
    """
    titles = next((i for i, line in enumerate(lines[:TITLES]) if pairs_of(line) or measured(line)), 0)
    lines = lines[titles:]
    if len(lines) < 1 + titles:
        return False
    equal = [set(pairs_of(_moment(line)[1])) for line in lines]
    if all(len(names) > 1 for names in equal) and len(set.intersection(*equal)) > 1:
        return True
    colon = [tuple(measured(_moment(line)[1])) for line in lines]
    return bool(colon[0]) and len(set(colon)) == 1 and all(map(_covered, lines))


def labelled_rows(line: str) -> list[dict[str, object]] | None:
    """Return the record of a line, with the moment it begins with as ``time``; None where it names no value.

    Parameters
    ----------
    line
        Without its line end.

    Examples
    --------
    >>> from streamrnn_files.labelled import labelled_rows
    >>> labelled_rows("2024-03-04 00:00:01 [main] Temp: 23.4, Hum: 45")
    [{'time': '2024-03-04 00:00:01', 'Temp': 23.4, 'Hum': 45.0}]
    """
    row = _row(line)
    return [row] if any(name not in ("time", "timestamp") for name in row) else None
