"""Snapshots and exported ones of a run as anybody may have written them: a shard that is whole, or a StateError."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.commands.export import read_export, write_export
from streamrnn.commands.snapshot import stored
from streamrnn.container import MAGIC, VERSION, pack, unpack
from streamrnn.engine.assemble import make_runtime, make_shards
from streamrnn.errors import StateError
from streamrnn.scorers.check_model import check_model
from tests.engine.short_rig import lay
from tests.models.mutants import NESTED, encoded, holds, mutants

HEADER = struct.Struct("<8sIQ")
KINDS = {
    "detector": '[model]\nhidden_size = 8\nmemory = 64\n[source]\nkey = "town"',
    "forecasts": "[model]\nhidden_size = 8\nmemory = 64\n[forecast]\nhorizon = 2",
    "label": '[model]\nkind = "RNNRegressor"\nlabel = "flow"\nhidden_size = 8',
    "late feedback": '[model]\nlabel = "word"\nfeedback_memory = 20\nhidden_size = 8\nmemory = 64\n[source]\ntime = "at"',
}


def rig(folder: Path, kind: str) -> config.Config:
    """A run over 30 rows with a snapshot behind it."""
    rows = "".join(f"{i},{10 + i * 7 % 24},{i % 4},{i % 2 if i % 5 == 0 else ''},{'ab'[i % 2]}\n" for i in range(30))
    source, more = KINDS[kind].partition("[source]")[::2]
    options = f'{more}\ncolumns = ["flow", "rain", "word"]\n'
    path = lay(
        folder, "at,flow,rain,word,town\n" + rows, f'fsync = "never"\n[state]\ndir = "state"\nevery = 10\n{source}'
    )
    path.write_text(path.read_text().replace("[source]\n", f"[source]\n{options}", 1))
    made = config.load(path, check_model)
    make_runtime(made).run()
    return made


def fields(data: bytes) -> tuple[bytes, int]:
    """What stands before the length of the manifest, and that."""
    *_, length = HEADER.unpack_from(data)
    return data[:12], length


def ways(made: config.Config) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    """How a shard is read and written."""
    make = make_shards(made)

    def loads(data: bytes) -> Any:
        shard = make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other numerics are told
            shard.restore(data)
        return shard

    return loads, lambda shard: shard.snapshot()


def inner(whole: bytes, data: bytes, place: int) -> bytes:
    """A snapshot whose blob at ``place`` is another one."""
    manifest, blobs = unpack(whole)
    blobs[place % len(blobs)] = data
    return pack(manifest, blobs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shard_is_whole_or_refused(tmp_path: Path, kind: str) -> None:
    """Whatever is changed in the snapshot of a run, or in what it holds: StateError, or a shard that is written as it is read."""
    made = rig(tmp_path, kind)
    loads, dumps = ways(made)
    whole = stored(made)[0].data
    parts = unpack(whole)[1]
    found = Counter(holds(one, loads, dumps) for one in mutants(whole, HEADER, fields, 200, 1))
    for place in range(len(parts)):
        for other in (b"", b"\xff" * 16, b"\xff" * 15 + b"\x7f" * 17, *parts):
            found.update([holds(inner(whole, other, place), loads, dumps)])

    assert holds(whole, loads, dumps)
    assert found[False] > 100


def test_an_exported_snapshot_is_whole_or_refused(tmp_path: Path) -> None:
    """The file that ``snapshot export`` wrote, changed: StateError, or one that is written as it is read."""
    one = stored(rig(tmp_path, "label"))[0]
    place = tmp_path / "kept"
    write_export(one, str(place))

    def loads(data: bytes) -> Any:
        place.write_bytes(data)
        return read_export(str(place))

    def dumps(found: Any) -> bytes:
        write_export(found, str(place))
        return place.read_bytes()

    whole = place.read_bytes()
    for mutant in mutants(whole, HEADER, fields, 300, 3):
        holds(mutant, loads, dumps)
    assert holds(whole, loads, dumps)


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.mark.filterwarnings("ignore:The snapshot was computed with other numerics")
def test_the_commands_say_it_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``streamrnn snapshot`` over a state directory that anybody has written: never a bug's exit code."""
    rig(tmp_path, "label")
    path, state = tmp_path / "watch.toml", tmp_path / "state"
    kept = tmp_path / "whole"
    shutil.copytree(state, kept)
    [whole] = [
        file
        for file in kept.glob("*.snapshot")
        if json.loads(slot(kept)[65:])["partitions"]["0"]["snapshots"][0]["file"] == file.name
    ]
    codes = Counter()
    for mutant in mutants(whole.read_bytes(), HEADER, fields, 25, 4):
        (state / whole.name).write_bytes(mutant)
        said = json.loads(slot(kept)[65:])
        said["partitions"]["0"]["snapshots"][0]["sha256"] = hashlib.sha256(mutant).hexdigest()
        write_slots(state, json.dumps(said).encode())
        codes.update(ended("snapshot", command, str(path)) for command in ("list", "show", "verify"))
        codes[ended("snapshot", "export", str(path), str(tmp_path / "exported"))] += 1
    for body in (b"[" * 100_000, b"{}", b"null", b'{"partitions":{"0":{"position":1,"snapshots":[{"file":"a\\u0000","sha256":"","position":1}]}}}',
        b'{"commit":-1}', b'{"output_bytes":1e999}', b'{"partitions":{"0":{"position":1,"snapshots":[{"file":"a","sha256":"","position":1,"extra":{"a":' + NESTED + b"}}]}}}"):  # fmt: skip
        write_slots(state, body)
        codes.update(ended("snapshot", command, str(path)) for command in ("list", "show", "verify"))

    assert set(codes) <= {0, 76}, capsys.readouterr().err


def slot(folder: Path) -> bytes:
    """The newer state file."""
    return max(
        (file.read_bytes() for file in folder.glob("state-*.json")), key=lambda data: json.loads(data[65:])["commit"]
    )


def write_slots(folder: Path, body: bytes) -> None:
    """Make both state files say this."""
    for file in folder.glob("state-*.json"):
        file.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def test_a_manifest_of_many_parts_is_read_at_once() -> None:
    """100,000 lengths cost their number, not its square."""
    data = encoded({"blobs": [0] * 100_000})
    body = HEADER.pack(MAGIC, VERSION, len(data)) + data
    started = time.perf_counter()

    assert len(unpack(body + hashlib.sha256(body).digest())[1]) == 100_000
    assert time.perf_counter() - started < 5.0


def test_a_snapshot_with_another_model_inside_is_refused(tmp_path: Path) -> None:
    """A manifest that names the right model, over bytes of another one."""
    import streamrnn
    from streamrnn.models.persistence import encode

    made = rig(tmp_path, "detector")
    loads, _ = ways(made)
    whole = stored(made)[0].data

    with pytest.raises(StateError, match="holds a RNNClassifier where this configuration has a RNNAnomalyDetector"):
        loads(inner(whole, encode(streamrnn.RNNClassifier()), 0))


if __name__ == "__main__":
    n, total = int(sys.argv[1]), Counter[Any]()
    for seed, kind in enumerate(KINDS):
        made = rig(Path(sys.argv[2]) / kind, kind)
        loads, dumps = ways(made)
        whole = stored(made)[0].data
        for mutant in mutants(whole, HEADER, fields, n // len(KINDS), seed + 100):
            total[kind, holds(mutant, loads, dumps)] += 1
    sys.stdout.write(f"{n} mutants: {dict(total)}\n")
