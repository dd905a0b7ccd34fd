"""Every message about a file that names an option: obeyed word by word, it works."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_rig import Got, take
from messy_files import TEXTS

import streamrnn.display.chosen
import streamrnn_files.source
from streamrnn.display.chosen import chosen_lines
from streamrnn.errors import SourceError
from streamrnn.io import SourceContext
from streamrnn_files import FileSource

N = 120
DAYS = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(N)]
STEADY = "time,mode,load\n" + "".join(f"{day},{i % 2},4\n" for i, day in enumerate(DAYS))
WORDS = "time,mode\n" + "".join(f"{day},{'on' if i % 9 else 1}\n" for i, day in enumerate(DAYS))
TWO = "time,name,load\n" + "".join(f"{day},{who},{i}\n" for i, day in enumerate(DAYS[:60]) for who in ("b", "b", "a"))
MIXED = "time,load,who\n" + "".join(f"{DAYS[i ^ 7]},{i},{i % 3}\n" for i in range(N))
AGAIN = "time,load,who\n" + "".join(f"{DAYS[i // 3]},{i % 7},{'abc'[i % 3 if i % 12 else 1]}\n" for i in range(N))
WIDE = (
    "land," + ",".join(map(str, range(1990, 2010))) + "\n" + "".join(f"l{i}" + f",{i}.5" * 20 + "\n" for i in range(N))
)

# The words in brackets as the source writes them: file, its options, what a person puts for NAME, COLUMN or N, and what is then so.
ADVICE: dict[str, tuple[str, dict[str, Any], str, Any]] = {
    "--time COLUMN": ("id,load,moment\n" + "".join(f"{i},{i * i % 7},{1000 + i * i}\n" for i in range(N)), {}, "moment", lambda got, _: got.times[0] == 1000),
    "--header if they have names": ("2020.5,2021.5\n" + "1,2\n" * 9, {}, "", lambda got, found: found["columns"] == ["2020.5", "2021.5"] and len(got.rows) == 9),
    "--skip N": ("a title\n\n" + STEADY, {}, "2", lambda _, found: found["columns"] == ["mode", "load"]),
    "--column NAME watches one": ("id,load\n" + "".join(f"{700 + i},{i % 5}\n" for i in range(N)), {}, "id", lambda _, found: found["columns"] == ["id"]),
    "--column NAME watches another one": ("time,id,load\n" + "".join(f"{day},{i * 7},4\n" for i, day in enumerate(DAYS)), {}, "id", lambda _, found: found["columns"] == ["id"] and "still" not in found),
    "--column NAME counts those with a value there": (WORDS, {"counted": True}, "mode", lambda _, found: found["columns"] == ["mode"]),
    "--key '' for none": (TEXTS["long.csv"], {}, "", lambda got, found: found["key"] is None and not got.keys),
    "--key COLUMN where it holds several series; else sort it": (MIXED, {}, "who", lambda got, found: found["key"] == "who" and len(got.rows) == N),
    "--order as_written": (TEXTS["newest_first.csv"], {}, "", lambda got, _: got.times[0] == "2024-03-05 23:55"),
    "--missing '' for none": (TEXTS["sentinel.csv"], {}, "", lambda got, _: got.values[0] == [-999.0]),
    "--key COLUMN where it holds several series": (AGAIN, {}, "who", lambda got, found: found["key"] == "who" and not found.get("doubts")),
    "--key '{key}' if so": ("time,load,who\n" + "".join(f"{day},{i % 3 + 90 * (i % 2)},{'ab'[i % 2]}\n" for i, day in enumerate(DAYS)), {}, "", lambda got, found: found["key"] == "who" and not found.get("doubts")),
    "--missing {asked} if so": ("time,load,wind\n" + "".join(f"{day},{i if i == 7 else i % 5},{'-999' if i in (3, 4) else i % 5}\n" for i, day in enumerate(DAYS)).replace(",7,", ",-9999,"), {}, "", lambda got, found: sum(math.isnan(cell) for row in got.values for cell in row) == 3 and not found.get("doubts")),
    "--no-header": ("17,4.5,calm\n" + "".join(f"{20 + i % 5},{i % 7}.5,{i % 9}\n" for i in range(N)), {}, "", lambda got, found: len(got.rows) == N + 1),
    "--header": ("94255\t99\t70\n" + "".join(f"{i % 5}\t{i % 7}\t{i % 3}\n" for i in range(N)), {}, "", lambda got, found: found["columns"] == ["94255", "99", "70"] and len(got.rows) == N),
    "--time {column} if so": ("moment,load\n" + "".join(f"{day}|{i % 24:02}h,{i * i % 7}\n" for i, day in enumerate(DAYS)), {}, "", lambda _, found: found["time"]["column"] == "moment"),
    "--time-format FORMAT says how it is written": ("time,load\n" + "".join(f"{day}|{i % 24:02}h,{i * i % 7}\n" for i, day in enumerate(DAYS)), {}, "%Y-%m-%d|%Hh", lambda got, found: got.times[1] == "2024-01-02T01:00:00" and not found.get("doubts")),
    "--key {column} if so": ("time,part,load\n" + "".join(f"{day}T{h:02}:00,AB12,{h * h % 7}\n" for day in DAYS[:30] for h in range(20)), {}, "", lambda got, found: found["key"] == "part" and got.keys[0] == "AB12"),
    "--time '' counts records": ("Month,Day,load\n" + "".join(f"{1 + i // 28},{1 + i % 28},{i % 7}\n" for i in range(N)), {}, "", lambda got, found: found["time"] is None and not found.get("doubts")),
    "--column NAME for what is to be watched instead": ("time,pace,load\n" + "".join(f"{day},3399,{i % 7}\n" for i, day in enumerate(DAYS)), {}, "load", lambda _, found: found["columns"] == ["load"] and not found.get("doubts")),
    "--column NAME watches one row by row": ("".join(f'{{"land":"l{i}",' + ",".join(f'"{y}":{i}.5' for y in range(1990, 2010)) + "}\n" for i in range(N)), {}, "1990", lambda got, found: found["columns"] == ["1990"] and len(got.rows) == N),
    "--every 1m": (WORDS, {}, "", lambda got, _: len(got.rows) == N),
    "--format csv takes rows as they are": (WIDE, {}, "", lambda got, found: found["columns"][0] == "1990" and len(got.rows) == N),
    "--column {names[0]}": (WIDE, {"skip": 0}, "", lambda got, found: found["columns"] == ["1990"] and len(got.rows) == N),
    "--format jsonl": ('{"a": 1}\n{"a": 2}\n', {"format": "json"}, "", lambda got, _: got.values == [[1.0], [2.0]]),
}  # fmt: skip

OBJECT = "{"
"""What a file of JSON begins with."""

ELSEWHERE = {"--lateness waits longer", "--counter {first} if so"}
"""Walked by ``tests/engine/test_windows.py``, as it is said of windows, whatever the connector, and by ``test_files_unsure.py``, as it is the model's."""


def read(path: Path, counted: bool = False, **options: Any) -> tuple[Got, dict[str, Any]]:
    with FileSource(FileSource.Options(path=str(path), **options), SourceContext(counted=counted)) as source:
        got = take(source, Got(), wait=5.0)
        return got, source.chosen() or {}


def said(path: Path, **options: Any) -> str:
    """What is said of a file, or why it is given up."""
    try:
        return "\n".join(chosen_lines(read(path, **options)[1]))
    except SourceError as error:
        return str(error)


def obeyed(words: str, meant: str) -> dict[str, Any]:
    """The option that words in brackets name, with what they name; a word in capitals is for the reader to fill in."""
    flag, *rest = shlex.split(words.replace(";", ""))
    value = (meant if rest[0] in ("NAME", "COLUMN", "N", "FORMAT") else rest[0]) if rest else ""
    special: dict[str, Callable[[], dict[str, Any]]] = {
        "--column": lambda: {"columns": [value]},
        "--missing": lambda: {"missing": value.split(",") if value else []},
        "--skip": lambda: {"skip": int(value)},
        "--header": lambda: {"header": True},
        "--no-header": lambda: {"header": False},
        "--every": lambda: {"counted": True},
    }
    return special[flag]() if flag in special else {flag.removeprefix("--").replace("-", "_"): value}


@pytest.mark.parametrize("words", ADVICE)
def test_advice_obeyed_word_by_word_works(tmp_path, words):
    """The message is there, and what it says to do does what it says."""
    text, options, meant, holds = ADVICE[words]
    path = tmp_path / ("in.jsonl" if str(text).startswith(OBJECT) else "in.csv")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    message = said(path, **options)
    pattern = (
        re.escape(words)
        .replace(re.escape("{names[0]}"), r"[^)]+")
        .replace(re.escape("{asked}"), r"[^)]+")
        .replace(re.escape("{key}"), r"[^)]+")
        .replace(re.escape("{column}"), r"[^)]+?")
    )
    found = re.search(rf"\(({pattern})\)", message)
    assert found is not None, message

    assert holds(*read(path, **{**options, **obeyed(found.group(1), meant)}))


def test_a_file_too_long_to_be_read_from_its_end_is_read_as_written(tmp_path, monkeypatch):
    """The limit of memory names the option that needs none."""
    monkeypatch.setattr(streamrnn_files.source, "MOST", 1000)
    path = tmp_path / "in.csv"
    path.write_text(TEXTS["newest_first.csv"])

    assert "(--order as_written)" in said(path)
    assert read(path, order="as_written")[0].times[0] == "2024-03-05 23:55"


def test_all_advice_is_walked():
    """Each option that a message about a file names in brackets is obeyed above."""
    places = [*Path(streamrnn_files.source.__file__).parent.glob("*.py"), Path(streamrnn.display.chosen.__file__)]
    named = {words for place in places for words in re.findall(r"[^`]\((--[a-z-]+[^()]*?)\)", place.read_text())}

    assert named == set(ADVICE) | ELSEWHERE
