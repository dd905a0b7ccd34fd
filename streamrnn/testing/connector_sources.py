"""What every source must do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

from streamrnn.errors import StateError
from streamrnn.io import (
    Block,
    Checkable,
    Feedback,
    FeedbackSource,
    Position,
    Rereadable,
    Source,
    SourceContext,
    reached,
)
from streamrnn.testing.connector_rig import (
    ConnectorRig,
    FollowingRig,
    Reading,
    Record,
    counted,
    expect,
    expect_protocol,
    fill,
    planted,
    read_all,
)

__all__ = [
    "SOURCE_CHECKS",
    "check_columns",
    "check_dead_letters",
    "check_feedback",
    "check_foreign_position",
    "check_missing",
    "check_next_position",
    "check_order",
    "check_positions",
    "check_protocol",
    "check_raw",
    "check_reread",
    "check_truncation",
    "rows_of",
]

Row = tuple[Position, float, float | None, str | None, str | None]
"""Position, a, b, key, time."""


def rows_of(blocks: Sequence[Block], partition: str) -> list[Row]:
    """Return the events of a partition, with None where ``b`` is missing.

    Parameters
    ----------
    blocks
        What a source gave, in order.
    partition
        The name of the partition.
    """
    return [
        (one.position, one.x["a"], None if math.isnan(one.x["b"]) else one.x["b"], one.key, _text(one.time))
        for block in blocks
        if block.partition == partition
        for one in block.events()
    ]


def _text(time: str | float | None) -> str | None:
    return None if time is None else str(time)


def _written(records: Sequence[Record | None]) -> list[tuple[float, float | None, str, str]]:
    return [(one.a, one.b, one.key, one.time) for one in records if one is not None]


def _each_size(
    rig: ConnectorRig, records: Mapping[str, Sequence[Record | None]]
) -> Iterator[tuple[int, str, list[Block]]]:
    """Read all in blocks of several sizes, and yield the blocks of each partition with size and name."""
    for size in (1, 4, 1000):
        blocks = read_all(rig, counted(records), size)
        for name in records:
            yield size, name, [block for block in blocks if block.partition == name]


def check_protocol(rig: ConnectorRig) -> None:
    """A source is one, says what it can do, and finds nothing wrong with an input that is good.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.

    Raises
    ------
    AssertionError
        When the source does not keep to it.
    """
    fill(rig, 3)
    source = rig.source(SourceContext())
    expect_protocol(source, Source)
    expect([type(source.keeps_raw), type(source.begins_again)], [bool, bool], "keeps_raw and begins_again")
    expect(
        [type(source).keeps_raw, type(source).begins_again],
        [source.keeps_raw, source.begins_again],
        "What the class says",
    )
    if isinstance(source, Checkable):
        expect(list(map(str, source.check())), [], "What check() finds wrong with a good input")


def check_order(rig: ConnectorRig) -> None:
    """Every event comes once, in order, bit for bit, however many are asked for at once; and again the same.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 40)
    for name, some in records.items():
        seen = [rows_of(read_all(rig, counted(records), size), name) for size in (1, 7, 1000)]
        expect([row[1] for row in seen[0]], [one.a for one in some if one], "The events differ from what was written")
        expect(seen[1:], seen[:1] * 2, "Other block sizes give other events")
        expect(len({row[0] for row in seen[0]}), len(some), "Positions are not different from each other")


def check_missing(rig: ConnectorRig) -> None:
    """A value that is missing is NaN, in blocks of any size, and takes nothing of its neighbours with it.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 23)
    for size, name, blocks in _each_size(rig, records):
        found, wanted = [row[2] for row in rows_of(blocks, name)], [one.b for one in records[name] if one]
        expect(found, wanted, f"The feature that some records lack, read {size} at once")


def check_columns(rig: ConnectorRig) -> None:
    """Features, key and time of each event are those of its own record, in blocks of any size, beside records that are none.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 23, bad_every=5)
    for size, name, blocks in _each_size(rig, records):
        found, wanted = [row[1:] for row in rows_of(blocks, name)], _written(records[name])
        expect(found, wanted, f"Features, keys and times, read {size} at once")
        for block in blocks:
            columns = [one for one in (block.keys, block.times, block.values) if one is not None]
            expect({len(block), *map(len, columns)}, {len(block)}, "Lengths of the columns of a block")


def check_positions(rig: ConnectorRig) -> None:
    """From any position, after a trip through JSON, reading goes on with that very record, and the other partitions stay.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 14, bad_every=5)
    lengths = counted(records)
    with rig.source(SourceContext()) as source:
        reading = Reading(source)
        blocks = list(reading.until(lengths, 5))
        again = _again(source, reading, blocks, lengths)
    for name in rig.partitions:
        expect(
            rows_of(again, name), rows_of(blocks, name), f"Partition {name!r}, sent back to its start and read again"
        )
    mine = rig.partitions[0]
    places = _places(blocks, mine)
    for i in (0, 4, 5, 9, 13):
        found = read_all(rig, lengths | {mine: 14 - i}, 3, {mine: json.loads(json.dumps(places[i]))})
        expect(_places(found, mine), places[i:], f"The records from position {places[i]!r}")
        for name in rig.partitions[1:]:
            expect(
                rows_of(found, name), rows_of(blocks, name), f"Partition {name!r}, while {mine!r} was sent elsewhere"
            )


def _again(source: Source, reading: Reading, blocks: list[Block], lengths: Mapping[str, int]) -> list[Block]:
    """Send a source that has read all back to the first record of each partition, and return what it reads."""
    for name in lengths:
        source.seek(name, _places(blocks, name)[0])
    reading.blocks = []
    return reading.until(lengths, 4)


def _places(blocks: Sequence[Block], partition: str) -> list[Position]:
    """Return the positions of the records of a partition, dead letters among them, in order."""
    found: list[Position] = []
    for block in blocks:
        if block.partition == partition:
            both = [*block.positions, *(letter.position for letter in block.dead_letters)]
            found += sorted(both, key=lambda one: sum(reached(one, other) for other in both))
    return found


def check_next_position(rig: ConnectorRig) -> None:
    """Behind each block reading goes on with what follows it, and at the end with what is written later; positions tell before from behind.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    mine = rig.partitions[0]
    rig.write(planted(12), mine)
    lengths = dict.fromkeys(rig.partitions, 0) | {mine: 12}
    blocks = [one for one in read_all(rig, lengths, 5) if one.partition == mine]
    read = 0
    for i, block in enumerate(blocks):
        read += len(block)
        for position in block.positions:
            expect(
                reached(position, block.next_position), False, f"Whether {position!r} is behind {block.next_position!r}"
            )
        if i + 1 < len(blocks):
            first = blocks[i + 1].positions[0]
            expect(
                reached(first, block.next_position), True, f"Whether {first!r} is at or behind {block.next_position!r}"
            )
            found = read_all(rig, lengths | {mine: 12 - read}, 100, {mine: block.next_position})
            expect(
                rows_of(found, mine),
                rows_of(blocks[i + 1 :], mine),
                f"Reading from next_position {block.next_position!r}",
            )
    rig.write(planted(3, 12), mine)
    found = read_all(rig, lengths | {mine: 3}, 100, {mine: blocks[-1].next_position})
    expect(
        [row[1:] for row in rows_of(found, mine)], _written(planted(3, 12)), "What was written behind the last block"
    )


def check_dead_letters(rig: ConnectorRig) -> None:
    """A record that is no event is a dead letter of its own partition, with position, reason and record, and takes no neighbour with it.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 12, bad_every=3)
    blocks = read_all(rig, counted(records), 100)
    for name, some in records.items():
        letters = [letter for block in blocks if block.partition == name for letter in block.dead_letters]
        expect(
            [row[1] for row in rows_of(blocks, name)], [one.a for one in some if one], "The neighbours of bad records"
        )
        expect(len(letters), some.count(None), f"The number of dead letters of partition {name!r}")
        expect(
            {letter.partition for letter in letters}, {name}, f"The partition of dead letters in a block of {name!r}"
        )
        expect([bool(letter.raw) and letter.reason.endswith(".") for letter in letters], [True] * len(letters),
               "Whether each has the record, and a reason that is a sentence")  # fmt: skip
        order = [one is None for one in some]
        places = _places(blocks, name)
        found = [any(place == letter.position for letter in letters) for place in places]
        expect(found, order, "Which of the positions, in order, are those of dead letters")


def check_raw(rig: ConnectorRig) -> None:
    """A source that says ``keeps_raw`` keeps each event's own record where it is asked to, and none where it is not.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.

    Raises
    ------
    AssertionError
        When the source does not keep to it.
    """
    records = fill(rig, 11, bad_every=4)
    plain = read_all(rig, counted(records), 3)
    expect([len(block.raws) for block in plain], [0] * len(plain), "Records that were kept though nobody asked")
    if not rig.source(SourceContext()).keeps_raw:
        return
    with rig.source(SourceContext(keep_raw=True)) as source:
        blocks = Reading(source).until(counted(records), 3)
    for block in blocks:
        expect(len(block.raws), len(block), "The number of records kept with a block")
        for one in block.events():
            if repr(one.x["a"]).encode() not in one.raw:
                raise AssertionError(f"The record {one.raw[:80]!r} is not that of the event {one.x!r}.")


def check_foreign_position(rig: ConnectorRig) -> None:
    """A position that is none of this input is refused.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.

    Raises
    ------
    AssertionError
        When the source does not keep to it.
    """
    fill(rig, 1)
    with rig.source(SourceContext()) as source:
        Reading(source).until(dict.fromkeys(rig.partitions, 1), 5)
        for position in ("certainly:none:of:ours", ""):
            _expect_refusal(source, rig.partitions[0], position, f"{position!r}, which is no position.")


def check_truncation(rig: ConnectorRig) -> None:
    """Where the input ends before a position that was reached, going on there is refused; what is left can be read.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.

    Raises
    ------
    AssertionError
        When the source does not keep to it.
    """
    mine = rig.partitions[0]
    rig.write(planted(9), mine)
    lengths = dict.fromkeys(rig.partitions, 0) | {mine: 9}
    blocks = [one for one in read_all(rig, lengths, 100) if one.partition == mine]
    last, behind = blocks[-1].positions[-1], blocks[-1].next_position
    rig.truncate(mine, 4)
    for what, position in (("next_position", behind), ("position", last)):
        with rig.source(SourceContext()) as source:
            _announced(source, mine)
            _expect_refusal(source, mine, position, f"the {what} {position!r}, though the input ends before it.")
    found = read_all(rig, lengths | {mine: 4})
    expect([row[1] for row in rows_of(found, mine)], [one.a for one in planted(4) if one], "What is left of the input")


def _announced(source: Source, partition: str) -> None:
    for _ in range(200):
        poll = source.poll(1, 0.1)
        if partition in poll.assigned or poll.blocks or poll.ended:
            return


def _expect_refusal(source: Source, partition: str, position: Position, what: str) -> None:
    try:
        source.seek(partition, position)
    except StateError:
        return
    raise AssertionError(f"seek() took {what}")


def check_reread(rig: ConnectorRig) -> None:
    """An input that can be read again is announced whole, read to what is its end now, and the same.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty.
    """
    records = fill(rig, 9, bad_every=4)
    source = rig.source(SourceContext())
    if not isinstance(source, Rereadable):
        return
    blocks = read_all(rig, counted(records))
    with source.reread() as again:
        first = again.poll(100, 1.0)
        expect((sorted(first.assigned), list(first.blocks)), (sorted(rig.partitions), []), "The first poll of reread()")
        reading = Reading(again)
        reading.until(counted(records), 4)
        ended = any(again.poll(10, 0.5).ended for _ in range(20))
    expect(ended, True, "Whether reread() ends")
    for name in rig.partitions:
        expect(rows_of(reading.blocks, name), rows_of(blocks, name), f"Partition {name!r}, read again")


def check_feedback(rig: ConnectorRig) -> None:
    """What a person says of an event comes behind all others, as a record with that event's key and time and nothing else.

    Parameters
    ----------
    rig
        The connector under test, whose input is empty; a :class:`FollowingRig`, where the source does not follow of itself.

    Raises
    ------
    AssertionError
        When the source that follows the input takes none.
    """
    if not isinstance(rig.source(SourceContext()), FeedbackSource):
        return
    mine, records = rig.partitions[-1], fill(rig, 5)
    make = rig.following if isinstance(rig, FollowingRig) else rig.source
    outside, wanted = make(SourceContext()), counted(records)
    if not isinstance(outside, FeedbackSource):
        raise AssertionError("A source takes feedback, and one that follows its input does not.")  # noqa: TRY004  (a check fails)
    outside.check_feedback()
    with make(SourceContext()) as source:
        reading = Reading(source)
        reading.until(wanted, 3)
        events = [event for block in reading.blocks if block.partition == mine for event in block.events()]
        for row, said in ((1, True), (3, False), (1, False)):
            outside.append_feedback(Feedback(mine, events[row].key, events[row].time or "", "b", said))
        reading.until(wanted | {mine: 8}, 3)
    found = [event for block in reading.blocks if block.partition == mine for event in block.events()]
    expect(len(found), 8, "Events with the feedback behind them")
    for event, row, value in zip(found[5:], (1, 3, 1), (1.0, 0.0, 0.0), strict=True):
        expect((event.key, event.time), (events[row].key, events[row].time), "Key and time of feedback")
        expect((math.isnan(event.x["a"]), event.x["b"]), (True, value), "The other values of feedback, and its own")


SOURCE_CHECKS = {
    "source: protocol": check_protocol,
    "source: order": check_order,
    "source: missing values": check_missing,
    "source: keys and times": check_columns,
    "source: positions": check_positions,
    "source: next position": check_next_position,
    "source: dead letters": check_dead_letters,
    "source: raw records": check_raw,
    "source: foreign position": check_foreign_position,
    "source: truncation": check_truncation,
    "source: read again": check_reread,
    "source: feedback": check_feedback,
}
