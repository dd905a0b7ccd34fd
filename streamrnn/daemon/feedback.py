"""A person's word on an alarm, taken over HTTP and appended to the input: off unless a token is set."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from streamrnn.daemon.recent_alarms import RecentAlarm
from streamrnn.errors import StreamrnnError
from streamrnn.io import Feedback, FeedbackSource
from streamrnn.safe_text import safe_text

__all__ = ["FeedbackDesk", "Reply"]

BUSY_S = 3.0
"""How long to wait for the word of another person to be written."""


class Reply(NamedTuple):
    """What the one who spoke is told.

    Parameters
    ----------
    code
        Of HTTP.
    text
        One sentence.
    """

    code: int
    text: str


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    """What is sent: the ``alarm`` of ``/status``, and whether it was one."""

    alarm: str
    anomaly: bool


class FeedbackDesk:
    """Takes words on the latest alarms, and has the source append them to the input. Used from many threads.

    They count when the run reads them, at their place in the stream: this changes neither model nor results by itself.

    Parameters
    ----------
    token
        What whoever speaks must send: ``Authorization: Bearer TOKEN``.
    source
        Of the run's input, but not the run's own: not entered.
    label
        The column that feedback is read from.
    find
        Returns the alarm of a name, None where it is not among the latest.

    Examples
    --------
    >>> from streamrnn.daemon.feedback import FeedbackDesk
    >>> desk = FeedbackDesk("s3cret-s3cret-s3cret", None, "said", lambda _: None)
    >>> desk.take("Bearer s3cret", b'{"alarm": "a", "anomaly": false}').code
    401
    >>> desk.take("Bearer s3cret-s3cret-s3cret", b'{"alarm": "a", "anomaly": false}')
    Reply(code=404, text='This alarm is not among the latest any more.')
    """

    def __init__(
        self, token: str, source: FeedbackSource, label: str, find: Callable[[str], RecentAlarm | None]
    ) -> None:
        self._token = token.encode()
        self._source = source
        self._label = label
        self._find = find
        self._lock = threading.Lock()

    def take(self, authorization: str | None, body: bytes) -> Reply:
        """Take a word.

        Parameters
        ----------
        authorization
            The header of that name.
        body
            JSON: ``{"alarm": NAME, "anomaly": true}``.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
            return Reply(401, "The token is missing or not the one of [server] feedback_token.")
        try:
            word = msgspec.json.decode(body, type=_Said)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Reply(400, 'Send JSON: {"alarm": "the alarm of /status", "anomaly": true or false}.')
        found = self._find(word.alarm)
        if found is None:
            return Reply(404, "This alarm is not among the latest any more.")
        if found.worst.time is None:
            return Reply(409, "The event has no time, by which feedback could name it.")
        said = Feedback(found.partition, found.key, found.worst.time, self._label, word.anomaly)
        return self._write(said)

    def _write(self, said: Feedback) -> Reply:
        if not self._lock.acquire(timeout=BUSY_S):
            return Reply(503, "The word of somebody else is being written; say it again in a moment.")
        try:
            self._source.append_feedback(said)
        except StreamrnnError as error:
            return Reply(503, safe_text(str(error)))
        finally:
            self._lock.release()
        return Reply(200, "Written into the input; it counts once the run has read it.")
