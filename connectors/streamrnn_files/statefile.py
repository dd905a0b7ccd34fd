"""What a sink keeps in its state directory: two state files, written in turn, and snapshots.

A state file is a line with the SHA-256 of the rest, and the rest: one JSON object. It is written beside, fsynced and
renamed, so it is the old one or the new one; if the newer of the two is damaged all the same, the other one tells an earlier
moment of the same run. A snapshot is a file of its own, named and summed in the state files.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated
from urllib.parse import quote

import msgspec

from streamrnn.errors import SinkError, StateError
from streamrnn.io import Pieces, Position, Restored, StoredSnapshot, in_pieces

__all__ = ["FULL", "PartitionEntry", "RunState", "SnapshotEntry", "StateDirectory", "naming", "sync_directory"]

VERSION = 1

FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
"""No room: on the disk, in the quota, in the limit of a file."""

_OURS = re.compile(r"state-\d\.json|.*-\d+\.snapshot")  # what somebody exports into the directory stays


Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class SnapshotEntry(msgspec.Struct, frozen=True):
    """One snapshot: its file, its sum, the position it belongs to. What earlier builds wrote beside that is passed over.

    Parameters
    ----------
    file
        Name of its file in the state directory.
    sha256
        SHA-256 of its content, in hexadecimal digits.
    position
        The position that it belongs to.
    """

    file: str
    sha256: str
    position: Position


class PartitionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One partition: where reading goes on; snapshots, newest first.

    Parameters
    ----------
    position
        Where reading goes on.
    snapshots
        Its snapshots, newest first.
    """

    position: Position
    snapshots: tuple[SnapshotEntry, ...] = ()


class RunState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one commit leaves: lengths of the files, and the partitions.

    Parameters
    ----------
    version
        Version of the format.
    commit
        Number of the commit; 0 before the first.
    output_bytes
        Length of the file of results, in bytes.
    dead_letter_bytes
        Length of the file of dead letters, in bytes.
    partitions
        The partitions by name.
    alarm_bytes
        Length of the file of alarms, in bytes.
    """

    version: int = VERSION
    commit: Count = 0
    output_bytes: Count = 0
    dead_letter_bytes: Count = 0
    partitions: dict[str, PartitionEntry] = {}
    alarm_bytes: Count = 0


@contextlib.contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Have an ``OSError`` say what it is about.

    Parameters
    ----------
    path
        The file that the block inside is about.
    """
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def _write_beside(path: Path, data: bytes | Pieces, *, fsync: bool) -> tuple[Path, str]:
    """Write what :meth:`Path.replace` then makes the content of ``path``, whole; return also its SHA-256."""
    beside, digest = path.with_name(path.name + ".tmp"), hashlib.sha256()
    with naming(path), beside.open("wb") as file:
        for piece in in_pieces(data):
            file.write(piece)
            digest.update(piece)
        if fsync:
            file.flush()
            os.fsync(file.fileno())
    return beside, digest.hexdigest()


def sync_directory(path: Path) -> None:
    """Have the names in a directory outlive a power cut.

    Parameters
    ----------
    path
        The directory; on Windows nothing happens.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StateDirectory:
    """Reads and writes the state of one run; locked against a second one while it is open.

    Parameters
    ----------
    path
        The directory; made where it is missing.
    fsync
        Whether what is written must outlive a power cut.
    keep
        Snapshots kept of each partition.
    """

    def __init__(self, path: Path, *, fsync: bool, keep: int = 3) -> None:
        self._path = path
        self._fsync = fsync
        self._keep = keep
        self._lock: IO[bytes] | None = None
        self.state = RunState()

    def open(self, *, fresh: bool) -> None:
        """Lock the directory and read the newest good state; ``fresh``: delete what an earlier run left instead.

        Parameters
        ----------
        fresh
            Whether to delete what an earlier run left.

        Raises
        ------
        SinkError
            When another run uses the directory.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        self._lock = (self._path / "lock").open("ab")
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415  (there is none on Windows)

            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.close()
                raise SinkError(f"[state] dir: {str(self._path)!r} is in use by another run.") from None
        self._drop_halves()
        if fresh:
            self.begin()
        self.state = self._newest()

    def begun(self) -> bool:
        """Tell whether any run has left something here."""
        return any(path.exists() for path in self._slots())

    def begin(self) -> None:
        """Forget what is here, and record that a run has begun: what its outputs hold without a commit is then its own."""
        first, second = self._slots()
        try:
            _write_beside(first, _encode(RunState()), fsync=self._fsync)[0].replace(first)
        except OSError as error:
            if error.errno not in FULL:  # where there is no room the first commit waits for some
                raise
            self._drop_halves()
            first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
        self._drop_unused(RunState(), RunState())
        self._sync_directory()

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _slots(self) -> list[Path]:
        return [self._path / f"state-{i}.json" for i in range(2)]

    def _newest(self) -> RunState:
        found: list[RunState] = []
        damaged: list[str] = []
        for path in self._slots():
            try:
                found.append(_decode(path.read_bytes()))
            except FileNotFoundError:
                continue
            except (ValueError, RecursionError) as error:
                damaged.append(f"{str(path)!r} ({error})")
        if damaged and not found:
            raise StateError(
                f"The state cannot be read: {' and '.join(damaged)} are damaged. Put back a copy of the directory, or "
                "start anew with --fresh."
            )
        if damaged:
            warnings.warn(
                f"State file {damaged[0]} is damaged; going on from the other one, commit {found[0].commit}.",
                RuntimeWarning,
                stacklevel=4,
            )
        return max(found, key=lambda state: state.commit, default=RunState())

    def restored(self, partition: str) -> Restored | None:
        """Return what was recorded of a partition: its newest good snapshot.

        Parameters
        ----------
        partition
            The name of the partition.

        Raises
        ------
        StateError
            When no snapshot of it is whole.
        """
        entry = self.state.partitions.get(partition)
        if entry is None:
            return None
        damaged: list[str] = []
        for one in entry.snapshots:
            found = self._stored(partition, one)
            if found.problem is None:
                if damaged:
                    warnings.warn(
                        f"Snapshot {damaged[0]} is damaged; going on from an older one, position {one.position}.",
                        RuntimeWarning,
                        stacklevel=3,
                    )
                return Restored(entry.position, found.data, one.position)
            damaged.append(f"{str(self._path / found.name)!r} ({found.problem})")
        if damaged:
            raise StateError(
                f"No snapshot of partition {partition!r} is whole: {', '.join(damaged)}. Put back a copy of the "
                "directory, or start anew with --fresh."
            )
        return Restored(entry.position)

    def _stored(self, partition: str, entry: SnapshotEntry) -> StoredSnapshot:
        name = Path(entry.file).name
        try:
            data = (self._path / name).read_bytes()
        except (OSError, ValueError) as error:  # the latter for what can be no name of a file
            return StoredSnapshot(
                partition, name, entry.position, problem=getattr(error, "strerror", None) or str(error)
            )
        good = hashlib.sha256(data).hexdigest() == entry.sha256
        return StoredSnapshot(partition, name, entry.position, data, None if good else "its SHA-256 differs")

    def peek(self) -> RunState:
        """Return the newest good state, without locking anything."""
        return self._newest()

    def snapshots(self) -> list[StoredSnapshot]:
        """Return every snapshot that the newest good state names, without locking anything."""
        state = self.peek()
        return [self._stored(name, one) for name, entry in state.partitions.items() for one in entry.snapshots]

    def prepare(
        self,
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces],
        output_bytes: int,
        dead_letter_bytes: int,
        alarm_bytes: int = 0,
    ) -> RunState:
        """Write the snapshots, and beside its place the state that :meth:`record` then makes the newest.

        Where that fails nothing of it stays: on a full disk the results need the room.

        Parameters
        ----------
        positions
            For each partition touched, where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        output_bytes
            Length of the file of results with this commit, in bytes.
        dead_letter_bytes
            Length of the file of dead letters with it, in bytes.
        alarm_bytes
            Length of the file of alarms with it, in bytes.
        """
        commit = self.state.commit + 1
        files = {name: f"{quote(name, safe='')}-{commit}.snapshot" for name in snapshots}
        with self._or_nothing(files.values()):
            partitions = dict(self.state.partitions)
            for name, position in positions.items():
                kept = partitions[name].snapshots if name in partitions else ()
                if name in snapshots:
                    file = files[name]
                    beside, digest = _write_beside(self._path / file, snapshots[name], fsync=self._fsync)
                    beside.replace(self._path / file)
                    entry = SnapshotEntry(file, digest, position)
                    kept = (entry, *kept)[: self._keep]
                partitions[name] = PartitionEntry(position, kept)
            state = RunState(VERSION, commit, output_bytes, dead_letter_bytes, partitions, alarm_bytes)
            _write_beside(self._slots()[commit % 2], _encode(state), fsync=self._fsync)
            return state

    @contextlib.contextmanager
    def _or_nothing(self, files: Iterable[str]) -> Iterator[None]:
        """Delete these snapshots, and what is half written, where writing fails."""
        try:
            yield
        except OSError:
            with contextlib.suppress(OSError):
                self._drop_halves()
                for file in files:
                    (self._path / file).unlink(missing_ok=True)
            raise

    def record(self, state: RunState) -> None:
        """Make ``state`` the newest: the moment at which a commit has happened.

        Parameters
        ----------
        state
            What :meth:`prepare` returned.
        """
        slot = self._slots()[state.commit % 2]
        slot.with_name(slot.name + ".tmp").replace(slot)
        self.state, before = state, self.state
        self._sync_directory()
        self._drop_unused(before, state)

    def _drop_halves(self) -> None:
        """Delete what was being written when a process was killed, or when there was no more room."""
        for path in self._path.glob("*.tmp"):
            if _OURS.fullmatch(path.stem):
                path.unlink(missing_ok=True)

    def _drop_unused(self, before: RunState, state: RunState) -> None:
        kept = {one.file for entry in state.partitions.values() for one in entry.snapshots}
        kept |= {one.file for entry in before.partitions.values() for one in entry.snapshots}
        for path in self._path.glob("*.snapshot"):
            if path.name not in kept and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _sync_directory(self) -> None:
        if self._fsync:
            sync_directory(self._path)


def _encode(state: RunState) -> bytes:
    body = msgspec.json.encode(state) + b"\n"
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _decode(data: bytes) -> RunState:
    """Return the state that a file holds; ValueError says what is wrong with it."""
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its SHA-256 differs")
    state = msgspec.json.decode(body, type=RunState)  # msgspec.DecodeError is a ValueError
    if state.version != VERSION:
        raise StateError(
            f"The state has format {state.version}; this version reads {VERSION}. Start anew with --fresh."
        )
    return state
