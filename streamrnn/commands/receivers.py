"""Who is told of alarms: a webhook takes each as it is; an Alertmanager holds episodes that are open, and is told so again and again."""

from __future__ import annotations

import http.client
import json
import math
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

from streamrnn.safe_text import safe_name
from streamrnn.scorers.times import seconds_of

__all__ = ["AGAIN_S", "Alertmanager", "Answer", "Receiver", "Webhook", "decoded", "known_by"]

TRY_LATER = (408, 425, 429)
"""Refusals of HTTP that are about the moment; other 4xx are about the alarm, and come again with it."""

AGAIN_S = 60.0
"""How often an Alertmanager is told of an episode that goes on; it takes one for ended that it did not hear of for four times as long."""

_DATES = 1e8, 1e11
"""Numbers that are a time in seconds since 1970 (1973 to 5138): a time that counts something else says nothing of the clock."""


class Answer(NamedTuple):
    """What a receiver made of a post.

    Parameters
    ----------
    why
        Why it was not taken; None: it was.
    for_good
        Whether the same post would be refused again.
    """

    why: str | None = None
    for_good: bool = False


class Receiver(Protocol):
    """Who is told of alarms."""

    name: str
    """As the log and the position file name it."""

    reminded: bool
    """Whether it is to be told of open episodes again and again."""

    def post(self, alarms: list[bytes]) -> Answer:
        """Tell it of alarms, once.

        Parameters
        ----------
        alarms
            Lines of the output for alarms; one, where it is not told again.
        """


class Webhook:
    """Takes each alarm as the run wrote it, with its id in ``Idempotency-Key``.

    Parameters
    ----------
    url
        Where it listens.
    timeout_s
        Seconds that an answer is waited for.
    """

    name = "webhook"
    reminded = False

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def post(self, alarms: list[bytes]) -> Answer:
        """Post one alarm.

        Parameters
        ----------
        alarms
            It alone.
        """
        [data] = alarms
        return _posted(self._url, data, {"Idempotency-Key": str(decoded(data).get("id", ""))}, self._timeout_s)


class Alertmanager:
    """Takes episodes as alerts, by version 2 of its API: one that starts fires, one that ends is resolved.

    Alerts are told apart by their labels: ``alertname`` (``StreamrnnAlarm``, or ``StreamrnnSilence``), ``partition``, ``key``, ``feature`` and
    ``view``, where an alarm has them, and those of ``labels``. What else it says is in annotations.

    Parameters
    ----------
    url
        Its address, before ``/api/v2``.
    timeout_s
        Seconds that an answer is waited for.
    labels
        Labels that every alert gets, for its routes.
    link
        Where people look: the alert's source.
    """

    name = "alertmanager"
    reminded = True

    def __init__(
        self, url: str, timeout_s: float, labels: Mapping[str, str] | None = None, link: str | None = None
    ) -> None:
        self._url = url.rstrip("/") + "/api/v2/alerts"
        self._timeout_s = timeout_s
        self._labels = dict(labels or {})
        self._link = link

    def post(self, alarms: list[bytes]) -> Answer:
        """Post alarms as alerts, at once.

        Parameters
        ----------
        alarms
            Lines of the output for alarms.
        """
        now = datetime.now(UTC)
        alerts = [self.alert(decoded(data), now) for data in alarms]
        return _posted(self._url, msgspec.json.encode(alerts), {}, self._timeout_s)

    def alert(self, alarm: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Return what the API is told of an alarm.

        Parameters
        ----------
        alarm
            A line of the output for alarms, decoded.
        now
            The time.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from streamrnn.commands.receivers import Alertmanager
        >>> start = {"time": "2022-03-29T07:00:00+02:00", "feature": "flow", "view": "value", "value": 34.4, "prediction": 106.2}
        >>> alarm = {"id": "61", "event": "start", "partition": "0", "key": None, "start": start}
        >>> alert = Alertmanager("http://localhost:9093", 10.0).alert(alarm, datetime(2022, 3, 29, 5, 1, tzinfo=UTC))
        >>> alert["labels"]
        {'alertname': 'StreamrnnAlarm', 'partition': '0', 'feature': 'flow', 'view': 'value'}
        >>> alert["startsAt"], alert["endsAt"], alert["annotations"]["summary"]
        ('2022-03-29T05:00:00+00:00', '2022-03-29T05:05:00+00:00', 'flow is 34.4, expected 106.2')
        """
        first = alarm.get("start") or alarm.get("end") or {}
        begun = min(_clock(first.get("time")) or now, now)
        if alarm.get("event") == "end":
            last = alarm.get("end") or {}
            ended = max(begun, min(_clock(last.get("time")) or now, now))
        else:
            ended = now + timedelta(seconds=4 * AGAIN_S)
        alert: dict[str, Any] = {
            "labels": self._labelled(alarm, first),
            "annotations": _annotations(alarm, first),
            "startsAt": begun.isoformat(),
            "endsAt": ended.isoformat(),
        }
        return alert | ({} if self._link is None else {"generatorURL": self._link})

    def _labelled(self, alarm: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, str]:
        found = {"alertname": _alert_name(first), "partition": alarm.get("partition")}
        found |= {"key": alarm.get("key"), "feature": first.get("feature"), "view": first.get("view")}
        return {name: str(value) for name, value in found.items() if value not in (None, "")} | self._labels


def known_by(alarm: Mapping[str, Any]) -> str:
    """Return what a start and its end have in common: of a key one episode is open at a time, and one silence.

    Parameters
    ----------
    alarm
        A line of the output for alarms, decoded.
    """
    first = alarm.get("start") or alarm.get("end") or {}
    return json.dumps([_alert_name(first), alarm.get("partition"), alarm.get("key")])


def _alert_name(first: Mapping[str, Any]) -> str:
    return "StreamrnnSilence" if first.get("view") == "silence" else "StreamrnnAlarm"


def _annotations(alarm: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, str]:
    """Return what people read."""
    worst = alarm.get("peak") or first
    named = [safe_name(str(name)) for name in (alarm.get("key"), first.get("feature")) if name is not None]
    who = " ".join(named) or "A stream"
    if first.get("view") == "silence":
        summary = f"{who} is silent"
    elif first.get("value") is None or first.get("prediction") is None:
        summary = f"{who} is not as usual"
    else:
        summary = f"{who} is {_short(first['value'])}, expected {_short(first['prediction'])}"
    found = {"summary": summary, "id": alarm.get("id"), "reason": first.get("view"), "event_time": first.get("time")}
    found |= {"value": first.get("value"), "expected": first.get("prediction"), "position": first.get("position")}
    found |= {"score": worst.get("score"), "severity": worst.get("severity"), "last_seen": first.get("last_s")}
    found |= {"worst_value": (alarm.get("peak") or {}).get("value"), "events": alarm.get("events")}
    return {name: str(value) for name, value in found.items() if value is not None}


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clock(when: object) -> datetime | None:
    """Return the time of an event as one of the clock; None where it is none."""
    seconds = seconds_of(when)
    date = isinstance(when, str) and "-" in when.strip()[1:]  # not a number in a text
    return (
        datetime.fromtimestamp(seconds, UTC)
        if not math.isnan(seconds) and (date or _DATES[0] <= seconds <= _DATES[1])
        else None
    )


def decoded(data: bytes) -> dict[str, Any]:
    """Return an alarm that was read back; nothing, where it is none.

    Parameters
    ----------
    data
        A line of the output for alarms.
    """
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}


def _posted(url: str, data: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """Post JSON once."""
    headers = {"Content-Type": "application/json", "User-Agent": "streamrnn", **headers}
    request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310  (http or https, see [alarms])
    try:
        with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310
            return Answer()
    except urllib.error.HTTPError as error:
        error.close()
        return Answer(f"HTTP {error.code}", 400 <= error.code < 500 and error.code not in TRY_LATER)
    except (OSError, http.client.HTTPException) as error:
        return Answer(str(getattr(error, "reason", None) or error) or type(error).__name__)
