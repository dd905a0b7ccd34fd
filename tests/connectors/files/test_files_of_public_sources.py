"""Kinds of files that public sources give out: each is read as a person would, without an option."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from files_rig import Got, take

from streamrnn.display.chosen import chosen_lines
from streamrnn.errors import UnreadableError
from streamrnn.io import SourceContext
from streamrnn_files import FileSource

N = 120
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
EPOCH = int(FIRST.timestamp())
ISO = "2024-01-01T00:00:00"


def lines(row: Callable[[int, datetime], str], step: timedelta = timedelta(hours=1), head: str = "") -> str:
    return head + "".join(row(i, FIRST + i * step) + "\n" for i in range(N))


def v(i: int) -> str:
    return f"{20 + 5 * math.sin(i / 4):.2f}"


DAY, MONTH = timedelta(days=1), timedelta(days=31)
ELEMENTS = ("TMAX", "TMIN", "PRCP")
STATES = [
    [
        {"entity_id": name, "state": v(i), "last_changed": f"{FIRST + i * DAY:%Y-%m-%dT%H:%M:%S}.5+00:00"}
        for i in range(N)
    ]
    for name in ("sensor.a", "sensor.b")
]
QUOTE = {"open": [float(v(i)) for i in range(N)], "volume": [1000 + i * i for i in range(N)]}
CHART = {
    "chart": {
        "result": [{"meta": {}, "timestamp": [EPOCH + 86400 * i for i in range(N)], "indicators": {"quote": [QUOTE]}}]
    }
}
RESULTS = [{"used": float(v(i)), "start": f"{FIRST + i * DAY:%Y-%m-%dT%H:%M:%SZ}"} for i in range(N)]
POINTS = [{"target": "load", "datapoints": [[float(v(i)), EPOCH + 60 * i] for i in range(N)]}]
OFFICE = (
    "Oxford\nLocation: 450900E 207200N, 63 metres amsl\nEstimated data is marked with a * after the value.\n"
    "   yyyy  mm   tmax    rain\n              degC      mm\n"
)

# What it is: name, text, columns, time, first time, key, events.
PUBLIC = {
    "GHCN by year": ("by_year.csv", lines(lambda i, t: "\n".join(f"USW00094728,{t:%Y%m%d},{one},{i % 40 + k},,,W,2400" for k, one in enumerate(ELEMENTS)), DAY), ["c3"], "c1", ISO, "c2", 3 * N),
    "Home Assistant's history": ("history.json", json.dumps(STATES), ["state"], "last_changed", f"{ISO}.5+00:00", "entity_id", 2 * N),
    "a chart of quotes": ("chart.json", json.dumps(CHART), ["open", "volume"], "timestamp", EPOCH, None, N),
    "results with their count": ("results.json", json.dumps({"count": N, "next": None, "results": RESULTS}), ["used"], "start", f"{ISO}Z", None, N),
    "points of a series": ("render.json", json.dumps(POINTS), ["value"], "time", EPOCH, "series", N),
    "SDMX": ("exr.csv", lines(lambda i, t: f"EXR.D.USD,D,{t:%Y-%m-%d},{v(i)},A,4,0\nEXR.D.GBP,D,{t:%Y-%m-%d},{v(i)},A,4,0", DAY, "KEY,FREQ,TIME_PERIOD,OBS_VALUE,OBS_STATUS,DECIMALS,UNIT_MULT\n"), ["OBS_VALUE"], "TIME_PERIOD", "2024-01-01", "KEY", 2 * N),
    "USGS": ("rdb.txt", lines(lambda i, t: f"USGS\t01646500\t{t:%Y-%m-%d}\t{v(i)}\tA", DAY, "# data\nagency_cd\tsite_no\tdatetime\t00060\t00060_cd\n5s\t15s\t20d\t14n\t10s\n"), ["00060"], "datetime", "2024-01-01", "site_no", N),
    "Met Office": ("oxford.txt", lines(lambda i, t: f"   {2004 + i // 12}  {i % 12 + 1:2}   {v(i)}{'*' if i % 9 == 5 else ''}  {i % 90:5.1f}{'  Provisional' if i > 110 else ''}", head=OFFICE), ["tmax", "rain"], "yyyy + mm", "2004-01-01T00:00:00", None, N),
    "date and hour without names": ("meteo.csv", lines(lambda i, t: f"{t:%Y-%m-%d},{t.hour},{v(i)},,{i * i % 7}"), ["c2", "c4"], "c0 + c1", ISO, None, N),
    "two moments without names": ("klines.csv", lines(lambda i, t: f"{int(t.timestamp() * 1000)},{v(i)},{int(t.timestamp() * 1000) + 3599999},{v(i + 1)}"), ["c1", "c3"], "c0", EPOCH * 1000, None, N),
    "dates in parts without names": ("sunspots.csv", lines(lambda i, t: f"{t.year};{t.month:02};{t.day:02};{t.year + t.timetuple().tm_yday / 366:.3f};{i % 50:4}", DAY), ["c4"], "c0 + c1 + c2", ISO, None, N),
    "seconds under a name that says nothing": ("items.json", json.dumps([{"itemid": "23", "moment": str(EPOCH + 60 * i), "value": v(i)} for i in range(N)]), ["value"], "moment", str(EPOCH), None, N),
    "an offset and UTC": ("weather.csv", lines(lambda i, t: f"{t:%Y-%m-%d %H:%M:%S} +0000 UTC,3600,{v(i)}", head="dt_iso,timezone,temp\n"), ["temp"], "dt_iso", f"{ISO}+00:00", None, N),
    "counters of frames, codes": ("lora.csv", lines(lambda i, t: f"{t:%Y-%m-%dT%H:%M:%SZ},{i // 2},8,{i % 3 + 1},{v(i)},{i * i % 9}", head="time,f_cnt,f_port,weathersit,temp,changepoint_2\n"), ["temp", "changepoint_2"], "time", f"{ISO}Z", None, N),
    "an hour's record beside its day": ("envcan.csv", lines(lambda i, t: f"-79.4,43.7,{t:%Y-%m-%d %H:%M},{t.year},{t.month:02},{t.day:02},{v(i)}", head="Longitude (x),Latitude (y),Date/Time (LST),Year,Month,Day,Temp\n"), ["Temp"], "Date/Time (LST)", "2024-01-01 00:00", None, N),
    "the day of writing beside the moment": ("health.csv", lines(lambda i, t: f"{t:%Y-%m-%d %H:00},{t:%Y-%m-%d %H:%M},{v(i)}", timedelta(minutes=5), "creationDate,startDate,value\n"), ["value"], "startDate", "2024-01-01 00:00", None, N),
    "codes beside a series": ("statcan.csv", lines(lambda i, t: "\n".join(f"{1990 + i // 12}-{i % 12 + 1:02},2016A000011124,2002=100,{p},2.{k},{v(i)}" for k, p in enumerate(("All", "Food"))), head="REF_DATE,DGUID,UOM,Products,COORDINATE,VALUE\n"), ["VALUE"], "REF_DATE", "1990-01-01T00:00:00", "Products", 2 * N),
    "two rows of names": ("weatherlink.txt", lines(lambda i, t: f"{t.month}/{t.day:02}/{t:%y}\t{t:%I}:{t:%M}{'a' if t.hour < 12 else 'p'}\t{v(i)}\t{v(i + 9)}", timedelta(hours=5), "\t\tTemp\tHi\nDate\tTime\tOut\tTemp\n"), ["Temp Out", "Hi Temp"], "Date + Time", ISO, None, N),
    "levels of columns and the name of the index": ("levels.csv", lines(lambda i, t: f"{t:%Y-%m-%d},{v(i)},{v(i + 9)}", DAY, "Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n"), ["Close AAPL", "High AAPL"], "Date", "2024-01-01", None, N),
    "numbers of devices at the same moments": ("nvidia.csv", lines(lambda i, t: "\n".join(f"{t:%Y/%m/%d %H:%M:%S},{g},A100,{v(i + g)} %" for g in (0, 1)), head="timestamp,index,name,load [%]\n"), ["load [%]"], "timestamp", ISO, "index", 2 * N),
    "a title with the separator": ("freq.csv", lines(lambda i, t: f"FREQ,{t:%Y%m%d%H%M%S},{v(i)}", head="HDR,ROLLING SYSTEM FREQUENCY DATA\n"), ["c2"], "c1", ISO, None, N),
    "names in a comment, texts in the first row": ("sadf.csv", lines(lambda i, t: f"web01;600;{t:%Y-%m-%d %H:%M:%S} UTC;{v(i)};{v(i + 5)}", head="# hostname;interval;timestamp;%user;%idle\n"), ["%user", "%idle"], "timestamp", f"{ISO}+00:00", "hostname", N),
    "series of numbers beside their times": ("energy.json", json.dumps({"unix_seconds": [EPOCH + 900 * i for i in range(N)], "production_types": [{"name": name, "data": [float(v(i)) for i in range(N)]} for name in ("Solar", "Load")]}), ["Solar", "Load"], "unix_seconds", EPOCH, None, N),
    "positions, numbers of runs, periods of days": ("aemo.csv", lines(lambda i, t: f"D,4,{t:%Y/%m/%d %H:%M:%S},1,{t:%Y%m%d}{i % 24 + 1:03},{610000000 + i},{v(i)}", head="I,4,SETTLEMENTDATE,RUN_NO,DISPATCHINTERVAL,position_lat,RRP\n"), ["RRP"], "SETTLEMENTDATE", ISO, None, N),
    "an amount and its limit in a cell": ("docker.jsonl", lines(lambda i, t: json.dumps({"CPUPerc": f"{v(i)}%", "MemUsage": "10.5MiB / 1.9GiB"})), ["CPUPerc"], None, None, None, N),
    "steps of a recorder": ("recorder.csv", lines(lambda i, t: f"{i * 0.001:.3f},{v(i)}", head="X_Value,Voltage\n"), ["Voltage"], None, None, None, N),
}  # fmt: skip


@pytest.mark.parametrize("kind", PUBLIC)
def test_public_files_are_read_as_a_person_would(tmp_path, kind):
    """Columns, time, key and events."""
    name, text, columns, when, first, key, events = PUBLIC[kind]
    (tmp_path / name).write_text(text)

    with FileSource.from_path(tmp_path / name) as source:
        got = take(source, Got())
        found = source.chosen()

    assert (found["columns"], found["time"] and found["time"]["column"], found["key"]) == (columns, when, key)
    assert (len(got.rows), got.dead) == (events, [])
    assert (got.times[0] if when else None) == first


WIDE = ",".join(["name", *map(str, range(1990, 2020))]) + "\n" + "".join(
    f"land {i}," + ",".join(v(i + j) for j in range(30)) + "\n" for i in range(N)
)  # fmt: skip


def test_a_table_on_its_side_is_turned(tmp_path):
    """Years for names of columns: each cell is a record, its row the key. Its rows are read as they are where that is said, in each of three ways."""
    (tmp_path / "wide.csv").write_text(WIDE)

    with FileSource.from_path(tmp_path / "wide.csv") as source:
        got = take(source, Got())
    assert (got.names, len(got.rows), got.times[:2], got.keys[29:31]) == (
        ("value",), 30 * N, ["1990-01-01T00:00:00", "1991-01-01T00:00:00"], ["land 0", "land 1"],
    )  # fmt: skip
    for option in ({"columns": ["1990"]}, {"format": "csv"}, {"skip": 0, "columns": ["1990"]}):
        with FileSource.from_path(tmp_path / "wide.csv", **option) as source:
            assert len(take(source, Got()).rows) == N
    with (
        FileSource.from_path(tmp_path / "wide.csv", skip=0) as source,
        pytest.raises(UnreadableError, match="row for each time"),
    ):
        take(source, Got())


ODD = {
    "still": (lines(lambda i, t: f'{t:%Y-%m-%d %H:%M},4,"+{100 + i:04},1"', head="time,SOURCE,TMP\n"), "none changes in the first 120 records"),
    "sideways": (lines(lambda i, t: f"{t:%Y-%m-%d}," + ",".join([v(i)] * 8), DAY, "day," + ",".join(f"{i:02}:00" for i in range(8)) + "\n"), "a row of several moments"),
    "mixed": (lines(lambda i, t: f"{FIRST + (i ^ 7) * DAY:%Y-%m-%d},{v(i)}", head="day,load\n"), "times go back and forth"),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_what_is_read_but_hardly_meant_is_said(tmp_path, what):
    """Columns that never change, moments beside one another, times out of order: said on standard error."""
    text, said = ODD[what]
    (tmp_path / "odd.csv").write_text(text)

    with FileSource.from_path(tmp_path / "odd.csv", format="csv") as source:
        assert len(take(source, Got()).rows) == N
        assert said in "\n".join(chosen_lines(source.chosen()))


def test_records_without_a_measurement_are_no_stream_of_numbers(tmp_path):
    """A journal has ids and a priority: what to do is said, and it works."""
    row = {"__REALTIME_TIMESTAMP": "", "_PID": "1", "PRIORITY": "6", "MESSAGE": "x"}
    rows = [{**row, "__REALTIME_TIMESTAMP": str((EPOCH + i) * 10**6), "_PID": str(300 + i % 5)} for i in range(N)]
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))

    with (
        FileSource.from_path(tmp_path / "journal.jsonl") as source,
        pytest.raises(UnreadableError, match=r"\(--every 1m\)"),
    ):
        take(source, Got())
    with FileSource(FileSource.Options(path=str(tmp_path / "journal.jsonl")), SourceContext(counted=True)) as source:
        got = take(source, Got())

    assert (len(got.rows), got.times[0], got.dead) == (N, rows[0]["__REALTIME_TIMESTAMP"], [])
