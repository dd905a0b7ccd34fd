"""A state directory that may not be written: before a run, and in the middle of one."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.daemon_rig import Process, lines, place, wait

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="root can be held to rights on Linux only")


def held_to_rights() -> None:
    """Have what is executed next obey rights, even if root runs the tests."""
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def run(config: Path) -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "streamrnn", "run", str(config)]
    return subprocess.run(line, capture_output=True, check=False, timeout=150, preexec_fn=held_to_rights)


def test_read_only(tmp_path: Path) -> None:
    """It is one sentence with exit code 73, however often it is tried, and nothing is lost: with the right back, it goes on."""
    assert run(place(tmp_path / "whole", 3000)).returncode == 0
    expected = (tmp_path / "whole" / "out.jsonl").read_bytes()
    config = place(tmp_path / "run", 1000, follow=True)
    state = config.parent / "state"
    with Process(config, preexec_fn=held_to_rights) as process:
        wait(lambda: process.outputs() == 1000 and any(state.glob("state-?.json")))  # written, and committed
        state.chmod(0o555)
        with (config.parent / "in.csv").open("a") as file:
            file.write(lines(2000, 1000))
        code = process.process.wait(timeout=60)
        said = process.err.read_text()

    assert code == 73
    assert "cannot be written: Permission denied" in said
    assert "Traceback" not in said
    before = (config.parent / "out.jsonl").read_bytes()
    place(config.parent, 3000)
    for _ in range(2):
        refused = run(config)
        assert (refused.returncode, b"Permission denied" in refused.stderr) == (73, True)
        assert (config.parent / "out.jsonl").read_bytes() == before
    state.chmod(0o755)
    assert run(config).returncode == 0
    assert (config.parent / "out.jsonl").read_bytes() == expected
