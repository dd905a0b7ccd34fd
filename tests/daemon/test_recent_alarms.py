"""The latest alarms of a run: which belong together, and what is still going on."""

from __future__ import annotations

import numpy as np

from streamrnn.daemon.recent_alarms import RecentAlarms
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored


def test_an_outage_goes_on_while_it_lasts() -> None:
    """One alarm at its onset, and then hours of what the model calls a lasting change: it goes on until that is over, and then for as long as any."""
    recent = RecentAlarms(ends_after=2)
    since = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0])
    alarms = [False, True, *[False] * 7]
    goes_on = []
    for i, alarm in enumerate(alarms):
        block = Block(("a",), np.array([[float(i)]]), (i,), i + 1)
        recent.take(block, Scored(np.array([0.5]), np.zeros((1, 1)), [alarm], [], details={"since": since[i : i + 1]}))
        goes_on.append([one.goes_on for one in recent.newest()])

    assert goes_on == [[], *[[True]] * 7, [False]]
    assert [(one.first.value, one.alarms) for one in recent.newest()] == [(1.0, 1)]
