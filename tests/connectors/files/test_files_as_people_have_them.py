"""What is watched, what is the time and what the key of fifty files as people have them, without an option."""

from __future__ import annotations

import math

import pytest
from files_rig import Got, take
from messy_files import EPOCH, HOLES, TEXTS, TS, N, V, W

from streamrnn_files import FileSource

FIRST = "2024-03-04T00:00:00"
ISO, MINUTE, ZONED = FIRST, "2024-03-04 00:00", FIRST + "+00:00"
WIDE = [f"s{i:02d}" for i in range(60)]
VMSTAT = ["r", "b", "swpd", "free", "buff", "cache", "si", "so", "bi", "bo"]

# Columns, name of the time and the first one, key, events, missing values of the first column, first value of the first column.
EXPECTED = {
    "epoch_ms.csv": (["value"], "time", EPOCH[0] * 1000, None, N, 0, V[0]),
    "epoch_unix.csv": (["cpu"], "unix_time", EPOCH[0], None, N, 0, V[0]),
    "excel_de.csv": (["Temperatur", "Leistung"], "Zeitstempel", ISO, None, N, 0, V[0]),
    "excel_utf16.txt": (["Value"], "Time", MINUTE, None, N, 0, V[0]),
    "thousands.csv": (["requests"], "timestamp", MINUTE, None, N, 0, round(W[0] * 10)),
    "thousands_late.csv": (["requests"], "timestamp", MINUTE, None, N, 0, 700),
    "influx.lp": (["usage_user", "usage_system"], "time", EPOCH[0] * 10**9, "series", N, 0, V[0]),
    "influx_annotated.csv": (["_value"], "_time", FIRST + "Z", "host", N, 0, V[0]),
    "prometheus.json": (["value"], "time", EPOCH[0], "series", 2 * N, 0, V[0]),
    "grafana.csv": (['load {instance="a:9100"}', 'load {instance="b:9100"}'], "Time", MINUTE + ":00", None, N, 0, V[0]),
    "grafana_units.csv": (["CPU"], "Time", MINUTE + ":00", None, N, 0, V[0]),
    "grafana_sep.csv": (["CPU"], "Time", MINUTE + ":00", None, N, 0, V[0]),
    "grafana_long.csv": (["Value"], "Time", ZONED, "Series", 2 * N, 0, V[0]),
    "array.json": (["value"], "ts", ZONED, None, N, 0, V[0]),
    "array_pretty.json": (["value"], "ts", ZONED, None, N, 0, V[0]),
    "nested.jsonl": (["system.cpu.pct", "system.mem.used"], "@timestamp", ZONED, "host.name", N, 0, V[0] / 100),
    "strings.jsonl": (["value"], "time", ZONED, None, N, 0, V[0]),
    "load.csv.gz": (["value"], "time", ZONED, None, N, 0, V[0]),
    "newest_first.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "header_again.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "summary_row.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "comments.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "quoted_newline.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "long.csv": (["value"], "time", MINUTE, "sensor", 2 * N, 0, V[0]),
    "long_id.csv": (["value"], "time", MINUTE, "device_id", 2 * N, 0, V[0]),
    "wide60.csv": (WIDE, "timestamp", MINUTE, None, N, 0, V[0]),
    "home_assistant.csv": (["state"], "last_changed", FIRST + ".123Z", "entity_id", N, len(HOLES), None),
    "ampm.csv": (["Value"], "Date", ISO, None, N, 0, V[0]),
    "ymdh.csv": (["value"], "year + month + day + hour", ISO, None, N // 12, 0, V[0]),
    "pandas_index.csv": (["value"], "time", MINUTE, None, N, 0, V[0]),
    "sentinel.csv": (["temp"], "time", MINUTE, None, N, len(HOLES), None),
    "qmark.csv": (["temp"], "time", MINUTE, None, N, len(HOLES), None),
    "dots.csv": (["VALUE"], "DATE", "2024-03-04", None, N, len(HOLES), None),
    "dashes.csv": (["temp"], "time", MINUTE, None, N, len(HOLES), None),
    "vmstat.txt": (VMSTAT, None, None, None, N, 0, 1),
    "spaces.txt": (["value"], "time", EPOCH[0], None, N, 0, V[0]),
    "numbers.txt": (["c0"], None, None, None, N, 0, V[0]),
    "spaced.csv": (["temp", "power"], "time", MINUTE, None, N, 0, V[0]),
    "labelled.csv": (["value"], "timestamp", MINUTE, None, N, 0, V[0]),
    "cp1252.csv": (["Außentemperatur [°C]"], "Datum", ISO, None, N, 0, V[0]),
    "day_first.csv": (["speed"], "when", "2024-03-13T00:00:00", None, N, 0, V[0]),
    "two_columns.csv": (["flow"], "Day Date + Clock Time", ISO, None, N, 0, V[0]),
    "units_row.csv": (["temp", "rain"], "time", MINUTE, None, N, 0, V[0]),
    "no_header.csv": (["c1"], "c0", MINUTE, None, N, 0, V[0]),
    "duplicate_names.csv": (["load", "load_2"], "time", MINUTE, None, N, 0, V[0]),
    "commented_names.txt": (["value"], "time", EPOCH[0], None, N, 0, V[0]),
    "columns.json": (["rain"], "time", ZONED, None, N, 0, V[0]),
    "nan.jsonl": (["a", "b"], "time", EPOCH[0], None, N, len(HOLES), None),
    "money.csv": (["Sales"], "Date", ISO, None, N, 0, W[0]),
    "compact.csv": (["level"], "stamp", ISO, None, N, 0, V[0]),
    "empty_at_first.csv": (["a", "b"], "time", MINUTE, None, N, 0, V[0]),
}


def read(path, **options):
    """Everything of a file, and what was chosen of it."""
    with FileSource.from_path(path, **options) as source:
        got = take(source, Got(), wait=5.0)
        return got, source.chosen()


@pytest.mark.parametrize("name", EXPECTED)
def test_files_are_read_as_a_person_would(tmp_path, name):
    """Columns, time, key, order, missing values and numbers are those a person would say, and each record is an event."""
    columns, time, first, key, events, missing, value = EXPECTED[name]
    text = TEXTS[name]
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    got, chosen = read(tmp_path / name)

    assert chosen["columns"] == list(got.names) == columns
    assert (chosen["time"] and chosen["time"]["column"], chosen["key"]) == (time, key)
    assert len(got.rows) == events
    assert (got.times[:1] or [None])[0] == first
    assert sum(math.isnan(row[0]) for row in got.values) == missing
    assert value is None or abs(got.values[0][0] - value) < 0.06
    assert [letter.reason[-16:] for letter in got.dead] == ["is not a time."] * 0 or name == "summary_row.csv"
    assert len(got.dead) == (2 if name == "summary_row.csv" else 0)


def test_each_file_of_the_table_is_there():
    """The table has a row for each file, fifty or more."""
    assert set(EXPECTED) == set(TEXTS)
    assert len(EXPECTED) >= 50
    assert len(TS) == N
