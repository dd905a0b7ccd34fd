"""Further shapes, written when all others were read: what they show at the first try is the measure of the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from shaped import DAY, EPOCH, FIRST, HOUR, MINUTE, Case, N, de, rows, span, v, x, y

SECOND = timedelta(seconds=1)
HOURLY, DAILY, MINUTES = span(), span(DAY), span(MINUTE)
DECEMBER = datetime(2022, 12, 16, tzinfo=UTC)
T = [FIRST + i * HOUR for i in range(N)]
OMNI = "".join(f"{t.year} {t.timetuple().tm_yday:3} {t.hour:2} {x(i) / 4:5.1f} {9999. if i % 9 == 4 else 300 + i % 99:6.0f} {i % 40:3}\n" for i, t in enumerate(T))  # fmt: skip
BEACON = "Date;Heure;Température extérieure;Humidité;Vent\n"
SCRIPPS = (
    '" Atmospheric CO2 concentrations (ppm) derived from in situ air measurements "\n" at Mauna Loa, Observatory, Hawaii "\n'
    "  Yr, Mn,    Date,      CO2,  fit\n    ,   ,        ,    [ppm], [ppm]\n"
)
TAGS = "tags,host=a,region=eu"
EDF = "Récapitulatif de ma consommation\n\nType de données;Date de relevé;Consommation (kWh);Nature de la donnée\n"
FIT = "Body\nDate,Weight,BMI,Fat\n"
COINS = {"prices": [[(EPOCH + 3600 * i) * 1000, x(i)] for i in range(N)], "market_caps": [[(EPOCH + 3600 * i) * 1000, y(i)] for i in range(N)], "total_volumes": [[(EPOCH + 3600 * i) * 1000, y(i + 1)] for i in range(N)]}  # fmt: skip
KRAKEN = {"error": [], "result": {"XXBTZUSD": [[EPOCH + 3600 * i, v(i), v(i + 1), f"{y(i):.8f}", 100 + i] for i in range(N)], "last": EPOCH + 3600 * N}}  # fmt: skip
USGS = {
    "name": "ns1:timeSeriesResponseType", "declaredType": "x", "value": {"queryInfo": {"queryURL": "http://x"}, "timeSeries": [{"sourceInfo": {"siteName": "POTOMAC", "siteCode": [{"value": "01646500"}]}, "variable": {"variableName": "Streamflow"}, "values": [{"value": [{"value": f"{y(i):.0f}", "qualifiers": ["P"], "dateTime": f"{t:%Y-%m-%dT%H:%M:%S}.000-05:00"} for i, t in enumerate(T)], "qualifier": []}], "name": "USGS:01646500:00060:00000"}]},
}  # fmt: skip
WORLD_BANK = [{"page": 1, "pages": 1, "per_page": 100, "total": N}, [{"indicator": {"id": "NY.GDP", "value": "GDP"}, "country": {"id": "AT", "value": "Austria"}, "countryiso3code": "AUT", "date": str(2022 - i), "value": y(i), "unit": "", "obs_status": "", "decimal": 0} for i in range(60)]]  # fmt: skip
METAR = "station,valid,tmpf,relh,sknt,p01i,skyc1\n"
VMSTAT = "procs -----------memory---------- ---swap-- -----io---- -timestamp-----\n r  b   swpd   free   si   so    bi    bo                 UTC\n"

LAST = {
    "omni": Case("omni2_2024.dat", OMNI, ("c3", "c4", "c5"), "c0 + c1 + c2", HOURLY),
    "asos": Case("asos.csv", "#DEBUG: Format Typ    -> onlycomma\n#DEBUG: Time Period   -> 2024-03-04 00:00:00+00:00 2024-03-07 00:00:00+00:00\n" + METAR + rows(lambda i, t: f"AMS,{t:%Y-%m-%d %H:%M},{'M' if i % 30 == 4 else v(i)},{'M' if i % 30 == 4 else 50 + i % 40}.00,{i % 20}.00,{'T' if i % 10 == 3 else '0.00'},FEW"), ("tmpf", "relh", "sknt", "p01i"), "valid", HOURLY, "station"),
    "scripps": Case("monthly_in_situ_co2_mlo.csv", SCRIPPS + "".join(f" {2000 + i // 12:4}, {i % 12 + 1:02}, {2000 + (i % 12 + 0.5) / 12 + i // 12:.4f},   {'-99.99' if i in (3, 4) else f'{x(i) + 300:.2f}'},  {x(i) + 300:.2f}\n" for i in range(N)), ("CO2", "fit"), "Yr + Mn", ("2000-01-01T00:00:00", "2005-12-01T00:00:00"), value=None),
    "synop france": Case("synop.202403.csv", rows(lambda i, t: f"07005;{t:%Y%m%d%H%M%S};{101000 + i};{'mq' if i % 9 == 4 else -i};{x(i) + 273:.6f};mq;", 3 * HOUR, "numer_sta;date;pmer;tend;t;cl;\n"), ("pmer", "tend", "t"), "date", span(3 * HOUR), "numer_sta"),
    "enedis": Case("mes-consommations.csv", EDF + rows(lambda i, t: f"Consommation;{t:%d/%m/%Y};{de(x(i))};Réelle", DAY), ("Consommation (kWh)",), "Date de relevé", DAILY),
    "french station": Case("releves.csv", BEACON + rows(lambda i, t: f"{t:%d/%m/%Y};{t:%Hh%M};{de(x(i), 1)};{50 + i % 40} %;{i % 30} km/h", first=DECEMBER), ("Température extérieure", "Humidité", "Vent"), "Date + Heure", span(first=DECEMBER), value=round(x(0), 1)),
    "fitbit body": Case("fitbit_export.csv", FIT + rows(lambda i, t: f'"{t:%d-%m-%Y}","{x(i) + 50:.1f}","{x(i):.1f}","0"', DAY, first=DECEMBER), ("Weight", "BMI", "Fat"), "Date", span(DAY, first=DECEMBER)),
    "rossmann": Case("train.csv", '"Store","DayOfWeek","Date","Sales","Customers","Open","Promo","StateHoliday"\n' + "".join(f'{s},{(FIRST + i * DAY).isoweekday()},{FIRST + i * DAY:%Y-%m-%d},{int(y(i + s)) * 4},{int(x(i)) * 20},1,{i % 2},"0"\n' for i in reversed(range(N)) for s in (1, 2, 3)), ("Sales", "Customers", "Promo"), "Date", DAILY, "Store", 3 * N, maybe=("Open",)),
    "walmart": Case("walmart.csv", "Store,Dept,Date,Weekly_Sales,IsHoliday\n" + "".join(f"{s},{d},{FIRST + 7 * i * DAY:%Y-%m-%d},{y(i + s * d):.2f},{'TRUE' if i % 9 == 0 else 'FALSE'}\n" for s in (1, 2) for d in (1, 2, 3) for i in range(40)), ("Weekly_Sales",), "Date", span(7 * DAY, 40), "Store + Dept", 240),
    "m-lab events": Case("trips.csv", rows(lambda i, t: f"{t.month}/{t.day}/{t.year} {t.hour}:{t:%M},{v(i)},{y(i):.1f}", MINUTE, "Time (UTC),Download (Mbps),Latency µs\n", first=DECEMBER).encode("latin-1"), ("Download (Mbps)", "Latency µs"), "Time (UTC)", span(MINUTE, first=DECEMBER)),
    "iostat": Case("vmstat-t.log", VMSTAT + rows(lambda i, t: f" {i % 3}  0      0 {int(y(i) * 99)}    0    0   {i % 40}    {i % 7} {t:%Y-%m-%d %H:%M:%S}", SECOND), ("r", "b", "swpd", "free", "si", "so", "bi", "bo"), "UTC + c9", span(SECOND), dead=-1),
    "ping": Case("ping.log", "PING example.org (93.184.216.34) 56(84) bytes of data.\n" + rows(lambda i, t: f"[{t.timestamp():.6f}] 64 bytes from 93.184.216.34: icmp_seq={i + 1} ttl=56 time={x(i):.1f} ms", SECOND), ("time",), "timestamp", span(SECOND), maybe=("ttl", "icmp_seq"), dead=-1),
    "modbus logger": Case("log.txt", rows(lambda i, t: f"{t:%d/%m/%Y %H:%M:%S}\t+{x(i):07.3f}\t-{x(i) / 9:07.3f}\t{i % 2}", SECOND, "Date/Time\tPT100_1\tPT100_2\tRelay\n", first=DECEMBER), ("PT100_1", "PT100_2", "Relay"), "Date/Time", span(SECOND, first=DECEMBER), value=x(0)),
    "keithley": Case("data.csv", 'Title,,"IV"\nModel,DMM6500\nSerial Number,04391234\nIndex,Reading,Unit,Date,Time,Fractional Seconds\n' + rows(lambda i, t: f"{i + 1},{x(i) / 1e6:+.9E},VDC,{t:%m/%d/%Y},{t:%H:%M:%S},.{i * 13 % 1000:03}", SECOND, first=DECEMBER), ("Reading",), "Date + Time", span(SECOND, first=DECEMBER), maybe=("Fractional Seconds",)),
    "oscilloscope": Case("scope.csv", "Record Length,72,Points\nSample Interval,1e-6,s\nTrigger Point,10,Samples\nSource,CH1\nVertical Units,V\n\nTIME,CH1,CH2\n" + "".join(f"{i * 1e-6 - 1e-5:.6e},{x(i) / 9:.4e},{x(i + 3) / 9:.4e}\n" for i in range(N)), ("CH1", "CH2"), ("TIME", None), None),
    "daily blocks": Case("nem12.csv", "200,6203778396,B1E1,1,E1,N1,50123,kWh,60,\n" + "".join(f"300,{FIRST + d * DAY:%Y%m%d}," + ",".join(f"{x(24 * d + h) / 10:.3f}" for h in range(24)) + ",A,,,20240401121004,\n" for d in range(N)), ("value",), "time", span(n=24 * N), "series", 24 * N),
    "coingecko": Case("market_chart.json", json.dumps(COINS), ("prices", "market_caps", "total_volumes"), "time", HOURLY),
    "kraken": Case("ohlc.json", json.dumps(KRAKEN), ("c1", "c2", "c3", "c4"), "c0", HOURLY),
    "usgs json": Case("iv.json", json.dumps(USGS), ("value",), "dateTime", span(first=FIRST + 5 * HOUR)),
    "world bank json": Case("gdp.json", json.dumps(WORLD_BANK), ("value",), "date", ("1963-01-01T00:00:00", "2022-01-01T00:00:00"), "indicator.id", 60),
    "firebase": Case("firebase.json", json.dumps({f"-Nx{i:04}": {"ts": (EPOCH + 60 * i) * 1000, "temp": x(i), "hum": x(i + 4)} for i in range(N)}), ("temp", "hum"), "ts", MINUTES),
    "geckoboard lines": Case("events.json", rows(lambda i, t: json.dumps({"time": {"$date": f"{t:%Y-%m-%dT%H:%M:%SZ}"}, "_id": {"$oid": f"65e{i:021}"}, "sensor": {"id": f"s{i % 2}"}, "value": {"$numberDouble": v(i)}})), ("value.$numberDouble",), "time.$date", HOURLY, "sensor.id"),
    "thingspeak": Case("feeds.json", json.dumps({"channel": {"id": 9, "name": "Weather", "field1": "Temp", "last_entry_id": N}, "feeds": [{"created_at": f"{t:%Y-%m-%dT%H:%M:%SZ}", "entry_id": i + 1, "field1": v(i), "field2": None} for i, t in enumerate(T)]}), ("field1",), "created_at", HOURLY),
    "log with prefix": Case("app.log", rows(lambda i, t: f"{t:%Y-%m-%d %H:%M:%S},{i:03} INFO [worker-{i % 3}] metrics queue_depth={i * 7 % 90} latency={x(i):.1f}ms rate={y(i):.0f}/s", SECOND), ("queue_depth", "latency", "rate"), "time", None, maybe=()),
    "months of a day first": Case("policy.csv", "DATE,TERMCBAUTO48NS,DFF,USRECM\n" + "".join(f"01/{i % 12 + 1:02}/{1990 + i // 12},{'' if i % 3 else v(i)},{v(i + 3)},{i % 9 // 8}\n" for i in range(N)), ("TERMCBAUTO48NS", "DFF", "USRECM"), "DATE", ("1990-01-01T00:00:00", "1995-12-01T00:00:00")),
    "years of three series": Case("disasters.csv", "Entity,Year,Deaths\n" + "".join(f"{e},{1950 + i},{int(y(i + k))}\n" for k, e in enumerate(("All", "Drought", "Earthquake")) for i in range(N)), ("Deaths",), "Year", ("1950-01-01T00:00:00", "2021-01-01T00:00:00"), "Entity", 3 * N),
    "decades of pairs": Case("jobs.json", json.dumps([{"job": j, "sex": s, "year": 1850 + 10 * i, "count": int(y(i + k)), "perc": x(i) / 1e4} for k, j in enumerate(("Actor", "Baker")) for s in ("men", "women") for i in range(16)]), ("count", "perc"), "year", ("1850-01-01T00:00:00", "2000-01-01T00:00:00"), "job + sex", 64),
    "years by year": Case("panel.csv", "Year,State,Rate\n" + "".join(f"{1980 + i},{s},{v(i + k)}\n" for i in range(40) for k, s in enumerate(("AK", "AL", "AZ", "CA"))), ("Rate",), "Year", ("1980-01-01T00:00:00", "2019-01-01T00:00:00"), "State", 160),
    "dates below a station": Case("hydro.csv", "Date export;20240304;Period\n;;;;station;A;B\n;;;;unit;m3/s;m3/s\n" + rows(lambda i, t: f";;;;{t:%Y%m%d};{v(i)};{y(i)}", DAY), ("A", "B"), "station", DAILY),
    "prices of symbols": Case("stocks.csv", "symbol,date,price\n" + "".join(f"{s},{datetime(2000 + i // 12, i % 12 + 1, 1, tzinfo=UTC):%b} 1 {2000 + i // 12},{v(i + k)}\n" for k, s in enumerate(("MSFT", "AMZN")) for i in range(N)), ("price",), "date", ("2000-01-01T00:00:00", "2005-12-01T00:00:00"), "symbol", 2 * N),
    "countries one behind the other": Case("owid-covid-data.csv", "iso_code,continent,location,date,total_cases,new_cases_smoothed\n" + "".join(f"{c},{w},{n},{FIRST + i * DAY:%Y-%m-%d},{i * k},{'' if i < 5 else v(i)}\n" for k, (c, w, n) in enumerate((("AFG", "Asia", "Afghanistan"), ("ALB", "Europe", "Albania")), 1) for i in range(600)), ("total_cases", "new_cases_smoothed"), "date", span(DAY, 600), "iso_code", 1200),
    "departments of one store at first": Case("train.csv", "Store,Dept,Date,Weekly_Sales\n" + "".join(f"{s},{d},{FIRST + 7 * i * DAY:%Y-%m-%d},{y(i + s * d):.2f}\n" for s in (1, 2) for d in (1, 2, 3, 4, 5) for i in range(143)), ("Weekly_Sales",), "Date", span(7 * DAY, 143), "Store + Dept", 1430),
    "switches are no keys": Case("pumps.csv", rows(lambda i, t: f"{t:%Y-%m-%dT%H:%M:%SZ},{'ON' if i % 3 else 'OFF'},{'true' if i % 4 else 'false'},{v(i)}", head="ts,pump,valve,flow\n"), ("flow",), "ts", HOURLY),
    "a table drawn by a client": Case("mysql.txt", "+---------------------+-------+\n| time                | load  |\n+---------------------+-------+\n" + rows(lambda i, t: f"| {t:%Y-%m-%d %H:%M:%S} | {v(i)} |") + "+---------------------+-------+\n72 rows in set (0.00 sec)\n", ("load",), "time", HOURLY, dead=1),
    "a table drawn by another": Case("psql.txt", "        time         | load  \n---------------------+-------\n" + rows(lambda i, t: f" {t:%Y-%m-%d %H:%M:%S} | {v(i)} ") + "(72 rows)\n", ("load",), "time", HOURLY, dead=1),
    "names above a line, one for date and clock": Case("aligned.txt", "Timestamp            Temp   Hum\n-------------------  -----  ----\n" + rows(lambda i, t: f"{t:%Y-%m-%d %H:%M:%S}  {v(i)}  {v(i + 4)}"), ("Temp", "Hum"), "Timestamp + c1", HOURLY),
    "tables beside one another": Case("multi.json", json.dumps({"series": {name: {"values": [{"t": EPOCH + 3600 * i, "v": x(i + k)} for i in range(N)]} for k, name in enumerate(("temperature", "humidity"))}}), ("v",), "t", HOURLY, "series", 2 * N),
    "readings of sensors": Case("readings.json", json.dumps([{"sensor": name, "readings": [{"time": f"{t:%Y-%m-%dT%H:%M:%SZ}", "temp": x(i + k)} for i, t in enumerate(T)]} for k, name in enumerate("ab")]), ("temp",), "time", HOURLY, "sensor", 2 * N),
}  # fmt: skip
"""By what it is."""
