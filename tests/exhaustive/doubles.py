"""Doubles of every kind, written and read by compiled code: what Python's ``repr`` and ``float`` give, to the last bit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from streamrnn.columns.csv_columns import CsvColumns
from streamrnn.columns.json_columns import JsonColumns
from streamrnn.columns.json_plan import plan_of
from streamrnn.columns.json_write import Row

CHUNK = 100_000


class Found(NamedTuple):
    """How many were compared, how many of them compiled code left to others, and what differed."""

    compared: int
    left: int
    differences: list[str]


def of_bits(drawn, n):
    """Any bits."""
    return np.frombuffer(drawn.randbytes(8 * n), np.float64)


def subnormals(drawn, n):
    """Those below the smallest normal number."""
    bits = np.frombuffer(drawn.randbytes(8 * n), np.uint64) >> np.array([12 + i % 52 for i in range(n)], np.uint64)
    return bits.view(np.float64)


def around_powers(drawn, n):
    """Powers of two and of ten, and the numbers next to them."""
    powers = [
        2.0 ** drawn.randint(-1074, 1023) if drawn.randrange(2) else float(f"1e{drawn.randint(-323, 308)}")
        for _ in range(n)
    ]
    bits = np.array(powers).view(np.int64) + np.array([drawn.randint(-2, 2) for _ in range(n)])
    return np.maximum(bits, 0).view(np.float64)


def short_decimals(drawn, n):
    """As people and instruments write them."""
    return np.array([round(drawn.gauss(0, 10.0 ** drawn.randint(-9, 9)), drawn.randint(0, 12)) for _ in range(n)])


def wholes(drawn, n):
    """Integers of up to 20 digits, around 2**53 too."""
    return np.array(
        [
            float(drawn.randrange(10 ** drawn.randint(1, 20)) if i % 3 else 2**53 + drawn.randint(-9, 9))
            for i in range(n)
        ]
    )


KINDS = (of_bits, subnormals, around_powers, short_decimals, wholes)


def digits(text):
    """The digits of a number without zeros around them, and the power of ten behind them."""
    mantissa, _, e = text.lstrip("-").partition("e")
    whole, _, broken = mantissa.partition(".")
    number = (whole + broken).lstrip("0")
    short = number.rstrip("0")
    return text[:1] == "-", short, int(e or 0) - len(broken) + len(number) - len(short) if short else 0


def written(values) -> Iterator[str]:
    """Yield what differs between what compiled code writes and ``repr``: other digits, or more than are needed."""
    values = values[np.isfinite(values)]
    for line, value in zip(Row(len(values)).floats(values).lines(), values.tolist(), strict=True):
        text, expected = line.decode(), repr(value).replace("e+", "e")
        if text != expected and digits(text) != digits(expected):
            yield f"{value!r} is written {text}"


def texts_of(drawn, values):
    """Texts of numbers: the shortest, with more digits or fewer, and ties between two doubles."""
    for value in values[np.isfinite(values)].tolist():
        match drawn.randrange(4):
            case 0:
                yield repr(value)
            case 1:
                yield f"{value:.{drawn.randint(0, 20)}e}"
            case 2:
                yield f"{value:.{drawn.randint(1, 19)}g}".replace("e+", drawn.choice(("e", "E+", "e+")))
            case _:
                yield str((2 * drawn.randrange(2**52, 2**53) + 1) << drawn.randint(0, 9))  # halfway between two


def read(texts):
    """Return how many texts compiled code left to others, and what differs from ``float``: from JSON and from CSV."""
    expected = np.array([float(text) if text != "-0" else 0.0 for text in texts])
    data = bytearray(b"".join(b'{"a":%s}' % text.encode() for text in texts))
    ends = np.cumsum([len(text) + 6 for text in texts])
    spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1).astype(np.int64)
    found = [JsonColumns(plan_of(["a"], []), 1, [], 1, 1000)(data, spans)]
    inside = np.stack([spans[:, 0] + 5, spans[:, 1] - 1], axis=1)
    found.append(CsvColumns(1, {0: "."}, [], ";", True, 1, 1000)(data, inside))
    differences = []
    for one in found:
        sure = np.ones(len(texts), np.bool_)
        sure[one.doubtful] = False
        wrong = sure & (one.values[:, 0].view(np.int64) != expected.view(np.int64))
        differences += [f"{texts[i]} is read {one.values[i, 0]!r}" for i in np.flatnonzero(wrong)]
    for i in found[0].doubtful.tolist():  # what reads the others
        if np.isfinite(expected[i]) and float(msgspec.json.decode(texts[i])) != expected[i]:
            differences.append(f"{texts[i]} is decoded otherwise")
    return len(found[0].doubtful), differences


def compare(count: int, seed: int) -> Found:
    """Write and read so many doubles."""
    compared, left, differences, chunk = 0, 0, [], 0
    while compared < count:
        drawn = random.Random(f"{seed} {chunk}")
        values = KINDS[chunk % len(KINDS)](drawn, min(CHUNK, count - compared))
        signed = values * np.array([drawn.choice((-1.0, 1.0)) for _ in range(997)])[np.arange(len(values)) % 997]
        differences += written(signed)
        more, wrong = read(list(texts_of(drawn, signed)))
        differences += wrong
        compared, left, chunk = compared + len(values), left + more, chunk + 1
    return Found(compared, left, differences)
