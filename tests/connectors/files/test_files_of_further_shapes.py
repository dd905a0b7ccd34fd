"""Over a hundred files in the shapes of public data sets, loggers, services and exports: each is read as a person would, without an option."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from files_rig import Got, take
from shaped import Case
from shaped_documents import DOCUMENTS
from shaped_tables import TABLES

from streamrnn_files import FileSource

CASES = TABLES | DOCUMENTS

WAIVED = {
    "google analytics": "a row of totals has an empty cell for its time: an event, of which it is said that it has none"
}
"""What is read otherwise than a person would."""


def seconds(time: str | float) -> float:
    """A time as seconds since 1970."""
    try:
        number = float(time)
    except ValueError:
        moment = datetime.fromisoformat(str(time).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return next(number / scale for scale in (1, 1e3, 1e6, 1e9) if number / scale < 4.2e9)


def wrong(case: Case, path: Path) -> list[Any]:
    """What a person would say otherwise."""
    with FileSource.from_path(path) as source:
        got = take(source, Got(), wait=5.0)
        found = source.chosen() or {}
    columns = [name for name in found["columns"] if name not in case.maybe]
    time = found["time"] and found["time"]["column"]
    times = (seconds(got.times[0]), seconds(got.times[-1])) if case.times else None
    at = got.names.index(case.columns[0]) if case.columns[0] in got.names else 0
    says = {
        "columns": (columns, list(case.columns)),
        "time": (time if not isinstance(case.time, tuple) or time not in case.time else case.time, case.time),
        "times": (times, case.times and tuple(map(seconds, case.times))),
        "key": (found["key"], case.key),
        "keys": (None in got.keys, False),
        "events": (len(got.rows), case.events),
        "dead": (len(got.dead) if case.dead >= 0 else -1, case.dead),
        "value": (case.value and pytest.approx(got.values[0][at], rel=1e-3), case.value),
    }
    return [(what, is_, should) for what, (is_, should) in says.items() if is_ != should]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=WAIVED[name])) if name in WAIVED else name
        for name in CASES
    ],
)
def test_shapes_are_read_as_a_person_would(tmp_path, name):
    """Columns, time, first and last moment in UTC, key, events, and the first value."""
    case = CASES[name]
    path = tmp_path / case.file
    path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())

    assert wrong(case, path) == []
