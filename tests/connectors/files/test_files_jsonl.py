"""JSON Lines: what is an event, what is a dead letter."""

from __future__ import annotations

import json
import math

import pytest
from files_rig import read_text

from streamrnn.errors import ConfigError, SourceError


def read(folder, *lines, name="in.jsonl", **options):
    return read_text(folder, b"\n".join(lines) + b"\n", name, **options)


def test_fields_are_found(tmp_path):
    """Without options, every field of numbers is a feature, in the order they first appear; booleans are none."""
    got = read(tmp_path, b'{"ts":1,"a":1,"ok":true,"s":"x"}', b'{"b":2.5,"ts":2.5,"a":null}', b'{"a":3,"ts":"x"}')

    assert got.names == ("a", "b")
    assert [[repr(v) for v in row] for row in got.values] == [["1.0", "nan"], ["nan", "2.5"], ["3.0", "nan"]]
    assert got.times == [1, 2.5, "x"]


def test_chosen_fields_take_numbers_in_other_clothes(tmp_path):
    """A chosen field may hold a number as text, or true and false; the key may be a number."""
    got = read(
        tmp_path, b'{"a":"1.5","k":7}', b'{"a":true,"k":"x"}', b'{"a":"NA","b":1,"k":null}', columns=["a", "b"], key="k"
    )

    assert [[repr(v) for v in row] for row in got.values] == [["1.5", "nan"], ["1.0", "nan"], ["nan", "1.0"]]
    assert got.keys == ["7", "x", None]


BAD = {
    "truncated": (b'{"a":1', "It is not JSON: Input data was truncated."),
    "not an object": (b"[1,2]", "It is not a JSON object: '[1,2]'."),
    "a number": (b"17", "It is not a JSON object: '17'."),
    "two objects": (b'{"a":1}{"a":2}', "It is not JSON"),
    "text": (b'{"a":"abc"}', "Column 'a': 'abc' is not a number."),
    "list": (b'{"a":[1]}', "Column 'a': '[1]' is not a number."),
    "overflow": (b'{"a":1e999}', "Column 'a': '1e999' is not a finite number."),
    "huge": (b'{"a":1' + b"0" * 400 + b"}", "is not a number|out of range"),
    "nan": (b'{"a":NaN}', "It holds no value in column 'a'."),
    "nan and more": (b'{"a":NaN,}', "It is not JSON"),
    "nothing": (b'{"c":1}', "It holds no value in column 'a'."),
    "null": (b'{"a":null}', "It holds no value in column 'a'."),
    "deep": (b'{"a":1,"b":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "It is nested deeper than 64 levels."),
    "deep unclosed": (b'{"a":' + b'{"a":' * 5000, "It is nested deeper than 64 levels."),
    "not utf-8": (b'{"a":1,"b":"\xff"}', "It is not UTF-8 text: invalid start byte at byte 12."),
    "surrogate": (b'{"a":1,"b":"\\ud800"}', "It is not JSON"),
    "blank": (b"   ", "It is not JSON"),
    "bad key": (b'{"a":1,"k":[1]}', "Column 'k': '[1]' is not a key."),
    "bad time": (b'{"a":1,"t":{}}', "Column 't': '{}' is not a time."),
}


@pytest.mark.parametrize(("raw", "reason"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("around", [1, 40])
def test_bad_lines_are_dead_letters(tmp_path, raw, reason, around):
    """A bad line is a dead letter with its reason; the lines around it are events, however many come at once."""
    good = [b'{"a":1,"k":"x","t":5}'] * around

    got = read(tmp_path, *good, raw, *good, columns=["a"], key="k", time="t")

    assert got.values == [[1.0]] * (2 * around)
    assert len(got.dead) == 1
    assert got.dead[0].line == around + 1
    assert got.dead[0].raw == raw
    assert any(part in got.dead[0].reason for part in reason.split("|"))


def test_many_shallow_brackets_are_fine(tmp_path):
    """Depth counts, not the number of brackets, and brackets inside texts are none."""
    line = json.dumps({"a": 1, "b": [[1]] * 200, "c": "[" * 500, "d": '\\"[' * 100}).encode()

    assert read(tmp_path, line, line, columns=["a"]).values == [[1.0], [1.0]]


def test_empty_file_ends(tmp_path):
    """A JSON Lines file without a line has no events, and that is no error."""
    got = read_text(tmp_path, b"", "in.jsonl")

    assert (got.rows, got.ended) == ([], True)


def test_format_is_found_by_content(tmp_path):
    """Where the name does not tell, the first character does."""
    assert read(tmp_path, b'{"a":1}', name="in.log").values == [[1.0]]
    assert read_text(tmp_path, b'\xef\xbb\xbf\n  {"a":2}\r\n', "in.log").values == [[2.0]]
    assert read_text(tmp_path, b"a\n3\n", "in.log").values == [[3.0]]


def test_unknown_fields(tmp_path):
    """A chosen field that no line of the sample has is an error; a file without numbers is one too."""
    with pytest.raises(ConfigError, match="Did you mean 'flow'"):
        read(tmp_path, b'{"flow":1}', columns=["flo"])
    with pytest.raises(SourceError, match="has no column of numbers"):
        read(tmp_path, b'{"flow":"x"}', b"garbage")


@pytest.mark.parametrize("company", [b"", b"what"])
def test_zero_keeps_its_sign(tmp_path, company):
    """-0.0 is read as -0.0 and the integer -0 as 0, in both formats, whichever way a row was parsed."""
    lines = [b'{"a":-0}', b'{"a":-0.0}', b'{"a":"-0"}', b'{"a":"-0.0"}', company]
    for got in (read(tmp_path, *lines), read_text(tmp_path, b"a\n-0\n-0.0\n-0\n-0.0\n" + company)):
        assert [math.copysign(1, row[0]) for row in got.values] == [1.0, -1.0, 1.0, -1.0]


def test_names_with_quotes_and_control_characters_are_columns(tmp_path):
    """A field is a column whatever its name holds."""
    lines = [f'{{"a\\u0001b":{i},"say \\"hi\\"":{i % 7},"c\\\\d":1.5}}' for i in range(60)]
    got = read_text(tmp_path, "\n".join(lines), "in.jsonl", columns=["a\x01b", 'say "hi"', "c\\d"])

    assert got.names == ("a\x01b", 'say "hi"', "c\\d")
    assert got.values == [[i, i % 7, 1.5] for i in range(60)]
