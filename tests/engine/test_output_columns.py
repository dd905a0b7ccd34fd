"""Results by compiled code: byte for byte those of the way line by line."""

from __future__ import annotations

import random
import struct

import msgspec
import numpy as np
import pytest

from streamrnn.columns.json_write import Row
from streamrnn.columns.lines import Lines, together
from streamrnn.columns.sequences import Numbered, Texts
from streamrnn.engine.output import FIELDS, encode_block
from streamrnn.engine.output_columns import LEAST, encode_columns
from streamrnn.io import Block
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.scored import Scored

N = 200
TEXTS = ("a", "", "é", '"', "\\", "\n\t\r\b\f\x00\x1f\x7f", "2024-01-01T00:00:00Z", "\U0001f600", None)


def doubles(drawn, n):
    """Doubles of every kind: of random bits, short decimals, whole, tiny, ties, none, infinite."""
    some = [
        0.0,
        -0.0,
        1.0,
        1e15,
        1e16,
        1e17,
        1e-4,
        1e-5,
        1e-6,
        9.5e-7,
        5e-324,
        1.7976931348623157e308,
        2.2250738585072014e-308,
        0.1,
        123456789012345680.0,
    ]

    def one():
        match drawn.randrange(7):
            case 0:
                return struct.unpack("<d", drawn.randbytes(8))[0]
            case 1:
                return round(drawn.gauss(0, 10 ** drawn.randint(-8, 8)), drawn.randint(0, 9))
            case 2:
                return float(drawn.randrange(-(10 ** drawn.randint(1, 20)), 10**6))
            case 3:
                return drawn.choice((-1, 1)) * 2.0 ** drawn.randint(-1074, 1023)
            case 4:
                return drawn.choice((np.nan, np.inf, -np.inf))
            case 5:
                return float(f"1e{drawn.randint(-323, 308)}")
        return drawn.choice(some)

    return np.array([one() for _ in range(n)])


def test_floats_are_the_shortest_that_read_back_the_same():
    """Of every kind and of every power of two and ten: what msgspec writes, and so what Python reads back."""
    powers = np.concatenate([2.0 ** np.arange(-1074, 1024), 10.0 ** np.arange(-323, 309)])
    around = np.concatenate([powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)])
    values = np.concatenate([around, -around, doubles(random.Random(1), 100_000)])
    for infinite in (False, True):
        lines = list(Row(len(values)).floats(values, infinite=infinite).lines())
        expected = [
            msgspec.json.encode({np.inf: "Infinity", -np.inf: "-Infinity"}.get(one, one) if infinite else one)
            for one in values.tolist()
        ]
        assert lines == expected


def test_a_million_random_doubles():
    """The bits of each come back from its digits."""
    values = np.frombuffer(random.Random(2).randbytes(8_000_000), np.float64)
    values = values[np.isfinite(values)]
    lines = Row(len(values)).floats(values).lines()

    assert lines.data.tobytes() == b"".join(msgspec.json.encode(one) + b"\n" for one in values.tolist())


def made(seed, names, label=None, keyed=True):
    """A block of results of every kind."""
    drawn, width = random.Random(seed), len(names)
    matrix = lambda rows: doubles(drawn, N * rows).reshape(N, rows)  # noqa: E731
    pick = lambda *of: [drawn.choice(of) for _ in range(N)]  # noqa: E731
    block = Block(
        names,
        matrix(width),
        drawn.choice(
            [range(N), [f"f:{i}" for i in range(N)], [drawn.randrange(-(1 << 63), 1 << 63) for _ in range(N)]]
        ),
        N,
        keys=pick(*TEXTS) if keyed else None,
        times=drawn.choice([None, pick(*TEXTS), pick(1.5, 1e300, None), pick(1, 2.5, "x", None, 1 << 70)]),
        raws=[drawn.randbytes(9) for _ in range(N)],
        partition=drawn.choice(("0", 'a"b/é')),
    )
    details = {
        "threshold": doubles(drawn, N), "warm": np.array(pick(True, False)), "since": np.array(pick(1, -5, 1 << 62)), "low": matrix(width), "high": matrix(width),
        "views": matrix(len(VIEWS)), "feature": np.array(pick(*range(-1, width))), "view": np.array(pick(*range(-1, len(VIEWS)))),
        "episode": np.array(pick(None, "x", '"'), dtype=object), "change": np.array(pick(np.float32(0.1), np.float32(-2))),
    }  # fmt: skip
    details = {name: found for name, found in details.items() if drawn.random() < 0.8}
    forecasts = drawn.choice([None, doubles(drawn, N * 2 * width * 5).reshape(N, 2, width, 5)])
    scored = Scored(
        doubles(drawn, N),
        matrix(width),
        pick(True, False),
        doubles(drawn, N).tolist(),
        label,
        forecasts,
        details=details,
    )
    return block, scored


@pytest.mark.parametrize("names", [("a",), ("flow", 'odd "name"', "é\n"), ("x", "y")])
@pytest.mark.parametrize("label", [None, 0])
def test_lines_are_those_of_the_way_line_by_line(names, label):
    """Every field there is, with values of every kind, in any order."""
    for seed in range(12):
        block, scored = made(seed, names, None if label is None else names[label], seed % 3)
        fields = list(FIELDS)
        random.Random(seed).shuffle(fields)
        for some in (tuple(fields), tuple(fields[:3])):
            with np.errstate(all="ignore"):
                lines, expected = encode_columns(block, scored, some), encode_block(block, scored, some)
            assert isinstance(lines, Lines)
            assert list(lines) == expected


def test_texts_in_one_piece_are_written_as_texts_one_by_one():
    """Times and positions that a source has in one piece: whole and cut."""
    texts = ["a", None, 'é"', "", "2024"] * 20
    raw = b"".join((text or "").encode() + b"\n" for text in texts)
    ends = np.cumsum([0, *(len((text or "").encode()) + 1 for text in texts)])
    times = Texts(np.frombuffer(raw, np.uint8), ends, np.array([i for i, text in enumerate(texts) if text is None]))
    positions = Numbered('f"/é:', np.arange(100) * 7 - 3)
    for start, end in ((0, 100), (31, 97), (0, LEAST)):
        n = end - start
        some = Block(("a",), np.zeros((n, 1)), positions[start:end], 0, times=times[start:end])
        plain = Block(("a",), np.zeros((n, 1)), [*positions][start:end], 0, times=texts[start:end])
        scored = Scored(np.zeros(n), np.zeros((n, 1)), [False] * n, [1.0] * n)
        fields = ("time", "value", "position")
        assert [*some.times] == plain.times
        assert (some.times[1], some.times[-1], some.positions[-1]) == (
            plain.times[1],
            plain.times[-1],
            plain.positions[-1],
        )
        assert list(encode_columns(some, scored, fields)) == encode_block(plain, scored, fields)
        assert encode_block(some, scored, fields) == encode_block(plain, scored, fields)


def test_what_compiled_code_does_not_write_is_written_as_ever():
    """Few lines, and no features."""
    for names, n in ((("a",), LEAST - 1), ((), N)):
        block = Block(names, np.zeros((n, len(names))), range(n), n)
        scored = Scored(np.zeros(n), np.zeros((n, len(names))), [False] * n, [1.0] * n)
        lines = encode_columns(block, scored, ("value", "score"))
        assert lines == encode_block(block, scored, ("value", "score"))


def test_lines_are_a_sequence_of_bytes():
    """One, some and all of them, and several pieces as one, whether they are lines or lists."""
    texts = [b"", b"ab", b"c", b""]
    lines = Row(4).raws(texts).lines()

    assert (len(lines), list(lines), [lines[i] for i in range(4)], lines[-1]) == (4, texts, texts, b"")
    assert list(lines[1:3]) == texts[1:3]
    assert list(lines[3:1]) == []
    assert lines.lengths().tolist() == [0, 2, 1, 0]
    assert list(together([lines[1:], lines[:2]])) == [*texts[1:], *texts[:2]]
    assert together([lines, [b"x"]]) == [*texts, b"x"]
    assert together([]) == []
    with pytest.raises(IndexError):
        lines[4]
