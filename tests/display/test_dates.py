"""Times of the input as dates: only where all of them are, and none runs backward."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from streamrnn.daemon.times import epoch_seconds
from streamrnn.display.dates import date_of, dates_of
from streamrnn.scorers.times import seconds_of

READERS: dict[str, Callable[[str], Any]] = {
    "models": seconds_of,
    "daemon": epoch_seconds,
    "pictures": lambda text: (np.datetime64(date_of(text)) - np.datetime64(0, "s")) / np.timedelta64(1, "s"),
}


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process whose own zone is nine hours off."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize("reader", READERS)
def test_a_time_without_a_zone_is_utc(reader: str) -> None:
    """Wherever a process runs, a time of the input is the same moment: without a zone it is in UTC, with one in that."""
    found = [READERS[reader](text) for text in ("1970-01-02", "1970-01-02T00:00:00", "1970-01-02T02:00+02:00", "86400")]

    assert found == [86400.0] * 4


@pytest.mark.parametrize(
    ("times", "are"),
    [
        (["2022-03-20T01:00", "2022-03-20T01:00", "2022-03-20T02:00"], True),  # several events of one moment
        (["2022-03-20T01:00", "2022-03-20T00:59"], False),
        (["2022-03-20T01:00", "soon"], False),
        ([1.7e9, 1.7e9 + 0.5], True),
    ],
)
def test_an_axis_of_dates(times: list[object], are: bool) -> None:
    """Where one time is no date, or lies before the one before it, events are counted instead; equal ones are dates."""
    assert (dates_of(times) is not None) == are
