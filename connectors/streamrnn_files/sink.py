"""The sink: JSON Lines in a file or on standard output, with dead letters and state."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from streamrnn.columns.lines import ended
from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, FullError, SinkError, StateError, StreamrnnError
from streamrnn.io import (
    AlarmEvent,
    Block,
    DeadLetter,
    Pieces,
    Position,
    Restored,
    SinkContext,
    StoredSnapshot,
    letter_line,
)
from streamrnn_files.options import SinkOptions
from streamrnn_files.statefile import FULL, RunState, StateDirectory, naming, sync_directory
from streamrnn_files.writable import full, unwritable

__all__ = ["FileSink"]


class _Appended:
    """A file that only grows, at a length that is known: what lies behind it does not count."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.length = 0
        self._file: BinaryIO | None = None
        self._regular = False
        self._entered = False  # in its directory, for good

    def open(self, length: int) -> None:
        """Open the file and cut it to ``length``."""
        if self.path == "-":
            self._file = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)  # unbuffered: what fails, fails here
            return
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if self._regular:
            held = os.fstat(descriptor).st_size
            if held < length:
                raise StateError(
                    f"{self.path!r} holds {held} bytes, but {length} had been written to it when the state was "
                    "recorded. Put that file back, or start anew with --fresh."
                )
            os.ftruncate(descriptor, length)
            self._file.seek(length)
        self.length = length

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise SinkError(f"The output {self.path!r} is not open: write it inside a with statement.")
        return self._file

    def append(self, data: memoryview) -> int:
        """Write behind the known length; return the length it then has."""
        file = self._opened()
        left = data
        with naming(self.path):
            while left:
                left = left[file.write(left) or 0 :]
            file.flush()
        return self.length + len(data)

    def sync(self) -> None:
        """Have what was written outlive a power cut."""
        if self._regular:
            with naming(self.path):
                os.fsync(self._opened().fileno())
                if not self._entered:
                    sync_directory(Path(self.path).parent)
                    self._entered = True

    def undo(self) -> bool:
        """Cut off what lies behind the known length; return whether it could be: what went into a pipe is out."""
        if self._regular:
            with contextlib.suppress(OSError):  # a restart does the same
                os.ftruncate(self._opened().fileno(), self.length)
                self._opened().seek(self.length)
        return self._regular

    def close(self) -> None:
        if self._file is not None and self.path != "-":
            self._file.close()
        self._file = None


def _check_paths(paths: Mapping[str, str]) -> None:
    """Raise where two outputs are one file, or one beside the results is no file."""
    given = list(paths.items())
    for i, (option, path) in enumerate(given):
        if i and path == "-":
            raise ConfigError(f"{option}: must be a file. Got '-' instead.")
        for other, same in given[:i]:
            if same == path:
                raise ConfigError(f"{option}: must differ from {other}. Both are {path!r}.")


def _unwritten(error: OSError, *, undone: bool) -> SinkError:
    """Say what could not be written and why; as a :class:`FullError` where nothing of it is left, so that it may be tried again."""
    place = "Standard output" if error.filename == "-" else repr(error.filename)
    said = f"{place} cannot be written: {error.strerror}."
    if error.errno in FULL and undone:
        return FullError(f"{said} Make room there: nothing is lost.")
    return SinkError(said)


class FileSink:
    """Results, dead letters and alarms as JSON Lines, with positions and snapshots in a state directory.

    A commit appends to the files, then records their lengths, the positions and the snapshots in one renamed file:
    that is the moment it happened. A restart cuts the files to the lengths recorded. Where they hold something and the state
    nothing, it refuses to start. Without a state directory every run starts anew, with empty files.

    Parameters
    ----------
    options
        Where to write, see ``FileSink.Options``.
    context
        Where dead letters and alarms go, and where state is kept.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from streamrnn_files import FileSink
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> options = {"state_dir": str(folder / "state")}
    >>> with FileSink.from_path(folder / "out.jsonl", **options) as sink:
    ...     sink.commit([b'{"score":0.5}'], [], {"0": 17}, {"0": b"weights"})
    >>> with FileSink.from_path(folder / "out.jsonl", **options) as sink:
    ...     sink.delivery, sink.restore("0").position, sink.restore("0").snapshot
    ('exactly_once', 17, b'weights')
    """

    Options = SinkOptions
    takes = frozenset(("[dead_letter] path", "[alarms] path", "[state] dir", "[state] keep", "--fresh"))

    def __init__(self, options: SinkOptions, context: SinkContext | None = None) -> None:
        self._options = options
        self._context = context = context or SinkContext()
        self._output = _Appended(options.path)
        self._letters = None if context.dead_letters is None else _Appended(context.dead_letters)
        self._alarms = None if context.alarms is None else _Appended(context.alarms)
        _check_paths(self.files())
        self._state = (
            None
            if context.state is None
            else StateDirectory(Path(context.state), fsync=options.fsync == "commit", keep=context.snapshots_kept)
        )
        self._broken = False

    @classmethod
    def from_path(
        cls,
        path: str | Path,
        *,
        dead_letters: str | None = None,
        state_dir: str | None = None,
        snapshots_kept: int = 3,
        alarms: str | None = None,
        fresh: bool = False,
        **options: Any,
    ) -> FileSink:
        """Return a sink to ``path``, not yet entered.

        Parameters
        ----------
        path
            The file; ``-`` is standard output.
        dead_letters
            File of JSON Lines for what could not become an event; None: dropped.
        state_dir
            Directory of positions and snapshots; None: every run starts anew.
        snapshots_kept
            Snapshots kept of each partition.
        alarms
            File of JSON Lines for starts and ends of episodes; None: there is none.
        fresh
            Forget the state and the outputs of earlier runs.
        options
            See ``FileSink.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("a.jsonl", fsync="often")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [sink] fsync: must be one of 'commit', 'never'. Got 'often' instead.
        """
        context = SinkContext(
            dead_letters=dead_letters, state=state_dir, snapshots_kept=snapshots_kept, alarms=alarms, fresh=fresh
        )
        return cls(checked_table("sink", SinkOptions, {"path": str(path), **options}), context)

    @property
    def delivery(self) -> str:
        """``"exactly_once"`` with a state directory and plain files, else ``"at_least_once"``.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("-").delivery
        'at_least_once'
        """
        plain = all(
            one.path != "-" and (Path(one.path).is_file() or not Path(one.path).exists()) for one in self._files()
        )
        return "exactly_once" if self._state is not None and plain else "at_least_once"

    @property
    def keeps_state(self) -> bool:
        """Whether there is a state directory."""
        return self._state is not None

    def whole_lines(self) -> bool:
        """Return True: a commit writes its results at once.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("a.jsonl").whole_lines()
        True
        """
        return True

    def files(self) -> dict[str, str]:
        """Return the files that are written.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("a.jsonl").files()
        {'[sink] path': 'a.jsonl'}
        """
        named = {"[sink] path": self._output, "[dead_letter] path": self._letters, "[alarms] path": self._alarms}
        return {name: file.path for name, file in named.items() if file is not None}

    def _files(self) -> list[_Appended]:
        return [file for file in (self._output, self._letters, self._alarms) if file is not None]

    def __enter__(self) -> Self:
        try:
            state = RunState()
            if self._state is not None:
                self._state.open(fresh=self._context.fresh)
                if not self._state.begun():
                    self._spare_foreign()
                    self._state.begin()
                state = self._state.state
            self._output.open(state.output_bytes)
            if self._letters is not None:
                self._letters.open(state.dead_letter_bytes)
            if self._alarms is not None:
                self._alarms.open(state.alarm_bytes)
        except OSError as error:
            self.__exit__()
            raise SinkError(f"{error.filename!r} cannot be written: {error.strerror}.") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def _spare_foreign(self) -> None:
        """Raise where results lie that the state knows nothing of: it was lost, or they are somebody else's."""
        for path in (Path(file.path) for file in self._files()):
            if path.is_file() and path.stat().st_size:
                raise StateError(
                    f"{str(path)!r} holds {path.stat().st_size} bytes, but the state in {self._context.state!r} that belongs to them is "
                    "not there. Put it back, move the file away, or start anew, without the file's content, with --fresh."
                )

    def __exit__(self, *exc: object) -> None:
        for file in self._files():
            file.close()
        if self._state is not None:
            self._state.close()

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the places to write to: no directory, no right to write there, no room.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> import tempfile
        >>> print(*FileSink.from_path(tempfile.gettempdir()).check())  # doctest: +ELLIPSIS
        The output '...' cannot be written: it is a directory. Change its rights, or the path.
        """
        files = [Path(file.path) for file in self._files() if file.path != "-"]
        wrong = [("output", path, "it is a directory" if path.is_dir() else unwritable(path)) for path in files]
        if self._context.state is not None:
            state = Path(self._context.state)
            said = f"{str(state)!r} is not a directory" if state.exists() and not state.is_dir() else None
            wrong.append(("state directory", state, said or unwritable(state)))
        found = [(what, path, why, "Change its rights, or the path.") for what, path, why in wrong]
        found += [(what, path, full(path), "Make room there.") for what, path, why in wrong if why is None]
        return [
            SinkError(f"The {what} {str(path)!r} cannot be written: {why}. {remedy}")
            for what, path, why, remedy in found
            if why
        ]

    def snapshots(self) -> list[StoredSnapshot]:
        """Return the snapshots in the state directory, the newest of each partition first.

        Raises
        ------
        StateError
            When no state file can be read.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("-").snapshots()
        []
        """
        return [] if self._state is None else self._state.snapshots()

    def written(self) -> Iterator[tuple[str, bytes]]:
        r"""Yield every committed result, without its line end, with the partition of its event. A run may go on meanwhile.

        Raises
        ------
        StateError
            When the output is shorter than what was committed.
        SinkError
            When it is no file that can be read, or holds the results of several partitions.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "out.jsonl")
        >>> _ = path.write_text('{"score":0.5}\n')
        >>> list(FileSink.from_path(path).written())
        [('0', b'{"score":0.5}')]
        """
        state = None if self._state is None else self._state.peek()
        names = sorted(state.partitions) if state is not None else []
        if len(names) > 1:
            raise SinkError(
                f"{self._output.path!r} holds the results of {len(names)} partitions; whose each is, it does not say."
            )
        left = None if state is None or self._state is None else state.output_bytes
        try:
            with Path(self._output.path).open("rb") as file:
                while left is None or left > 0:
                    line = file.readline()
                    if not line.endswith(b"\n"):
                        break
                    left = None if left is None else left - len(line)
                    yield (names or ["0"])[0], line[:-1]
        except OSError as error:
            if left or not isinstance(error, FileNotFoundError):  # else nothing was written yet
                raise SinkError(f"The output {self._output.path!r} cannot be read: {error.strerror}.") from error
        if left:
            raise StateError(f"{self._output.path!r} ends {left} bytes before what was committed.")

    def alarms(self, after: Mapping[str, int]) -> Iterator[tuple[str, int, bytes]]:
        """Yield the committed alarms behind ``after``, as :meth:`streamrnn.io.AlarmSink.alarms` says: the place is the file, the number bytes.

        Parameters
        ----------
        after
            What was yielded with the last one read, by place.

        Raises
        ------
        ConfigError
            When no file of alarms is given.
        StateError
            When the file is shorter than what was read of it, or was committed.
        SinkError
            When it cannot be read.

        Examples
        --------
        >>> from streamrnn.io import AlarmEvent
        >>> from streamrnn_files import FileSink
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> with FileSink.from_path(folder / "out.jsonl", alarms=str(folder / "alarms.jsonl")) as sink:
        ...     sink.commit([], [], {"0": 17}, alarms=[AlarmEvent("5f2a", b'{"id":"5f2a"}')])
        >>> list(sink.alarms({})), list(sink.alarms({"alarms.jsonl": 14}))
        ([('alarms.jsonl', 14, b'{"id":"5f2a"}')], [])
        """
        if self._alarms is None:
            raise ConfigError("[alarms] path: is missing. Name the file of alarms.")
        path = Path(self._alarms.path)
        at = after.get(path.name, 0)
        end = None if self._state is None else self._state.peek().alarm_bytes
        try:
            with path.open("rb") as file:
                length = file.seek(0, os.SEEK_END)
                if length < max(at, end or 0):
                    raise StateError(
                        f"{str(path)!r} has {length} bytes, fewer than were read of it or committed. Was it replaced? Then begin anew, "
                        "without the file that [alarms] position_file names."
                    )
                file.seek(at)
                while end is None or at < end:
                    line = file.readline()
                    if not line.endswith(b"\n"):
                        return
                    at += len(line)
                    yield path.name, at, line[:-1]
        except FileNotFoundError:
            return  # nothing was written yet
        except OSError as error:
            raise SinkError(f"The alarms {str(path)!r} cannot be read: {error.strerror}.") from error

    def restore(self, partition: str) -> Restored | None:
        """Return what the last commit of ``partition`` recorded, or None for a fresh start.

        A damaged newest snapshot falls back to the one before it, with a warning.

        Parameters
        ----------
        partition
            A name that the source has announced.

        Raises
        ------
        StateError
            When no snapshot is whole.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> FileSink.from_path("-").restore("0") is None
        True
        """
        return None if self._state is None else self._state.restored(partition)

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces] | None = None,
        blocks: Sequence[Block] = (),  # noqa: ARG002  (a line says itself what it is about)
        alarms: Sequence[AlarmEvent] = (),
    ) -> None:
        r"""Write all of it, or (after an error, or a crash and a restart) none of it.

        Parameters
        ----------
        outputs
            Lines of JSON without their line ends, in order.
        dead_letters
            Records that are no events.
        positions
            For each partition touched, where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position.
        blocks
            The events that the outputs are about; not looked at, as a line says itself what it is about.
        alarms
            Starts and ends of episodes, in order.

        Raises
        ------
        SinkError
            When it cannot be written: the same commit may be tried again, unless the message says otherwise.

        Examples
        --------
        >>> from streamrnn_files import FileSink
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "out.jsonl")
        >>> with FileSink.from_path(path) as sink:
        ...     sink.commit([b'{"score":0.5}'], [], {"0": 17})
        >>> path.read_text()
        '{"score":0.5}\n'
        """
        if self._broken:
            raise SinkError("An earlier commit may or may not have been recorded. Restart, to go on from what was.")
        lines: list[tuple[_Appended, Sequence[bytes]]] = [(self._output, outputs)]
        if self._letters is not None:
            lines.append((self._letters, [letter_line(letter) for letter in dead_letters]))
        if self._alarms is not None:
            lines.append((self._alarms, [alarm.data for alarm in alarms]))
        lengths = {id(file): file.length for file, _ in lines}
        state = None
        try:
            for file, some in lines:
                if len(some):
                    lengths[id(file)] = file.append(ended(some))
                    if self._state is not None and self._options.fsync == "commit":
                        file.sync()
            if self._state is not None:
                grown = [
                    0 if file is None else lengths[id(file)] for file in (self._output, self._letters, self._alarms)
                ]
                state = self._state.prepare(positions, snapshots or {}, *grown)
        except OSError as error:
            undone = [file.undo() or not len(some) for file, some in lines]
            raise _unwritten(error, undone=all(undone)) from error
        if self._state is not None and state is not None:
            self._record(self._state, state)
        for file, _ in lines:
            file.length = lengths[id(file)]

    def _record(self, directory: StateDirectory, state: RunState) -> None:
        try:
            directory.record(state)
        except OSError as error:
            self._broken = True
            raise SinkError(
                f"The state cannot be written: {error.strerror}. Whether this commit was recorded is not known: restart."
            ) from error
