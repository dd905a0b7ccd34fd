"""Small files in the formats people have; all made up: two days of a load every five minutes, with the rhythm of a day."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

N = 576
TS = [datetime(2024, 3, 4, tzinfo=UTC) + timedelta(minutes=5 * i) for i in range(N)]
V = [50 + 20 * math.sin(i * 2 * math.pi / 288) + math.sin(i * i) for i in range(N)]
W = [1000 + 300 * math.sin(i * 2 * math.pi / 288 + 1) + 20 * math.cos(i * i) for i in range(N)]
EPOCH = [int(t.timestamp()) for t in TS]
MINUTE = "%Y-%m-%d %H:%M"
HOLES = {0, 30, 31, 200, 333}
"""Events without a value, where a file has some."""

ROWS = [f"{t:{MINUTE}},{v:.2f}\n" for t, v in zip(TS, V, strict=True)]
HEAD = "time,value\n"


def _de(x: float) -> str:
    return f"{x:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def _each(line: Callable[[datetime, float, float], str]) -> str:
    return "".join(line(t, v, w) for t, v, w in zip(TS, V, W, strict=True))


def _holes(mark: str) -> str:
    return "time,temp\n" + "".join(
        f"{t:{MINUTE}},{mark if i in HOLES else f'{v:.1f}'}\n" for i, (t, v) in enumerate(zip(TS, V, strict=True))
    )


def _long(names: Sequence[str], line: Callable[[str, datetime, float], str]) -> str:
    return "".join(line(s, t, x) for t, v, w in zip(TS, V, W, strict=True) for s, x in zip(names, (v, w), strict=True))


def _influx_annotated() -> str:
    return (
        "#group,false,false,true,true,false,false,true,true,true\n"
        "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\n"
        "#default,_result,,,,,,,,\n,result,table,_start,_stop,_time,_value,_field,_measurement,host\n"
        + _each(lambda t, v, _: f",,0,2024-03-04T00:00:00Z,2024-03-18T00:00:00Z,{t:%Y-%m-%dT%H:%M:%SZ},{v:.2f},usage_user,cpu,web01\n")
    )  # fmt: skip


def _prometheus() -> str:
    result = [
        {"metric": {"__name__": "load", "instance": f"{s}:9100"}, "values": [[e, f"{x:.2f}"] for e, x in zip(EPOCH, xs, strict=True)]}
        for s, xs in (("a", V), ("b", W))
    ]  # fmt: skip
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def _wide() -> str:
    names = [f"s{i:02d}" for i in range(60)]
    rows = (f"{t:{MINUTE}}," + ",".join(f"{v + i:.2f}" for i in range(60)) + "\n" for t, v in zip(TS, V, strict=True))
    return "timestamp," + ",".join(names) + "\n" + "".join(rows)


RECORDS = [{"ts": t.isoformat(), "value": round(v, 2)} for t, v in zip(TS, V, strict=True)]

TEXTS: dict[str, str | bytes] = {
    "epoch_ms.csv": HEAD + _each(lambda t, v, _: f"{int(t.timestamp())}000,{v:.2f}\n"),
    "epoch_unix.csv": "unix_time,cpu\n" + _each(lambda t, v, _: f"{int(t.timestamp())},{v:.2f}\n"),
    "excel_de.csv": ("\ufeffZeitstempel;Temperatur;Leistung\n" + _each(lambda t, v, w: f"{t:%d.%m.%Y %H:%M};{_de(v)};{_de(w)}\n")).replace("\n", "\r\n"),
    "excel_utf16.txt": ("Time\tValue\r\n" + _each(lambda t, v, _: f"{t:{MINUTE}}\t{v:.2f}\r\n")).encode("utf-16"),
    "thousands.csv": "timestamp,requests\n" + _each(lambda t, _, w: f'{t:{MINUTE}},"{w * 10:,.0f}"\n'),
    "thousands_late.csv": "timestamp,requests\n" + "".join(f'{t:{MINUTE}},"{700 + i:,.1f}"\n' for i, t in enumerate(TS)),
    "influx.lp": _each(lambda t, v, w: f"cpu,host=web01 usage_user={v:.2f},usage_system={w / 100:.2f} {int(t.timestamp())}000000000\n"),
    "influx_annotated.csv": _influx_annotated(),
    "prometheus.json": _prometheus(),
    "grafana.csv": '"Time","load {instance=""a:9100""}","load {instance=""b:9100""}"\n' + _each(lambda t, v, w: f"{t:%Y-%m-%d %H:%M:%S},{v:.2f},{w:.2f}\n"),
    "grafana_units.csv": '"Time","CPU"\n' + _each(lambda t, v, _: f"{t:%Y-%m-%d %H:%M:%S},{v:.1f}%\n"),
    "grafana_sep.csv": 'sep=,\n"Time","CPU"\n' + _each(lambda t, v, _: f"{t:%Y-%m-%d %H:%M:%S},{v:.1f}\n"),
    "grafana_long.csv": '"Series";"Time";"Value"\n' + _long("ab", lambda s, t, x: f'"load-{s}";"{t.isoformat()}";{x:.2f}\n'),
    "array.json": json.dumps(RECORDS),
    "array_pretty.json": json.dumps(RECORDS, indent=2),
    "nested.jsonl": _each(
        lambda t, v, w: json.dumps({"@timestamp": t.isoformat(), "host": {"name": "web01"}, "system": {"cpu": {"pct": round(v / 100, 4)}, "mem": {"used": round(w)}}}) + "\n"
    ),
    "strings.jsonl": _each(lambda t, v, _: json.dumps({"time": t.isoformat(), "value": f"{v:.2f}"}) + "\n"),
    "load.csv.gz": gzip.compress((HEAD + _each(lambda t, v, _: f"{t.isoformat()},{v:.2f}\n")).encode()),
    "newest_first.csv": HEAD + "".join(ROWS[::-1]),
    "header_again.csv": "".join((HEAD if i % 288 == 0 else "") + row for i, row in enumerate(ROWS)),
    "summary_row.csv": HEAD + "".join(ROWS) + "Total,28800.00\nAverage,50.00\n",
    "comments.csv": "# station 7, sensor A\n# unit: m3/h\n" + HEAD + "".join(ROWS),
    "quoted_newline.csv": "time,note,value\n" + _each(lambda t, v, _: f'{t:{MINUTE}},"checked by A\nall ""fine""",{v:.2f}\n'),
    "long.csv": "sensor,time,value\n" + _long(("temp", "flow"), lambda s, t, x: f"{s},{t:{MINUTE}},{x:.2f}\n"),
    "long_id.csv": "device_id,time,value\n" + _long("12", lambda s, t, x: f"{s},{t:{MINUTE}},{x:.2f}\n"),
    "wide60.csv": _wide(),
    "home_assistant.csv": "entity_id,state,last_changed\n"
    + "".join(f"sensor.boiler,{'unavailable' if i in HOLES else f'{v:.1f}'},{t:%Y-%m-%dT%H:%M:%S.123Z}\n" for i, (t, v) in enumerate(zip(TS, V, strict=True))),
    "ampm.csv": "Date,Value\n" + _each(lambda t, v, _: f"{t.month}/{t.day}/{t.year} {t:%I:%M:%S %p},{v:.2f}\n"),
    "ymdh.csv": "No,year,month,day,hour,value\n"
    + "".join(f"{i + 1},{t.year},{t.month},{t.day},{t.hour},{v:.2f}\n" for i, (t, v) in enumerate(zip(TS[::12], V[::12], strict=True))),
    "pandas_index.csv": ",time,value\n" + "".join(f"{i},{row}" for i, row in enumerate(ROWS)),
    "sentinel.csv": _holes("-999.0"),
    "qmark.csv": _holes("?"),
    "dots.csv": "DATE,VALUE\n" + "".join(f"{TS[0] + timedelta(days=i):%Y-%m-%d},{'.' if i in HOLES else f'{v:.1f}'}\n" for i, v in enumerate(V)),
    "dashes.csv": _holes("---"),
    "vmstat.txt": "procs -----------memory---------- ---swap-- -----io----\n r  b   swpd   free   buff  cache   si   so    bi    bo\n"
    + _each(lambda _, v, w: f" 1  0      0 {int(w * 100):6d}   1000  50000    0    0   {int(v):4d}    10\n"),
    "spaces.txt": "time value\n" + _each(lambda t, v, _: f"{int(t.timestamp())} {v:.2f}\n"),
    "numbers.txt": _each(lambda _, v, __: f"{v:.2f}\n"),
    "spaced.csv": "time, temp, power\n" + _each(lambda t, v, w: f"{t:{MINUTE}}, {v:.2f}, {w:.1f}\n"),
    "labelled.csv": "timestamp,value,is_anomaly,status_code,id\n"
    + "".join(f"{t:{MINUTE}},{v:.2f},{int(300 <= i < 312)},{200 if i % 50 else 500},{100000 + i}\n" for i, (t, v) in enumerate(zip(TS, V, strict=True))),
    # further ones
    "cp1252.csv": ("Datum;Außentemperatur [°C]\n" + _each(lambda t, v, _: f"{t:%d.%m.%Y %H:%M};{_de(v)}\n")).encode("cp1252"),
    "day_first.csv": "when;speed\n" + "".join(f"{t.day}/{t.month}/{t.year} {t:%H:%M};{v:.2f}\n" for t, v in zip((t + timedelta(days=9) for t in TS), V, strict=True)),
    "two_columns.csv": "Day Date;Clock Time;flow\n" + _each(lambda t, v, _: f"{t:%d/%m/%Y};{t:%H.%M.%S};{_de(v)}\n"),
    "units_row.csv": "time,temp,rain\n,°C,mm\n" + _each(lambda t, v, w: f"{t:{MINUTE}},{v:.2f},{w:.1f}\n"),
    "no_header.csv": "".join(ROWS),
    "duplicate_names.csv": "time,load,load\n" + _each(lambda t, v, w: f"{t:{MINUTE}},{v:.2f},{w:.1f}\n"),
    "commented_names.txt": "# logger 3\n# time value\n" + _each(lambda t, v, _: f"{int(t.timestamp())} {v:.2f}\n"),
    "columns.json": json.dumps({"place": "x", "hourly": {"time": [t.isoformat() for t in TS], "rain": [round(v, 2) for v in V]}}),
    "nan.jsonl": "".join(json.dumps({"time": e, "a": math.nan if i in HOLES else v, "b": w}) + "\n" for i, (e, v, w) in enumerate(zip(EPOCH, V, W, strict=True))),
    "money.csv": "Date,Sales\n" + "".join(f'{TS[0] + timedelta(days=i):%b %d, %Y},"${w:,.2f}"\n'.replace(f"{TS[0] + timedelta(days=i):%b %d, %Y}", f'"{TS[0] + timedelta(days=i):%b %d, %Y}"') for i, w in enumerate(W)),
    "compact.csv": "stamp;level\n" + "".join(f"{t:%Y%m%d%H};{v:.2f}\n" for t, v in zip((TS[0] + timedelta(hours=i) for i in range(N)), V, strict=True)),
    "empty_at_first.csv": "time,a,b\n" + "".join(f"{t:{MINUTE}},{v:.2f},{'' if i < 150 else f'{w:.2f}'}\n" for i, (t, v, w) in enumerate(zip(TS, V, W, strict=True))),
}  # fmt: skip
"""By name."""
