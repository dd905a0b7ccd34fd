"""Shapes of public files met later: stations of networks for sun and climate, meters, tables with totals."""

from __future__ import annotations

import json
from datetime import timedelta

from shaped import DAY, FIRST, HOUR, MINUTE, Case, N, rows, span, v, x, y

JANUARY = FIRST.replace(month=1, day=1)
FIVE = timedelta(minutes=5)
DECEMBER = FIRST.replace(month=12, day=1)

LATER = {
    "climate network": Case("CRNS0101.txt", rows(lambda i, t: f"53131 {t:%Y%m%d %H%M} {t - 7 * HOUR:%Y%m%d %H%M}      3 -111.17   32.24 {-9999.0 if i in (0, 9) else x(i):7.1f}     0.0 {i % 90:6} 0 {x(i) + 3:7.1f} C 0 {50 + i % 40:5} 0", FIVE, first=DECEMBER), ("c8", "c10", "c12", "c15"), "c1 + c2", span(FIVE, first=DECEMBER), value=None, maybe=("c0", "c5", "c9", "c11", "c14", "c16")),
    "radiation network": Case("slv16001.dat", " Alamosa\n   37.70  105.92 2317 m version 1\n" + rows(lambda i, t: f" {t.year} {t.timetuple().tm_yday:3} {t.month:2} {t.day:2} {t.hour:2} {t.minute:2} {t.hour + t.minute / 60:6.3f} {x(i):6.2f} {y(i):7.1f} 0 {-9999.9 if i % 9 == 4 else x(i):7.1f} 0", MINUTE, first=JANUARY), ("c7", "c8", "c10"), "c0 + c2 + c3 + c4 + c5", span(MINUTE, first=JANUARY), value=x(0), maybe=("c9", "c11")),
    "weather of a building": Case("a.epw", "LOCATION,AMSTERDAM,-,NLD,IWEC Data,062400,52.30,4.77,1.0,-2.0\nGROUND TEMPERATURES,1,.5,,,,6.55,4.47\nDATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31\n" + rows(lambda i, t: f"1995,{t.month},{t.day},{t.hour + 1},60,C9C9*0?9,{v(i)},{y(i)},0,{i % 9},0", first=JANUARY.replace(year=1995)), ("c6", "c7", "c9"), "c0 + c1 + c2 + c3", span(first=JANUARY.replace(year=1995) + HOUR), value=x(0), maybe=("c8", "c10")),
    "raw minutes of a day": Case("midc.txt", "Unnamed: 0,Year,DOY,MST,Direct [W/m^2],Temp [deg C]\n" + rows(lambda i, t: f"0,{t.year},{t.timetuple().tm_yday},{t.hour * 100 + t.minute},{v(i)},{-7999.0 if i % 7 == 3 else -300 - x(i)}", MINUTE), ("Direct [W/m^2]", "Temp [deg C]"), "Year + DOY + MST", span(MINUTE), value=x(0)),
    "sources and uncertainty": Case("tmy3.csv", '723170,"GREENSBORO INTL",NC,-5.0,36.100,-79.950,273\n' + "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),GHI source,GHI uncert (%),Dry-bulb (C),Dry-bulb source\n" + rows(lambda i, t: f"{t:%m/%d/%Y},{t:%H:%M},{int(y(i))},{1 + i % 2},{i % 3 * 4},{v(i)},A", first=DECEMBER), ("GHI (W/m^2)", "Dry-bulb (C)"), "Date (MM/DD/YYYY) + Time (HH:MM)", span(first=DECEMBER), value=int(y(0))),
    "flasks": Case("event.txt", "# header_lines : 3\n#\nsite_code year month day hour minute second value event_number\n" + rows(lambda i, t: f"MLO {t:%Y %m %d %H %M %S} {'-999.99' if i % 9 == 4 else v(i)} {78808 + i * i}", timedelta(seconds=90)), ("value",), "year + month + day + hour + minute + second", span(timedelta(seconds=90)), "site_code", value=x(0)),
    "intervals of meters": Case("NEM12.csv", "100,NEM12,200402070911,MDA1,Ret1\n" + "".join(f"200,NCDE001111,E1B1,{k},{r},N1,METSER123,kWh,30,\n" + "".join(f"300,{FIRST + d * DAY:%Y%m%d}," + ",".join(f"{x(48 * d + h + k) / 10:.3f}" for h in range(48)) + ",A,,,20040202125010,20040202125010\n" for d in range(9)) + "400,1,20,F14,76,\n" for k, r in ((1, "E1"), (2, "B1"))) + "900\n", ("value",), "time", span(30 * MINUTE, 48 * 9), "series", 2 * 9 * 48, round(x(1) / 10, 3)),
    "names that are numbers are none": Case("a.csv", rows(lambda i, t: f"17,{t:%Y-%m-%d %H:%M:%S},{v(i)},C,{-9 if i % 20 == 4 else i % 9},C"), ("c2", "c4"), "c1", HOURLY := span(), value=x(0), maybe=("c0",)),
    "documents with their inputs": Case("pv.json", json.dumps({"inputs": {"location": {"latitude": 45.0}}, "outputs": {"hourly": [{"time": f"{FIRST + i * HOUR:%Y%m%d:%H%M}", "P": x(i), "Int": 0.0} for i in range(N)]}, "meta": {"outputs": {"hourly": {"P": {"units": "W"}}}}}), ("P", "Int"), "time", HOURLY, value=x(0)),
}  # fmt: skip
"""By what a person would call them."""
