"""What a member of the group leaves behind when it stops."""

from __future__ import annotations

import pytest
from kafka_rig import make_records, stop

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.mark.parametrize("leaves", [False, True])
def test_leave_on_stop(rig, tmp_path, leaves):
    """A member keeps its place when it stops, for the session time-out; with leave_on_stop it is gone at once."""
    rig.create(1)
    rig.produce(make_records(50, 1))
    worker = rig.start(rig.config(tmp_path, source={"leave_on_stop": leaves, "session_timeout_s": 60.0}))
    rig.wait_until(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0)

    assert stop(worker) == 0

    assert rig.group_is_empty() == leaves
