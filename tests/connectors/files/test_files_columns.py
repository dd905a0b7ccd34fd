"""Many records of a file at once, by compiled code: everywhere what the way one by one gives."""

from __future__ import annotations

import random
import threading
from functools import partial

import pytest
from files_rig import Got, take

from streamrnn.errors import StreamrnnError
from streamrnn.io import SourceContext
from streamrnn_files import FileSource, scanned, source

NUMBERS = ("1", "-0", "-0.0", "0.1", "1e5", "-1.5E-7", "9007199254740993", "1.7976931348623157e308", "5e-324", "1e999", "0.30000000000000004",
           "123456789012345678901234567890", "", "+1", "1.", ".5", "00", "0x1", "1_0", "NaN", "nan", "Infinity", "-inf", "null", "true", "-9999", "1,5", "1.234,5", "-")  # fmt: skip
JSON_TEXTS = ('"a"', '""', '"\\u00e9"', '"\\ud83d\\ude00"', '"é"', "7", "1.50", "null", "true", "[]", '"\\x"', "1e999")
TEXTS = (
    "a",
    "",
    "é",
    "€ 5",
    'say "hi"',
    "a;b",
    "a,b",
    "x\ty",
    "\\",
    "2024-01-01",
    " b ",
    "\ufeff",
    "\x00",
    "😀",
    "NULL",
    "#x",
    "7",
    "1.50",
)


def number(drawn):
    """A number as text: mostly plain."""
    match drawn.randrange(12):
        case 0:
            return drawn.choice(NUMBERS)
        case 1:
            return f" {drawn.gauss(0, 1)!r}{drawn.choice(['', ' ', chr(9)])}"
        case 2:
            return f"{drawn.randrange(-(10**9), 10**9)}"
    return repr(drawn.choice([drawn.gauss(0, 1e3), round(drawn.gauss(0, 10), 3)]))


def when(i):
    return f"2024-01-{1 + i // 1440 % 28:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00"


def spoiled(drawn, line):
    """A line with a few bytes that do not belong there."""
    found = bytearray(line)
    for _ in range(drawn.randint(1, 3)):
        at = drawn.randrange(len(found) + 1)
        odd = [
            b"",
            b'"',
            b"}",
            b"\xff",
            b"\xc3\xa9",
            b"\xed\xa0\x80",
            b",",
            b";",
            b"0",
            b"\\",
            b"\x01",
            b"-",
            b"\r",
            b"\x00",
            b" ",
        ]
        found[at : at + drawn.randrange(3)] = drawn.choice(odd)
    return bytes(found).replace(b"\n", b"")


def json_line(drawn, i):
    """A record of JSON: mostly plain."""
    good = f'{{"at":"{when(i)}","id":"a{i % 3}","flow":{drawn.gauss(0, 1)!r},"level":{drawn.randrange(99)},"in":{{"x":{i}}}}}'
    match drawn.randrange(10):
        case 0:
            text = partial(drawn.choice, JSON_TEXTS)
            fields = [
                f'"id":{text()}',
                f'"at":{text()}',
                f'"level":{number(drawn) or 0}',
                f'"flow":{number(drawn) or 0}',
                f'"in":{{"x":{number(drawn) or 0}}}',
                f'"\\u0061t":{text()}',
                f'"in.x":{text()}',
            ]
            drawn.shuffle(fields)
            space = drawn.choice(["", " ", "\t"])
            return (
                "{"
                + space
                + f"{space},{space}".join(fields[: drawn.randint(0, 7)] + fields[: drawn.randint(0, 1)])
                + "}"
            ).encode()
        case 1:
            return spoiled(drawn, good.encode())
        case 2:
            deep = drawn.choice((1, 57, 62, 70))
            return drawn.choice(
                [
                    b"",
                    b"  ",
                    b"{}",
                    b"null",
                    b"[1]",
                    b"3",
                    b'{"level":1}x',
                    b' {"level":1} ',
                    b"x" * 500,
                    f'{{"level":1,"y":{"[" * deep}{"]" * deep}}}'.encode(),
                ]
            )
    return good.encode()


def csv_line(drawn, i, delimiter=",", point="."):
    """A record of a CSV: mostly plain."""
    cells = [when(i), f"a{i % 3}", *(repr(one).replace(".", point) for one in (drawn.gauss(0, 1), drawn.randrange(99)))]
    match drawn.randrange(10):
        case 0:
            for at in range(4):
                if drawn.randrange(2):
                    cells[at] = number(drawn) if at > 1 else drawn.choice(TEXTS)
        case 1:
            return spoiled(drawn, delimiter.join(cells).encode())
        case 2:
            return drawn.choice(
                [
                    b"",
                    b"  ",
                    b",,,",
                    b";;;",
                    b"#,1,2,3",
                    b"at,id,flow,level",
                    b"----",
                    b"total,,5,6",
                    b"1,2",
                    b"x" * 500,
                ]
            )
        case 3:
            cells = [f'"{cell}"' if drawn.randrange(2) else cell for cell in cells]
            cells[1] = drawn.choice(
                [cells[1], '"a,b"', '"say ""hi"""', '"two\nlines"', 'a"b', '"x"y', '" "', '""', '"open']
            )
        case 4:
            cells += ["", ""][: drawn.randrange(3)]
    return delimiter.join(cells).encode()


CSV = {
    "plain": (partial(csv_line), b"at,id,flow,level\n", {}),
    "named": (partial(csv_line), b"at,id,flow,level\n", {"columns": ("flow", "level"), "time": "at", "key": "id"}),
    "strict": (
        partial(csv_line),
        b"at,id,flow,level\n",
        {"columns": ("level",), "on_missing": "dead_letter", "max_line_bytes": 300},
    ),
    "comma": (
        partial(csv_line, delimiter=";", point=","),
        b"at;id;flow;level\n",
        {"columns": ("flow", "level"), "decimal": ","},
    ),
    "tab": (partial(csv_line, delimiter="\t"), b"at\tid\tflow\tlevel\n", {"columns": ("flow",), "key": "id"}),
    "epoch": (
        lambda drawn, i: b"%d," % (1_700_000_000 + i) + csv_line(drawn, i),
        b"s,at,id,flow,level\n",
        {"columns": ("flow", "level"), "time": "s"},
    ),
    "marks": (
        lambda drawn, i: csv_line(drawn, i) + drawn.choice([b",3", b",4.5", b",-9999"]),
        b"at,id,flow,level,x\n",
        {"columns": ("flow", "x"), "missing": ("-9999", "off")},
    ),
    "two-keys": (
        lambda drawn, i: b"s%d," % (i % 2) + csv_line(drawn, i),
        b"site,at,id,flow,level\n",
        {"columns": ("flow", "level"), "time": "at", "key": "site + id"},
    ),
    "comments": (
        partial(csv_line),
        b"# made by hand\nat,id,flow,level\n",
        {"columns": ("flow", "level"), "comment": "#"},
    ),
    "units": (
        lambda drawn, i: csv_line(drawn, i) + b",%d kW" % i,
        b"at,id,flow,level,power\n",
        {"columns": ("flow", "power")},
    ),
    "no-header": (partial(csv_line), b"", {"columns": ("c2", "c3"), "time": "c0", "header": False}),
}


def stream(drawn, line, n=200):
    """Bytes of a file: the first lines plain, so that columns are found, the others of any kind; line ends of both kinds."""
    ends = drawn.choice([(b"\n",), (b"\n",), (b"\r\n",), (b"\n", b"\r\n", b"\n\n", b"\r\r\n")])
    last = drawn.choice([b"", b"\n"])
    plain = random.Random(1)
    plain.randrange = lambda *_: 9  # no odd record
    lines = [line(plain, i) for i in range(30)] + [line(drawn, i) for i in range(30, n)]
    return drawn.choice([b"", b"", b"\xef\xbb\xbf"]) + b"".join(one + drawn.choice(ends) for one in lines)[:-1] + last


def seen(path, *, size=97, context=None, fill=None, **options):
    """All that a source gave of a file, and what it says of it; or the error that it raised."""
    checked = FileSource.Options(path=str(path), **options)
    got = Got()
    try:
        with FileSource(checked, context or SourceContext(keep_raw=True)) as one:
            if fill is None:
                take(one, got, size=size, wait=5.0)
            else:
                for step in fill:
                    step()
                    take(one, got, size=size, polls=6)
            told = one.chosen()
    except StreamrnnError as error:
        return type(error), str(error)
    return (
        got.names,
        got.rows,
        got.times,
        [*map(type, got.times)],
        got.keys,
        got.positions,
        got.raws,
        got.dead,
        got.ends[-1:],
        told,
    )


@pytest.fixture
def both(monkeypatch):
    """Return what reads a file in both ways, and sees to it that the compiled one was gone."""

    def read(path, begin=lambda: None, **options):
        monkeypatch.setattr(source, "LONG", 1 << 60)
        begin()
        alone = seen(path, **options)
        monkeypatch.setattr(source, "LONG", 0)
        monkeypatch.setattr(scanned, "LEAST", 1)
        begin()
        return alone, seen(path, **options)

    return read


JSON_OPTIONS = (
    {},
    {"columns": ("flow", "level"), "time": "at", "key": "id"},
    {"columns": ("level",), "on_missing": "dead_letter"},
    {"columns": ("in.x", "level"), "time": "at", "max_line_bytes": 300},
)


@pytest.mark.parametrize("options", JSON_OPTIONS)
def test_records_of_json_are_those_of_the_way_one_by_one(tmp_path, both, options):
    """Values to the last bit, times, keys, positions, dead letters with reason and line, raw records, what is said: of plain and hostile lines."""
    for seed in range(12):
        path = tmp_path / f"{seed}.jsonl"
        path.write_bytes(stream(random.Random(seed), json_line))
        alone, many = both(path, **options)

        assert alone == many
        assert len(alone) > 2


@pytest.mark.parametrize("kind", CSV)
def test_records_of_a_csv_are_those_of_the_way_one_by_one(tmp_path, both, kind):
    """The same of a CSV: quotes, escapes, words for nothing, decimal commas, marks, comments, other separators, other encodings."""
    line, header, options = CSV[kind]
    for seed in range(8):
        path = tmp_path / f"{seed}.csv"
        data = header + stream(random.Random(seed), line).removeprefix(b"\xef\xbb\xbf")
        if seed == 7:
            data = data.decode("cp1252", "replace").replace("\ufffd", "?").encode("utf-16")
        path.write_bytes(b"\xef\xbb\xbf" + data if seed == 6 else data)
        for encoding in (None, "cp1252") if seed == 5 else (None,):
            alone, many = both(path, **options, encoding=encoding)

            assert alone == many
            assert len(alone) > 2


def test_compiled_code_reads_what_is_plain(tmp_path, monkeypatch):
    """The other way sees nothing of a stream without an odd record, and of another only the odd ones."""
    left = []
    monkeypatch.setattr(source, "LONG", 0)
    parse = scanned.parse_rows
    monkeypatch.setattr(
        scanned, "parse_rows", lambda parser, records, faults: left.extend(records) or parse(parser, records, faults)
    )
    plain = random.Random(1)
    plain.randrange = lambda *_: 9
    lines = [json_line(plain, i) for i in range(1000)]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    seen(tmp_path / "in.jsonl", size=1000)
    assert left == []
    (tmp_path / "in.jsonl").write_bytes(b"\n".join([*lines, b"{}", *lines]))
    seen(tmp_path / "in.jsonl", size=1500)
    assert left == [b"{}"]
    rows = [csv_line(plain, i, ";", ",") for i in range(1000)]
    (tmp_path / "in.csv").write_bytes(b"\n".join([b"at;id;flow;level", *rows, b"total;;x;y", *rows]))
    seen(tmp_path / "in.csv", size=1500)
    assert left == [b"{}", b"total;;x;y"]


def grown(path, data, drawn):
    """Steps that write a file in pieces, cut in the middle of lines, with a rotation on the way."""
    borders = sorted(drawn.choices(range(len(data) // 2), k=8))
    middle = data.find(b"\n", len(data) // 2) + 1
    pieces = [data[a:b] for a, b in zip([0, *borders], [*borders, middle], strict=True)]

    def append(piece):
        with path.open("ab") as file:
            file.write(piece)

    def rotate():
        path.rename(path.with_name(path.name + ".1"))
        path.write_bytes(data[middle:])

    return [*(lambda piece=piece: append(piece) for piece in pieces), rotate, lambda: append(b"\n"), lambda: None]


def test_growing_files_are_those_of_the_way_one_by_one(tmp_path, both):
    """A file that grows in the middle of a line, and is rotated."""
    for seed in range(6):
        drawn, name = random.Random(seed), "in.csv" if seed % 2 else "in.jsonl"
        data = stream(drawn, csv_line if seed % 2 else json_line).removeprefix(b"\xef\xbb\xbf")
        data = b"at,id,flow,level\n" * (seed % 2) + data
        path = tmp_path / f"{seed}" / name

        def begin(path=path):
            path.parent.mkdir(exist_ok=True)
            path.with_name(path.name + ".1").unlink(missing_ok=True)
            path.write_bytes(b"")

        options = {"columns": ("flow", "level"), "time": "at", "key": "id", "follow": True}
        found = []
        for one in (0, 1):
            steps = grown(path, data, random.Random(seed))
            found.append(both(path, begin, fill=steps, **options)[one])
        assert found[0] == found[1]
        assert len(found[0][1]) > 100


def test_pipes_are_those_of_the_way_one_by_one(tmp_path, both):
    """What comes through a pipe is what a file holds."""
    import os

    data = stream(random.Random(7), json_line, 2000)
    (tmp_path / "in.jsonl").write_bytes(data)
    os.mkfifo(tmp_path / "pipe.jsonl")
    writer = threading.Thread(target=(tmp_path / "pipe.jsonl").write_bytes, args=(data,))
    writer.start()
    piped = seen(tmp_path / "pipe.jsonl", columns=("flow", "level"), time="at", key="id")
    writer.join()
    alone, many = both(tmp_path / "in.jsonl", columns=("flow", "level"), time="at", key="id")

    assert alone == many
    assert alone[:-1] == piped[:-1]
