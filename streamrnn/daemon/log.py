"""Log lines: one for a start, a stop, a change of state. logfmt where a person reads, JSON where a machine does."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from streamrnn.config_secrets import redact, redact_all
from streamrnn.safe_text import safe_text

__all__ = ["LogFormat", "say", "set_up"]

LogFormat = Literal["auto", "logfmt", "json"]
_LOGGER = logging.getLogger("streamrnn")
_WARNING = re.compile(r"[^\n]*?:\d+: \w+: (.*?)(?:\n  [^\n]*)?\n?\Z", re.DOTALL)
"""What Python makes of a warning: place, category, the text, the line of source. A log has use for the text alone."""


def say(event: str, level: int = logging.INFO, **fields: Any) -> None:
    r"""Log that ``event`` happened, with what belongs to it.

    Parameters
    ----------
    event
        Its name, a word.
    level
        As in :mod:`logging`.
    **fields
        What belongs to it, by name.

    Examples
    --------
    >>> import io
    >>> from streamrnn.daemon.log import say, set_up
    >>> out = io.StringIO()
    >>> set_up("logfmt", "info", out)
    >>> say("stopped", events=3, reason="the source ended")
    >>> out.getvalue().partition(" ")[2]
    'level=info event=stopped events=3 reason="the source ended"\n'
    """
    _LOGGER.log(level, event, extra={"fields": fields})


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = getattr(record, "fields", None)
    fields = {"time": when, "level": record.levelname.lower()}
    if told is not None:
        return {**fields, "event": record.msg, **told}
    if record.name == "py.warnings" and (found := _WARNING.match(record.getMessage())):
        return {**fields, "event": "warning", "message": _line(found[1])}
    # What another library says: its name, and its message in one line.
    return {**fields, "event": "message", "logger": record.name, "message": _line(record.getMessage())}


def _line(text: str) -> str:
    """Return a text in one line; without secrets before its blanks are others."""
    return " ".join(redact(text).split())


def _logfmt(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) or value is None else redact(str(value))
    return text if text and not set(text) & set(' ="\\') and text == safe_text(text) else json.dumps(text)


class _Formatter(logging.Formatter):
    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        fields = redact_all(_fields(record))
        if self.as_json:
            return json.dumps(fields, default=lambda value: redact(str(value)))
        return " ".join(f"{name}={_logfmt(value)}" for name, value in fields.items())


def set_up(
    form: LogFormat = "auto", level: str = "info", stream: TextIO | None = None, clients: Sequence[str] = ()
) -> None:
    """Send log lines, and the warnings of Python and of libraries, to ``stream``.

    Parameters
    ----------
    form
        auto: logfmt on a terminal, else JSON.
    level
        debug, info, warning or error. Other libraries speak from warning up.
    stream
        Standard error by default.
    clients
        Loggers of the connectors' client libraries, which speak with debug only: a client reports each lost connection as an
        error and then mends it; what it cannot mend is our own error.
    """
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(as_json=form == "json" or (form == "auto" and not stream.isatty())))
    if level != "debug":  # a filter: the connector listens to this logger to learn why a connection is refused
        handler.addFilter(lambda record: not any(f"{record.name}.".startswith(f"{name}.") for name in clients))
    logging.captureWarnings(capture=True)
    for name in ("streamrnn", "py.warnings", *clients):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(level.upper() if name == "streamrnn" else logging.WARNING)
