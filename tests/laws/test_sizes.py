"""Files and functions stay short enough to be read at once."""

from __future__ import annotations

import pytest

from tests.laws.places import PACKAGES, folder
from tests.laws.sizes import code_lines, functions, measured, share

# Lines of code: without docstrings, comments and blank lines. A file that is too long holds two ideas, one of a few lines belongs
# to its neighbour.
FILES = {"median": 90, "p90": 200, "longest": 350, "shortest": 15}
FUNCTIONS = {"p90": 22, "longest": 60}


@pytest.fixture(scope="module")
def sizes():
    """Files and functions of all packages by their lines of code."""
    return measured([folder(package) for package in PACKAGES])


def too_far(found: dict[str, int], bars: dict[str, int]) -> dict[str, str]:
    """Each figure on the wrong side of its bar."""
    wrong = {name: n < bars[name] if name == "shortest" else n > bars[name] for name, n in found.items()}
    return {name: f"{found[name]}, where {bars[name]} is the bar" for name, far in wrong.items() if far}


def test_files_are_short(sizes):
    """Half of the files have at most 90 lines of code, nine of ten 200, none more than 350 or less than 15.

    ``__init__.py`` and ``__main__.py`` have their names from Python, not from an idea: they may be shorter.
    """
    files = sizes[0]
    lengths = list(files.values())
    shortest = min(n for path, n in files.items() if path.name != "__main__.py")
    found = {"median": share(lengths, 0.5), "p90": share(lengths, 0.9), "longest": max(lengths), "shortest": shortest}
    extremes = [(n, "/".join(path.parts[-3:])) for path, n in files.items() if not 15 <= n <= 200]

    assert too_far(found, FILES) == {}, f"{found} of {len(lengths)} files; beyond 15 to 200: {sorted(extremes)}"


def test_functions_are_short(sizes):
    """Nine of ten functions have at most 22 lines of code, none more than 60."""
    lengths = list(sizes[1].values())
    found = {"p90": share(lengths, 0.9), "longest": max(lengths)}
    long = [(n, f"{'/'.join(path.parts[-3:])}:{name}") for (path, name), n in sizes[1].items() if n > 40]

    assert too_far(found, FUNCTIONS) == {}, f"{found} of {len(lengths)} functions; beyond 40: {sorted(long)}"


SOURCE = '''"""Two lines
of a docstring."""

X = 1  # code
"""Of an attribute."""

def f(
    a,
):
    """Of a function."""
    # nothing
    def g():
        return """a text
over two lines"""
    return g
'''


def test_lines_of_code_are_counted():
    """Docstrings, comments and blank lines do not count; each line of a statement or a text does, and a function's inner ones."""
    assert sorted(code_lines(SOURCE)) == [4, 7, 8, 9, 12, 13, 14, 15]
    assert dict(functions(SOURCE)) == {"f": 7, "g": 3}
    assert [share([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], part) for part in (0.5, 0.9, 1.0)] == [5, 9, 10]


def test_a_planted_giant_is_found(tmp_path):
    """One file too long moves the longest, not the median."""
    for i, n in enumerate((20, 30, 400)):
        (tmp_path / f"m{i}.py").write_text("x = 1\n" * n)
    lengths = list(measured([tmp_path])[0].values())

    assert too_far({"median": share(lengths, 0.5), "longest": max(lengths)}, FILES) == {
        "longest": "400, where 350 is the bar"
    }
