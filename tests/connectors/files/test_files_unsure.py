"""What numbers may be instead of measurements is said; a plain table is read without a word."""

from __future__ import annotations

import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from shaped import DAY, FIRST, HOUR, MINUTE, rows, v, x

from streamrnn.errors import UnreadableError
from streamrnn_files import FileSource
from streamrnn_files.quantities import is_quantity_name

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
        (lambda i: str(1 + i // 24 % 3), "changing at midnight alone"),
        (lambda i: "0", "holds one number"),
        (lambda i: str(i * i % 5), "may be codes or flags"),
        (lambda i: str(int(i % 5 < 2)), "may be codes or flags"),
        (lambda i: str(i // 3), "does not say of what they are"),
        (lambda i: str(1000 * (i * i % 23)), "does not say of what they are"),
        (lambda i: str(10001 + i * i * 7919 % 41 * 2000), "of as many digits without order"),
        (lambda i: str(4000 + 7 * i * i), "rising, so that it may count (--counter 'b' if so)"),
        (lambda i: str(7000 + i // 3), "rising, so that it may count (--counter 'b' if so)"),
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
    ("name", "cell"),
    [
        ("b", lambda i: f"{x(i):.1f}"),
        ("Anzahl", lambda i: str(i % 7)),
        ("b [km/h]", lambda i: str(i % 7)),
        ("Zählerstand", lambda i: str(4000 + i * i)),
        ("Pumpe", lambda i: str(i % 2)),
        ("no", lambda i: str(i % 7)),
        ("r/s", lambda i: str(i % 7)),
        ("b", lambda i: str(abs(i % 16 - 7))),
    ],
)
def test_a_plain_table_is_read_without_a_word(tmp_path, name, cell):
    """Measurements, counts and switches by their names, numbers that go from one to the next, and totals are in no doubt."""
    text = rows(lambda i, t: f"{t:%Y-%m-%d %H:%M};{v(i)};{cell(i)}", head=HEAD.replace("b", name), n=96)

    assert "doubts" not in found(tmp_path / "in.csv", text)


def bursts(i: int) -> tuple[str, str, str]:
    """A round of three sensors within some seconds, each minute."""
    at = FIRST + i // 3 * MINUTE + timedelta(seconds=4 * (i % 3) + (i * i % 7) / 10)
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}", "xyz"[i % 3], f"{x(i):.2f}"


def test_records_that_come_in_rounds_within_seconds_are_series(tmp_path):
    """Moments that are no one's twice, and levels that are alike: nothing but their pace shows the series."""
    text = HEAD + "".join(";".join(bursts(i)) + "\n" for i in range(120))

    chosen = found(tmp_path / "in.csv", text)

    assert (chosen["columns"], chosen["key"], chosen.get("doubts")) == (["b"], "a", None)


def test_a_pace_of_its_own_may_be_that_of_a_series(tmp_path):
    """A reading in the morning and one in the evening: series or none, it is said."""
    text = HEAD + "".join(
        f"{FIRST + i // 2 * DAY + (i % 2 * 9 + 8) * HOUR:%Y-%m-%d %H:%M};{('early', 'late')[i % 2]};{x(i):.2f}\n"
        for i in range(96)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert chosen["key"] is None
    assert any("has a pace of its own for each value" in said and "--key 'a'" in said for said in chosen["doubts"])


def test_paces_that_differ_are_those_of_series(tmp_path):
    """Three addresses of a bus, one each minute and two each 90 seconds, some seconds early or late."""
    every = [(MINUTE, "1/1/10", 90), (1.5 * MINUTE, "3/2/7", 60), (1.5 * MINUTE, "3/2/8", 60)]
    events = sorted(
        (FIRST + i * step + timedelta(seconds=i * i % 5), who, x(i)) for step, who, n in every for i in range(n)
    )
    text = HEAD + "".join(f"{at:%d.%m.%Y %H:%M:%S};{who};{value:.1f}\n" for at, who, value in events)

    assert found(tmp_path / "in.csv", text)["key"] == "a"


def test_a_counter_of_each_key_is_said(tmp_path):
    """The numbers of all keys together go up and down; those of each do not."""
    text = "time,devEui,frame,load\n" + "".join(
        f"{FIRST + i // 2 * MINUTE + i % 2 * timedelta(seconds=i % 19):%Y-%m-%dT%H:%M:%S},{'ab'[i % 2]},{5000 * (i % 2) + i + i // 7},{v(i)}\n"
        for i in range(96)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert chosen["key"] == "devEui"
    assert any("'frame': rising" in said for said in chosen["doubts"])


@pytest.mark.parametrize(
    ("name", "place"),
    [("Messstelle", "key"), ("capteur", "key"), ("Bonnummer", "id"), ("Código postal", "id"), ("Sekunden", "run")],
)
def test_names_of_other_languages(tmp_path, name, place):
    """Series, numbers of something and time that runs are told by their names."""
    cell = {"key": lambda i: f"s{i % 3}", "id": lambda i: str(46001 + i * i % 97), "run": lambda i: str(30 * i)}[place]
    text = rows(lambda i, t: f"{t:%Y-%m-%d %H:%M};{v(i)};{cell(i)}", head=HEAD.replace("b", name), n=96)

    chosen = found(tmp_path / "in.csv", text)

    assert (chosen["columns"], chosen["key"]) == (["a"], name if place == "key" else None)


def test_where_nothing_has_a_time_one_country_is_no_series(tmp_path):
    """A table of orders, all of one country."""
    text = "Country,Sales\n" + "".join(f"France,{v(i)}\n" for i in range(60))

    assert found(tmp_path / "in.csv", text)["key"] is None


def test_what_is_called_a_number_is_no_gas():
    """The short name of a quantity counts alone."""
    assert [is_quantity_name(name) for name in ("NO", "tool_no", "CO2 [ppm]", "Temp1", "Indicateur tempo", "n_ticket")] == [
        True, False, True, True, False, False,
    ]  # fmt: skip


def test_the_clock_beside_a_date_names_no_series(tmp_path):
    """Levels of a day follow its clock."""
    text = "Datum;Uhrzeit;Leistung\n" + "".join(
        f"{FIRST + i * HOUR:%d.%m.%Y;%H:%M};{200 * (i % 24) + x(i):.1f}\n".replace(".", ",").replace(",03,", ".03.")
        for i in range(240)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert (chosen["time"]["column"], chosen.get("doubts")) == ("Datum + Uhrzeit", None)


def test_seconds_of_several_stations_are_the_time(tmp_path):
    """Whole numbers in no even steps, under a name that says when."""
    text = "".join(
        f'{{"stationCode": "s{i % 4}", "bikes": {i * i % 23}, "last_reported": {1707091200 + 15 * i + i * i % 7}}}\n'
        for i in range(96)
    )

    chosen = found(tmp_path / "in.jsonl", text)

    assert (chosen["columns"], chosen["time"]["column"], chosen["key"]) == (["bikes"], "last_reported", "stationCode")


def test_a_key_by_its_name_alone_is_said(tmp_path):
    """Rides of two types: one duration each, in no order."""
    text = "".join(
        f"{FIRST + i * i * MINUTE:%Y-%m-%d %H:%M},{('classic', 'electric')[i * i % 5 < 2]},{x(i)}\n" for i in range(96)
    )

    chosen = found(tmp_path / "in.csv", "started_at,rideable_type,duration_min\n" + text)

    assert chosen["key"] == "rideable_type"
    assert chosen["doubts"] == ["nothing but its name says that 'rideable_type' tells series apart (--key '' for none)"]


def test_when_a_day_was_coldest_and_warmest_is_no_time_of_its_record(tmp_path):
    """A day's record, with two clocks."""
    text = "fecha;tmin;horatmin;tmax;horatmax\n" + "".join(
        f"{FIRST + i * DAY:%Y-%m-%d};{x(i) - 9:.1f};0{i % 9}:{i % 60:02};{x(i):.1f};1{i % 9}:{i * 7 % 60:02}\n"
        for i in range(60)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert (chosen["columns"], chosen["time"]["column"]) == (["tmin", "tmax"], "fecha")


def test_a_column_that_may_count_can_be_said_to(tmp_path):
    """The option that the doubt names, as it is written there."""
    text = rows(lambda i, t: f"{t:%Y-%m-%d %H:%M};{v(i)};{4000 + 7 * i * i}", head=HEAD, n=96)
    said = next(one for one in found(tmp_path / "in.csv", text)["doubts"] if "--counter" in one)
    option = shlex.split(said.partition("(")[2].partition(" if so)")[0])

    command = [sys.executable, "-m", "streamrnn", "replay", "in.csv", "--hidden-size", "4", *option]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert option == ["--counter", "b"]
    assert (done.returncode, done.stdout.count("\n")) == (0, 96)


def test_a_state_is_no_series_and_its_number_is_said(tmp_path):
    """Stages of a flight: the time goes on from one to the next, where it would begin again with each series."""
    text = "t_s,height_m,state\n" + "".join(f"{33 + i},{v(i)},{i // 30}\n" for i in range(120))

    chosen = found(tmp_path / "in.csv", text.replace("t_s", "time"))

    assert (chosen["columns"], chosen["key"]) == (["height_m", "state"], None)
    assert any("'state': whole numbers whose name does not say" in said for said in chosen["doubts"])


def test_a_key_that_stands_in_stretches_is_said(tmp_path):
    """Sensors, one after the other, and none at moments of another one: it may be that one was changed for the next."""
    text = "time,sensor,load\n" + "".join(f"{FIRST + i * HOUR:%Y-%m-%d %H:%M},s{i // 40},{v(i)}\n" for i in range(120))

    chosen = found(tmp_path / "in.csv", text)

    assert chosen["key"] == "sensor"
    assert chosen["doubts"] == ["nothing but its name says that 'sensor' tells series apart (--key '' for none)"]


def test_remarks_above_a_table_of_one_column_are_said(tmp_path):
    """The head of a recorder's file: a name, a date, a clock, and counts below them."""
    text = "SAMPLE\n01-Jan-2018\n08:30\n4\n0\nV00000\nF\n" + "".join(f"{i * i % 50}\n" for i in range(200))

    chosen = found(tmp_path / "in.csv", text)

    assert any("texts stand in the first 6 records alone" in said for said in chosen["doubts"])


def test_what_was_numbered_in_stretches_is_not_watched(tmp_path):
    """Numbers of orders by their name, one for some records each; a count by the same name comes again."""
    head = "time,num_lot,load\n"
    numbered, counted = (
        head + "".join(f"{FIRST + i * HOUR:%Y-%m-%d %H:%M},{cell(i)},{v(i)}\n" for i in range(96))
        for cell in (lambda i: 700 + i // 8 * 3, lambda i: i * i % 5)
    )

    assert found(tmp_path / "a.csv", numbered)["columns"] == ["load"]
    assert found(tmp_path / "b.csv", counted)["columns"] == ["num_lot", "load"]


def test_degrees_without_names_are_said(tmp_path):
    """A tracker's log: where it was, and how high."""
    text = "".join(
        f"{FIRST + i * HOUR:%Y-%m-%dT%H:%M:%S},{36.572 + i // 9 * 1e-4:.4f},{-121.5173 - i // 7 * 1e-4:.4f},{30 + x(i)}\n"
        for i in range(120)
    )

    chosen = found(tmp_path / "in.csv", text)

    assert any("'c1' and 'c2' may be the latitude and the longitude of a place" in said for said in chosen["doubts"])


def test_hardly_a_row_of_a_text_is_said(tmp_path):
    """A report of one reading, whose last lines alone are as wide as one another."""
    text = "An example of what the output looks like.\n\nRecorded: Wed Dec 13 05:48:27 2017\n\tReadings are: 8.35, 8.3, 8.7 \n\tHumidity is: 33.94 \n\tPressure is: 1033.14\n"

    assert any("2 rows without names or times" in said for said in found(tmp_path / "in.txt", text)["doubts"])


def test_a_part_of_the_calendar_that_is_all_there_is_is_said(tmp_path):
    """A day and an amount whose marks behind make it a text."""
    chosen = found(tmp_path / "in.csv", "Dia,Usuario,Consumo;;\n1,Phillip,38;;\n2,Phillip,45;;\n")

    assert chosen["doubts"] == [
        "'Dia' is watched although it is a part of the calendar: no other column holds numbers (--column NAME for what is to be watched instead)"
    ]


def test_moments_and_nothing_are_no_numbers(tmp_path):
    """When an address answered last; 0 for never."""
    text = "".join(f"10.0.0.{i},{1717513702 - i % 3 if i % 4 == 0 else 0}\n" for i in range(120))

    with pytest.raises(UnreadableError, match="'c1': another time"):
        found(tmp_path / "in.log", text)


def test_names_of_files_are_no_numbers(tmp_path):
    """Pictures that are numbered, beside what was read off them."""
    text = "date,value,file\n" + "".join(f"{FIRST + i * HOUR:%Y-%m-%d %H:%M},{v(i)},{i:08}.jpg\n" for i in range(20))

    assert found(tmp_path / "in.csv", text)["columns"] == ["value"]


@pytest.mark.parametrize("mark", ["\x1c", "\x1e", "\x1f"])
def test_signs_that_part_records_of_old_are_no_part_of_a_number(tmp_path, mark):
    """Python counts them to the blanks of a text, and not to those of a number."""
    text = "".join(f"{mark if i == 7 else ''}{20 + i % 5},{i % 7}.5{mark if i % 9 == 2 else ''}\n" for i in range(60))

    assert found(tmp_path / "in.csv", text)["columns"] == ["c0", "c1"]
