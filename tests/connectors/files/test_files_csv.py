"""CSV: what is an event, what is a dead letter, what is refused."""

from __future__ import annotations

import math
import sys

import pytest
from files_rig import Got, read_all, read_text, take

from streamrnn.errors import ConfigError, SourceError
from streamrnn_files import FileSource

ROWS = "time,a,b\n2024-01-01,1,10\n2024-01-02,2,20\n2024-01-03,3,30\n"


def test_columns_are_found(tmp_path):
    """Without options, every column of numbers is a feature, and a column with a known name is the time."""
    got = read_text(tmp_path, "id;Timestamp;site;a;b\n;2024-01-01;north;1;2.5\n;2024-01-02;south;-3;1e3\n")

    assert got.names == ("a", "b")
    assert got.values == [[1.0, 2.5], [-3.0, 1000.0]]
    assert got.times == ["2024-01-01", "2024-01-02"]
    assert got.dead == []


def test_columns_are_chosen_in_the_order_given(tmp_path):
    """Named columns are the features, in that order, whatever their names; time and key are passed on as written."""
    got = read_text(tmp_path, "b,when,a,who\n1,7,2,x\n3,8.5,4,\n", columns=["a", "b"], time="when", key="who")

    assert got.names == ("a", "b")
    assert got.values == [[2.0, 1.0], [4.0, 3.0]]
    assert got.times == [7, 8.5]
    assert got.keys == ["x", None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path, delimiter):
    """The commonest of the usual delimiters in the header is taken."""
    got = read_text(tmp_path, ROWS.replace(",", delimiter))

    assert got.values == [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]


@pytest.mark.parametrize(
    "form",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.rstrip(b"\n").replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: b"\n\n" + text + b"\n\n",
        lambda text: text.replace(b"2024-01-02", b'"2024-01-02"').replace(b"20\n", b'"20"\n'),
    ],
    ids=["bom", "crlf", "no-last-newline", "crlf-no-last-newline", "blank-lines", "blank-ends", "quotes"],
)
def test_forms_of_the_same_table_are_equal(tmp_path, form):
    """Byte order mark, line ends, blank lines, quotes and a missing last line end change no event."""
    got = read_text(tmp_path, form(ROWS.encode()))

    assert got.times == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert got.values == [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]
    assert got.dead == []


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "NA", "null", "NULL", "None", "n/a", " ", "-nan"])
def test_missing_values_are_nan(tmp_path, cell):
    """What usually stands for a missing value is NaN, and the event is one."""
    got = read_text(tmp_path, f"a,b\n1,2\n{cell},3\n")

    assert math.isnan(got.values[1][0])
    assert got.values[1][1] == 3.0
    assert got.dead == []


def test_missing_values_may_be_dead_letters(tmp_path):
    """on_missing = "dead_letter" sends a record that lacks a value there, and no other."""
    got = read_text(tmp_path, "a,b\n1,2\n,3\n4,5\n", on_missing="dead_letter")

    assert got.values == [[1.0, 2.0], [4.0, 5.0]]
    assert got.reasons() == ["Column 'a': the value is missing."]


def test_repeated_and_backward_times_are_events(tmp_path):
    """The order is that of the file; times are not judged."""
    got = read_text(tmp_path, "time,a\n2024-01-02,1\n2024-01-02,2\n2024-01-01,3\nsoon,4\n,5\n")

    assert got.values == [[1.0], [2.0], [3.0], [4.0], [5.0]]
    assert got.times == ["2024-01-02", "2024-01-02", "2024-01-01", "soon", None]


BAD = {
    "too few": (b"2024,1", "It has 2 columns; the header has 3."),
    "too many": (b"2024,1,2,3", "It has 4 columns; the header has 3."),
    "nothing": (b"2024,,NA", "It holds no value in column 'a', 'b'."),
    "no cell can be read": (b"2024,abc,", "Column 'a': 'abc' is not a number."),
    "behind quote": (b'2024,"1"2,3', "There is text behind a closing quote: '2'."),
    "open quote": (b'2024,"1,3', "A quote opens in this line and is not closed."),
    "a row of totals": (b"Total,1,2", "Column 'time': 'Total' is not a time."),
}


@pytest.mark.parametrize(("raw", "reason"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("around", [0, 40])
def test_bad_rows_are_dead_letters(tmp_path, raw, reason, around):
    """A bad row is a dead letter with position, line, reason and raw; the rows around it are events."""
    before = b"time,a,b\n" + b"2024,1,2\n" * (around + 3)

    got = read_text(tmp_path, before + raw + b"\n" + b"2024,3,4\n" * (around + 1))

    assert got.values == [[1.0, 2.0]] * (around + 3) + [[3.0, 4.0]] * (around + 1)
    letter = got.dead[0]
    assert len(got.dead) == 1
    assert (letter.reason, letter.raw, letter.line, letter.partition) == (reason, raw, around + 5, "0")
    assert str(letter.position).endswith(f":{len(before)}")


BAD_CELLS = {
    "text": (b"abc", "text", "'abc' is not a number"),
    "underscore": (b"1_0", "number", "'1_0' is not a number"),
    "overflow": (b"1e999", "too large", "'1e999' is not a finite number"),
    "hex": (b"0x10", "number", "'0x10' is not a number"),
    "not utf-8": (b"\xff", "encoding", "'\ufffd' is not a number"),
    "nul": (b"1\x00", "number", "'1\\x00' is not a number"),
    "another unit": (b"5 ms", "unit", "'5 ms' is not a number"),
}


@pytest.mark.parametrize(("raw", "kind", "reason"), BAD_CELLS.values(), ids=BAD_CELLS)
@pytest.mark.parametrize("around", [0, 40])
def test_a_bad_cell_is_a_missing_one(tmp_path, raw, kind, reason, around):
    """A cell that is no number counts as missing, by column and kind; the rest of its row is an event."""
    (tmp_path / "in.csv").write_bytes(
        b"time,a,b\n"
        + b"2024,1,2\n" * (around + 3)
        + b"2024,"
        + raw
        + b",3\n"
        + b"2024,\xc3\xa4,4\n" * (raw == b"\xff")
    )
    with FileSource.from_path(tmp_path / "in.csv", encoding="utf-8") as source:
        got = take(source, Got())
        chosen = source.chosen()

    assert math.isnan(got.values[around + 3][0])
    assert got.values[around + 3][1] == 3.0
    assert got.dead == []
    assert chosen["bad_cells"]["a"][kind] == 1
    assert chosen["first_bad_cells"]["a"] == reason


def test_infinity_is_a_number(tmp_path):
    """What a device writes as infinity comes through, in both formats, for a detector to see; it is no dead letter."""
    for text, name in (("a\n1\ninf\n-Infinity\n", "in.csv"), ('{"a":1}\n{"a":Infinity}\n{"a":"-inf"}\n', "in.jsonl")):
        got = read_text(tmp_path, text, name)

        assert got.values == [[1.0], [math.inf], [-math.inf]]
        assert got.dead == []


def test_long_line_is_cut_and_not_held(tmp_path):
    """A line of 10 MB is one dead letter with its first bytes; the lines around it are events."""
    import tracemalloc

    head = b"time,a\n2024,1\n"
    path = tmp_path / "in.csv"
    path.write_bytes(head + b"2024," + b"9" * 10_000_000 + b"\n2024,3\n")

    read_all(path)  # code that is loaded for long files stays
    tracemalloc.start()
    got = read_all(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert got.values == [[1.0], [3.0]]
    assert got.reasons() == [
        "The line is 10000005 bytes long; max_line_bytes is 1048576. raw holds its first 1024 bytes."
    ]
    assert got.dead[0].raw == (b"2024," + b"9" * 1019)
    assert (got.dead[0].line, got.dead[0].position) == (3, got.positions[0].split(":")[0] + f":{len(head)}")
    assert peak < 8_000_000


def test_long_line_before_the_first_event(tmp_path):
    """A long line right behind the header hides neither the columns nor the events behind it."""
    for live in (False, True):
        got = read_text(tmp_path, b"a,b\n1," + b"9" * 10_000_000 + b"\n1,2\n3,4\n", columns=["a", "b"] if live else [])

        assert got.values == [[1.0, 2.0], [3.0, 4.0]]
        assert [letter.line for letter in got.dead] == [2]


@pytest.mark.parametrize("size", [63, 64, 65, 66])
def test_the_limit_is_exact(tmp_path, size):
    """A line of max_line_bytes is an event, one more byte is none: with and without a last line end."""
    row = b"1," + b"0" * (size - 3) + b"2"
    for last in (b"\n", b""):
        got = read_text(tmp_path, b"a,b\n3,4\n" + row + last, max_line_bytes=64)

        assert len(got.rows) == (2 if size <= 64 else 1)
        assert len(got.dead) == (0 if size <= 64 else 1)


def test_quoted_fields_hold_anything(tmp_path):
    """Quoted fields may hold delimiters, quotes and line ends; line numbers count physical lines."""
    got = read_text(tmp_path, 'note,a\n"x, ""y""\nz",1\nplain,abc\n"two\r\nlines",3\n', key="note")

    assert got.keys == ['x, "y"\nz', "two\r\nlines"]
    assert got.values == [[1.0], [3.0]]
    assert [(letter.line, letter.raw) for letter in got.dead] == [(4, b"plain,abc")]


def test_a_stray_quote_costs_one_line(tmp_path):
    """A quote that opens and is not closed takes its own line with it, not those behind it."""
    text = "note,a\nx,1\n" + '"open,2\n' + "".join(f"y,{i}\n" for i in range(300)) + '"also open,3\nz,4\n'
    got = read_text(tmp_path, text)

    assert got.values == [[1.0], *([float(i)] for i in range(300)), [4.0]]
    assert [letter.line for letter in got.dead] == [3, 304]


def test_empty_file(tmp_path):
    """An empty CSV is an error that says so; one with a header only ends without events."""
    for text in ("", "\n\n", "\ufeff"):
        with pytest.raises(SourceError, match="is empty: a header row is expected"):
            read_text(tmp_path, text)

    got = read_text(tmp_path, "time,a\n")
    assert (got.rows, got.dead, got.ended) == ([], [], True)


@pytest.mark.parametrize("first", ["1,2,3", "2024-01-01,5", "2024-01-01T10:00:00Z,,5", "5"])
def test_file_without_header(tmp_path, first):
    """A first row of data is an event, and the columns are c0, c1, ...; header = true makes it the names."""
    assert len(read_text(tmp_path, f"{first}\n{first}\n").rows) == 2
    assert len(read_text(tmp_path, f"{first}\n{first}\n", header=True).rows) == 1


def test_header_false_names_columns_by_position(tmp_path):
    """With header = false the first row is an event, and the columns are c0, c1, ..."""
    got = read_text(tmp_path, "2024-01-01,5,6\n2024-01-02,7,8\n", header=False, time="c0")

    assert (got.names, got.values, got.times) == (("c1", "c2"), [[5.0, 6.0], [7.0, 8.0]], ["2024-01-01", "2024-01-02"])


def test_header_true_takes_numbers_as_names(tmp_path):
    """With header = true the first row names the columns, numbers or not."""
    got = read_text(tmp_path, "2023,2024\n1,2\n", header=True)

    assert (got.names, got.values) == (("2023", "2024"), [[1.0, 2.0]])


def test_unknown_columns_are_named_with_the_nearest(tmp_path):
    """All unknown columns come in one error, each with the nearest known name."""
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path, "time,flow,site\n1,2,3\n", columns=["flwo"], time="tme", key="place")

    problems = [problem.replace(str(tmp_path), "") for problem in caught.value.problems]
    assert problems == [
        "[source] columns: '/in.csv' has no column 'flwo'. Did you mean 'flow'?",
        "[source] time: '/in.csv' has no column 'tme'. Did you mean 'time'?",
        "[source] key: '/in.csv' has no column 'place'. Known: flow, site, time.",
    ]


REFUSED = {
    "no numbers": (b"a,b\nx,y\n", "has no column of numbers"),
    "gzip": (b"\x1f\x8b\x08\xffabc" * 9, "is damaged: gzip says"),
    "zip": (b"PK\x03\x04abc", "is a zip archive or a spreadsheet"),
    "long header": (b"a," * 100 + b"\n", "first line is longer than max_line_bytes = 64|first row cannot be read"),
    "long first line": (b"a" * 3_000_000, "first line is longer than max_line_bytes = 64|first row cannot be read"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_csv_is_refused(tmp_path, data, message):
    """An input that cannot be a table is an error that says what it is."""
    with pytest.raises(SourceError, match=message):
        read_text(tmp_path, data, max_line_bytes=64)


def test_missing_file_and_folder(tmp_path):
    """A file that is not there, or is a folder, is a SourceError with exit code 66."""
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(SourceError, match="cannot be read") as caught:
            read_all(path)
        assert caught.value.exit_code == 66


def test_options_that_contradict_each_other():
    """Options that cannot go together are refused before anything is read."""
    for options in (
        {"delimiter": ",,"},
        {"time": "a", "key": "a"},
        {"columns": ["a", "a"]},
        {"columns": ["a"], "key": "a"},
    ):
        with pytest.raises(ConfigError, match=r"\[source\]"):
            read_all("x.csv", **options)
    with pytest.raises(ConfigError, match="standard input"):
        read_all("-", follow=True)


def test_raws_are_kept_on_request(tmp_path):
    """keep_raw brings each event's record as it was read, without its line end."""
    got = read_text(tmp_path, "a\n1\r\nx\n2\n", keep_raw=True)

    assert got.raws == [b"1", b"2"]


def test_standard_input(tmp_path):
    """A pipe gives the same events and positions as the file."""
    import subprocess

    path = tmp_path / "in.csv"
    path.write_text(ROWS + "".join(f"t{i},{i},{i}\n" for i in range(20_000)))
    program = (
        "from files_rig import read_all; import sys\n"
        "got = read_all('-'); sys.stdout.buffer.write(repr((got.positions, got.values, got.times)).encode())"
    )
    with path.open("rb") as file:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        found = subprocess.run(
            [sys.executable, "-c", program],
            stdin=cat.stdout,
            capture_output=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        ).stdout
        assert cat.stdout is not None
        cat.stdout.close()
        cat.wait()

    got = read_all(path)
    assert found.decode() == repr((got.positions, got.values, got.times))
