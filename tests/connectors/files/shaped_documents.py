"""JSON in the shapes of public services and stores; what is in it is made up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from shaped import DAY, EPOCH, FIRST, HOUR, MINUTE, Case, N, rows, span, v, x, y

HOURLY, DAILY, MINUTES = span(), span(DAY), span(MINUTE)
T = [FIRST + i * HOUR for i in range(N)]
MS = [(EPOCH + 3600 * i) * 1000 for i in range(N)]
ISO = [f"{t:%Y-%m-%dT%H:%M:%SZ}" for t in T]


def table(row: Any, n: int = N) -> list[Any]:
    """A row for each moment."""
    return [row(i) for i in range(n)]


METEO = {
    "latitude": 52.52, "longitude": 13.42, "generationtime_ms": 0.08, "utc_offset_seconds": 0, "timezone": "GMT", "elevation": 38.0,
    "hourly_units": {"time": "iso8601", "temperature_2m": "°C", "rain": "mm"},
    "hourly": {"time": [f"{t:%Y-%m-%dT%H:%M}" for t in T], "temperature_2m": table(x), "rain": table(lambda i: None if i == 5 else i % 4 / 10)},
    "daily_units": {"time": "iso8601", "sunrise": "iso8601"},
    "daily": {"time": ["2024-03-04", "2024-03-05", "2024-03-06"], "sunrise": ["2024-03-04T06:40", "2024-03-05T06:38", "2024-03-06T06:36"]},
}  # fmt: skip
QUAKES = {
    "type": "FeatureCollection", "metadata": {"generated": MS[-1] + 5000, "url": "https://x", "count": N},
    "features": [{"type": "Feature", "properties": {"mag": x(i) / 10, "place": f"{i} km N of X", "time": MS[i], "updated": MS[-1] + 9000 + i, "tz": None, "felt": None if i % 9 else 3, "tsunami": 0, "nst": i * 7 % 40, "type": "earthquake"}, "geometry": {"type": "Point", "coordinates": [-116.8, 33.5, x(i)]}, "id": f"ci{i}"} for i in reversed(range(N))],
}  # fmt: skip
HITS = {
    "took": 5, "timed_out": False, "_shards": {"total": 1, "successful": 1}, "hits": {"total": {"value": N, "relation": "eq"}, "max_score": None, "hits": table(lambda i: {"_index": "metrics-1", "_id": f"a{i}", "_score": None, "_source": {"@timestamp": ISO[i], "host": {"name": "web01"}, "system": {"cpu": {"pct": x(i) / 100}, "load": {"1": x(i) / 9}}}, "sort": [MS[i]]})},
}  # fmt: skip
BUCKETS = {
    "took": 5, "hits": {"total": {"value": 10000}, "hits": []}, "aggregations": {"0": {"buckets": table(lambda i: {"key_as_string": ISO[i], "key": MS[i], "doc_count": int(y(i)), "1": {"value": x(i)}})}},
}  # fmt: skip
CLOUDWATCH = {
    "MetricDataResults": [{"Id": f"m{k}", "Label": label, "Timestamps": ISO[::-1], "Values": [x(i + k) for i in reversed(range(N))], "StatusCode": "Complete"} for k, label in enumerate(("CPUUtilization", "NetworkIn"))], "Messages": [],
}  # fmt: skip
DATADOG = {
    "status": "ok", "res_type": "time_series", "from_date": MS[0], "to_date": MS[-1],
    "series": [{"metric": "system.cpu.user", "scope": f"host:{h}", "interval": 3600, "pointlist": table(lambda i, k=k: [float(MS[i]), x(i + k)]), "unit": [{"family": "percentage", "name": "percent"}, None], "tag_set": []} for k, h in enumerate("ab")],
}  # fmt: skip
TSDB = [{"metric": "sys.cpu.user", "tags": {"host": h}, "aggregateTags": [], "dps": {str(EPOCH + 3600 * i): x(i + k) for i in range(N)}} for k, h in enumerate("ab")]  # fmt: skip
ALPHA = {
    "Meta Data": {"1. Information": "Intraday (60min) prices", "2. Symbol": "IBM", "3. Last Refreshed": f"{T[-1]:%Y-%m-%d %H:%M:%S}"},
    "Time Series (60min)": {f"{T[i]:%Y-%m-%d %H:%M:%S}": {"1. open": v(i), "4. close": v(i + 1), "5. volume": str(int(y(i)))} for i in reversed(range(N))},
}  # fmt: skip
EIA = {
    "response": {"total": str(N), "dateFormat": 'YYYY-MM-DD"T"HH24', "frequency": "hourly", "data": [{"period": f"{T[i]:%Y-%m-%dT%H}", "respondent": "CAL", "respondent-name": "California", "type": k, "type-name": n, "value": str(int(y(i)) + len(n)), "value-units": "megawatthours"} for i in reversed(range(N)) for k, n in (("D", "Demand"), ("NG", "Net generation"))]},
    "request": {"command": "/v2/electricity/rto/region-data/data/"}, "apiVersion": "2.1.4",
}  # fmt: skip
STATES = [[{"entity_id": e, "state": v(k), "attributes": {"unit_of_measurement": "°C"}, "last_changed": f"{FIRST:%Y-%m-%dT%H:%M:%S}+00:00"}, *table(lambda i, k=k: {"state": "unavailable" if i == 20 else v(i + 1 + k), "last_changed": f"{T[i] + HOUR:%Y-%m-%dT%H:%M:%S}+00:00"}, N - 1)] for k, e in enumerate(("sensor.a", "sensor.b"))]  # fmt: skip
TTN = "".join(json.dumps({"end_device_ids": {"device_id": "soil-1", "application_ids": {"application_id": "farm"}, "dev_addr": "26011"}, "received_at": ISO[i], "uplink_message": {"f_port": 2, "f_cnt": 100 + i, "decoded_payload": {"temperature": x(i), "moisture": x(i + 9)}, "rx_metadata": [{"gateway_ids": {"gateway_id": "gw"}, "rssi": -90 - i % 9, "snr": 7.5}]}}) + "\n" for i in range(N))  # fmt: skip

DOCUMENTS = {
    "open-meteo": Case("forecast.json", json.dumps(METEO), ("temperature_2m", "rain"), "time", HOURLY, value=x(0)),
    "geojson": Case("all_day.geojson", json.dumps(QUAKES), ("properties.mag", "properties.nst"), "properties.time", HOURLY, maybe=("properties.felt", "properties.tsunami")),
    "elasticsearch hits": Case("hits.json", json.dumps(HITS), ("_source.system.cpu.pct", "_source.system.load.1"), "_source.@timestamp", HOURLY, "_source.host.name"),
    "elasticsearch buckets": Case("agg.json", json.dumps(BUCKETS), ("doc_count", "1.value"), ("key_as_string", "key"), HOURLY),
    "cloudwatch": Case("metric-data.json", json.dumps(CLOUDWATCH), ("Values",), "Timestamps", HOURLY, "Label", 2 * N),
    "datadog": Case("query.json", json.dumps(DATADOG), ("value",), "time", HOURLY, "series", 2 * N, value=x(0)),
    "opentsdb": Case("tsdb.json", json.dumps(TSDB), ("value",), "time", HOURLY, "series", 2 * N, value=x(0)),
    "alpha vantage": Case("intraday.json", json.dumps(ALPHA, indent=4), ("1. open", "4. close", "5. volume"), "time", HOURLY, value=x(0)),
    "eia": Case("rto.json", json.dumps(EIA), ("value",), "period", HOURLY, "type", 2 * N),
    "home assistant minimal": Case("history.json", json.dumps(STATES), ("state",), "last_changed", HOURLY, "entity_id", 2 * N, dead=-1),
    "the things network": Case("uplinks.jsonl", TTN, ("uplink_message.decoded_payload.temperature", "uplink_message.decoded_payload.moisture"), "received_at", HOURLY, "end_device_ids.device_id"),
    "fitbit": Case("heart_rate-2024-03-04.json", json.dumps(table(lambda i: {"dateTime": f"{FIRST + i * timedelta(seconds=5):%m/%d/%y %H:%M:%S}", "value": {"bpm": int(x(i)) + 50, "confidence": i % 3 + 1}}), indent=2), ("value.bpm", "value.confidence"), "dateTime", span(timedelta(seconds=5))),
    "zabbix": Case("history.get.json", json.dumps({"jsonrpc": "2.0", "result": [{"itemid": str(23296 + k), "clock": str(EPOCH + 60 * i), "value": v(i + k), "ns": str(563157632 + i * i)} for i in range(N) for k in (0, 1)], "id": 1}), ("value",), "clock", MINUTES, "itemid", 2 * N),
    "pageviews": Case("pageviews.json", json.dumps({"items": table(lambda i: {"project": "en.wikipedia", "article": "Solar", "granularity": "daily", "timestamp": f"{FIRST + i * DAY:%Y%m%d}00", "access": "all-access", "agent": "all-agents", "views": int(y(i))})}), ("views",), "timestamp", DAILY),
    "array with names": Case("plasma-7-day.json", json.dumps([["time_tag", "density", "speed", "temperature"], *table(lambda i: [f"{T[i]:%Y-%m-%d %H:%M:%S.000}", v(i) if i != 7 else None, f"{y(i):.1f}", str(int(y(i) * 90))])]), ("density", "speed", "temperature"), "time_tag", HOURLY),
    "klines api": Case("klines.json", json.dumps(table(lambda i: [MS[i], v(i), v(i + 1), f"{y(i):.8f}", MS[i] + 3599999, f"{y(i + 2):.8f}", 100 + i * i % 91, "0"])), ("c1", "c2", "c3", "c5", "c6"), "c0", HOURLY, maybe=("c7",)),
    "pandas split": Case("split.json", json.dumps({"columns": ["time", "load", "temp"], "index": list(range(N)), "data": table(lambda i: [MS[i], y(i), x(i)])}), ("load", "temp"), "time", HOURLY),
    "pandas columns": Case("frame.json", json.dumps({"time": {str(i): MS[i] for i in range(N)}, "load": {str(i): y(i) for i in range(N)}, "temp": {str(i): None if i == 4 else x(i) for i in range(N)}}), ("load", "temp"), "time", HOURLY),
    "pandas series": Case("series.json", json.dumps({str(MS[i]): x(i) for i in range(N)}), ("value",), "time", HOURLY),
    "pandas index": Case("index.json", json.dumps({f"{t:%Y-%m-%dT%H:%M:%S.000Z}": {"load": y(i), "temp": x(i)} for i, t in enumerate(T)}), ("load", "temp"), "time", HOURLY),
    "columns at once": Case("columns.json", json.dumps({"timestamps": [EPOCH + 3600 * i for i in range(N)], "flow": table(x), "pressure": table(y)}), ("flow", "pressure"), "timestamps", HOURLY),
    "data with meta": Case("data.json", json.dumps({"meta": {"unit": "kW"}, "data": table(lambda i: {"start": ISO[i], "end": f"{T[i] + HOUR:%Y-%m-%dT%H:%M:%SZ}", "readings": {"power": y(i), "voltage": x(i) + 210}})}, indent=1), ("readings.power", "readings.voltage"), "start", HOURLY),
    "json sequence of samples": Case("iot.ndjson", rows(lambda i, t: json.dumps({"deviceId": f"d{i % 3}", "ts": int(t.timestamp()), "payload": {"accel": [x(i), x(i + 1), x(i + 2)], "battery": 90 - i % 4}}), timedelta(seconds=20)), ("payload.accel.0", "payload.accel.1", "payload.accel.2", "payload.battery"), "ts", span(timedelta(seconds=20)), "deviceId"),
    "shelly": Case("shelly.json", json.dumps({"filler": "x", "history": [{"datetime": f"{t:%Y-%m-%d %H:%M:%S}", "consumption": y(i), "cost": x(i) / 100, "missing": False} for i, t in enumerate(T)], "sum": 1234.5}), ("consumption", "cost"), "datetime", HOURLY),
}  # fmt: skip
"""By what it is."""
