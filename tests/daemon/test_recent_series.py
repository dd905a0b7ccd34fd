"""Which series can be looked at."""

from __future__ import annotations

import numpy as np

from streamrnn.daemon.recent_series import FEATURES_KEPT, POINTS_KEPT, SERIES_KEPT, RecentSeries
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored


def take(seen: RecentSeries, keys: list[str], alarms: list[bool] | None = None) -> None:
    n = len(keys)
    values = np.arange(float(n)).reshape(n, 1)
    seen.take(
        Block(("a",), values, list(range(n)), n, keys=keys), Scored(np.zeros(n), values, alarms or [False] * n, [])
    )


def test_alarms_are_remembered() -> None:
    """However many keys come after it, the series that alarms most stays on top, and all its alarms are counted."""
    seen = RecentSeries()
    for i in range(50):
        take(seen, ["bad", *(f"k{i * 100 + j}" for j in range(100))], [i % 10 == 0] + [False] * 100)

    name, series = seen.worst()[0]

    assert name == ("0", "bad")
    assert (series.events, series.alarms, len(series.points)) == (50, 5, 50)
    assert len(seen.worst()) == SERIES_KEPT + 1


def test_bounded() -> None:
    """Neither keys nor alarms nor events without end make it grow; those that alarm more often stay."""
    seen = RecentSeries()
    take(seen, [f"often{i}" for i in range(10) for _ in range(3)], [True] * 30)
    for i in range(30):
        take(seen, [f"once{i}-{j}" for j in range(20)], [True] * 20)
    take(seen, ["long"] * 2000)

    found = seen.worst()
    long = seen.get(("0", "long"))

    assert [name[1] for name, _ in found[:10]] == [f"often{i}" for i in range(10)]
    assert len(found) == 2 * SERIES_KEPT
    assert long is not None
    assert (long.events, len(long.points), long.points[-1].numbers[0, 0]) == (2000, POINTS_KEPT, 1999.0)


def test_seen_last() -> None:
    """Of series that do not alarm those seen last stay, also where a block holds many more."""
    seen, keys = RecentSeries(), [f"k{i}" for i in range(200)]

    take(seen, keys)
    take(seen, [*keys, keys[0]])

    assert {name[1] for name, _ in seen.worst()} == {keys[0], *keys[-SERIES_KEPT + 1 :]}


def test_who_is_watched_stays() -> None:
    """However many keys come after it, a series that somebody looks at keeps its points; the one looked at longest ago gives way."""
    seen = RecentSeries()
    seen.watch(("0", "quiet"))
    for i in range(20):
        take(seen, ["quiet", *(f"k{i * 100 + j}" for j in range(100))])
    quiet = seen.get(("0", "quiet"))

    assert quiet is not None
    assert (quiet.events, len(quiet.points)) == (20, 20)
    for i in range(SERIES_KEPT):
        seen.watch(("0", f"other{i}"))
    assert seen.get(("0", "quiet")) is None
    assert len(seen.worst()) == 2 * SERIES_KEPT


def test_features() -> None:
    """The first features are kept, with names that are safe to show; of one that came later the points before it say nothing."""
    seen = RecentSeries()
    names = ("a", "b\x1b[2J", *(f"c{i}" for i in range(20)))
    for n in (1, len(names)):
        values = np.arange(3.0 * n).reshape(3, n)
        scored = Scored(np.zeros(3), values + 1.0, [False] * 3, [], details={"threshold": np.full(3, 0.5)})
        seen.take(Block(names[:n], values, [0, 1, 2], 3), scored)

    series = seen.get(("0", None))
    assert series is not None
    found = series.columns()

    assert [len(found[name]) for name in ("time", "score", "threshold", "alarm")] == [6] * 4
    assert len(found["features"]) == FEATURES_KEPT
    first, second = found["features"][:2]
    assert (first["name"], first["value"], first["expected"][0]) == ("a", [0.0, 1.0, 2.0, 0.0, 22.0, 44.0], 1.0)
    assert "\x1b" not in second["name"]
    assert np.isnan(second["value"][:3]).all()
    assert second["value"][3:] == [1.0, 23.0, 45.0]
    assert np.isnan(first["low"]).all()


def test_feedback_is_no_point() -> None:
    """A record with nothing but feedback, and the time where a column is that, is no event that is shown; the column of feedback is no feature."""
    seen = RecentSeries()
    seen.label, seen.time = "said", "at"
    values = np.array([[1.0, 5.0, np.nan], [1.0, np.nan, 0.0], [2.0, 6.0, 1.0]])
    block = Block(("at", "level", "said"), values, (0, 1, 2), 3)

    seen.take(block, Scored(np.zeros(3), np.zeros((3, 3)), [False] * 3, []))

    [(_, series)] = seen.worst()
    assert (series.events, series.features) == (2, ("at", "level"))
