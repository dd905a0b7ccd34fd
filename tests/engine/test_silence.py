"""A key that no longer reports is an alarm, at the record that shows it, by the records' times alone."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from streamrnn.config import Alarm, Alarms
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind

KIND = model_kind("RNNAnomalyDetector", {"hidden_size": 8})


def shard(max_gap="10m", **options):
    return Shard(KIND, Alarm(), alarms=Alarms(path="-", max_gap=max_gap), **options)


def block(events, start=0):
    """Events as (key, seconds)."""
    n = len(events)
    keys = None if events[0][0] is None else [key for key, _ in events]
    return Block(("x",), np.zeros((n, 1)), range(start, start + n), start + n, keys, [when for _, when in events])


def said(events, cuts=None, resume=False, **options):
    """The alarms, as (row, event, key)."""
    made, found = shard(**options), []
    for a, b in itertools.pairwise(cuts or [0, len(events)]):
        if resume and a:
            again = shard(**options)
            again.restore(made.snapshot())
            made = again
        found += [json.loads(one.data) for one in made.score(block(events[a:b], a)).episodes]
    return [(one.get("start", one.get("end"))["position"], one["event"], one["key"]) for one in found]


def fleet(n=120, step=60.0, dead=("b", 30, 80)):
    """Three keys in turn every minute; one stops for a while."""
    key, start, stop = dead
    return [
        (name, step * i + offset)
        for i in range(n)
        for offset, name in enumerate("abc")
        if not (name == key and start <= i < stop)
    ]


def test_a_key_that_stops_alarms_at_the_record_that_shows_it():
    """Ten minutes after its last report another key's record says so; its next one ends the silence."""
    events = fleet()
    found = said(events)

    shown = next(i for i, (_, when) in enumerate(events) if when > 60.0 * 29 + 1 + 600)
    back = next(i for i, (key, when) in enumerate(events) if key == "b" and when > 60.0 * 30)
    assert found == [(shown, "start", "b"), (back, "end", "b")]


@pytest.mark.parametrize("max_gap", ["10m", "auto"])
def test_blocks_and_restarts_leave_no_mark(max_gap):
    """One by one, in blocks of 7, restored at each of them: the same alarms."""
    events = fleet()
    whole = said(events, max_gap=max_gap)

    assert len(whole) == 2
    for size in (1, 7):
        cuts = [*range(0, len(events), size), len(events)]
        assert said(events, cuts, max_gap=max_gap) == whole
    assert said(events, [*range(0, len(events), 13), len(events)], resume=True, max_gap=max_gap) == whole


def test_the_usual_gap_is_learned_from_each_key():
    """A key that reports each hour is not silent after ten minutes, one that reports each minute is after three."""
    events = sorted(
        [("minute", 60.0 * i) for i in range(2000) if not 1500 <= i < 1510]
        + [("hour", 3600.0 * i + 7) for i in range(34)],
        key=lambda one: one[1],
    )
    found = said(events, max_gap="auto")

    assert {key for _, _, key in found} == {"minute"}
    assert said([(key, 60.0 * when) for key, when in events], max_gap="auto") == found


def test_a_record_from_2099_silences_nobody():
    """One clock gone wrong moves no watermark, is counted, and a key still is silent when it is."""
    events = fleet()
    wrong = [*events[:50], ("c", 4000000000.0), *events[50:]]
    one = shard()
    one.score(block(wrong))

    assert [(event, key) for _, event, key in said(wrong)] == [("start", "b"), ("end", "b")]
    assert one.times_passed_over == 1
    assert said([("c", 4e9), *events])[-2:] == [(row + 1, event, key) for row, event, key in said(events)]


def test_a_pause_of_all_is_followed():
    """After a pause longer than max_ahead ten records in a row are believed; then each key's silence ends where it reports."""
    events = [("a", 60.0 * i) for i in range(40)] + [("a", 1e6 + 60.0 * i) for i in range(40)]
    found = said(events)

    assert found == [(49, "start", "a"), (49, "end", "a")]


def test_a_stream_without_keys_has_gaps():
    """A single series: the record after the gap tells start and end."""
    events = [(None, 60.0 * i) for i in range(50) if not 20 <= i < 40]

    assert said(events) == [(20, "start", None), (20, "end", None)]


def test_a_silent_key_that_is_forgotten_is_not_asked_for():
    """An evicted key is no key any more."""
    events = [("a", 0.0), ("b", 1.0), ("c", 2.0), *[("c", 60.0 * i) for i in range(1, 40)]]

    assert [key for _, _, key in said(events)] == ["a", "b"]
    assert [key for _, _, key in said(events, max_keys=2)] == ["b"]


def test_what_it_needs_is_said():
    """Without times it cannot be; a duration that is none is refused."""
    with pytest.raises(ConfigError, match=r"\[source\] time"):
        shard().score(Block(("x",), np.zeros((1, 1)), (0,), 1))
    for wrong in ("soon", 0, -1.0, "10 weeks"):
        with pytest.raises(ConfigError, match="max_gap"):
            Alarms(path="-", max_gap=wrong)
    with pytest.raises(ConfigError, match="max_ahead"):
        Alarms(path="-", max_ahead="auto")
