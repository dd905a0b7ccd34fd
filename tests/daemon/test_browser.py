"""The page of a run, in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.daemon.daemon_rig import Process, get, place, wait

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
        assert len(curves) == 3
        assert len(bands) == 1
        assert all(curve.count("L") > 50 for curve in curves + bands)
        tables = dict(re.findall(r'<tbody id="(\w+)">(.*?)</tbody>', page))
        assert sorted(re.findall(r'<button class="key">(s\d)</button>', tables["series"])) == ["s0", "s1"]
        assert re.search(
            r'<button class="key">s\d</button></td><td>[\d.]+</td><td>[\d.]+</td><td>flow</td>', tables["alarms"]
        )
        assert 'class="on">goes on<' in tables["alarms"] or "over" in tables["alarms"]
        assert tables["good"].count("<tr>") == 1
        assert "<b>600</b>" in page
        assert "CONSOLE" not in seen.stderr
        assert (tmp_path / "page.png").stat().st_size > 20_000
        assert get(port, "/livez")[0] == 200
        assert run.stop(signal.SIGTERM) == 0
