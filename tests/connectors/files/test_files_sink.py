"""The sink: commits are whole or not there, whatever happens between two system calls."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import files_worker
import pytest

from streamrnn.columns.json_write import Row
from streamrnn.errors import ConfigError, FullError, SinkError, StateError
from streamrnn.io import DeadLetter
from streamrnn_files import FileSink, sink, statefile, writable


def make(folder: Path, **options) -> FileSink:
    given = {
        "dead_letters": str(folder / "dead.jsonl"),
        "state_dir": str(folder / "state"),
        "fsync": "never",
        **options,
    }
    return FileSink.from_path(folder / "out.jsonl", **given)


def commit(to: FileSink, i: int, *, snapshot: bool = True) -> None:
    """Make the i-th commit: two outputs, a dead letter, a snapshot."""
    to.commit(
        [b'{"n":%d}' % i, b'{"m":%d}' % i],
        [DeadLetter(i, "bad", b"\xff,%d" % i, i)],
        {"0": i},
        {"0": b"model %d" % i} if snapshot else None,
    )


def written(folder: Path) -> tuple[str, str]:
    return (folder / "out.jsonl").read_text(), (folder / "dead.jsonl").read_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def expected(n: int) -> tuple[str, str]:
    letters = [
        json.dumps(
            {"position": i, "line": i, "reason": "bad", "raw": f"\\xff,{i}", "partition": "0"}, separators=(",", ":")
        )
        for i in range(1, n + 1)
    ]
    outputs = "".join(f'{{"n":{i}}}\n{{"m":{i}}}\n' for i in range(1, n + 1))
    return outputs, "".join(f"{letter}\n" for letter in letters)


def test_commits_are_found_again(tmp_path):
    """A restart finds position, newest snapshot; the files go on where they were."""
    with make(tmp_path) as to:
        assert to.restore("0") is None
        for i in (1, 2):
            commit(to, i)
        commit(to, 3, snapshot=False)
    with make(tmp_path) as to:
        restored = to.restore("0")
        assert restored is not None
        assert (restored.position, restored.snapshot, restored.snapshot_position) == (3, b"model 2", 2)
        assert to.restore("1") is None
        commit(to, 4)

    assert written(tmp_path) == expected(4)


def test_results_in_one_piece_are_written_as_lines_are(tmp_path):
    """What compiled code makes of a block is written whole, with the bytes and the lengths of its lines one by one."""
    texts = [b'{"n":%d}' % i for i in range(50)]
    for name, outputs in (("one", texts), ("whole", Row(50).raws(texts).lines())):
        with make(tmp_path / name) as to:
            assert to.whole_lines()
            to.commit(outputs[:20], [], {"0": 20})
            to.commit(outputs[20:20], [], {"0": 20})
            to.commit(outputs[20:], [], {"0": 50})
        assert [line for _, line in make(tmp_path / name).written()] == texts

    assert written(tmp_path / "one") == written(tmp_path / "whole")


def test_partitions_are_kept_apart(tmp_path):
    """Each partition has its own position and snapshots, whatever its name."""
    with make(tmp_path) as to:
        to.commit([b"1"], [], {"topic/../3": "x:1", "b": 5}, {"topic/../3": b"one"})
        to.commit([b"2"], [], {"b": 6}, {"b": b"two"})
    with make(tmp_path) as to:
        first, second = to.restore("topic/../3"), to.restore("b")

    assert first is not None
    assert second is not None
    assert (first.position, first.snapshot) == ("x:1", b"one")
    assert (second.position, second.snapshot) == (6, b"two")
    assert {path.parent for path in tmp_path.rglob("*.snapshot")} == {tmp_path / "state"}


def test_the_last_snapshots_are_kept(tmp_path):
    """However many commits there are, the directory holds the last few snapshots only."""
    with make(tmp_path) as to:
        for i in range(1, 30):
            commit(to, i)

    names = sorted(path.name for path in (tmp_path / "state").iterdir())
    # three, and the one that the older of the two state files still names
    kept = [f"0-{i}.snapshot" for i in (26, 27, 28, 29)]
    assert names == [*kept, "lock", "state-0.json", "state-1.json"]


def test_what_was_not_committed_is_cut_off(tmp_path):
    """Bytes behind the last commit, as a crash leaves them, are gone after a restart."""
    with make(tmp_path) as to:
        commit(to, 1)
    for name in ("out.jsonl", "dead.jsonl"):
        with (tmp_path / name).open("a") as file:
            file.write('{"half a li')
    with make(tmp_path):
        pass

    assert written(tmp_path) == expected(1)


def test_without_state_each_run_starts_anew(tmp_path):
    """Without a state directory the files are emptied, nothing is restored, and delivery says so."""
    for _ in range(2):
        with make(tmp_path, state_dir=None) as to:
            assert to.restore("0") is None
            assert to.delivery == "at_least_once"
            commit(to, 1)

    assert written(tmp_path) == expected(1)


def test_fresh_forgets(tmp_path):
    """With fresh = true the state and the outputs of earlier runs are gone; files of others are not touched."""
    with make(tmp_path) as to:
        commit(to, 1)
    (tmp_path / "state" / "notes.txt").write_text("mine")
    with make(tmp_path, fresh=True) as to:
        assert to.restore("0") is None

    assert written(tmp_path) == ("", "")
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["lock", "notes.txt", "state-0.json"]


def test_outputs_without_their_state_are_kept(tmp_path):
    """A state that was lost, or a file of somebody else's, is no reason to empty it; a killed run's own remains are."""
    with make(tmp_path) as to:
        commit(to, 1)
    (tmp_path / "state").rename(tmp_path / "elsewhere")
    with (
        pytest.raises(StateError, match=r"out\.jsonl' holds \d+ bytes, but the state .* is not there. Put it back"),
        make(tmp_path),
    ):
        pass
    assert written(tmp_path) == expected(1)

    with make(tmp_path, fresh=True):
        pass
    (tmp_path / "out.jsonl").write_text("half a li")  # killed before the first commit
    with make(tmp_path) as to:
        commit(to, 1)
    assert written(tmp_path) == expected(1)


def test_delivery(tmp_path, capfdbinary):
    """Exactly once is promised with state and plain files only; standard output is written all the same."""
    assert make(tmp_path).delivery == "exactly_once"
    assert make(tmp_path, dead_letters="/dev/null").delivery == "at_least_once"
    with FileSink.from_path("-", state_dir=str(tmp_path / "state")) as to:
        assert to.delivery == "at_least_once"
        to.commit([b"a", b"b"], [], {"0": 1})

    assert capfdbinary.readouterr().out == b"a\nb\n"


class CrashError(BaseException):
    """The process ends here."""


def crash_at(monkeypatch, point: int) -> list[str]:
    """Let the ``point``-th system call that changes something be the last; a write may get half through."""
    seen: list[str] = []

    def step(name: str) -> bool:
        seen.append(name)
        return len(seen) == point

    def around(owner, name):
        real = getattr(owner, name)

        def call(*args, **kwargs):
            if step(name):
                raise CrashError
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    real_append = sink._Appended.append

    def append(self, data):
        if step("append"):
            real_append(self, data[: len(data) // 2])
            raise CrashError
        return real_append(self, data)

    monkeypatch.setattr(sink._Appended, "append", append)
    real_beside = statefile._write_beside

    def beside(path, data, *, fsync):
        if step("beside"):
            real_beside(path, data[: len(data) // 2], fsync=fsync)
            raise CrashError
        return real_beside(path, data, fsync=fsync)

    monkeypatch.setattr(statefile, "_write_beside", beside)
    for owner, name in ((os, "fsync"), (os, "ftruncate"), (Path, "replace"), (Path, "unlink")):
        around(owner, name)
    return seen


def steps_to_disk(monkeypatch) -> list[tuple[str, str]]:
    """Note each fsync and each renaming, with the name of the file or directory that it is about."""
    seen: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor):
        seen.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def noted_replace(path, target):
        seen.append(("rename", Path(target).name))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    return seen


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc that names an open file")
def test_a_commit_outlives_a_power_cut(tmp_path, monkeypatch):
    """Outputs, dead letters, their directory, the snapshot and the state are on disk before the state is renamed, and its name right after."""
    seen = steps_to_disk(monkeypatch)
    with make(tmp_path / "run", fsync="commit") as to:
        begun = [*seen]
        seen.clear()
        commit(to, 1)
        first = [*seen]
        seen.clear()
        commit(to, 2)

    def steps(i, *directories):
        written = [step for name in ("out.jsonl", "dead.jsonl") for step in (name, *directories)]
        snapshot = [("fsync", f"0-{i}.snapshot.tmp"), ("rename", f"0-{i}.snapshot")]
        state = [("fsync", f"state-{i % 2}.json.tmp"), ("rename", f"state-{i % 2}.json"), ("fsync", "state")]
        return [*(("fsync", name) for name in written), *snapshot, *state]

    assert begun == [("fsync", "state-0.json.tmp"), ("rename", "state-0.json"), ("fsync", "state")]
    assert first == steps(1, "run")  # the names of the two files are new, and they may lie in two places
    assert seen == steps(2)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc that names an open file")
def test_without_fsync_nothing_is_waited_for(tmp_path, monkeypatch):
    """``fsync = "never"`` means that."""
    with make(tmp_path) as to:
        seen = steps_to_disk(monkeypatch)
        commit(to, 1)

    assert [name for name, _ in seen] == ["rename", "rename"]


@pytest.mark.parametrize("fresh", [False, True])
def test_crash_between_any_two_system_calls(tmp_path, monkeypatch, fresh):
    """Wherever the process ends, a restart finds whole commits only, and going on gives the uninterrupted files."""
    for point in range(1, 200):
        folder = tmp_path / str(point)
        with make(folder) as to:
            for i in (1, 2, 3):
                commit(to, i)
        if fresh:
            (folder / "out.jsonl").write_text(expected(2)[0])  # what counts is the state: it is too short for it
        with monkeypatch.context() as patch:
            seen = crash_at(patch, point)
            try:
                with make(folder, fresh=fresh, fsync="commit") as to:
                    for i in (1, 2, 3) if fresh else (4, 5, 6):
                        commit(to, i)
            except CrashError:
                crashed = True
            else:
                crashed = False

        try:
            to = make(folder).__enter__()
        except StateError:  # a fresh start that had not begun: the broken files of before are still refused
            assert fresh
            assert (
                seen == ["beside", "fsync", "replace", "unlink"][: len(seen)]
            )  # one file is another, then the other goes
            continue
        restored = to.restore("0")
        done = 0 if restored is None else restored.position
        assert restored is None or restored.snapshot == b"model %d" % done
        assert written(folder) == expected(int(done))
        for i in range(int(done) + 1, 7):
            commit(to, i)
        to.__exit__()
        assert written(folder) == expected(6)
        if not crashed:
            break
    assert not crashed
    assert {"append", "beside", "replace", "fsync", "ftruncate", "unlink"} <= set(seen)


@pytest.mark.parametrize("how", ["truncate", "flip", "delete"])
def test_damaged_snapshot(tmp_path, how):
    """A damaged newest snapshot falls back to an older one, with a warning; when all are, it is an error."""

    def damage(path):
        if how == "delete":
            path.unlink()
            return
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data if how == "flip" else data[:3])

    with make(tmp_path) as to:
        for i in (1, 2, 3):
            commit(to, i)
    damage(tmp_path / "state" / "0-3.snapshot")
    with make(tmp_path) as to:
        with pytest.warns(RuntimeWarning, match=r"0-3\.snapshot.* is damaged; going on from an older one"):
            restored = to.restore("0")
        assert restored is not None
        assert (restored.position, restored.snapshot, restored.snapshot_position) == (3, b"model 2", 2)
        for older in (2, 1):
            damage(tmp_path / "state" / f"0-{older}.snapshot")
        with pytest.raises(StateError, match="No snapshot of partition '0' is whole"):
            to.restore("0")


@pytest.mark.parametrize("part", range(16))
def test_damaged_state_file(tmp_path, part):
    """A state file cut anywhere falls back to the other one, with a warning; the files then are those of its moment."""
    with make(tmp_path) as to:
        for i in (1, 2, 3):
            commit(to, i)
    newest, other = tmp_path / "state" / "state-1.json", tmp_path / "state" / "state-0.json"
    newest.write_bytes(newest.read_bytes()[: part * newest.stat().st_size // 16])
    with pytest.warns(RuntimeWarning, match=r"state-1\.json.* is damaged; going on from the other one, commit 2"):
        to = make(tmp_path).__enter__()
    restored = to.restore("0")

    assert restored is not None
    assert (restored.position, restored.snapshot) == (2, b"model 2")
    assert written(tmp_path) == expected(2)
    for i in (3, 4):
        commit(to, i)
    to.__exit__()
    assert written(tmp_path) == expected(4)
    for path in (newest, other):
        path.write_bytes(b"x")
    with pytest.raises(StateError, match="cannot be read"), make(tmp_path):
        pass


def test_flipped_bits_are_noticed(tmp_path):
    """No single flipped bit of a state file passes."""
    with make(tmp_path) as to:
        commit(to, 1)
    path = tmp_path / "state" / "state-1.json"
    good = path.read_bytes()
    drawn = random.Random(7)
    for _ in range(200):
        bad = bytearray(good)
        bad[drawn.randrange(len(bad))] ^= 1 << drawn.randrange(8)
        with pytest.raises(ValueError):
            statefile._decode(bytes(bad))


def test_state_from_the_future_is_refused(tmp_path):
    """A state of a later format, though whole, is an error that says so."""
    import hashlib

    with make(tmp_path) as to:
        commit(to, 1)
    path = tmp_path / "state" / "state-1.json"
    body = path.read_bytes().split(b"\n", 1)[1].replace(b'"version":1', b'"version":9')
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    with pytest.raises(StateError, match="format 9; this version reads 1"), make(tmp_path):
        pass


def test_output_that_was_changed_is_refused(tmp_path):
    """An output shorter than recorded was changed by someone: an error, and the file is left as it is."""
    with make(tmp_path) as to:
        commit(to, 1)
    (tmp_path / "out.jsonl").write_text("{}\n")
    with pytest.raises(StateError, match="holds 3 bytes, but 16 had been written"), make(tmp_path):
        pass

    assert (tmp_path / "out.jsonl").read_text() == "{}\n"
    with make(tmp_path, fresh=True) as to:
        commit(to, 1)
    assert written(tmp_path) == expected(1)


def test_two_runs_cannot_share_a_state(tmp_path):
    """A second run with the same state directory is refused, and harms nothing."""
    with make(tmp_path) as to:
        commit(to, 1)
        with pytest.raises(SinkError, match="is in use by another run"), make(tmp_path):
            pass
        commit(to, 2)

    assert written(tmp_path) == expected(2)


@pytest.mark.parametrize("failing", ["append", "beside"])
def test_failed_commit_can_be_tried_again(tmp_path, monkeypatch, failing):
    """On a full disk a commit is undone and says so; once there is room the same commit goes through."""
    with make(tmp_path) as to:
        commit(to, 1)
        with monkeypatch.context() as patch:
            owner, name = (sink._Appended, "append") if failing == "append" else (statefile, "_write_beside")
            real = getattr(owner, name)

            def full(*args, **kwargs):
                real(*args, **kwargs)
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(owner, name, full)
            with pytest.raises(FullError, match="No space left on device"):
                commit(to, 2)
        assert written(tmp_path) == expected(1)
        assert names(tmp_path / "state") == [
            "0-1.snapshot",
            "lock",
            "state-0.json",
            "state-1.json",
        ]  # half a snapshot takes no room
        commit(to, 2)
    with make(tmp_path) as to:
        restored = to.restore("0")

    assert restored is not None
    assert restored.position == 2
    assert written(tmp_path) == expected(2)


def test_halves_of_a_killed_run_are_deleted(tmp_path):
    """What was being written when a process was killed goes with the next start; what somebody put there stays."""
    with make(tmp_path) as to:
        commit(to, 1)
    for name in ("0-2.snapshot.tmp", "state-0.json.tmp", "0-2.snapshot", "kept.snapshot", "other.tmp"):
        (tmp_path / "state" / name).write_text("half")
    with make(tmp_path) as to:
        for i in (2, 3):
            commit(to, i)

    kept = ["0-1.snapshot", "0-2.snapshot", "0-3.snapshot", "kept.snapshot", "lock", "other.tmp"]
    assert names(tmp_path / "state") == [*kept, "state-0.json", "state-1.json"]
    assert (tmp_path / "state" / "0-2.snapshot").read_text() == "model 2"


def test_check_finds_no_room(tmp_path, monkeypatch):
    """A disk without room is told ahead; a device has no room to be short of."""
    real = shutil.disk_usage
    monkeypatch.setattr(writable.shutil, "disk_usage", lambda path: type(real(path))(100, 100, 0))
    wrong = [str(error) for error in make(tmp_path).check()]

    assert len(wrong) == 3
    assert all("no space is left on its disk. Make room there." in one for one in wrong)
    assert FileSink.from_path("/dev/null").check() == []


def test_commit_of_unknown_outcome_is_not_followed_by_another(tmp_path, monkeypatch):
    """When recording itself fails nobody knows whether it happened: only a restart, which looks, goes on."""
    with make(tmp_path) as to:
        commit(to, 1)
        with monkeypatch.context() as patch:
            patch.setattr(statefile.StateDirectory, "_sync_directory", lambda self: os.close(-1))
            with pytest.raises(SinkError, match="is not known: restart"):
                commit(to, 2)
        with pytest.raises(SinkError, match="may or may not have been recorded"):
            commit(to, 2)
    with make(tmp_path) as to:
        restored = to.restore("0")

    assert restored is not None
    assert restored.position == 2
    assert written(tmp_path) == expected(2)


def test_places_that_cannot_be_written(tmp_path):
    """A place that cannot be written is a SinkError with exit code 73; folders that are missing are made."""
    (tmp_path / "file").write_text("")
    for options in (
        {"path": tmp_path},
        {"path": tmp_path / "file" / "x"},
        {"path": "-", "state_dir": str(tmp_path / "file")},
    ):
        with pytest.raises(SinkError, match="cannot be written") as caught, FileSink.from_path(**options):
            pass
        assert caught.value.exit_code == 73
    with FileSink.from_path("/dev/full") as to, pytest.raises(SinkError, match=r"'/dev/full'.*No space left") as caught:
        to.commit([b"x"], [], {"0": 1})
    assert type(caught.value) is SinkError  # what a device has taken cannot be taken back: never tried again
    with FileSink.from_path(tmp_path / "new" / "folder" / "x.jsonl") as to:
        to.commit([b"x"], [], {"0": 1})
    assert (tmp_path / "new" / "folder" / "x.jsonl").read_text() == "x\n"


def test_options_that_contradict_each_other():
    """Dead letters need a file of their own."""
    for options in ({"dead_letters": "-"}, {"dead_letters": "x"}):
        with pytest.raises(ConfigError, match=r"\[dead_letter\] path"):
            FileSink.from_path("x", **options)


def make_input(path: Path, rows: int) -> None:
    drawn = random.Random(3)
    lines = ["a,note", *(f"{drawn.random()},x" if i % 11 else "abc,x" for i in range(rows))]
    path.write_text("\n".join(lines) + "\n")


def test_kill_9(tmp_path):
    """Killed again and again at random moments, a run ends with the very files of an uninterrupted one."""
    make_input(tmp_path / "in.csv", 2000)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    files_worker.run(
        *(str(path) for path in (tmp_path / "in.csv", *(whole / name for name in ("out", "dead", "state"))))
    )
    command = [sys.executable, files_worker.__file__, str(tmp_path / "in.csv")]
    command += [*(str(killed / name) for name in ("out", "dead", "state")), "0.001"]
    drawn = random.Random(11)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    kills, sizes = 0, set()
    for _ in range(60):
        process = subprocess.Popen(command, env=environment)
        before, end = size_of(killed / "out"), time.monotonic() + 20
        while process.poll() is None and size_of(killed / "out") == before and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(drawn.uniform(0.0, 0.06))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        sizes.add(size_of(killed / "out"))

    assert process.returncode == 0
    assert kills >= 3
    assert len(sizes) >= 3
    for name in ("out", "dead"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
