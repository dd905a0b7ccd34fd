"""kill -9, a few times: ``make kills`` does it a hundred times, and to Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.kills import file_run


@pytest.mark.slow
def test_kills(tmp_path: Path) -> None:
    """A file run that is killed at random moments leaves the bytes of one that was left alone."""
    tally = file_run(tmp_path, kills=3, seed=2, rows=3000)

    assert (tally.kills, tally.events, tally.same) == (3, 9000, True)
