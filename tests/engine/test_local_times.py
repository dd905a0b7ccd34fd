"""Times without a zone: those of the zone that is named, and the hour that comes twice told apart by the order of a key's records."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from streamrnn.config import Alarm, Records
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, ModelChangedError
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.times import seconds_of

KIND = model_kind("RNNAnomalyDetector", {"hidden_size": 8})
AUTUMN, SPRING = datetime(2024, 10, 26, 20, tzinfo=UTC), datetime(2024, 3, 30, 20, tzinfo=UTC)


def shard(zone="Europe/Berlin", **options):
    return Shard(KIND, Alarm(), records=Records(zone=zone, **options))


def placed(made, times, keys=None, start=0):
    n = len(times)
    block = Block(("x",), np.zeros((n, 1)), range(start, start + n), start + n, keys, times)
    return [time for piece in made.gather(block) for time in piece.block.times]


def night(start, step_s, hours=10, zone="Europe/Berlin"):
    """Moments in even steps over the night in which clocks are set, and what a local clock writes."""
    moments = [start + timedelta(seconds=step_s * i) for i in range(int(3600 * hours / step_s))]
    return [one.timestamp() for one in moments], [
        f"{one.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" for one in moments
    ]


@pytest.mark.parametrize("start", [AUTUMN, SPRING])
@pytest.mark.parametrize("step_s", [3600, 1800, 900, 60, 7])
def test_the_night_in_which_clocks_are_set(start, step_s):
    """A series in even steps: each local time becomes the moment that it was written at, the doubled hour in both its turns."""
    moments, written = night(start, step_s)
    made = shard()

    assert [seconds_of(time) for time in placed(made, written)] == moments
    assert made.of_windows()["doubled"] == sum(time.startswith("2024-10-27 02") for time in written)
    assert made.of_windows()["skipped"] == 0


def test_each_key_has_its_own_order_and_restarts_change_nothing():
    """Three sensors in turn; a snapshot taken up in the middle of the doubled hour knows which of the two it is."""
    moments, written = night(AUTUMN, 600)
    times = [time for time in written for _ in "abc"]
    keys = [key for _ in written for key in "abc"]
    made, found = shard(), []
    for a, b in itertools.pairwise([0, 50, 77, 80, 85, 95, len(times)]):
        again = shard()
        again.restore(made.snapshot())
        made = again
        found += placed(made, times[a:b], keys[a:b], a)

    assert [seconds_of(time) for time in found] == [moment for moment in moments for _ in "abc"]


def test_events_of_one_second_stay_in_their_hour():
    """Records that come many a second: the same time twice is no second turn of the hour."""
    made = shard()
    times = ["2024-10-27 02:10:00", "2024-10-27 02:10:00", "2024-10-27 02:10:01", "2024-10-27 02:10:01"]

    assert {time[-6:] for time in placed(made, times)} == {"+02:00"}


def test_an_hour_that_there_was_not_is_read_and_counted():
    """02:30 of the night in spring: as if clocks had not been set."""
    made = shard()

    assert placed(made, ["2024-03-31T02:30:00"]) == ["2024-03-31T02:30:00+01:00"]
    assert made.of_windows()["skipped"] == 1


def test_what_has_a_zone_or_is_no_time_is_left_alone():
    """Numbers, times with an offset, words, and the ends of the calendar."""
    times = [1.7e9, None, "2024-01-01T00:00:00Z", "soon", "0001-01-01", "9999-12-31T23:59:59", "1700000000"]

    found = placed(shard("America/New_York"), times)

    assert [found[i] for i in (0, 1, 2, 3, 6)] == [times[i] for i in (0, 1, 2, 3, 6)]


def test_windows_count_both_turns_of_the_hour():
    """With a zone the doubled hour has its records in hours of their own; without one they come late."""
    _, written = night(AUTUMN, 60)
    known, unknown = shard(every="30m"), shard(None, every="30m")

    for made in (known, unknown):
        list(placed(made, written))

    assert (known.of_windows()["late"], unknown.of_windows()["late"]) == (0, 30)


def test_another_zone_is_refused():
    """A snapshot says which zone it was written with; a zone that there is not is said with the nearest one."""
    with pytest.raises(ModelChangedError, match=r"zone 'Europe/Berlin', now it is unset"):
        Shard(KIND, Alarm()).restore(shard().snapshot())
    with pytest.raises(
        ConfigError, match=r"there is no zone 'Europe/Berln', such as Europe/Berlin. Did you mean 'Europe/Berlin'"
    ):
        Records(zone="Europe/Berln")
