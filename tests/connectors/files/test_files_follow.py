"""A followed file: growth, rotation, truncation, and restarts in the middle of them."""

from __future__ import annotations

import os

import pytest
from files_rig import Got, read_all, take, wait_for

from streamrnn.errors import SourceError, StateError
from streamrnn_files import FileSource


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("time,a\n1,1\n")
    return path


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def test_lines_come_as_they_are_written(path):
    """A line is an event once its line end is there, and not before; quiet times return nothing and do not end."""
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 1)
        append(path, "2,2")
        take(source, got, polls=3, wait=0.01)
        assert got.values == [[1.0]]
        append(path, "5\n3,3\n")
        wait_for(source, got, 3)

    assert got.values == [[1.0], [25.0], [3.0]]
    assert not got.ended


def test_followed_and_plain_reading_are_equal(path):
    """Positions and events of a followed file are those of the finished one."""
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 1)
        for i in range(2, 50):
            append(path, f"{i},{i}\n")
            take(source, got, polls=1)
        wait_for(source, got, 49)

    assert got.events() == read_all(path).events()


@pytest.mark.parametrize("name", ["live.csv.1", "live.csv-20240131", "elsewhere"])
def test_rotation(path, name):
    """When another file takes the path, the old one is read to its end first, its last line included."""
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 1)
        append(path, "2,2\n")
        path.rename(path.with_name(name))
        take(source, got, polls=2, wait=0.01)
        append(path.with_name(name), "3,3\n4,4")  # the writer has not noticed yet
        path.write_text("a,time\n5,5\n")  # other order of columns
        wait_for(source, got, 5)
        append(path, "6,6\n")
        wait_for(source, got, 6)

    assert got.values == [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]
    assert got.times == [1, 2, 3, 4, 5, 6]
    assert len({str(position).split(":")[0] for position in got.positions}) == 2


@pytest.mark.parametrize("text", ["time,a\n7,7\n", "time,a\n7,7\n8,8\n9,9\n"], ids=["shorter", "longer"])
def test_truncation(path, text):
    """A file that is written anew from its start is read from its start, even if it is longer than before."""
    append(path, "2,2\n")
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 2)
        path.write_text(text)
        wait_for(source, got, 2 + text.count("\n") - 1)

    assert got.values == [[1.0], [2.0], [7.0], [8.0], [9.0]][: 2 + text.count("\n") - 1]


def test_truncation_by_a_writer_that_goes_on(path):
    """copytruncate: a writer that goes on without a header is read with the columns of before."""
    append(path, "2,2\n3,3\n")
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 3)
        path.write_text("4,4\n")
        take(source, got, polls=3, wait=0.01)
        append(path, "5,5\n")
        wait_for(source, got, 5)

    assert got.values == [[1.0], [2.0], [3.0], [4.0], [5.0]]


def test_other_columns_after_rotation(path):
    """A file with other columns in the old one's place is an error that names both."""
    with FileSource.from_path(path, follow=True) as source:
        wait_for(source, Got(), 1)
        path.rename(path.with_name("live.csv.1"))
        path.write_text("x,y,z\n1,2,3\n")
        with pytest.raises(SourceError, match=r"other columns: x, y, z. Expected: a, time"):
            wait_for(source, Got(), 1, 2.0)


def test_file_that_is_still_empty(tmp_path):
    """An empty file, or a header only, is waited on."""
    path = tmp_path / "live.csv"
    path.write_text("")
    with FileSource.from_path(path, follow=True) as source:
        got = take(source, Got(), polls=3, wait=0.01)
        append(path, "time,a")
        take(source, got, polls=2, wait=0.01)
        append(path, "\n1,1\n")
        wait_for(source, got, 1)

    assert got.values == [[1.0]]


def test_first_values_decide_the_columns(path):
    """A live input starts with its first row; a column that is empty there is waited for."""
    path.write_text("time,a,b\n1,1,\n")
    with FileSource.from_path(path, follow=True) as source:
        got = take(source, Got(), polls=3, wait=0.01)
        assert got.rows == []
        append(path, "2,,5\n")
        wait_for(source, got, 2)

    assert got.names == ("a", "b")


def test_restart_across_rotations(path):
    """A restart finds its place in a file rotated while it was down, and reads on through all files since."""
    append(path, "2,2\n")
    position = read_all(path).positions[1]
    for i, name in ((3, "live.csv.2"), (4, "live.csv.1")):
        path.rename(path.with_name(name))
        os.utime(path.with_name(name), (i, i))
        path.write_text(f"time,a\n{i},{i}\n")

    with FileSource.from_path(path, follow=True) as source:
        source.seek("0", position)
        got = wait_for(source, Got(), 3)
        append(path, "5,5\n")
        wait_for(source, got, 4)

    assert got.values == [[2.0], [3.0], [4.0], [5.0]]


def test_two_rotations_at_once(path):
    """Files rotated twice between two looks are read in order, none left out."""
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 1)
        for i, name in ((2, "live.csv.2"), (3, "live.csv.1")):
            path.rename(path.with_name(name))
            os.utime(path.with_name(name), (i, i))
            path.write_text(f"time,a\n{i},{i}\n")
        wait_for(source, got, 3)

    assert got.values == [[1.0], [2.0], [3.0]]


def test_restart_without_the_old_file(path):
    """Where the file of a position is gone, a restart is refused, not begun anew."""
    position = read_all(path).ends[-1]
    path.unlink()
    path.write_text("time,a\n9,9\n")

    with FileSource.from_path(path, follow=True) as source, pytest.raises(StateError, match="is not the file"):
        source.seek("0", position)


def test_missing_file_is_an_error(tmp_path):
    """A followed file must be there at the start: a wrong path should not wait for ever."""
    with pytest.raises(SourceError, match="No such file"), FileSource.from_path(tmp_path / "no.csv", follow=True):
        pass


def test_json_lines_are_followed(tmp_path):
    """JSON Lines: the first line is an event as soon as it is there; rotation goes on."""
    path = tmp_path / "live.jsonl"
    path.write_text('{"a":1}\n')
    with FileSource.from_path(path, follow=True) as source:
        got = wait_for(source, Got(), 1)
        path.rename(tmp_path / "live.jsonl.1")
        path.write_text('{"a":2}\n')
        wait_for(source, got, 2)

    assert got.values == [[1.0], [2.0]]
