"""Shapes of files that people keep for themselves: diaries, scripts that append to a log, boards with sensors, rounds of readings."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

from shaped import DAY, EPOCH, FIRST, HOUR, MINUTE, Case, N, de, rows, span, v, x, y

TEN = 10 * MINUTE
SECONDS = ("1970-01-01T00:55:00", "1970-01-01T00:56:11")
CLOCKS = (("low", 5), ("high", 11), ("low", 18))
"""A tide and its hour."""

NAPS = [(FIRST + 5 * i * HOUR, 10 + i * i * 37 % 280) for i in range(N)]
"""When a child fell asleep, and minutes."""


def gauges(month: int) -> str:
    """A round of readings within an hour or two, once a month or so, some left out; one number for the round."""
    day = FIRST + (30 * month + month % 3) * DAY
    held = [k for k in range(6) if (month + k) % 7]
    return "".join(
        f"{4708 + month};piez_{k};Realizada;{day + 20 * (k // 2) * MINUTE:%d/%m/%Y %H:%M};{de(x(month) + 9 * k, 3)}\n"
        for k in held
    )


KEPT = {
    "a clock before its date": Case("mesures.csv", rows(lambda i, t: f"{t:%H:%M:%S %m/%d/%y},{v(i)},{y(i)}", MINUTE, "horodatage,temp,pression\n", first=FIRST + 14 * DAY), ("temp", "pression"), "horodatage", span(MINUTE, first=FIRST + 14 * DAY)),
    "a zone within a moment": Case("misure.csv", rows(lambda i, t: f"{t:%a %b %d %H:%M:%S} CEST {t.year};{8.5 + i * i % 7 / 100:.5f};{v(i)};0", head="DATE;COORDINATES;TEMPERATURE;__V\n"), ("TEMPERATURE",), "DATE", span(first=FIRST - 2 * HOUR), value=x(0)),
    "rounds of instruments": Case("represa.csv", "num_os;cod_inst;situacao;data_med;valor\n" + "".join(map(gauges, range(24))), ("valor",), "data_med", (f"{FIRST:%Y-%m-%d}T00:00:00", f"{FIRST + 692 * DAY:%Y-%m-%d}T00:40:00"), "cod_inst", "".join(map(gauges, range(24))).count("\n")),
    "values below their times": Case("speedtest.csv", rows(lambda i, t: f"{t:%d/%m/%Y %H:%M}\nPing: {v(i)} ms\nDownload: {y(i)} Mbits/s\nUpload: {v(i + 5)} Mbits/s", TEN, first=FIRST + 14 * DAY), ("Ping", "Download", "Upload"), "time", span(TEN, first=FIRST + 14 * DAY), value=x(0)),
    "a reading before it was written down": Case("glukoza.csv", rows(lambda i, t: f"{int(y(i)) // 9},{t + timedelta(seconds=9 + i):%Y-%m-%dT%H:%M:%S},{FIRST + i // 2 * 2 * HOUR:%Y-%m-%d %H:%M},na czczo", head="Glukoza (mg/dL),Data utworzenia,Czas pomiaru,Czas od posiłku\n"), ("Glukoza (mg/dL)",), "Czas pomiaru", (FIRST.isoformat(), (FIRST + 70 * HOUR).isoformat())),
    "seconds since a start": Case("fps.csv", "start time,end time,FPS,max time(ms),app\n" + "".join(f"{3300 + i}.5,{3301 + i}.5,{v(i)},{v(i + 1)},launcher\n" for i in range(N)), ("FPS", "max time(ms)"), "start time", tuple(f"{t}.500000" for t in SECONDS)),
    "one clock of several": Case("tides.csv", "date,sunrise,sunset,time,event,height_m\n" + "".join(f"{FIRST + d * DAY:%Y-%m-%d},05:{25 - d // 9},17:{30 + d // 9},{h:02}:{(d * 7 + h) % 60:02},{e},{x(d) / 9 + h / 9:.2f}\n" for d in range(24) for e, h in CLOCKS), ("height_m",), "date + time", ("2024-03-04T05:05:00", "2024-03-27T18:59:00"), events=N),
    "what comes after one another is no key": Case("rocket.csv", "Packet Number,Time,Altitude,State,alt_th\n" + "".join(f"{i},{EPOCH + i},{y(i)},{i // 20},234\n" for i in range(N)), ("Altitude", "State"), "Time", span(timedelta(seconds=1))),
    "an age for an axis": Case("croissance.csv", "Mois;Poids;Taille\n" + "".join(f"{m};{4 + m / 5:.1f};{54 + m}\n" for m in (1, 2, 3, 4, 6, 9, 12, 16, 20, 24, 30, 36)), ("Poids", "Taille"), None, None, events=12, value=4.2),
    "a code of one of several": Case("parking.csv", "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n" + "".join(f"BHM{k}KT01,{577 + k},{int(y(i)) // 3},{FIRST + i * TEN:%Y-%m-%d %H:%M:%S}\n" for k in (1, 2) for i in range(600)), ("Occupancy",), "LastUpdated", span(TEN, 600), "SystemCodeNumber", 1200),
    "lists of what runs beside what is measured": Case("mon.jsonl", rows(lambda i, t: json.dumps({"timestamp": f"{t:%Y-%m-%dT%H:%M:%SZ}", "cpu_percent": x(i), "memory": {"used_percent": y(i) / 20}, "processes": [{"pid": 99 + i, "cpu_percent": x(i)}]})), ("cpu_percent", "memory.used_percent"), "timestamp", span()),
    "two meters beside one another": Case("counters.json", json.dumps({name: [{"date": f"{FIRST + 30 * i * DAY:%Y-%m-%d}", "value": first + 9 * i, "unit": unit, "file": f"{first + i:08}.jpg"} for i in range(n)] for name, first, unit, n in (("electric", 10234, "kWh", 16), ("water", 321, "m3", 12))}, indent=1), ("value",), "date", ("2024-03-04T00:00:00", "2025-01-28T00:00:00"), "series", 28, 10234),
    "a name in two languages": Case("rain.csv", rows(lambda i, t: f"{t.year},{t.month},{t.day},{v(i)},C", DAY, "\ufeff日總雨量(毫米) - 天文台\nDaily Total Rainfall (mm) at the Observatory\n年/Year,月/Month,日/Day,數值/Value,數據完整性/data Completeness\n"), ("數值/Value",), "年/Year + 月/Month + 日/Day", span(DAY), value=x(0)),
    "settings of a trial": Case("servers.csv", "num_threads,tot_requests,sleep_between,tot_time(s),mean (s),workers,framework\n" + "".join(f"{2**k},{512 * 2**k},{pause},{2 + x(i):.4f},{x(i) / 4000:.6f},{count},{name}\n" for i, (name, count, pause, k) in enumerate(itertools.product(("flask", "rust"), (1, 4), (0.033, 0.005), range(4)))), ("tot_time(s)", "mean (s)"), None, None, events=32, value=2 + x(0)),
    "series of which some have one record": Case("overflow.csv", "asset_id,timestamp,level_m,status\n" + "".join(f"CSO-{k:03},{FIRST + i * 15 * MINUTE:%Y-%m-%dT%H:%M:%S},{x(k + i) / 9:.2f},Normal\n" for k, n in enumerate((3, 2, 1, 1, 1, 2)) for i in range(n)), ("level_m",), "timestamp", span(15 * MINUTE, 2), "asset_id", 10),
    "nights that end on the next day": Case("sleep.csv", "day,time,duration,duration_pretty,start,end\n" + "".join(f"{t - 6 * HOUR:%Y-%m-%d},{'dia' if 6 <= t.hour < 18 else 'noite'},{60 * m},{m // 60:02}:{m % 60:02},{t:%Y-%m-%dT%H:%M}:00Z,{t + m * MINUTE:%Y-%m-%dT%H:%M}:00Z\n" for t, m in NAPS), ("duration",), "start", span(5 * HOUR), value=60 * NAPS[0][1]),
    "gases of transformers": Case("leituras.csv", "id_transformador,data_amostragem,gas,valor_ppm\n" + "".join(f"TR{k:02},{FIRST + (40 * i + 3 * (k // 2)) * DAY:%Y-%m-%d},{gas},{x(k + i + g):.1f}\n" for k in range(12) for g, gas in enumerate(("Etano", "Metano", "Etileno")) for i in range(8)), ("valor_ppm",), "data_amostragem", ("2024-03-04T00:00:00", "2024-12-24T00:00:00"), "id_transformador + gas", 288, round(x(0), 1)),
    "a currency by its letters": Case("fuel.csv", rows(lambda i, t: f"{t:%Y-%m-%d %H:%M},{x(i)},EUR {y(i):.2f},{1650 + 40 * i},Avia {i * i % 37}", DAY, "date/time,liters,price,odometer,location\n"), ("liters", "price", "odometer"), "date/time", span(DAY), value=x(0)),
}  # fmt: skip
