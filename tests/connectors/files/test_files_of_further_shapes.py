"""Over a hundred and sixty files in the shapes of public data sets, loggers, services and exports: each is read as a person would, without an option."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from files_rig import Got, read_all, take
from shaped import FIRST, Case
from shaped_abroad import ABROAD
from shaped_documents import DOCUMENTS
from shaped_kept import KEPT
from shaped_last import LAST
from shaped_later import LATER
from shaped_public import PUBLIC_TABLES
from shaped_tables import TABLES

from streamrnn.display.chosen import unread_lines
from streamrnn_files import FileSource

CASES = TABLES | DOCUMENTS | PUBLIC_TABLES | LAST | LATER | ABROAD | KEPT


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


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_read_as_a_person_would(tmp_path, name):
    """Columns, time, first and last moment in UTC, key, events, and the first value."""
    case = CASES[name]
    path = tmp_path / case.file
    path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())

    assert wrong(case, path) == []


ARRIVING = ("world bank", "central england", "psl index", "logfmt", "nginx", "old macintosh", "klines api", "array with names", "opentsdb", "building meters", "knmi hourly", "firebase", "ping", "iostat", "intervals of meters", "years of countries in objects", "exported series", "radiation network", "google analytics", "values below their times", "a clock before its date")  # fmt: skip


@pytest.mark.parametrize("name", ARRIVING)
def test_ways_of_arriving_change_nothing(tmp_path, name):
    """Blocks of seven and of many, a start in the middle, and a pipe in pieces give the same events at the same positions."""
    case = CASES[name]
    path = tmp_path / case.file
    data = case.text if isinstance(case.text, bytes) else case.text.encode()
    path.write_bytes(data)
    whole = read_all(path)
    middle = len(whole.rows) // 2

    assert read_all(path, size=7).events() == whole.events()
    assert read_all(path, seek=whole.positions[middle]).events() == whole.events()[middle:]
    assert read_all(path, seek=whole.ends[-1]).events() == []
    pipe = tmp_path / f"pipe-{case.file}"
    os.mkfifo(pipe)

    def pour():
        with pipe.open("wb", buffering=0) as file:
            for i in range(0, len(data), 997):
                file.write(data[i : i + 997])

    writer = threading.Thread(target=pour)
    writer.start()
    piped = read_all(pipe)
    writer.join()
    assert piped.events() == whole.events()


KEYED = {
    "a.csv": "a,b,time,value\n" + "".join(f"{'xy'[i % 2]},{'uv'[i // 2 % 2]},2024-03-04T{i // 4:02}:00,{i}\n" for i in range(48)),
    "a.jsonl": "".join(json.dumps({"a": "xy"[i % 2], "b": "uv"[i // 2 % 2], "time": f"2024-03-04T{i // 4:02}:00", "value": i}) + "\n" for i in range(48)),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("asked", [None, "b + a"])
def test_two_columns_make_a_key_where_one_does_not(tmp_path, name, asked):
    """They are found, or named; the parts are neither watched nor lost."""
    (tmp_path / name).write_text(KEYED[name])

    with FileSource.from_path(tmp_path / name, key=asked) as source:
        got = take(source, Got())
        found = source.chosen()

    assert (found["key"], found["columns"]) == (asked or "a + b", ["value"])
    assert got.keys[:3] == (["u, x", "u, y", "v, x"] if asked else ["x, u", "y, u", "x, v"])


DATED = "day,sales\n" + "".join(f"2024-03-{i:02},{i}\n" for i in range(1, 20))


def test_a_row_of_totals_without_a_time_is_no_event(tmp_path):
    """The last row of a file that alone has no time, and holds the sum of all others, is a dead letter that says so."""
    (tmp_path / "a.csv").write_text(DATED + ",190\n")

    with FileSource.from_path(tmp_path / "a.csv") as source:
        got = take(source, Got())

    assert [letter.reason for letter in got.dead] == ["Column 'day': it is empty: a row of totals."]
    assert len(got.rows) == 19


def test_records_without_a_time_are_counted(tmp_path):
    """A record whose time is left empty is an event, and that is said."""
    (tmp_path / "a.csv").write_text(DATED + ",19\n")

    with FileSource.from_path(tmp_path / "a.csv") as source:
        take(source, Got())
        assert unread_lines(source.chosen()) == ["1 record has no time: a row of totals, or a cell left empty."]


def test_one_word_for_no_value_leaves_a_column_watched(tmp_path):
    """A column with few numbers and one word instead of all others is watched; its other cells are bad ones, and counted. With two words it is text."""
    rows = [
        f"2024-{1 + i // 28:02}-{1 + i % 28:02},{i if i % 3 == 0 else 'MM'},{i if i % 3 == 0 else 'xy'[i % 2]},{i * i % 7}\n"
        for i in range(40)
    ]
    (tmp_path / "a.csv").write_text("day,wave,note,wind\n" + "".join(rows))

    with FileSource.from_path(tmp_path / "a.csv") as source:
        take(source, Got())
        found = source.chosen()

    assert (found["columns"], found["bad_cells"]) == (["wave", "wind"], {"wave": {"text": 26}})


WRITTEN = {
    "2024-03-04-00.00.00.000000": "%Y-%m-%d-%H.%M.%S.000000", "2024/03/04-00:00:00": "%Y/%m/%d-%H:%M:%S", "04Mar2024:00:00:00": "%d%b%Y:%H:%M:%S",
    "Mon Mar  4 00:00:00 2024": "%a %b %e %H:%M:%S %Y", "Mon, 04 Mar 2024 00:00:00 GMT": "%a, %d %b %Y %H:%M:%S GMT", "2024-03-04 00:00:00 UTC": "%Y-%m-%d %H:%M:%S UTC",
    "2024-03-04 00:00:00 CET": "%Y-%m-%d %H:%M:%S CET", "2024-03-04 00:00:00 Europe/Berlin": "%Y-%m-%d %H:%M:%S Europe/Berlin", "2024-03-04 00:00 EST": "%Y-%m-%d %H:%M EST",
    "03/04/2024 @ 12:00AM": "%m/%d/%Y @ %I:%M%p", "20240304_000000": "%Y%m%d_%H%M%S", "2024-Mar-04 00:00": "%Y-%b-%d %H:%M", "24-03-04 00:00:00": "%y-%m-%d %H:%M:%S",
    "2024-064T00:00": "%Y-%jT%H:%M", "20240304T000000Z": "%Y%m%dT%H%M%SZ", "March 4, 2024, 12:00 AM": "%B %e, %Y, %I:%M %p", "04.03.2024 00.00 Uhr": "%d.%m.%Y %H.%M Uhr",
}  # fmt: skip


@pytest.mark.parametrize("first", WRITTEN)
def test_times_are_read_however_they_are_written(tmp_path, first):
    """The first and the last moment of a file, with the zone that is written beside them."""
    moments = [FIRST + i * timedelta(minutes=37) for i in range(60)]
    (tmp_path / "a.csv").write_text(
        "when;load\n" + "".join(f"{t.strftime(WRITTEN[first])};{20 + i % 7}\n" for i, t in enumerate(moments))
    )
    behind = {"CET": 1, "Europe/Berlin": 1, "EST": -5}.get(first.split()[-1], 0)

    with FileSource.from_path(tmp_path / "a.csv") as source:
        got = take(source, Got())
        zone = source.chosen()["time"]["zone"]

    assert [seconds(got.times[i]) + 3600 * behind for i in (0, -1)] == [moments[i].timestamp() for i in (0, -1)]
    assert zone == {1: "+01:00", -5: "-05:00"}.get(behind, zone)
