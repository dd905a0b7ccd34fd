"""What numbers may be instead of measurements is said; a plain table is read without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shaped import FIRST, HOUR, rows, v, x

from streamrnn_files import FileSource

HEAD = "Zeit;a;b\n"


def found(path: Path, text: str) -> dict[str, Any]:
    """What is chosen of a text."""
    path.write_text(text)
    with FileSource.from_path(path) as source:
        while not source.poll(1000, 5.0).ended:
            pass
        return source.chosen() or {}


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (lambda i: str((0, 1, 61, 3, 80)[i * i % 5]), "may be codes"),
        (lambda i: str(24017 + i + i // 7), "may number something"),
        (lambda i: str(100003 + i * 7919 % 900000), "may number something"),
        (lambda i: str(i // 24 % 2), "changing at midnight alone"),
    ],
)
def test_what_may_be_no_measurement_is_said_and_watched(tmp_path, cell, word):
    """The choice stays that of a plain table, and names its column."""
    text = rows(lambda i, t: f"{t:%Y-%m-%d %H:%M};{v(i)};{cell(i)}", head=HEAD, n=96)

    chosen = found(tmp_path / "in.csv", text)

    assert chosen["columns"] == ["a", "b"]
    assert [said for said in chosen["doubts"] if word in said and "'b'" in said]


def test_texts_that_tell_levels_apart_may_be_series(tmp_path):
    """Records of three places at moments of their own: nothing but their levels shows that they are series."""
    text = HEAD + "".join(
        f"{FIRST + i * HOUR:%Y-%m-%d %H:%M};{'xyz'[i * i % 3]};{x(i) + 500 * (i * i % 3):.2f}\n" for i in range(96)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert chosen["key"] is None
    assert any("--key 'a'" in said for said in chosen["doubts"])


@pytest.mark.parametrize(
    "cell", [lambda i: f"{x(i):.1f}", lambda i: str(i % 7), lambda i: str(i // 3), lambda i: str(i % 2)]
)
def test_a_plain_table_is_read_without_a_word(tmp_path, cell):
    """Measurements, small counts, totals and switches are in no doubt."""
    text = rows(lambda i, t: f"{t:%Y-%m-%d %H:%M};{v(i)};{cell(i)}", head=HEAD, n=96)

    assert "doubts" not in found(tmp_path / "in.csv", text)
