"""The page of a run, in a real browser."""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.daemon.daemon_rig import Process, get, place, wait
from tests.daemon.test_feedback import TOKEN, say
from tests.daemon.test_feedback import place as place_with_feedback

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser was found; on Debian: apt-get install chromium (or point PATH at a Chromium)"
)


def browse(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Open a page without a window; no other host than this one can be reached."""
    line = [
        str(BROWSER), "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", "--virtual-time-budget=5000",
        "--window-size=1100,900", "--hide-scrollbars",
    ]  # fmt: skip
    if os.geteuid() == 0:
        line.append("--no-sandbox")  # Chromium refuses to run as root with it
    return subprocess.run([*line, *arguments], capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.slow
def test_the_page_shows_the_stream(tmp_path: Path) -> None:
    """Values, expectation, scores and the series that alarm are drawn; the console is silent; a picture can be taken."""
    config = place(tmp_path, 600, follow=True, more="[server]\nport = 0\n")
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 600)
        address = f"http://127.0.0.1:{port}/"

        seen = browse(tmp_path, "--dump-dom", address)
        browse(tmp_path, f"--screenshot={tmp_path / 'page.png'}", address)

        page = seen.stdout
        assert '<span id="state">running</span>' in page
        curves = re.findall(r'<path d="(M[^"Z]*)"', page)
        bands = re.findall(r'<path d="(M[^"]*Z)"', page)
        assert len(curves) == 4  # value, expected, score, threshold
        assert page.count('data-threshold=""') == 1
        assert 'data-feature=""' not in page  # there is only one
        assert len(bands) == 1
        assert all(curve.count("L") > 50 for curve in curves + bands)
        tables = dict(re.findall(r'<tbody id="(\w+)">(.*?)</tbody>', page))
        assert sorted(re.findall(r'<button class="key">(s\d)</button>', tables["series"])) == ["s0", "s1"]
        state = r'<span class="(?:on">goes on|">over[^<]*)</span>'
        assert re.search(
            rf'<button class="key">s\d</button></td><td>{state}</td><td>2024-01-01 [\d:]+Z?</td><td>[\d.]+</td><td>[\d.]+</td><td>flow</td>',
            tables["alarms"],
        )
        said = re.findall(r"<li[^>]*>(.*?)</li>", re.search(r'<ul id="now"[^>]*>(.*?)</ul>', page)[1])  # type: ignore[index]
        assert [re.match(r"<b>(\w+)|No alarm", one)[0] for one in said][-3:] == ["<b>Process", "<b>Input", "<b>Model"]  # type: ignore[index]
        assert tables["good"].count("<tr>") == 1
        assert "<b>600</b>" in page
        assert "CONSOLE" not in seen.stderr
        assert (tmp_path / "page.png").stat().st_size > 20_000
        assert get(port, "/livez")[0] == 200
        assert run.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_several_features_are_shown(tmp_path: Path) -> None:
    """Each feature has a panel with its name, the one that decided the last alarm first; names are text, whatever they are."""
    config = place(tmp_path, 0, follow=True, more="[server]\nport = 0\n")
    config.write_text(config.read_text().replace("rate = 0.05", "rate = 0.001"))
    drawn = random.Random(2)
    rows = (
        (10 + 5 * math.sin(i / 30) + drawn.gauss(0, 0.4), drawn.gauss(5, 0.2), drawn.gauss(11, 0.3) + 12 * (i > 590))
        for i in range(600)
    )
    body = (f"{1_700_000_000 + 300 * i},s0,{a:.3f},{b:.3f},{c:.3f}\n" for i, (a, b, c) in enumerate(rows))
    (tmp_path / "in.csv").write_text("".join(("time,sensor,flow,<b>level</b>,power\n", *body)))
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 600)
        page = browse(tmp_path, "--dump-dom", f"http://127.0.0.1:{port}/").stdout
        status = json.loads(get(port, "/status")[1])

        shown = re.findall(r'data-feature=""[^>]*>([^<]*)</text>', page)
        assert sorted(shown) == sorted(["flow", "&lt;b&gt;level&lt;/b&gt;", "power"])
        assert status["recent_alarms"][0]["feature"] == shown[0] == "power"
        assert run.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_alarms_can_be_answered(tmp_path: Path) -> None:
    """With a token set each alarm has two buttons and the page a field for the token; what was said is shown."""
    config = place_with_feedback(tmp_path)
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 400)
        [alarm] = [one for one in json.loads(get(port, "/status")[1])["recent_alarms"] if one["key"] == "a"]
        assert say(port, TOKEN, {"alarm": alarm["alarm"], "anomaly": False})[0] == 200
        wait(lambda: json.loads(get(port, "/status")[1])["recent_alarms"][0]["said"] is False)

        seen = browse(tmp_path, "--dump-dom", f"http://127.0.0.1:{port}/")

        sentence = r"<b>Alarm of a</b>: level was 40 where [\d.]+ was expected, as rare as one event in [\d,]+. Since 2024-01-01 02:30"
        assert re.search(sentence, seen.stdout) or "No alarm goes on" in seen.stdout
        assert re.findall(r'<button class="said"( disabled="")?>([^<]*)</button>', seen.stdout)[:2] == [
            ("", "an anomaly"),
            (' disabled=""', "\u2713 a false alarm"),
        ]
        assert re.search(r'<form id="desk" class="legend word">.*<input id="token" type="password"', seen.stdout)
        assert "CONSOLE" not in seen.stderr
