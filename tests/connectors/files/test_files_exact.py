"""The events are a function of the bytes: block sizes, chunks, restarts and the way of parsing change nothing."""

from __future__ import annotations

import random

import numpy as np
import pytest
from files_rig import read_all
from hypothesis import given
from hypothesis import strategies as st

from streamrnn.errors import StateError
from streamrnn.io import signed
from streamrnn_files import FileSource
from streamrnn_files.cells import CellError
from streamrnn_files.columns import Layout
from streamrnn_files.csv_rows import CsvParser
from streamrnn_files.cutter import Cutter
from streamrnn_files.json_rows import JsonParser
from streamrnn_files.rows import parse_rows
from streamrnn_files.samples import Head

MESS = {
    "in.csv": (
        b"\xef\xbb\xbftime,key,a,b\r\n2024,x,1,2\r\n\r\n"
        + b"".join(b"%d,k%d,%d,%d.5\n" % (i, i % 3, i, i) for i in range(12))
        + b'"2025","x, ""y""\nz",3,4\n2026,,,5\n2027,abc,,\n2028,x,abc,1\n2029,x,1\n\xff,x,1,2\n'
        + b"2030,x,%s,1\n" % (b"9" * 200)
        + b'2031,"open,1,2\n'
        + b"1,2\n3\nTotal,,1,2\n"
        + b"".join(b"%d,,NA,%de-3\n" % (i, i) for i in range(12))
        + b"\n\n2032,x,1e999,2\n2033,x,7,8"
    ),
    "in.jsonl": (
        b'{"time":1,"key":"x","a":1,"b":2}\n'
        + b"".join(b'{"time":"t%d","a":%d,"b":null,"c":[{}]}\r\n' % (i, i) for i in range(12))
        + b'\n{"a":1\n[1]\n{"b":"7"}\n{"a":"x"}\n{"a":1e999}\n{"c":1}\n\xff\n'
        + b'{"a":%s}\n' % (b"9" * 200)
        + b"".join(b'{"b":-%d.25,"key":%d}\n' % (i, i) for i in range(12))
        + b'{"a":5,"b":6}'
    ),
}
OPTIONS = {"time": "time", "key": "key", "columns": ["a", "b"], "max_line_bytes": 128}


def csv_parser(layout, delimiter, *, allow_missing):
    return CsvParser(Head(layout, delimiter, 0, 1, ""), allow_missing=allow_missing)


@pytest.fixture(params=MESS)
def mess(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(MESS[request.param])
    return path


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_block_sizes_change_nothing(mess, size):
    """Blocks of 1, of 7 and of 1000 give the same events and the same dead letters."""
    whole = read_all(mess, **OPTIONS)
    got = read_all(mess, size=size, **OPTIONS)

    assert len(whole.rows) > 20
    assert len(whole.dead) >= 6
    assert got.events() == whole.events()
    assert got.dead == whole.dead
    assert got.ends[-1] == whole.ends[-1]


def test_resume_at_every_position(mess):
    """From any position (of an event, a dead letter, or behind a block) the rest is the same, line numbers included."""
    whole = read_all(mess, size=1, **OPTIONS)
    offset = {position: int(str(position).rpartition(":")[2]) for position in [*whole.positions, *whole.ends]}
    for letter in whole.dead:
        offset[letter.position] = int(str(letter.position).rpartition(":")[2])

    for position, start in offset.items():
        got = read_all(mess, size=7, seek=position, **OPTIONS)
        assert got.events() == [event for event in whole.events() if offset[event[0]] >= start]
        assert got.dead == [letter for letter in whole.dead if offset[letter.position] >= start]


def told(batch):
    """All that a batch holds, to be compared."""
    return list(batch.records), batch.starts.tolist(), batch.lines.tolist(), batch.faults, batch.end


@pytest.mark.parametrize("name", MESS)
@pytest.mark.parametrize("seed", range(20))
def test_chunks_change_nothing(name, seed):
    """However the bytes are cut into chunks, the records, their places and their faults are the same."""
    data = MESS[name].split(b"\n", 1)[1]
    delimiter, width = (",", 4) if name == "in.csv" else (None, None)
    drawn = random.Random(seed)

    def cut(pieces):
        cutter = Cutter(limit=128, delimiter=delimiter, width=width)
        for i, piece in enumerate(pieces):
            cutter.feed(piece, final=i == len(pieces) - 1)
        return told(cutter.take(len(cutter)))

    borders = sorted(drawn.choices(range(len(data)), k=30))
    pieces = [data[a:b] for a, b in zip([0, *borders], [*borders, len(data)], strict=True)]
    assert cut(pieces) == cut([data])


@given(st.text(alphabet='a1,"\n\r', max_size=60), st.lists(st.integers(0, 60), max_size=5), st.integers(1, 3))
def test_chunks_change_nothing_however_odd_the_text(text, borders, width):
    """The same for any text of quotes, delimiters and line ends."""
    data = text.encode()
    borders = sorted(min(border, len(data)) for border in borders)
    found = []
    for pieces in ([data], [data[a:b] for a, b in zip([0, *borders], [*borders, len(data)], strict=True)]):
        cutter = Cutter(limit=20, delimiter=",", width=width)
        for i, piece in enumerate(pieces):
            cutter.feed(piece, final=i == len(pieces) - 1)
        found.append(told(cutter.take(len(cutter))))

    assert found[0] == found[1]
    assert b"".join(found[0][0]).replace(b"\n", b"").replace(b"\r", b"") == data.replace(b"\n", b"").replace(b"\r", b"")


class Careful:
    """A parser that only knows the careful way."""

    def __init__(self, parser):
        self.parser = parser
        self.width = parser.width
        self.careful = parser.careful

    def fast(self, records):
        return None


NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(
        ["0", "-0", "-0.0", "1e308", "1e309", "5e-324", "1e-400", "+1", ".5", "5.", "01", "1_0", "1e5", "٣"]
    ),
)
CELL = st.one_of(
    NUMBER,
    NUMBER,
    NUMBER,
    st.sampled_from(
        ["", " ", "NA", "NaN", "null", "true", "inf", "-inf", "abc", "[1]", "1]", "1 2", " 1", "1\t", "{}"]
    ),
    st.sampled_from(["1;2", "1:2", '"1"', '"1;2"', '"a""b"', '"1"x', 'a"b', "\x00", "é", "2024-01-01", "\r"]),
)


def same(parser, records):
    fast, careful = parse_rows(parser, records, {}), parse_rows(Careful(parser), records, {})
    assert fast.values.tobytes() == careful.values.tobytes()
    assert fast.values.shape == careful.values.shape
    assert [(type(time), time) for time in fast.times] == [(type(time), time) for time in careful.times]
    assert fast.keys == careful.keys
    assert fast.faults == careful.faults


@st.composite
def tables(draw):
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(NUMBER, min_size=width, max_size=width), min_size=9, max_size=30))
    for _ in range(draw(st.integers(0, 3))):  # some odd cells, some rows of another width
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, width - 1))] = draw(CELL)
    if draw(st.integers(0, 3)) == 0:
        draw(st.sampled_from(rows)).append(draw(CELL))
    if draw(st.integers(0, 3)) == 0:
        draw(st.sampled_from(rows)).pop()
    order = draw(st.permutations(range(width)))
    features = order[: draw(st.integers(1, width))]
    rest = [None, None, *(i for i in order if i not in features)]
    time, key = draw(st.sampled_from(rest)), draw(st.sampled_from(rest))
    names = tuple(f"c{i}" for i in range(width))
    layout = Layout(
        names,
        tuple(names[i] for i in features),
        None if time is None else names[time],
        None if key is None or key == time else names[key],
        draw(st.booleans()),
    )
    return layout, rows, draw(st.booleans())


@given(tables(), st.sampled_from([",", ";", "\t"]))
def test_fast_csv_is_careful_csv(table, delimiter):
    """Both ways through a CSV give the same columns and the same dead letters, bit for bit."""
    layout, rows, allow = table
    records = [delimiter.join(row).encode() for row in rows]

    same(csv_parser(layout, delimiter, allow_missing=allow), records)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=9, max_size=30), st.sampled_from([",", ";"]))
def test_fast_csv_is_careful_csv_on_junk(rows, delimiter):
    """The same where hardly a row is clean."""
    layout = Layout(("a", "b", "c"), ("c", "a"), "b", None, epoch=False)

    same(csv_parser(layout, delimiter, allow_missing=True), [delimiter.join(row).encode() for row in rows])


def test_fast_csv_is_careful_csv_where_rows_are_shifted():
    """Rows that have one cell too many and one too few in turn are told apart, though their sum is right."""
    layout = Layout(("a", "b"), ("a", "b"), None, None)

    same(csv_parser(layout, ",", allow_missing=True), [b"1,2", b"1,2,3", b"4"] * 10)


JSON_VALUE = st.one_of(
    NUMBER, st.sampled_from(["null", "true", '"1.5"', '"x"', '""', "[1]", "{}", '"\\ud800"', '"é"', "NaN", "1e999"])
)
JSON_RECORD = st.one_of(
    st.dictionaries(st.sampled_from(["a", "b", "t", "k", "z"]), JSON_VALUE).map(
        lambda row: "{" + ",".join(f'"{name}":{value}' for name, value in row.items()) + "}"
    ),
    st.sampled_from(
        ['{"a":1', "}", '"b":2}', "{},{}", "[1]", "7", '{"a":1}{"b":2}', '{"a":1,"a":2}', "[" * 70 + "]" * 70]
    ),
)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=9, max_size=20),
    st.lists(JSON_RECORD, max_size=4),
    st.booleans(),
)
def test_fast_json_is_careful_json(good, odd, allow):
    """Both ways through JSON Lines give the same columns and the same dead letters, bit for bit."""
    records = [f'{{"t":{i},"a":{value!r},"k":"x","b":{i}}}'.encode() for i, value in enumerate(good)]
    for i, record in enumerate(odd):
        records.insert(3 * i, record.encode())

    same(JsonParser(Layout((), ("a", "b"), "t", "k"), allow_missing=allow), records)


INNER = ['{"a":{"b":1,"c":2},"a.b":5}', '{"a.b":5}', '{"a":{"b":1},"a":{"c":2}}', '{"a":7}', '{"a":null}', '{"a":{"b":{}}}', '{"a":{"b":"1"}}', '{"k":{"u":7}}',
         '{"a":{"b":1},"k":[1]}', '{"\\u0061":{"b":4}}', '{"a\\u002eb":4,"a":{"c":1}}', "{" + '"z":{' * 70 + "}" * 71, '{"a":{}}', "[1]"]  # fmt: skip


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=9, max_size=20),
    st.lists(st.one_of(JSON_RECORD, st.sampled_from(INNER)), max_size=4),
    st.booleans(),
)
def test_fast_json_is_careful_json_inside_of_fields(good, odd, allow):
    """The same of fields inside of fields, beside ones whose names hold a point."""
    records = [
        f'{{"t":{i},"a":{{"b":{value!r},"x":[1],"c":{i}}},"k":{{"u":"x"}}}}'.encode() for i, value in enumerate(good)
    ]
    parser = JsonParser(Layout((), ("a.b", "a.c"), "t", "k.u"), allow_missing=allow)
    fast = parser.fast(records)
    assert fast is not None
    assert fast[0][:, 0].tolist() == good
    for i, record in enumerate(odd):
        records.insert(3 * i, record.encode())

    same(parser, records)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_python_reads_them(value):
    """Every finite number comes through text, in both formats, as the very same float."""
    texts = [repr(value), f"{value:.25g}", f"{value:.20e}"]
    csv = csv_parser(Layout(("a",), ("a",), None, None), ",", allow_missing=True)
    json = JsonParser(Layout((), ("a",), None, None), allow_missing=True)
    found = [csv.fast([text.encode()] * 9) for text in texts]
    found += [json.fast([b'{"a":%s}' % text.encode()] * 9) for text in texts]

    for one, text in zip(found, texts * 2, strict=True):
        assert one is None or one[0][0, 0].tobytes() == np.float64(signed(value, text)).tobytes()
    for text in texts:
        try:
            assert csv.careful(text.encode())[0] == [value]
        except CellError:
            assert float(text) == float("inf")


def test_position_of_another_file_is_refused(tmp_path):
    """A file whose first lines differ, or that is shorter, is not the one a position belongs to."""
    path = tmp_path / "in.csv"
    path.write_text("a\n1\n2\n3\n")
    position = read_all(path).ends[-1]

    for text, message in (("a\n9\n2\n3\n", "is not the file"), ("a\n1\n2\n", "is shorter"), ("b\n", "is not the file")):
        path.write_text(text)
        with pytest.raises(StateError, match=message):
            read_all(path, seek=position)
    path.write_text("a\n1\n2\n3\n4\n")
    assert read_all(path, seek=position).values == [[4.0]]


def test_line_that_was_added_to_is_refused(tmp_path):
    """A last line without line end that has grown since it was read is an error, not half a record."""
    path = tmp_path / "in.csv"
    path.write_text("a\n1\n2")
    position = read_all(path).ends[-1]

    path.write_text("a\n1\n25\n3\n")
    with pytest.raises(StateError, match="was added to"):
        read_all(path, seek=position)
    path.write_text("a\n1\n2\n3\n")
    assert read_all(path, seek=position).values == [[3.0]]


@pytest.mark.parametrize("position", [17, "17", "abc", "x:-1", ":5", "deadbeef:5"])
def test_foreign_positions_are_refused(tmp_path, position):
    """A position that is none of a file, or of another one, is a StateError."""
    path = tmp_path / "in.csv"
    path.write_text("a\n1\n")

    with FileSource.from_path(path) as source, pytest.raises(StateError):
        source.seek("0", position)


def test_pipe_is_skipped_forward(tmp_path):
    """What can be read only once is read up to the position; a second time is an error."""
    import os
    import threading

    path, pipe = tmp_path / "in.csv", tmp_path / "pipe.csv"
    path.write_text("a\n" + "".join(f"{i}\n" for i in range(100_000)))
    whole = read_all(path)
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()

    got = read_all(pipe, seek=whole.positions[70_000])
    writer.join()

    assert got.events() == whole.events()[70_000:]


def test_pipe_cannot_be_read_again(tmp_path):
    """Sending a pipe back after it was read is a StateError."""
    import os
    import threading

    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("a\n1\n2\n"))
    writer.start()
    with FileSource.from_path(pipe) as source:
        source.poll(10, 0.0)
        block = source.poll(10, 5.0).blocks[0]

        with pytest.raises(StateError, match="cannot be read again"):
            source.seek("0", block.next_position)
    writer.join()
