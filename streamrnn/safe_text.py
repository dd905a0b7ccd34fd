"""Text from the stream, made safe to show: in a terminal, a log, a page, a picture.

A key, a column, a topic or a file may be called anything: terminal commands, line breaks, letters that turn the direction of
those behind them, a thousand characters. :func:`safe_name` makes any name one to show, :func:`safe_text` any line. What is shown
for a character that cannot be seen is its escape in JSON, so that JSON stays JSON. Data go out as they came: results, dead letters.
"""

from __future__ import annotations

import json
import re
import unicodedata

from streamrnn.config_secrets import redact

__all__ = ["PLACES", "safe_name", "safe_text"]

PLACES = 32
"""Places of a terminal that a name may take: those of sensors and topics do, and a table of names stays one."""

_MOST = 4 * PLACES  # characters looked at from either end: more cannot be shown

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Characters that Unicode counts as printable, and that nobody sees."""

_FIRST_STRONG, _POP = "\u2068", "\u2069"
_TURNING = ("R", "AL", "AN")


def _shown(character: str) -> str:
    """Return a character as it can be seen: controls, directions, ends of lines and what has no width as an escape."""
    if character.isprintable() and not _BLANK.match(character):
        return character
    return json.dumps(character)[1:-1]


def _turns(character: str) -> bool:
    return unicodedata.bidirectional(character) in _TURNING


def _isolated(text: str) -> str:
    """Return ``text`` with each stretch that runs from right to left kept from turning what is around it."""
    if text.isascii():
        return text
    places = [i for i, character in enumerate(text) if _turns(character)]
    found, done = [], 0
    for i in places:
        if i < done:
            continue
        end = i
        for k in range(i, len(text)):
            if unicodedata.bidirectional(text[k]) == "L":
                break
            end = k if _turns(text[k]) else end
        found += [text[done:i], _FIRST_STRONG, text[i : end + 1], _POP]
        done = end + 1
    return "".join([*found, text[done:]])


def safe_text(text: object, *, isolate: bool = True) -> str:
    r"""Return one line of text without secrets, and without anything that a terminal or a reader would obey.

    Parameters
    ----------
    text
        Anything that has a text.
    isolate
        Whether to keep what is written from right to left from turning the rest. A picture cannot.

    Examples
    --------
    >>> from streamrnn.safe_text import safe_text
    >>> print(safe_text("\x1b[2Jtopic\n"))
    \u001b[2Jtopic\n
    """
    whole = redact(str(text))
    if not whole.isprintable() or not whole.isascii():
        whole = "".join(map(_shown, whole))
    return _isolated(whole) if isolate else whole


def safe_name(name: object, places: int = PLACES, *, isolate: bool = True) -> str:
    r"""Return a name to show: as :func:`safe_text`, and where it is too long, its beginning and its end.

    Parameters
    ----------
    name
        Of a key, a column, a partition, a file. Secrets are taken out before it is cut.
    places
        How many it may take in a terminal.
    isolate
        See :func:`safe_text`.

    Examples
    --------
    >>> from streamrnn.safe_text import safe_name
    >>> safe_name("turbines.europe.north.temperature/12", 20)
    'turbines.e…rature/12'
    >>> print(safe_name("a\u202eb\n"))
    a\u202eb\n
    """
    whole = redact(str(name))
    long = len(whole) > 2 * _MOST
    units = [_shown(one) for one in (whole[:_MOST] + whole[-_MOST:] if long else whole)]
    if units and unicodedata.combining(units[0][0]):  # would sit on whatever stands before the name
        units[0] = json.dumps(units[0])[1:-1]
    if long or sum(map(_width, units)) > places:
        head = _fitting(units, (places - 1) - (places - 1) // 2)
        tail = _fitting(units[::-1], (places - 1) // 2)[::-1]
        while tail and unicodedata.combining(tail[0][0]):
            del tail[0]
        units = [*head, "…", *tail]
    shown = "".join(units)
    return f"{_FIRST_STRONG}{shown}{_POP}" if isolate and any(map(_turns, shown)) else shown


def _width(unit: str) -> int:
    """Return the places that a character or an escape takes; a mark above another counts too, or there could be a thousand."""
    return 2 if unicodedata.east_asian_width(unit[0]) in "WF" else len(unit)


def _fitting(units: list[str], places: int) -> list[str]:
    """Return the first units that fit."""
    taken = 0
    for i, unit in enumerate(units):
        taken += _width(unit)
        if taken > places:
            return units[:i]
    return units
