"""Connectors that are wrong: each is caught by the check that is named for what it breaks."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from connector_rigs import BothRig, BothSource, FileRig, SqliteRig

from streamrnn.errors import FullError
from streamrnn.io import Restored, SourceContext, in_pieces
from streamrnn.testing import connector_checks
from streamrnn_files import FileSink, FileSource
from streamrnn_sqlite import SqliteSink, SqliteSource


class TwoTransactions(FileSink):
    """Calls itself exactly once, and writes results before positions."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        super().commit(outputs, dead_letters, {}, None, blocks)
        super().commit([], [], positions, snapshots)


class PositionsFirst(SqliteSink):
    """Calls itself exactly once, and records positions before the results are there."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        super().commit([], [], positions, snapshots)
        super().commit(outputs, dead_letters, {}, None, blocks)


class LettersApart(SqliteSink):
    """Has a transaction of its own for dead letters."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        super().commit([], dead_letters, {}, None)
        super().commit(outputs, [], positions, snapshots, blocks)


class HalfKept(SqliteSink):
    """Keeps what a failed commit had written, and says that it may be tried again."""

    @contextlib.contextmanager
    def _transaction(self):
        database = self._database
        database.execute("BEGIN")
        try:
            yield lambda text, *values: database.execute(self._sql(text), values)
        except OSError as error:
            raise FullError("There is no room.") from error
        finally:
            database.execute("COMMIT")


class KeptThenLost(FileSink):
    """Does not cut off what a failed commit had appended, and has the same commit tried again."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        try:
            super().commit(outputs, dead_letters, positions, snapshots, blocks)
        except OSError as error:
            self._output.length = self._output._file.tell()
            raise FullError("There is no room.") from error


class Swallower(SqliteSink):
    """Passes over a failure, as if the results were written."""

    def commit(self, *arguments):
        with contextlib.suppress(OSError):
            super().commit(*arguments)


class SnapshotDropped(SqliteSink):
    """A commit without a snapshot leaves none."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        super().commit(outputs, dead_letters, positions, snapshots, blocks)
        if not snapshots:
            with self._transaction() as run:
                run("DELETE FROM {results_snapshots}")


class AnyPartition(SqliteSink):
    """Restores every partition as the only one that it thinks there is."""

    def restore(self, partition):
        return super().restore("0")


class SnapshotsOfOthers(SqliteSink):
    """Returns the newest snapshot, whoever's it is."""

    def restore(self, partition):
        found = super().restore(partition)
        newest = self._look("SELECT data FROM {results_snapshots} ORDER BY id DESC")
        return found and replace(found, snapshot=newest[0][0])


class Amnesiac(FileSink):
    """Forgets what was committed."""

    def restore(self, partition):
        return None


class SnapshotMoved(FileSink):
    """Says that the snapshot belongs to the last commit."""

    def restore(self, partition):
        found = super().restore(partition)
        return found and Restored(found.position, found.snapshot, found.position)


class WrittenAtTheEnd(SqliteSink):
    """Holds back results until it is left."""

    def __enter__(self):
        self.held = []
        return super().__enter__()

    def commit(self, *arguments):
        outputs, letters, positions, snapshots, *blocks = arguments
        copied = {name: bytes(view) for name, view in (snapshots or {}).items()}
        self.held.append([outputs, letters, positions, copied, *blocks])

    def __exit__(self, *exc):
        for one in self.held if self._database else ():
            super().commit(*one)
        self.held = []
        super().__exit__(*exc)


class KeepsThePieces(SqliteSink):
    """Keeps what it was only lent."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.kept = {}

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        self.kept |= {name: list(in_pieces(one)) for name, one in (snapshots or {}).items()}
        super().commit(outputs, dead_letters, positions, snapshots, blocks)

    def restore(self, partition):
        found = super().restore(partition)
        return found and replace(
            found, snapshot=b"".join(self.kept[partition]) if partition in self.kept else found.snapshot
        )


class LastPartitionOnly(SqliteSink):
    """Records the position of one partition a commit."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        last = dict(list(positions.items())[-1:])
        super().commit(outputs, dead_letters, last, {k: v for k, v in (snapshots or {}).items() if k in last}, blocks)


class NeverFresh(SqliteSink):
    """Does not heed --fresh."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, fresh=False))


class NoReason(SqliteSink):
    """Writes dead letters without their reasons."""

    def commit(self, outputs, dead_letters, positions, snapshots=None, blocks=()):
        super().commit(outputs, [replace(one, reason="") for one in dead_letters], positions, snapshots, blocks)


class ShowsTheUncommitted(SqliteSink):
    """Shows results twice to whoever reads them back."""

    def written(self):
        yield from super().written()
        yield from super().written()


class Changed:
    """A source whose blocks are changed on their way out."""

    def change(self, block):
        return block

    def poll(self, max_events, timeout_s):
        poll = super().poll(max_events, timeout_s)
        return replace(poll, blocks=[self.change(block) for block in poll.blocks])


class MissingIsZero(Changed, FileSource):
    def change(self, block):
        return replace(block, values=np.nan_to_num(block.values))


class MissingIsTheOneBefore(Changed, SqliteSource):
    def change(self, block):
        values = block.values.copy()
        for i in range(1, len(values)):
            values[i] = np.where(np.isnan(values[i]), values[i - 1], values[i])
        return replace(block, values=values)


class Rounded(Changed, SqliteSource):
    def change(self, block):
        return replace(block, values=block.values.astype(np.float32).astype(np.float64))


class KeysOfOthers(Changed, SqliteSource):
    """Takes keys from all records of a block, those that are no events among them."""

    def change(self, block):
        return replace(block, keys=sorted(block.keys))


class TimesOfTheFirst(Changed, SqliteSource):
    def change(self, block):
        return replace(block, times=[block.times[0]] * len(block) if len(block) else block.times)


class OneBehind(Changed, SqliteSource):
    """Says where the next record is, not where the event is."""

    def change(self, block):
        return replace(block, positions=[one + 1 for one in block.positions])


class LastAgain(Changed, SqliteSource):
    """Goes on with the last event of a block once more."""

    def change(self, block):
        return replace(block, next_position=block.positions[-1] if len(block) else block.next_position)


class LettersPassedOver(Changed, BothSource):
    """Dead letters lie behind the last event of a block, wherever they were."""

    def change(self, block):
        return replace(block, dead_letters=[replace(one, position=block.next_position) for one in block.dead_letters])


class LettersOfTheFirst(Changed, BothSource):
    def change(self, block):
        return replace(block, dead_letters=[replace(one, partition="left") for one in block.dead_letters])


class LettersWithoutRecord(Changed, SqliteSource):
    def change(self, block):
        return replace(block, dead_letters=[replace(one, raw=b"") for one in block.dead_letters])


class RawsOfTheBlock(Changed, SqliteSource):
    """Keeps the records of a block in another order."""

    def change(self, block):
        return replace(block, raws=block.raws[::-1])


class AlwaysRaw(SqliteSource):
    def __init__(self, options, context):
        super().__init__(options, SourceContext(keep_raw=True))


class SeeksAnywhere(SqliteSource):
    def seek(self, partition, position):
        self._announced, self._next = True, position if isinstance(position, int) else super().seek(partition, position)


class StartsOver(SqliteSource):
    """Takes a position that is none for the beginning."""

    def seek(self, partition, position):
        super().seek(partition, position if isinstance(position, int) else 1)


class SeeksAll(BothSource):
    def seek(self, partition, position):
        for name in self.sources:
            super().seek(name, position)


class EndsEarly(BothSource):
    """Ends when one of its partitions does."""

    def poll(self, max_events, timeout_s):
        poll = super().poll(max_events, timeout_s)
        return replace(poll, ended=len(poll.blocks) < 2 and not poll.assigned)


class Greedy(SqliteSource):
    def poll(self, max_events, timeout_s):
        return super().poll(max_events + 1, timeout_s)


class ReadsOn(SqliteSource):
    """Reads again from where it stands."""

    def reread(self):
        return self

    def __enter__(self):
        self._announced = False
        self._next = 5
        return super().__enter__()


class Reversed(SqliteSource):
    def __init__(self, options, context):
        super().__init__(options, context)
        self._select = self._select.replace("ORDER BY rowid", "ORDER BY -rowid")


class KeylessFeedback(SqliteSource):
    """Appends feedback of everybody's, whose key nobody knows."""

    def append_feedback(self, said):
        super().append_feedback(replace(said, key=None))


VIOLATORS = {
    KeylessFeedback: "source: feedback",
    TwoTransactions: "sink: crash inside a commit",
    PositionsFirst: "sink: crash inside a commit",
    LettersApart: "sink: crash inside a commit",
    HalfKept: "sink: failure inside a commit",
    KeptThenLost: "sink: failure inside a commit",
    Swallower: "sink: failure inside a commit",
    SnapshotDropped: "sink: commits",
    AnyPartition: "sink: commits",
    SnapshotsOfOthers: "sink: commits",
    Amnesiac: "sink: resume",
    SnapshotMoved: "sink: resume",
    WrittenAtTheEnd: "sink: commits",
    KeepsThePieces: "sink: commits",
    LastPartitionOnly: "sink: resume",
    NeverFresh: "sink: fresh",
    NoReason: "sink: resume",
    ShowsTheUncommitted: "sink: readers",
    MissingIsZero: "source: missing values",
    MissingIsTheOneBefore: "source: missing values",
    Rounded: "source: order",
    KeysOfOthers: "source: keys and times",
    TimesOfTheFirst: "source: keys and times",
    OneBehind: "source: positions",
    LastAgain: "source: next position",
    LettersPassedOver: "source: dead letters",
    LettersOfTheFirst: "source: dead letters",
    LettersWithoutRecord: "source: dead letters",
    RawsOfTheBlock: "source: raw records",
    AlwaysRaw: "source: raw records",
    SeeksAnywhere: "source: truncation",
    StartsOver: "source: foreign position",
    SeeksAll: "source: positions",
    EndsEarly: "source: order",
    Greedy: "source: order",
    ReadsOn: "source: read again",
    Reversed: "source: order",
}


def rig_of(violator, folder):
    """The rig that the violator's right relatives pass with, with the violator in it."""
    bases = {FileSource: FileRig, FileSink: FileRig, BothSource: BothRig, SqliteSource: SqliteRig, SqliteSink: BothRig}
    [rig] = {bases[base] for base in violator.__mro__ if base in bases}
    part = "source_class" if "source" in VIOLATORS[violator] else "sink_class"
    return type("Rig", (SqliteRig if violator is AnyPartition else rig,), {part: violator})(folder)


@pytest.mark.parametrize("violator", VIOLATORS)
def test_a_violator_is_caught(violator, tmp_path):
    """What is wrong does not pass the check that is about it."""
    check = dict(connector_checks(lambda: rig_of(violator, tmp_path)))[VIOLATORS[violator]]

    with pytest.raises(AssertionError) as caught:
        check()

    assert str(caught.value).endswith((".", "\n"))
