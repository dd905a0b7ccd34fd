"""A run from Kafka to Kafka, looked at from outside its group: its results proven, its snapshots kept and taken in elsewhere."""

from __future__ import annotations

import pytest
from kafka_rig import make_records, offline, stop

from streamrnn.cli import main
from streamrnn.commands.export import read_export

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return int(str(ended.value.code)), *capsys.readouterr()


def test_from_outside(rig, tmp_path, capsys):
    """Verify proves every result, replay writes a stretch of the topic again, import carries a state to another group."""
    records = make_records(1600, 2, bad=50)
    rig.create(2)
    config = rig.config(tmp_path)
    rig.produce(records[:800])
    worker = rig.start(config)
    rig.wait_until(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0)
    assert stop(worker) == 0

    code, listed, _ = told(capsys, "snapshot", "list", config)
    assert (code, listed.count("good")) == (0, 2)
    name = next(line.split()[1] for line in listed.splitlines() if line.startswith(f"{rig.topic}/1"))
    kept = tmp_path / "kept"
    assert told(capsys, "snapshot", "export", config, kept, "--name", name)[0] == 0
    one = read_export(str(kept))
    assert (one.partition, one.position) == (f"{rig.topic}/1", 400)
    rig.produce(records[800:])
    worker = rig.start(config)
    rig.wait_until(lambda: rig.lag() == 0)
    assert stop(worker) == 0
    outputs = rig.pairs(rig.output)

    code, said, _ = told(capsys, "verify", config)
    assert (code, said.count("bit for bit")) == (0, 2)
    assert f"partition {rig.topic}/1: {len(outputs[1]):,} results" in said
    rest = [value for _, value in outputs[1] if int(value.rpartition(b":")[2][:-1]) >= 400]
    assert told(capsys, "verify", config, "--snapshot", kept)[1].startswith(
        f"partition {rig.topic}/1: {len(rest)} results"
    )
    code, said, _ = told(capsys, "replay", "--config", config, "--snapshot", kept, "--to", "600")
    assert (code, said.encode().splitlines()) == (0, rest[: len(said.splitlines())])
    assert 190 < len(said.splitlines()) < 200

    other = rig.config(tmp_path, "other", source={"group": f"{rig.name}b"}, sink={"topic": f"{rig.output}b"})
    assert told(capsys, "snapshot", "import", other, kept)[0] == 0
    worker = rig.start(other)
    rig.wait_until(lambda: len(rig.pairs(f"{rig.output}b").get(1, ())) == len(rest))
    assert stop(worker) == 0
    assert [value for _, value in rig.pairs(f"{rig.output}b")[1]] == rest
    assert told(capsys, "snapshot", "import", other, kept)[0] == 76

    foreign = rig.config(tmp_path, "foreign", model={"hidden_size": 8, "seed": 4})
    code, _, why = told(capsys, "verify", foreign)
    assert (code, "the output holds" in why) == (76, True)


def test_backfill(rig, tmp_path, capsys):
    """A topic learned from its start, and gone on with exactly behind it: results are the rest of those of one pass, in each partition."""
    records = make_records(1200, 2, bad=50)
    rig.create(2)
    rig.produce(records[:800])
    config = rig.config(tmp_path)

    code, said, _ = told(capsys, "backfill", config)
    assert (code, said.count("the run goes on at position 400")) == (0, 2)
    assert rig.count(rig.output) == 0
    rig.produce(records[800:])
    worker = rig.start(config)
    rig.wait_until(lambda: rig.ends(rig.output) > 0 and rig.lag() == 0)
    assert stop(worker) == 0

    whole = offline(records, topic=rig.topic)
    found = rig.pairs(rig.output)
    assert {i: len(some) for i, some in found.items()} == {0: 200, 1: 192}
    assert found == {i: some[-len(found[i]) :] for i, some in whole.items()}
