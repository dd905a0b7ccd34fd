"""Names from the stream are data: wherever one is shown, nothing obeys it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from streamrnn.cli import main
from streamrnn.config import Forecast
from streamrnn.daemon.log import say, set_up
from streamrnn.display.forecast_picture import draw_forecast
from streamrnn.display.forecast_summary import ForecastSummary
from streamrnn.display.progress import Progress
from streamrnn.display.run_picture import draw
from streamrnn.display.run_summary import RunSummary
from streamrnn.display.top import picture
from streamrnn.engine.monitor import Summary
from streamrnn.io import Block
from streamrnn.safe_text import PLACES, safe_name, safe_text
from streamrnn.scorers.scored import Scored

HEBREW = "\u05e9\u05dc\u05d5\u05dd"
HOSTILE = (
    "\x1b[2J", "\x1b]52;c;aGk=\x07", "\x9b2J", "a\nlevel=error event=failed", "\r\x7f", "\u202etxt.exe", "\u2066x", "a\u2028b", "\u200b\ufeff",
    "[red]x[/]", "[/]", "k" * 300, "\u0301" * 300, "漢" * 300, "</td><script>alert(1)</script>", "-->", "\ud800", "\U000e0041", "\u3164\u00ad",
    "cost_{$ x_{i $", "$\\frac$", "\\", "_under", "", f"{HEBREW} 12",
)  # fmt: skip


def places(text: str) -> int:
    """Places in a terminal; the marks around a name written from right to left have none."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text if one not in "\u2068\u2069")


def assert_safe(shown: str, *, lines: bool = False) -> None:
    """Nothing but what can be seen, and marks of direction in pairs."""
    inside = re.sub("\u2068([^\u2068\u2069]*)\u2069", r"\1", shown.replace("\n", "") if lines else shown)
    assert inside.isprintable(), ascii(inside)


@given(st.text() | st.sampled_from(HOSTILE))
def test_any_name_can_be_shown(name: str) -> None:
    """It has no control, no direction of its own, no end of line, and fits."""
    shown = safe_name(name)

    assert_safe(shown)
    assert_safe(safe_text(name))
    assert places(shown) <= PLACES
    assert safe_name(shown.strip("\u2068\u2069"), isolate=False) == shown.strip("\u2068\u2069")


def test_usual_names_stay() -> None:
    """What people call things is shown as it is."""
    for name in ("flow", "sensor-12", "flow/3", "Température [°C]", "電圧", "a b", "100%", "x" * PLACES):
        assert safe_name(name) == safe_text(name) == name
    assert safe_name(f"{HEBREW} 12") == f"\u2068{HEBREW} 12\u2069"
    assert safe_text(f"key '{HEBREW} 12' at 7") == f"key '\u2068{HEBREW}\u2069 12' at 7"
    assert safe_name("\u0301a") == "\\u0301a"
    assert safe_name("europe.turbines.north.temperature/12").endswith("temperature/12")


@given(st.dictionaries(st.text(), st.text()))
def test_json_stays_json(data: dict[str, str]) -> None:
    """A text that is JSON says the same when it is shown."""
    assert json.loads(safe_text(json.dumps(data, ensure_ascii=False), isolate=False)) == data


def status(name: str) -> dict[str, object]:
    one = {
        "position": name, "lag_records": 1, "event_lag_s": 1.0, "keys": 1, "stale_keys": 0, "evicted": 0, "snapshot_age_s": 1.0,
        "score_quantiles": {}, "loss_quantiles": {},
    }  # fmt: skip
    return {
        "state": name, "trouble": name, "events": 1, "events_per_s": 1.0, "alarms": 0, "dead_letters": 0, "uptime_s": 1.0,
        "partitions": {name: one}, "series": [{"partition": name, "key": name, "alarms": 0, "score": 0.0, "worst": 0.0}],
        "coldest": [{"partition": name, "key": name, "events_since": 7}] * 2,
    }  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_top(name: str) -> None:
    """The terminal view, of whoever answers, holds nothing that the terminal obeys, and every column stays in sight."""
    console = Console(width=200, file=io.StringIO(), force_terminal=True, color_system=None)

    console.print(picture(status(name), {}, 200))

    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert_safe(re.sub("\x1b\\[[0-9;]*m", "", said), lines=True)
    assert len(said.splitlines()) <= 14
    if name.startswith("["):
        assert said.count(name) >= 6


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_progress(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the line of a run."""
    monkeypatch.setattr("streamrnn.display.progress._EVERY_S", 0.0)
    with Progress(wanted=True) as progress:
        progress.show(Summary(events=3), name)

    assert_safe(re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err).replace("\r", ""), lines=True)


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_log(form: str) -> None:
    """Each event is one line, which holds what was said of it."""
    out = io.StringIO()
    set_up(form, "info", out)  # type: ignore[arg-type]
    for name in HOSTILE:
        say("revoked", partition=name)

    found = out.getvalue().split("\n")[:-1]
    assert len(found) == len(HOSTILE)
    for line in found:
        assert_safe(line)
    if form == "json":
        assert [json.loads(line)["partition"] for line in found] == list(HOSTILE)


def run_of(names: tuple[str, ...], key: str) -> tuple[RunSummary, ForecastSummary]:
    """A made-up run with alarms that say why."""
    n = 80
    values = np.random.default_rng(1).normal(size=(n, len(names)))
    block = Block(names, values, range(n), n, keys=[key] * n, times=[key] * n)
    told = {"view": np.zeros(n, dtype=np.int64), "feature": np.zeros(n, dtype=np.int64)}
    ahead = np.zeros((n, 3, len(names), 5))
    scored = Scored(np.full(n, 0.5), values, [i % 9 == 0 for i in range(n)], [1.0] * n, details=told, forecasts=ahead)
    curve, fan = RunSummary(), ForecastSummary(Forecast(horizon=3))
    curve(block, scored, Summary())
    fan(block, scored, Summary())
    return curve, fan


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("start", range(0, len(HOSTILE), 4))
@pytest.mark.parametrize("suffix", ["png", "html"])
def test_pictures(start: int, suffix: str, tmp_path: Path) -> None:
    """Columns, keys and titles of any kind are drawn, as text and not as formulas; a page holds no tag of theirs."""
    names = HOSTILE[start : start + 4]
    made = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    curve, fan = run_of(names, names[0])
    draw(curve, str(made[0]), names[-1])
    draw_forecast(fan, str(made[1]), names[-1])

    for path in made:
        assert path.stat().st_size > 1000
        if suffix == "html":
            assert_safe(path.read_text(), lines=True)
            assert "<script" not in path.read_text()


def test_replay_of_a_broken_formula(tmp_path: Path) -> None:
    """A column that is no formula is drawn by the command; that ended as a bug."""
    (tmp_path / "in.csv").write_text("cost_{$ x_{i $\n" + "1\n2\n" * 50)
    command = [sys.executable, "-m", "streamrnn", "replay", "in.csv", "--hidden-size", "4", "--plot", "out.html"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=300)

    assert (done.returncode, b"streamrnn:" in done.stderr) == (0, False)
    assert b"watched   cost_{$ x_{i $\n" in done.stderr
    assert "cost_{$ x_{i $" in (tmp_path / "out.html").read_text()


def test_errors_and_summaries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command says of a hostile file is lines of its own alone."""
    (tmp_path / "twice.csv").write_text('"a\x1b[2J\u202e","a\x1b[2J\u202e"\n1,2\n')
    (tmp_path / "short.csv").write_text('"a\x1b]52;c;x\x07\u2028",b\n1,2\nx\x9b,3\n' + "1,2\n" * 9)
    said = []
    for name in ("twice.csv", "short.csv", "no\x1b[2J\nstreamrnn: all is well.csv"):
        with pytest.raises(SystemExit):
            main(["replay", str(tmp_path / name), "--hidden-size", "4"])
        said.append(capsys.readouterr().err)

    assert "a\\u001b[2J\\u202e, a\\u001b[2J\\u202e_2" in said[0]
    assert "could not be read, and count as missing" in said[1]
    for one in said:
        assert_safe(one, lines=True)
        assert not [line for line in one.splitlines() if line.startswith("streamrnn: all is well")]


def test_law_one_way_out() -> None:
    """The command line prints in one place, which makes safe what it prints."""
    import streamrnn.cli

    sources = [path.read_text() for path in Path(streamrnn.cli.__file__).parent.glob("*.py")]

    assert sum(source.count("click.echo(") for source in sources) == 1
    assert not [source for source in sources if re.search(r"(?<!\w)print\(", source)]
