"""Access logs of web servers, common and combined, to JSON Lines."""

from __future__ import annotations

import re

from streamrnn_files.labelled import pairs_of

__all__ = ["access_rows", "is_access"]

_LINE = re.compile(
    r'(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)(?P<rest>.*)'
)
_SECONDS = re.compile(r"(?:^| )(\d+\.\d+)(?= |$)")


def is_access(line: str) -> bool:
    """Whether a line is one of an access log.

    Parameters
    ----------
    line
        Without its line end.

    Examples
    --------
    >>> from streamrnn_files.access_log import is_access
    >>> is_access('10.0.0.1 - - [04/Mar/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 123'), is_access("a,b")
    (True, False)
    """
    return _LINE.fullmatch(line) is not None


def access_rows(line: str) -> list[dict[str, object]] | None:
    """Return the record of a line: client, user, time, request, status, bytes, and what follows as ``name=number`` or as seconds.

    Parameters
    ----------
    line
        Without its line end.

    Examples
    --------
    >>> from streamrnn_files.access_log import access_rows
    >>> access_rows('10.0.0.1 - - [04/Mar/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 123 "-" "curl" 0.012')[0]["duration"]
    0.012
    """
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    row: dict[str, object] = {name: text for name, text in found.groupdict().items() if name != "rest" and text != "-"}
    row["status"] = int(found["status"])
    if found["bytes"] != "-":
        row["bytes"] = int(found["bytes"])
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", found["rest"])
    row |= {name: value for name, value in pairs_of(rest).items() if name not in row}
    if seconds := _SECONDS.search(rest):
        row["duration"] = float(seconds.group(1))
    return [row]
