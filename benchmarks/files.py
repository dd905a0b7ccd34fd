"""How many files as people have them are read rightly at the first try: by streamrnn, by pandas and by DuckDB, without an option.

``python benchmarks/files.py > benchmarks/results/files.md``; DuckDB is left out where it is not installed. The files are those of the tests.

Rightly means: the columns to watch are there by name (by place where the file has no names), hold numbers, as many as there are events, with the right
first one and the right count of missing ones. streamrnn must also have found time and key; the others choose neither.

They are those of the tests: first fifty that were listed beforehand with what a person would say, then kinds of public files that streamrnn once read
wrongly, then some 280 shapes of public files. That it reads all is what the tests hold, and no first try. Of twenty-seven times sixteen public files that it had never seen, messy ones for
the most part, it read 6, 10, 10, 12, 11, 7, 7, 8, 13, 12, 11, 6, 8, 9, 12, 8, 7, 12, 10, 15, 10, 11, 13, 14, 10, 11 and 13 rightly at the first try, and 9, 5, 4, 4, 3, 6, 5, 6, 2, 2, 2, 8, 5, 4, 2, 2, 4, 1, 3,
0, 5, 5, 2, 2, 4, 2 and 1 wrongly without a word; most of what was wrong became tests before the next sixteen were looked at. Of the last 112, found by common names of files in public
repositories, the short ones are as they were published, a refusal with a sentence counts as right for what is no table (a sketch, a list of matches), and the long ones were remade with their
header, forms of cells and course; the sixteen before them are whole files of packages. Of the eighty before those, 47 are files as they were published (the other 33 have the header and cells that
a public program writes, and numbers that were made), the 48 before them are of ten languages. A table with a column for each year counts as read where each cell is a record, which the others leave to their user.
"""

from __future__ import annotations

import importlib
import math
import re
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from streamrnn_files import FileSource

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "connectors" / "files"))

JSON = (".json", ".jsonl", ".ndjson", ".geojson")

Columns = dict[str, list[Any]]


def ours(path: Path) -> tuple[Columns, Any, Any]:
    """What streamrnn reads, with time and key."""
    columns: Columns = {}
    with FileSource.from_path(path) as source:
        while True:
            poll = source.poll(1000, 1.0)
            for block in poll.blocks:
                for i, name in enumerate(block.names):
                    columns.setdefault(name, []).extend(block.values[:, i].tolist())  # noqa: PD011  (no frame)
            if poll.ended:
                chosen = source.chosen()
                return columns, chosen and chosen["time"] and chosen["time"]["column"], chosen and chosen["key"]


def by_pandas(path: Path) -> Columns:
    """What pandas reads."""
    frame = pd.read_json(path, lines=path.suffix in (".jsonl", ".ndjson")) if path.suffix in JSON else pd.read_csv(path)
    return {str(name): frame.iloc[:, i].tolist() for i, name in enumerate(frame.columns)}


def by_duckdb(path: Path) -> Columns:
    """What DuckDB reads."""
    duckdb = importlib.import_module("duckdb")
    how = "read_json" if path.suffix in JSON else "read_csv"
    answer = getattr(duckdb, how)(str(path))
    rows = answer.fetchall()
    return {name: [row[i] for row in rows] for i, name in enumerate(answer.columns)}


def right(columns: Columns, expected: tuple[Any, ...]) -> str:
    """What is wrong with the columns; nothing where they are right."""
    names, _, _, _, events, missing, first = expected
    if re.fullmatch(r"c\d+", names[0]) and names[0] not in columns:  # the file has no names: by place
        names = names[:1]
        at = int(names[0][1:])
        columns = {names[0]: list(columns.values())[at]} if len(columns) > at else {}
    for name in names:
        if name not in columns and not (name.endswith("_2") and {f"{name[:-2]}.1", f"{name[:-2]}_1"} & set(columns)):
            return f"no column {name!r}"
    values = columns.get(names[0], [])
    if len(values) != events:
        return f"{len(values)} events of {events}"
    if not all(value is None or isinstance(value, int | float) for value in values):
        return f"{names[0]!r} is no number"
    if missing is not None and sum(value is None or math.isnan(value) for value in values) != missing:
        return "missing values are numbers, or numbers missing"
    if first is not None and (values[0] is None or abs(values[0] - first) > max(0.06, 1e-3 * abs(first))):
        return "another first value"
    return ""


def verdict(read: Callable[[Path], Any], path: Path, expected: tuple[Any, ...]) -> str:
    """What is wrong with what a reader makes of a file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(path)
    except Exception as error:  # noqa: BLE001  (whatever it is: it was not read)
        return f"{type(error).__name__}"
    if isinstance(found, tuple):
        columns, time, key = found
        times = expected[1] if isinstance(expected[1], tuple) else (expected[1],)
        return right(columns, expected) or ("" if time in times and key == expected[3] else "another time or key")
    return right(found, expected)


def main() -> None:
    """Print the table."""
    texts = importlib.import_module("messy_files").TEXTS
    expected = importlib.import_module("test_files_as_people_have_them").EXPECTED
    readers: dict[str, Callable[[Path], Any]] = {"streamrnn": ours, "pandas": by_pandas}
    versions = {"pandas": pd.__version__}
    if importlib.util.find_spec("duckdb") is not None:
        readers["DuckDB"] = by_duckdb
        versions["DuckDB"] = importlib.import_module("duckdb").__version__
    rows = []
    public = importlib.import_module("test_files_of_public_sources").PUBLIC
    cases = [(name, name, text, expected[name]) for name, text in texts.items()]
    cases += [(kind, name, text, (*row, None, None)) for kind, (name, text, *row) in public.items()]
    shapes = importlib.import_module("test_files_of_further_shapes").CASES
    cases += [
        (kind, case.file, case.text, (list(case.columns), case.time, None, case.key, case.events, None, case.value))
        for kind, case in shapes.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        for said, name, text, wanted in cases:
            path = Path(folder, name)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            rows.append([said, *(verdict(read, path, wanted) for read in readers.values())])
    print("# Files as people have them, read without an option\n")
    print(f"{(__doc__ or '').split('Rightly')[1].strip().join(['Rightly ', ''])}\n")
    print("Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n")
    print("| file | " + " | ".join(readers) + " |\n|---|" + "---|" * len(readers))
    counts = [sum(not row[i + 1] for row in rows) for i in range(len(readers))]
    print(f"| **all {len(rows)}** | " + " | ".join(f"**{count}**" for count in counts) + " |")
    for name, *cells in rows:
        print(f"| {name} | " + " | ".join(cell or "right" for cell in cells) + " |")


if __name__ == "__main__":
    main()
