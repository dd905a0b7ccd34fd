"""The bounded summary of a run, and the picture drawn from it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from streamrnn.config import Alarm, Forecast
from streamrnn.display.forecast_summary import ForecastSummary
from streamrnn.display.run_picture import _fill, draw
from streamrnn.display.run_summary import RunSummary
from streamrnn.engine.monitor import Summary
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, SinkError
from streamrnn.io import Block
from streamrnn.scorers.kinds import model_kind
from streamrnn.scorers.scored import Scored


def blocks(n: int, cuts: list[int], names: tuple[str, ...] = ("flow",), keys: int = 0) -> list[tuple[Block, Scored]]:
    """A made-up run of ``n`` events, cut at ``cuts``."""
    drawn = np.random.default_rng(n)
    values = drawn.normal(size=(n, len(names)))
    values[drawn.random(values.shape) < 0.02] = np.nan
    scores = drawn.random(n)
    found = []
    edges = [0, *sorted({cut % (n + 1) for cut in cuts}), n]
    for start, end in pairwise(edges):
        part = values[start:end]
        times = [
            f"2024-01-{1 + i // 86400:02}T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z" for i in range(start, end)
        ]
        of = [f"k{i % keys}" for i in range(start, end)] if keys else None
        block = Block(names, part, range(start, end), end, keys=of, times=times)
        found.append((block, Scored(scores[start:end], part + 0.1, (scores[start:end] > 0.99).tolist(), [])))
    return found


def curve(n: int, cuts: list[int], limit: int = 4000, **options: object) -> RunSummary:
    made = RunSummary(limit)
    for block, scored in blocks(n, cuts, **options):  # type: ignore[arg-type]
        made(block, scored, Summary())
    return made


@given(st.lists(st.integers(0, 3000), max_size=12))
def test_cuts(cuts: list[int]) -> None:
    """Where blocks are cut changes nothing."""
    one, other = curve(2500, [], 100), curve(2500, cuts, 100)

    for name in one.buckets.__slots__:
        np.testing.assert_array_equal(getattr(one.buckets, name), getattr(other.buckets, name))


def test_bounded() -> None:
    """A long stream stays within the limit and loses no extreme, no alarm count and no strongest alarm, which is that event's own."""
    made = curve(20_000, [5000, 9000], 300)
    block, whole = blocks(20_000, [])[0]
    values, times, strongest = block.values, block.times, int(np.argmax(whole.scores))
    at = int(np.argmax(made.buckets.alarm_score))

    assert len(made.buckets.index) <= 300
    assert (np.nanmin(values), np.nanmax(values)) == (made.buckets.low.min(), made.buckets.high.max())
    assert sum(whole.alarms) == made.alarms == made.buckets.alarms.sum()
    assert whole.scores.max() == made.buckets.alarm_score[at]
    assert times is not None
    assert (made.buckets.top_index[at], made.buckets.top_time[at]) == (strongest, times[strongest])
    assert made.buckets.top[at].tolist() == values[strongest].tolist()


def test_other_keys_are_not_forgotten() -> None:
    """That there was more than the series that is drawn is said, also where nothing else has come of late."""
    made = RunSummary()
    for keys in (2, 1):
        [(block, scored)] = blocks(30, [], keys=keys)
        made(block, scored, Summary())

    assert (made.key, made.events, made.other_keys) == ("k0", 15 + 30, True)


def test_a_forecast_is_kept_until_it_is_over() -> None:
    """The picture of forecasts has the one whose last step has just come: those of the last H events and the one before."""
    made = ForecastSummary(Forecast(horizon=3))
    for block, scored in blocks(20, [7, 8]):
        made(block, replace(scored, forecasts=block.values[:, None, :, None] + np.zeros((3, 1, 1))), Summary())

    values = blocks(20, [])[0][0].values
    np.testing.assert_array_equal([one[0, :, 0] for one in made.forecasts], values[-4:])
    np.testing.assert_array_equal(list(made.values), values)


@pytest.mark.parametrize("suffix", ["png", "html"])
def test_deterministic(tmp_path: Path, suffix: str) -> None:
    """The same run draws the same bytes."""
    paths = [tmp_path / f"{i}.{suffix}" for i in range(2)]

    for path in paths:
        draw(curve(3000, [100]), str(path), "flow", 200)

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_page(tmp_path: Path) -> None:
    """The page shows names as text, not as markup, and loads nothing."""
    path = tmp_path / "a.html"
    draw(curve(3000, [], names=("<b>&x", "y")), str(path), "<script>alert(1)</script>", 0)
    text = path.read_text()

    assert "<script" not in text.replace("&lt;script", "")
    assert "&lt;b&gt;&amp;x" in text
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#)(?!data:)|url\((?!#)|@import", text)


@pytest.mark.parametrize(
    ("n", "options"),
    [(1, {}), (2, {}), (300, {"names": tuple("abcdefg")}), (300, {"keys": 3}), (9000, {})],
    ids=["one event", "two events", "seven features", "three keys", "decimated"],
)
def test_any_shape(tmp_path: Path, n: int, options: dict[str, object]) -> None:
    """Every shape of run can be drawn."""
    draw(curve(n, [], **options), str(tmp_path / "a.png"), "a", 200)  # type: ignore[arg-type]

    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "times",
    [
        None,
        ["x", "y", "z"],
        [3.0, 2.0, 1.0],
        [1.6e9, 1.6e9, 1.6e9],
        [1.6e12, 1.7e12, 1e300],
        ["2024-01-01", "2024-01-01T00:00Z", "nan"],
    ],
)
def test_any_time(tmp_path: Path, times: list[str | float] | None) -> None:
    """Times that are none, run backward or repeat are drawn against the event number, or as they are."""
    made = RunSummary()
    block = Block(("a",), np.array([[1.0], [np.nan], [2.0]]), (0, 1, 2), 3, times=times)
    made(block, Scored(np.array([0.0, 0.5, 1.0]), np.full((3, 1), np.nan), [False, False, True], []), Summary())

    draw(made, str(tmp_path / "a.png"), "a", 0)

    assert (tmp_path / "a.png").exists()


def test_wrong_place(tmp_path: Path) -> None:
    """A name that cannot be drawn to, or written, is an error with its name."""
    made = curve(10, [])
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"must end in \.png or \.html"):
        draw(made, "a.jpg", "a")
    with pytest.raises(SinkError, match="cannot be written"):
        draw(made, str(tmp_path / "file" / "a.png"), "a")


def watched() -> RunSummary:
    """A run of the detector over three features; a spike in the second is its strongest alarm."""
    rng = np.random.default_rng(5)
    values = np.sin(np.arange(900)[:, None] / np.array([7.0, 9.0, 11.0])) + 0.1 * rng.normal(size=(900, 3))
    values[600, 1], values[750, 2] = 9.0, 5.0
    shard, made = Shard(model_kind("RNNAnomalyDetector", {"hidden_size": 8}), Alarm(rate=0.01)), RunSummary()
    for start in (0, 500):
        part = values[start : start + 500]
        block = Block(("a", "b", "c"), part, range(start, start + len(part)), start + len(part))
        made(block, shard.score(block), Summary())
    return made


def test_what_decided_is_beside_the_alarm(tmp_path: Path) -> None:
    """In the list of alarms and in the picture: the feature and what the view that decided says; a dot on that feature alone."""
    made = watched()
    figure = Figure()
    _fill(figure, made, "a", 200)
    draw(made, str(tmp_path / "a.html"), "a", 200)
    strongest = int(made.buckets.alarm_score.argmax())
    dots = [{x for line in ax.lines if line.get_marker() == "o" for x in line.get_xdata()} for ax in figure.axes]

    assert (strongest, made.reason(strongest)) == (600, "b: far from expected")
    assert made.alarms > 1
    assert "<th>decided by</th>" in (tmp_path / "a.html").read_text()
    assert "<td>b: far from expected</td>" in (tmp_path / "a.html").read_text()
    assert "b: far from expected" in [text.get_text() for text in figure.axes[-1].texts]
    assert [600 in one for one in dots] == [False, True, False, True]
    assert sorted(i for one in dots[:3] for i in one) == sorted(dots[3]) == np.flatnonzero(made.buckets.alarms).tolist()


def test_reasons_do_not_lie_on_each_other() -> None:
    """However many alarms there are: few reasons, and room around each."""
    made = watched()
    b = made.buckets
    b.alarms[:], b.alarm_score[:] = 1, b.score
    b.feature[:], b.why[:] = 0, "not as expected"
    figure = Figure(layout="constrained", dpi=130)
    _fill(figure, made, "a", 200)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.axes[-1].texts]

    assert 1 < len(boxes) <= 8
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_a_model_that_does_not_tell_why_is_drawn_without(tmp_path: Path) -> None:
    """No column of reasons, and each alarm on every feature."""
    made = curve(500, [], names=("a", "b"))
    draw(made, str(tmp_path / "a.html"), "a", 0)

    assert made.alarms
    assert "decided by" not in (tmp_path / "a.html").read_text()
    assert made.reason(int(made.buckets.alarm_score.argmax())) == ""


def test_one_value_does_not_flatten_the_picture() -> None:
    """The axis is cut at what would, infinity too, and the panel says so; an alarm out there stays visible at its edge."""
    run = RunSummary()
    values = np.sin(np.arange(400) / 5.0)[:, None]
    values[[100, 300], 0], values[200, 0] = [2147483647.0, np.inf], 4.0
    alarms = [i in (100, 200, 300) for i in range(400)]
    run(Block(("flow",), values, range(400), 400), Scored(np.full(400, 0.5), np.zeros((400, 1)), alarms, []), Summary())
    figure = Figure()
    FigureCanvasAgg(figure)

    _fill(figure, run, "a", 0)

    panel = figure.axes[0]
    low, high = panel.get_ylim()
    assert -4.0 < low < -1.0
    assert 4.0 < high < 40.0
    assert any(text.get_text() == "axis cut: values go to inf" for text in panel.texts)
    [shown] = [line.get_ydata() for line in panel.lines if line.get_label() == "alarm"]
    assert len(shown) == 3
    assert ((shown > low) & (shown < high)).all()
