"""Record values to columns: every format, the fast way and the careful one, and hostile input."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrnn.errors import ConfigError
from streamrnn.io import SourceContext, Tally
from streamrnn_files import FileSource
from streamrnn_kafka import KafkaSource
from streamrnn_kafka.formats import FORMATS, Decoder, Fields

FIELDS = Fields(("main.flow", "level"), "at", "id")
GOOD = {"main": {"flow": 12.5, "other": 1}, "level": -2, "at": "2024-01-01", "id": "a7", "more": [1, {"x": None}]}


def columns(values, fields=FIELDS, form="json", max_bytes=1000):
    found = Decoder(FORMATS[form], fields, max_bytes).columns(values)
    return found.values.tolist(), found.times, found.keys, found.faults


WRITTEN = {
    "json": msgspec.json.encode(GOOD),
    "msgpack": msgspec.msgpack.encode(GOOD),
    "csv": b'2024-01-01,"12.5",a7,-2,"x,y"',
}
CSV = ("at", "main.flow", "id", "level", "more")


@pytest.mark.parametrize("form", WRITTEN)
def test_formats(form):
    """Features, time and key come out of every format, by nested name."""
    found = columns([WRITTEN[form]] * 3, replace(FIELDS, csv_fields=CSV), form)

    assert found == ([[12.5, -2.0]] * 3, ["2024-01-01"] * 3, ["a7"] * 3, {})


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\u0001b"])
def test_names_with_quotes_and_control_characters(name):
    """A field may be called anything that JSON can write."""
    found = columns([msgspec.json.encode({name: 12.5, "at": "t"})] * 2, Fields((name,), "at"))

    assert found[0] == [[12.5]] * 2
    assert found[1] == ["t"] * 2


def test_plain_numbers():
    """One number a record, as text; whatever else is text is none."""
    found = columns(
        [b"12.5", b" -1e3\n", b"", b"nan", b"1_0", b"inf", b"abc", b"\xff", None], Fields(("flow",)), "number"
    )

    assert found[0] == [[12.5], [-1000.0], [math.inf]]
    assert sorted(found[3]) == [2, 3, 4, 6, 7, 8]


ZEROS = {
    "json": (b'{"level":-0.0}', b'{"level":-0}', b'{"level":"-0.0"}', b'{"level":"-0"}'),
    "msgpack": tuple(msgspec.msgpack.encode({"level": one}) for one in (-0.0, 0, "-0.0", "-0")),
    "csv": (b"-0.0", b"-0", b" -0.0 ", b" -0 "),
    "number": (b"-0.0", b"-0", b"-0.0\n", b"-0\n"),
}


@pytest.mark.parametrize("form", ZEROS)
def test_zero_keeps_its_sign(form):
    """-0.0 is read as -0.0, and the integer -0 as 0, in every format, whichever way a record was decoded."""
    rows = columns(ZEROS[form], Fields(("level",), csv_fields=("level",)), form)[0]

    assert [math.copysign(1, row[0]) for row in rows] == [-1.0, 1.0, -1.0, 1.0]


INFINITIES = {
    "json": [b'{"level": "Infinity"}', b'{"level": "-inf"}'],
    "csv": [b"Infinity", b"-inf"],
    "msgpack": [msgspec.msgpack.encode({"level": math.inf}), msgspec.msgpack.encode({"level": "-Infinity"})],
}


@pytest.mark.parametrize("form", INFINITIES)
def test_infinity_is_a_number(form):
    """As the text that results hold, and where a format has it; a number that is too large is none."""
    fields = Fields(("level",), csv_fields=("level",))

    assert columns(INFINITIES[form], fields, form)[0] == [[math.inf], [-math.inf]]
    if form != "msgpack":
        wrong = {"json": b'{"level": "1e999"}', "csv": b"1e999"}[form]
        assert "is not a finite number" in columns([wrong], fields, form)[3][0]


FAULTY = {
    b"": "not JSON",
    b"{": "not JSON",
    b"7": "not an object",
    b"[1]": "not an object",
    b'{"x": 1}': "no value in any of the fields 'main.flow', 'level'",
    b'{"main": {"flow": "much"}}': "Field 'main.flow': 'much' is not a number",
    b'{"main": {"flow": [1]}}': "Field 'main.flow': [1] is not a number",
    b'{"main": {"flow": 1e999}}': "Field 'main.flow': '1e999' is not a finite number",
    b'{"main": {"flow": NaN}}': "no value in any of the fields 'main.flow', 'level'",
    b'{"level": 1, "at": [2]}': "Field 'at': [2] is not a time",
    b'{"level": 1, "id": {}}': "Field 'id': {} is not a key",
    b'{"level": "\xff"}': "not UTF-8",
    b'{"level": 1, "x": ' + b"[" * 70 + b"]" * 70 + b"}": "nested deeper than 64",
    b'{"level": 1, "x": "' + b"y" * 2000 + b'"}': "longer than max_record_bytes = 1000",
}


@pytest.mark.parametrize("value", FAULTY)
def test_the_reason_is_said(value):
    """What is no event is told with field, value and rule, and takes nothing of its neighbours with it."""
    rows, _, _, faults = columns([WRITTEN["json"], value, WRITTEN["json"]])

    assert rows == [[12.5, -2.0]] * 2
    assert list(faults) == [1]
    assert FAULTY[value] in faults[1]
    assert faults[1].endswith(".")


def test_a_tombstone_is_no_event():
    """A record without a value is told as such."""
    assert columns([None])[3] == {0: "It has no value: a tombstone."}


def test_missing_values():
    """Some missing values are NaN, or a dead letter, as configured."""
    some = [b'{"level": 1}', b'{"main": null, "level": "2"}', b'{"main": {"flow": null}, "level": true}']

    rows, *_ = columns(some)
    strict = columns(some, replace(FIELDS, allow_missing=False))

    assert [row[1] for row in rows] == [1.0, 2.0, 1.0]
    assert np.isnan([row[0] for row in rows]).all()
    assert strict[3] == dict.fromkeys(range(3), "It holds no value in field 'main.flow'.")


VALUE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**400), 10**400).map(str),
    st.sampled_from(
        ["null", "true", '"1.5"', '"x"', '""', "[1]", "{}", '"\\ud800"', '"é"', "NaN", "1e999", "-0.0", "-0"]
    ),
)
RECORD = st.lists(st.tuples(st.sampled_from(["level", "at", "id", "x"]), VALUE), max_size=5).map(
    lambda pairs: ("{" + ",".join(f'"{name}":{value}' for name, value in pairs) + ', "main": {"flow": 1}}').encode()
)


PIECES = [
    "{",
    "}",
    '"',
    '"level":1',
    ",",
    '"x":"',
    " ",
    "\n",
    '{"level":2}',
    '{"level":3}{"level":4}',
    "\\",
    '"main":{',
]
BROKEN = st.lists(st.sampled_from(PIECES), max_size=4).map(lambda parts: "".join(["{", *parts, "}"]).encode())


@settings(max_examples=150)
@given(st.lists(st.one_of(RECORD.map(lambda text: text.replace(b"{,", b"{")), BROKEN, st.just(b"")), max_size=6))
def test_fast_json_is_careful_json(records):
    """Records come out the same alone and in company, and the same the careful way, bit for bit, where that takes them."""
    decoder, careful = (Decoder(form, FIELDS, 1000) for form in (FORMATS["json"], replace(FORMATS["json"], fast=None)))

    together = decoder.columns(records)
    alone = [decoder.columns([record]) for record in records]
    slow = [careful.columns([record]) for record in records]

    assert together.values.tobytes() == b"".join(one.values.tobytes() for one in alone)
    assert together.times == [time for one in alone for time in one.times]
    assert together.keys == [key for one in alone for key in one.keys]
    assert together.faults == {i: one.faults[0] for i, one in enumerate(alone) if one.faults}
    for fast, other in zip(alone, slow, strict=True):
        if not other.faults:
            assert (fast.values.tobytes(), fast.times, fast.keys) == (other.values.tobytes(), other.times, other.keys)
            assert list(map(type, fast.times)) == list(map(type, other.times))


@pytest.mark.parametrize("form", WRITTEN)
def test_hostile_input(form):
    """20,000 mutated records between good ones: the good ones come out as ever, and every bad one has a reason."""
    drawn = random.Random(3)
    good = WRITTEN[form]
    decoder = Decoder(FORMATS[form], replace(FIELDS, csv_fields=CSV), 300)
    values = []
    for _ in range(20_000):
        spoiled = bytearray(good)
        for _ in range(drawn.randint(1, 3)):
            match drawn.randrange(4):
                case 0:
                    spoiled[drawn.randrange(len(spoiled))] ^= 1 << drawn.randrange(8)
                case 1:
                    del spoiled[drawn.randrange(len(spoiled)) :]
                    spoiled += b"?"
                case 2:
                    spoiled[drawn.randrange(len(spoiled)) :] = drawn.randbytes(drawn.randrange(400))
                    spoiled += b"?"
                case _:
                    spoiled *= drawn.randint(1, 4)
        values += [good, bytes(spoiled)]

    found = decoder.columns(values)

    kept = [i for i in range(len(values)) if i not in found.faults]
    assert all(i % 2 for i in found.faults)
    assert len(found.values) == len(kept) == len(found.times) == len(found.keys)
    assert [found.values[n].tolist() for n, i in enumerate(kept) if i % 2 == 0] == [[12.5, -2.0]] * 20_000


CELLS = (
    "1", "1e999", "Infinity", '"inf"', '"-Infinity"', "NaN", '"x"', "[1]", '{"c": 1}', "true", "9" * 400, '"1e999"', '"1_0"',
    '"?"', '"49%"', '"unavailable"', "null", '""', '"N/A"', "-0", '"-0"', "-0.0",
)  # fmt: skip
"""What a field may hold besides plain numbers."""


@pytest.mark.parametrize("beside", ["2", "null"])
def test_a_bad_cell_is_a_missing_cell_the_same_from_a_file_and_from_kafka(tmp_path, beside):
    """Its record lives, it is counted by column and kind, and Infinity is a number: from JSON Lines and from both ways of Kafka's records."""
    records = [b'{"a": %s, "b": %s}' % (cell.encode(), beside.encode()) for cell in CELLS]
    (tmp_path / "in.jsonl").write_bytes(b"".join(record + b"\n" for record in records))
    tally, slow = Tally(), Tally()

    found = Decoder(FORMATS["json"], Fields(("a", "b")), 1000, tally).columns(records)
    careful = Decoder(replace(FORMATS["json"], fast=None), Fields(("a", "b")), 1000, slow).columns(records)
    with FileSource.from_path(tmp_path / "in.jsonl", columns=["a", "b"]) as source:
        _, poll = source.poll(1, 0.0), source.poll(100, 0.0)
        told = source.chosen()

    assert found.values.tobytes() == careful.values.tobytes() == poll.blocks[0].values.tobytes()
    assert sorted(found.faults) == sorted(careful.faults) == [one.line - 1 for one in poll.blocks[0].dead_letters]
    assert tally.told()["bad_cells"] == slow.told()["bad_cells"] == told["bad_cells"]
    assert np.isinf(found.values[:, 0]).sum() == 3
    if beside == "2":
        assert not found.faults
        assert sum(tally.told()["bad_cells"]["a"].values()) == 8


@pytest.mark.parametrize("form", ["msgpack", "csv"])
def test_a_bad_cell_is_a_missing_cell_in_the_other_formats(form):
    """The record lives; only where none of its fields can be read it is a dead letter, with the first reason."""
    cells = [1.5, "x", math.inf, "-inf", "?"]
    written = {
        "msgpack": [msgspec.msgpack.encode({"a": cell, "b": 2}) for cell in cells],
        "csv": [f"{cell},2".encode() for cell in cells],
    }
    fields = Fields(("a", "b"), csv_fields=("a", "b"))

    rows, _, _, faults = columns(written[form], fields, form)
    alone = columns([written[form][1]], replace(fields, columns=("a",)), form)[3]
    strict = columns(written[form], replace(fields, allow_missing=False), form)[3]

    assert np.array(rows)[:, 0].tobytes() == np.array([1.5, math.nan, math.inf, -math.inf, math.nan]).tobytes()
    assert faults == {}
    assert alone == {0: "Field 'a': 'x' is not a number."}
    assert strict == {1: "Field 'a': 'x' is not a number.", 4: "It holds no value in field 'a'."}


def test_records_that_are_counted_need_no_field():
    """Without columns a record is an event whatever it holds, with its time and key; what is no record is none."""
    fields = Fields((), "at", "id")

    rows, times, keys, faults = columns([b'{"at": 1, "id": "x"}', b'{"at": 2, "text": "y"}', b"[1]"], fields)

    assert (rows, times, keys, list(faults)) == ([[], []], [1, 2], ["x", None], [2])
    assert columns([b"abc", b"2"], Fields(()), "number")[0] == [[], []]
    options = {"servers": "localhost:9092", "group": "watch"}
    assert (
        KafkaSource(KafkaSource.Options(topics=("a",), **options), SourceContext(counted=True)).chosen()["columns"]
        == []
    )
    with pytest.raises(ConfigError, match=r"\[source\] columns: is missing"):
        KafkaSource.from_topics("a", **options)


WRONG = [
    ({"format": "csv", "csv_fields": ["x"]}, "csv_fields: must name each cell"),
    ({"format": "number", "columns": ["a", "b"]}, "number holds one value"),
    ({"key": "k", "record_key": True}, "can only be one of them"),
    ({"columns": ["a", "a"]}, "must differ"),
    ({"start": "yesterday"}, "must be 'earliest', 'latest', a time"),
    ({"start": "offset flow/0"}, "or 'offset flow/0=1200 flow/1=900'. Got 'offset flow/0' instead."),
    ({"pattern": "("}, "give either 'topics' or 'pattern'"),
    ({"group": "a/b"}, "must be 1 to 249"),
    ({"servers": None}, "servers: is missing"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_wrong_options(options, said):
    """What cannot work is refused before any broker is asked, with option, rule and value."""
    given = {"servers": "localhost:1", "group": "g", "columns": ["flow"], **options}

    with pytest.raises(ConfigError, match=said):
        KafkaSource.from_topics("flow", **given)
