"""Where the step of Spark finds what it reads in a row, without Spark."""

from __future__ import annotations

import math

from streamrnn.adapters import FrozenModel
from streamrnn.adapters.spark import _SECONDS, _Places
from tests.adapters.jobs import weights


def test_rows_are_read_by_name_and_sorted(tmp_path):
    """Wherever Spark puts a column; a missing number comes last, and those alike stay as they came."""
    model = weights("detector", tmp_path)
    fields = ["seq", "rate", "part", "level", "pump"]
    places = _Places(fields, model, ["part", "seq"], ["pump", "seq"])
    rows = [
        (3, 0.5, 1.0, 2.0, "a"),
        (1, 0.5, None, 2.0, "b"),
        (2, 0.5, 1.0, 2.0, "c"),
        (1, 0.5, math.nan, 2.0, "d"),
        (9, 0.5, 0.0, 2.0, "e"),
    ]

    assert [row[4] for row in places.sorted(rows)] == ["e", "c", "a", "b", "d"]
    assert {name: rows[0][i] for name, i in places.read} == {"level": 2.0, "rate": 0.5}
    assert [rows[0][i] for i in places.out] == ["a", 3]


def test_the_time_is_read_from_spark_s_own_seconds(tmp_path):
    """Where there is such a column; and what the rows do not have is passed over."""
    from streamrnn import RNNRegressor
    from streamrnn.adapters import export

    trained = RNNRegressor(key="pump", time="at", hidden_size=4)
    trained.learn_one({"pump": "a", "at": 1.0, "level": 1.0}, 2.0)
    model = FrozenModel.load(export(trained, tmp_path), label="flow")

    places = _Places(["at", "level", _SECONDS], model, ["at"], ["at", "level"])

    assert places.read == [("at", 2), ("level", 1)]
    assert _Places(["at", "level"], model, ["at"], ["at"]).read == [("at", 0), ("level", 1)]
