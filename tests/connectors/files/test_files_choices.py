"""What is chosen of a file: options correct it, restarts and ways of arriving change nothing, packing neither."""

from __future__ import annotations

import gzip
import math
import os
import threading

import pytest
from files_rig import Got, read_all, take
from messy_files import TEXTS

from streamrnn.errors import SourceError, StateError, UnreadableError
from streamrnn_files import FileSource

MESSY = ("excel_de.csv", "excel_utf16.txt", "two_columns.csv", "sentinel.csv", "long.csv", "vmstat.txt", "influx.lp", "prometheus.json", "array_pretty.json",
         "influx_annotated.csv", "load.csv.gz", "newest_first.csv", "cp1252.csv", "header_again.csv")  # fmt: skip


def write(folder, name):
    """Write one of the messy files."""
    text = TEXTS[name]
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def chosen(path, **options):
    """What is chosen of a file, and its first event."""
    with FileSource.from_path(path, **options) as source:
        got = take(source, Got(), polls=2)
        return source.chosen(), got


CORRECTED = {
    "columns": ("labelled.csv", {"columns": ["id"]}, lambda c, _: c["columns"] == ["id"]),
    "time": ("influx_annotated.csv", {"time": "_start"}, lambda c, _: c["time"]["column"] == "_start"),
    "no time": ("comments.csv", {"time": ""}, lambda c, got: c["time"] is None and got.times == []),
    "two for the time": ("two_columns.csv", {"time": "Day Date + Clock Time"}, lambda _, got: got.times[0] == "2024-03-04T00:00:00"),
    "time_format": ("ampm.csv", {"time_format": "%d/%m/%Y %I:%M:%S %p"}, lambda _, got: got.times[0] == "2024-04-03T00:00:00"),
    "no key": ("long.csv", {"key": ""}, lambda c, got: c["key"] is None and got.keys == []),
    "key": ("quoted_newline.csv", {"key": "note"}, lambda c, _: c["key"] == "note"),
    "missing": ("sentinel.csv", {"missing": []}, lambda _, got: got.values[0] == [-999.0]),
    "missing words": ("comments.csv", {"missing": ["50.00"]}, lambda _, got: math.isnan(got.values[0][0])),
    "skip": ("comments.csv", {"skip": 3}, lambda c, _: c["columns"] == ["c1"]),
    "header": ("no_header.csv", {"header": True}, lambda c, _: c["columns"] == ["50.00"]),
    "no header": ("comments.csv", {"header": False}, lambda c, _: c["columns"] == ["c1"]),
    "comment": ("comments.csv", {"comment": "#"}, lambda c, _: c["columns"] == ["value"]),
    "delimiter": ("spaces.txt", {"delimiter": " "}, lambda c, _: c["columns"] == ["value"]),
    "decimal": ("excel_de.csv", {"decimal": ","}, lambda _, got: got.values[0][0] == 50.0),
    "encoding": ("excel_utf16.txt", {"encoding": "utf-16"}, lambda c, _: c["columns"] == ["Value"]),
    "encoding with its order": ("excel_utf16.txt", {"encoding": "utf-16-le"}, lambda c, _: c["columns"] == ["Value"]),
    "another encoding": ("cp1252.csv", {"encoding": "latin-1"}, lambda c, _: c["columns"] == ["Außentemperatur [°C]"]),
    "order": ("newest_first.csv", {"order": "as_written"}, lambda _, got: got.times[0] == "2024-03-05 23:55"),
    "format": ("influx.lp", {"format": "influx"}, lambda c, _: c["key"] == "series"),
    "document": ("columns.json", {"format": "json"}, lambda c, _: c["columns"] == ["rain"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CORRECTED)
def test_options_correct_the_choice(tmp_path, case):
    """Each option does what it says, in place of what would be found."""
    name, options, holds = CORRECTED[case]

    assert holds(*chosen(write(tmp_path, name), **options))


@pytest.mark.parametrize("name", MESSY)
def test_ways_of_arriving_change_nothing(tmp_path, name):
    """Blocks of one and of many, a pipe in pieces and a start in the middle give the same events at the same positions."""
    path = write(tmp_path, name)
    whole = read_all(path)
    middle = len(whole.rows) // 2

    assert read_all(path, size=7).events() == whole.events()
    assert read_all(path, seek=whole.positions[middle]).events() == whole.events()[middle:]
    assert read_all(path, seek=whole.ends[-1]).events() == []
    if name == "newest_first.csv":
        return  # a pipe has no end to begin at: it is read as written, and that is said
    os.mkfifo(tmp_path / f"pipe-{name}")
    data = path.read_bytes()

    def pour():
        with (tmp_path / f"pipe-{name}").open("wb", buffering=0) as pipe:
            for i in range(0, len(data), 1009):
                pipe.write(data[i : i + 1009])

    writer = threading.Thread(target=pour)
    writer.start()
    options = {"format": "influx"} if name == "influx.lp" else {"format": "csv"} if "annotated" in name else {}
    piped = read_all(tmp_path / f"pipe-{name}", **options)
    writer.join()
    assert [event[1:] for event in piped.events()] == [event[1:] for event in whole.events()]


def test_a_grown_file_is_read_as_before_or_not_at_all(tmp_path):
    """A restart behind the end of a messy file goes on with the same choice; where more records would change it, it is refused."""
    path = write(tmp_path, "excel_de.csv")
    whole = read_all(path)
    with path.open("a") as file:
        file.write("06.03.2024 00:00;1,50;2,50\r\n")
    assert read_all(path, seek=whole.ends[-1]).values == [[1.5, 2.5]]

    path = tmp_path / "grows.csv"
    path.write_text("when;a;b\n" + "".join(f"0{i}.03.2024;{i},5;\n" for i in range(1, 9)))
    position = read_all(path).ends[-1]
    path.write_text(path.read_text() + "09.03.2024;1,5;7,5\n")
    with pytest.raises(StateError, match="would be read otherwise than before"):
        read_all(path, seek=position)
    path.write_text("when;a;b\n" + "".join(f"0{i}.03.2024;{i},5;\n" for i in range(1, 9)) + "09.03.2024;1,5;\n")
    assert read_all(path, seek=position).values == [[1.5]]


def test_a_file_read_from_its_end_must_not_grow(tmp_path):
    """Where the newest record comes first, a restart on a file of another length is refused."""
    path = write(tmp_path, "newest_first.csv")
    position = read_all(path).ends[-1]
    with path.open("a") as file:
        file.write("2024-03-03 23:55,1\n")

    with pytest.raises(StateError, match="grew while it is read from its end"):
        read_all(path, seek=position)


def test_a_messy_file_is_followed_through_rotation(tmp_path):
    """A followed file goes on in the one that takes its place, with the choice of before."""
    path = tmp_path / "log.csv"
    path.write_text("# logger\nwhen;a\n01.03.2024 00:00;1,5\n01.03.2024 00:01;2,5\n")
    with FileSource.from_path(path, follow=True) as source:
        got = take(source, Got(), polls=3)
        path.rename(tmp_path / "log.csv.1")
        path.write_text("# logger\nwhen;a\n01.03.2024 00:02;3,5\n")
        for _ in range(100):
            if len(take(source, got, polls=1, wait=0.05).rows) == 3:
                break

    assert got.values == [[1.5], [2.5], [3.5]]
    assert got.times[-1] == "2024-03-01T00:02:00"


def test_packed_files_are_read(tmp_path):
    """Files packed with gzip in several members, zstd and Parquet give the events of the plain file; a cut archive is an error, in a sentence."""
    plain = write(tmp_path, "comments.csv")
    data, whole = plain.read_bytes(), read_all(plain)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data[:3000]) + gzip.compress(data[3000:]))
    assert read_all(tmp_path / "a.csv.gz").events() == whole.events()

    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(data)[:-2000])
    with pytest.raises(SourceError, match="ends in the middle"):
        read_all(tmp_path / "cut.csv.gz")

    zstandard = pytest.importorskip("zstandard", reason="Python 3.14 needs none")
    (tmp_path / "a.csv.zst").write_bytes(zstandard.compress(data))
    assert read_all(tmp_path / "a.csv.zst").events() == whole.events()

    polars = pytest.importorskip("polars", reason="the extra parquet is not installed")
    polars.DataFrame({"time": whole.times, "value": [row[0] for row in whole.values]}).write_parquet(
        tmp_path / "a.parquet"
    )
    found = read_all(tmp_path / "a.parquet")
    assert (found.values, found.times) == (whole.values, whole.times)


def test_a_bomb_does_not_fill_memory(tmp_path):
    """A packed file of a thousand times its size is read piece by piece."""
    import tracemalloc

    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(compresslevel=1, data=b"a\n1\n" + b"0" * 40_000_000 + b"\n2\n"))
    tracemalloc.start()
    got = read_all(tmp_path / "a.csv.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert got.values == [[1.0], [2.0]]
    assert len(got.dead) == 1
    assert peak < 60_000_000


def test_nothing_to_watch_says_what_to_set(tmp_path):
    """A file without a column of numbers is an error with exit code 65, the columns, and the option; obeyed, it works."""
    (tmp_path / "a.csv").write_text("time,mode\n" + "2024-01-01,on\n" * 9 + "2024-01-02,1\n" * 3)

    with pytest.raises(
        UnreadableError, match=r"'mode': 'on' is text.*Name those to watch with the option 'columns'"
    ) as caught:
        read_all(tmp_path / "a.csv")

    assert caught.value.exit_code == 65
    assert read_all(tmp_path / "a.csv", columns=["mode"]).values == [[1.0]] * 3
