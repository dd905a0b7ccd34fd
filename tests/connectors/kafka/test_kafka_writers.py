"""Two applications that write one topic: each is told of the other, and neither of itself."""

from __future__ import annotations

import pytest
from kafka_rig import Rig, make_records
from test_kafka_stops import run, runtime

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.fixture
def filled(rig: Rig, tmp_path) -> Rig:
    """Two partitions, whose results an application has written in two runs, without a warning (which would be an error)."""
    rig.folder = tmp_path
    rig.create(2)
    for seed in (0, 1):
        rig.produce(make_records(200, 2, seed=seed))
        assert run(rig).events == 200
    return rig


def checked(rig: Rig, group: str) -> list[Exception]:
    one = runtime(rig, source={"group": group})
    one.sink.attach(one.source)
    return one.sink.check()


def test_another_application(filled):
    """Who comes second is told at the start and by check who wrote before; so is the first, once the second has written."""
    other = f"{filled.name}b"
    said = rf"'{filled.output}' holds records of the application \(the \[source\] group\) '{filled.name}', the newest of 20"

    with pytest.warns(RuntimeWarning, match=said):
        assert checked(filled, other) == []
    with pytest.warns(RuntimeWarning, match=said):
        assert run(filled, source={"group": other}, state={"topic": f"{other}.state"}).events == 400
    with pytest.warns(RuntimeWarning, match=f"group\\) '{other}', the newest"):
        assert checked(filled, filled.name) == []


def test_another_program(filled):
    """Records without any header of ours are of another program; those of an earlier release are of nobody in particular."""
    assert checked(filled, filled.name) == []
    filled.produce([(0, b"k", b"{}", 1_700_000_000_000)], filled.output)

    with pytest.warns(RuntimeWarning, match="of a program that is not this one, the newest of 2023-11-14T22:13:20Z"):
        assert checked(filled, filled.name) == []


def test_every_block_says_whose_it_is(filled):
    """The newest result of each partition names its application, however the blocks were cut; all name their partition."""
    for i, records in filled.read(filled.output).items():
        assert dict(records[-1].headers)["streamrnn.application"] == filled.name.encode()
        assert {dict(one.headers)["streamrnn.source"] for one in records} == {f"{filled.topic}/{i}".encode()}
