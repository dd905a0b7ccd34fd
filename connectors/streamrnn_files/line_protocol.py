"""InfluxDB's line protocol to JSON Lines."""

from __future__ import annotations

import re
from typing import Any

import msgspec

__all__ = ["ProtocolLines", "is_protocol"]

_POINT = re.compile(
    r'((?:[^,\\ ]|\\.)+)((?:,(?:[^,=\\ ]|\\.)+=(?:[^,\\ ]|\\.)+)*) ((?:[^,=\\ ]|\\.)+=(?:"(?:[^"\\]|\\.)*"|[^, "]+)'
    r'(?:,(?:[^,=\\ ]|\\.)+=(?:"(?:[^"\\]|\\.)*"|[^, "]+))*)(?: (-?\d+))?\s*'
)
_PAIR = re.compile(r',?((?:[^,=\\ ]|\\.)+)=("(?:[^"\\]|\\.)*"|(?:[^,\\ ]|\\.)+)')


def is_protocol(line: str) -> bool:
    """Whether a line is a point of line protocol.

    Parameters
    ----------
    line
        Without its line end.

    Examples
    --------
    >>> from streamrnn_files.line_protocol import is_protocol
    >>> is_protocol("cpu,host=a load=1.5 1709510400000000000"), is_protocol("time value"), is_protocol("a=1 b=2")
    (True, False, False)
    """
    found = _POINT.fullmatch(line)
    return found is not None and "=" not in found.group(1) and (bool(found.group(4)) or bool(found.group(2)))


def _value(text: str) -> Any:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text.lower() in ("t", "true", "f", "false"):
        return text.lower()[0] == "t"
    try:
        return float(text.removesuffix("i").removesuffix("u"))
    except ValueError:
        return text


def _point(line: str) -> dict[str, Any] | None:
    """Return the fields of a point, None where the line is none.

    Parameters
    ----------
    line
        Without its line end.
    """
    found = _POINT.fullmatch(line)
    if found is None:
        return None
    measurement, tags, fields, time = found.groups()
    names = [re.sub(r"\\(.)", r"\1", part) for part in [measurement, *(b for _, b in _PAIR.findall(tags or ""))]]
    row: dict[str, Any] = {"time": None if time is None else int(time), "series": ",".join(names)}
    return row | {re.sub(r"\\(.)", r"\1", name): _value(text) for name, text in _PAIR.findall(fields)}


class ProtocolLines:
    r"""Makes JSON Lines of line protocol: ``time``, ``series`` (the measurement and its tags), and the fields.

    Examples
    --------
    >>> from streamrnn_files.line_protocol import ProtocolLines
    >>> ProtocolLines().feed(b"cpu,host=a load=1.5,n=2i 17\n", final=True)
    b'{"time":17,"series":"cpu,a","load":1.5,"n":2.0}\n'
    """

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines of the points that are whole by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.
        """
        lines = (self._buffer + data).split(b"\n")
        self._buffer = b"" if final else lines.pop()
        found = []
        for line in lines:
            text = line.decode(errors="replace").strip()
            if not text or text.startswith("#"):
                continue
            row = _point(text)
            found.append(line.strip() if row is None else msgspec.json.encode(row))
        return b"".join(one + b"\n" for one in found)
