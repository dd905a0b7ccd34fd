"""Limits that forecasts may reach: when, in steps and in time; alarms that are new; exact across restarts; typed and checked."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from streamrnn.cli.replay import replay
from streamrnn.config import Forecast
from streamrnn.engine.assemble import replay_tables
from streamrnn.engine.output import encode_block
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, ParameterError, StateError, UsageError
from streamrnn.io import Block
from streamrnn.models._crossings import flat_limits
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.limits import LimitWatch

LIMITS = Forecast(horizon=3, limits={"high": 90.0})


def ahead(*rows):
    """Forecasts of one column, with bands of 2 around."""
    middle = np.array(rows, dtype=float)
    return np.stack([middle - 2.0, middle, middle + 2.0], axis=-1)[:, :, None]


def hours(n, zone=""):
    return [f"2024-01-{1 + i // 24:02}T{i % 24:02}:00:00{zone}" for i in range(n)]


def watch(*rows, settings=LIMITS, times=None):
    return LimitWatch(settings).run(("disk",), ahead(*rows), times)


def test_first_steps_of_forecast_and_band():
    """In steps while the time between events is unknown, then in seconds and as a time in the form of the input."""
    rising = [[80, 84, 87], [84, 87, 89], [87, 89, 91], [89, 91, 93]]
    found = watch(*rising, times=hours(4))["limit"].tolist()

    assert found[0] is None
    assert [(row["step"], row["band_step"]) for [row] in found[1:]] == [(None, 3), (3, 2), (2, 1)]
    assert found[3] == [{
        "column": "disk", "side": "high", "limit": 90.0, "step": 2, "in_s": 7200.0, "when": "2024-01-01T05:00:00",
        "band_step": 1, "band_in_s": 3600.0, "band_when": "2024-01-01T04:00:00",
    }]  # fmt: skip
    zoned = watch(*rising, times=hours(4, "+02:00"))["limit"][3][0]
    assert (zoned["when"], zoned["in_s"]) == ("2024-01-01T05:00:00+02:00", 7200.0)
    assert watch(*rising, times=[0, 60, 120, 180])["limit"][3][0]["when"] == 300.0
    assert watch(*rising)["limit"][3][0]["in_s"] is None


def test_an_alarm_is_new():
    """It comes with the first event whose forecast reaches the limit, and again after as many that do not as the horizon."""
    over, under = [80, 90, 95], [80, 84, 87]
    said = watch(over, over, under, under, over, under, under, under, over, times=hours(9))["limit_alarm"].tolist()

    assert [text is not None for text in said] == [True, *[False] * 7, True]
    assert said[0] == "disk reaches 90 in 2 events"
    assert said[8] == "disk reaches 90 in 2 h"


def test_low_limits_and_the_nearest_first():
    settings = Forecast(horizon=3, limits={"high": 95.0, "disk": {"low": 83.0}, "other": {"high": 1.0}})
    found = watch([84, 90, 96], [84, 83, 96], settings=settings)

    assert [[row["side"] for row in rows] for rows in found["limit"]] == [["low", "high"], ["low", "high"]]
    assert [row["step"] for row in found["limit"][0]] == [None, 3]
    assert found["limit_alarm"].tolist() == ["disk reaches 95 in 3 events", "disk falls to 83 in 2 events"]


def test_missing_forecasts_count_for_nothing():
    rows = ahead([80, 90, 95], [80, 84, 87], [80, 90, 95])
    rows[2] = np.nan
    found = LimitWatch(LIMITS).run(("disk",), rows, None)

    assert [text is not None for text in found["limit_alarm"]] == [True, False, False]
    assert found["limit"].tolist()[1:] == [None, None]


def shard(settings):
    return Shard(model_kind("RNNAnomalyDetector", {"hidden_size": 8}), forecast=settings)


def blocks(cuts, n=60):
    """A disk that fills, on two hosts, one of them a third as fast."""
    values = np.array([[50.0 + (0.3 if i % 2 else 0.1) * (i // 2)] for i in range(n)])
    keys, times = ["ab"[i % 2] for i in range(n)], [t for t in hours(n // 2) for _ in "ab"]
    for a, b in pairwise(cuts):
        yield Block(("disk",), values[a:b], tuple(range(a, b)), b, keys=tuple(keys[a:b]), times=tuple(times[a:b]))


def lines(model, cuts):
    return [
        line for block in blocks(cuts) for line in encode_block(block, model.score(block), ("limit", "limit_alarm"))
    ]


def test_cuts_and_restarts_change_nothing():
    """One block or many, with a snapshot in between or not: the same lines; each key alarms for itself, once."""
    settings = Forecast(horizon=3, limits={"disk": {"high": 55.0}})
    whole = shard(settings)
    expected = lines(whole, (0, 60))
    cut, found = shard(settings), []
    for part in pairwise((0, 1, 31, 40, 60)):
        found += lines(cut, part)
        again = shard(settings)
        again.restore(cut.snapshot())
        cut = again

    assert found == expected
    alarms = [(i % 2, json.loads(line)["limit_alarm"]) for i, line in enumerate(expected) if b"reaches" in line]
    assert [key for key, _ in alarms] == [1]
    assert whole.limit_alarms == 1
    assert alarms[0][1].startswith("disk reaches 55 in ")
    other = shard(Forecast(horizon=3, limits={"disk": {"high": 50.2}}))
    other.restore(cut.snapshot())  # limits may change between runs
    assert [json.loads(line)["limit"] is not None for line in lines(other, (58, 60))] == [True, True]


@pytest.mark.parametrize(
    "blob", [b"", b"{}", b"[[0,0],{}]", b"[[0,0,1e999],{}]", b'[[0,0,0],{"a":-1}]', b"[[0,0,0],[]]"]
)
def test_a_damaged_snapshot_is_said(blob):
    with pytest.raises(StateError):
        LimitWatch(LIMITS).restore(blob)


@pytest.mark.parametrize(
    "limits", [{"hgh": 9.0}, {"high": 1.0, "low": 1.0}, {"disk": {"up": 1.0}}, {"disk": {}}, {"low": float("nan")}]
)
def test_what_is_no_limit_is_said(limits):
    with pytest.raises(ConfigError, match=r"\[forecast\] limits"):
        Forecast(horizon=3, limits=limits)
    if limits not in ({"high": 1.0, "low": 1.0}, {"disk": {}}):
        with pytest.raises(ParameterError, match="'limits'"):
            flat_limits(limits)


def test_limits_need_a_horizon_and_a_column():
    with pytest.raises(ConfigError, match="Set horizon"):
        Forecast(limits={"high": 90.0})
    with pytest.raises(ConfigError, match="no column 'dsk'"):
        next(shard(Forecast(horizon=3, limits={"dsk": {"high": 9.0}})).score(block) for block in blocks((0, 4)))


def test_limits_on_the_command_line(tmp_path):
    """``--limit`` is ``[forecast] limits``; the fields are written, the picture has the line."""
    tables = replay_tables("a.csv", forecast=3, limits=["high=90", "a.b.low=5"])
    assert tables["forecast"]["limits"] == {"high": 90.0, "a.b": {"low": 5.0}}
    with pytest.raises(UsageError, match="--limit must be"):
        replay_tables("a.csv", forecast=3, limits=["90"])
    file, picture = tmp_path / "disk.csv", tmp_path / "disk.html"
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("time", "disk"), *((start + timedelta(hours=i), 40 + i) for i in range(60))])

    done = CliRunner().invoke(
        replay,
        [str(file), "--forecast", "3", "--limit", "disk.high=89.5", "--hidden-size", "8", "--plot", str(picture)],
    )

    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    [alarm] = [row for row in rows if row["limit_alarm"]]
    assert (alarm["value"], alarm["limit_alarm"]) == (87, "disk reaches 89.5 in 3 h")
    assert alarm["limit"][0]["when"] == "2024-01-03T02:00:00+00:00"
    assert "#b2182b" in picture.read_text()
    with pytest.raises(UsageError, match="Add --forecast N"):
        CliRunner().invoke(replay, [str(file), "--limit", "high=90"], catch_exceptions=False)
