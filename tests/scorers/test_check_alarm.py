"""``[alarm]`` for the model that is to heed it: refused with what helps, which then works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamrnn import config
from streamrnn.engine.assemble import replay_tables
from streamrnn.engine.fit import check_columns
from streamrnn.errors import ConfigError, UsageError
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.kinds import model_kind

TREES = {"kind": "river.anomaly.HalfSpaceTrees"}


def problems(
    alarm: dict[str, Any], model: dict[str, Any] | None = None, names: tuple[str, ...] = ("a", "busy")
) -> list[str]:
    """Return what is said of a configuration, and then of its columns."""
    try:
        checked = config.parse({"source": {"path": "x.csv"}, "alarm": alarm, "model": model or {}}, Path(), check_model)
    except ConfigError as error:
        return error.problems
    return check_columns(model_kind(checked.model.kind, checked.model.options), names, None, checked.alarm)


@pytest.mark.parametrize(
    ("alarm", "model", "said"),
    [
        ({"direction": "up"}, {}, "[alarm] direction: must be one of 'above', 'below', 'both'"),
        ({"min_deviation": "ten"}, {}, "[alarm] min_deviation: must be a number >= 0 or a text such as '10%'"),
        ({"valid_range": [9, 1]}, {}, "[alarm] valid_range: must be a pair (low, high), low < high"),
        ({"maintenance": ["Sun 2-4"]}, {"time": "t"}, "[alarm] maintenance: must be the name of a feature"),
        ({"maintenance": ["Sun 02:00-04:00"]}, {}, "Set [model] time to the name of their column."),
        ({"rate": "2/day"}, {}, "Set [model] time to the name of their column."),
        ({"rate": "2/fortnight"}, {"time": "t"}, "[alarm] rate: must be a number > 0 and <= 0.5 or a text such as '2/day'"),
        ({"rate": "2/day"}, TREES, "[alarm] rate: must be a number > 0 and <= 0.5 for river.anomaly.HalfSpaceTrees."),
        ({"rate": 1e-4}, TREES, "[alarm] rate: 0.0001 is less than one score in window = 2000. Raise 'rate', or set 'window' to 10000 or more."),
        ({"rate": 1e-6}, TREES, "[alarm] rate: 1e-06 is less than one score in window = 2000. Raise it to 1e-05 or more, and 'window' with it."),
        ({"direction": "below"}, TREES, "[alarm] direction: river.anomaly.HalfSpaceTrees does not know it"),
        ({"by_feature": {"a": {"side": "up"}}}, {}, "[alarm] by_feature: must be a dict of features"),
        ({"by_feature": {"b": {"direction": "above"}}}, {}, "[alarm] by_feature: the input has no column 'b'"),
        ({"maintenance": "bussy"}, {}, "[alarm] maintenance: the input has no column 'bussy'"),
        ({"maintenance": "busy"}, {"label": "busy"}, "[alarm] maintenance: must be a column of its own."),
        ({}, {"counters": ["requests"]}, "[model] counters: the input has no column 'requests'"),
        ({"maintenance": "busy"}, {"counters": ["busy"]}, "[alarm] maintenance: must be a column of its own."),
        ({}, {"direction": "below"}, "[model] direction: is an option of [alarm]; write it there."),
    ],
)  # fmt: skip
def test_what_cannot_be_heeded_is_said(alarm: dict[str, Any], model: dict[str, Any], said: str) -> None:
    """Each with its option and the rule, once."""
    [found] = problems(alarm, model)

    assert said in found


def test_the_only_column_cannot_be_a_maintenance() -> None:
    """Nothing would be left to score."""
    [found] = problems({"maintenance": "busy"}, names=("busy",))

    assert "there is nothing to score" in found


def test_what_was_said_works() -> None:
    """Each word of advice, taken literally."""
    said = {
        "rate": "2/day",
        "maintenance": ["Sun 02:00-04:00"],
        "direction": "below",
        "min_deviation": "10%",
        "valid_range": [0, 9],
    }
    assert problems({**said, "by_feature": {"a": {"min_deviation": 3}}}, {"time": "t"}) == []
    assert problems({"maintenance": "busy"}) == []
    assert problems({"maintenance": "busy"}, {"max_features": 1}) == []  # it is no feature


def test_replay_says_the_same() -> None:
    """Its options are those of ``[alarm]``; what goes by time lets the model see the column of ``--time``."""
    found = replay_tables(
        "x.csv", time_column="t", alarm_rate="2/day", direction=("below", "a=above"), min_deviation=("10%", "a=3"),
        valid_range=("a=:9",), maintenance=("Sun 02:00-04:00", "Mon 02:00-04:00"),
    )  # fmt: skip

    assert found["model"]["time"] == "t"
    assert found["alarm"] == {
        "rate": "2/day", "direction": "below", "min_deviation": "10%", "maintenance": ("Sun 02:00-04:00", "Mon 02:00-04:00"),
        "by_feature": {"a": {"direction": "above", "min_deviation": 3.0, "valid_range": [-float("inf"), 9.0]}},
    }  # fmt: skip
    assert "time" not in replay_tables("x.csv", time_column="t", maintenance=("busy",))["model"]
    assert replay_tables("x.csv", time_column="t", counters=("n",))["model"] == {"counters": ["n"], "time": "t"}
    config.parse(found, Path(), check_model)
    with pytest.raises(UsageError, match="--valid-range must be LOW:HIGH"):
        replay_tables("x.csv", valid_range=("9",))
