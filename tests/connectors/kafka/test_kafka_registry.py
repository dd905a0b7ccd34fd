"""Avro, Protobuf, keys with a format, and CloudEvents. The Schema Registry is a server of its documented HTTP interface."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import math
import random
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import fastavro
import msgspec
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2, wrappers_pb2
from kafka import TopicPartition

from streamrnn.errors import AccessError, ConfigError, UnavailableError
from streamrnn_kafka import KafkaSource
from streamrnn_kafka.cloudevents import opened
from streamrnn_kafka.formats import FORMATS, Decoder, Fields
from streamrnn_kafka.registry import Registry
from streamrnn_kafka.values import RecordError

PLACE = {"type": "record", "name": "Place", "fields": [{"name": "level", "type": ["null", "double"]}]}
FLOW = {
    "type": "record",
    "name": "Flow",
    "fields": [
        {"name": "flow", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "place", "type": "Place"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "id", "type": "long"},
    ],
}
LIST = {
    "type": "record",
    "name": "List",
    "fields": [{"name": "flow", "type": "int"}, {"name": "next", "type": ["null", "List"]}],
}


def proto(name, package, *messages, needs=()):
    """Return a file descriptor: messages are (name, [(field, type or message type)])."""
    file = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=needs)
    for title, fields in messages:
        message = file.message_type.add(name=title)
        for number, (field, kind) in enumerate(fields, 1):
            one = message.field.add(name=field, number=number, label=1)
            if isinstance(kind, str):
                one.type, one.type_name = 11, kind
            else:
                one.type = kind
    return file


DOUBLE, INT64 = 1, 3
COMMON = proto("common.proto", "c", ("Place", [("level", DOUBLE)]))
MAIN = proto(
    "main.proto", "m", ("Other", [("x", DOUBLE)]),
    ("Flow", [("flow", ".google.protobuf.DoubleValue"), ("place", ".c.Place"), ("at", ".google.protobuf.Timestamp"), ("id", INT64)]),
    needs=["common.proto", "google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"],
)  # fmt: skip

SCHEMAS = {
    1: {"schema": json.dumps(FLOW), "references": [{"name": "Place", "subject": "place", "version": 1}]},
    2: {"schema": base64.b64encode(MAIN.SerializeToString()).decode(), "schemaType": "PROTOBUF",
        "references": [{"name": "common.proto", "subject": "common", "version": 1}]},
    3: {"schema": json.dumps(LIST)},
    4: {"schema": '"string"'},
    5: {"schema": "{not json"},
}  # fmt: skip
SUBJECTS = {"place": {"schema": json.dumps(PLACE), "id": 11},
            "common": {"schema": base64.b64encode(COMMON.SerializeToString()).decode(), "schemaType": "PROTOBUF", "id": 12}}  # fmt: skip


class Interface(BaseHTTPRequestHandler):
    """``GET /schemas/ids/{id}`` and ``GET /subjects/{subject}/versions/{version}``, with Basic authentication."""

    def do_GET(self):
        self.server.asked.append(self.path)
        _, kind, name, *rest = urlsplit(self.path).path.split("/")
        answer, status = None, 200
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret").decode():
            answer, status = {"error_code": 40101, "message": "Unauthorized"}, 401
        elif kind == "schemas":
            answer = SCHEMAS.get(int(rest[0]))
        else:
            answer = {"subject": name, "version": int(rest[1]), **SUBJECTS[name]}
        if answer is None:
            answer, status = {"error_code": 40403, "message": "Schema not found"}, 404
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    """A registry on a free port; ``asked`` holds the paths."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Interface) as found:
        found.asked = []
        Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def options(server, **more):
    """Return options of a source with this registry."""
    given = {
        "registry": f"http://127.0.0.1:{server.server_port}", "registry_username": "me", "registry_password": "secret",
        "servers": "localhost:1", "group": "watch", "columns": ["flow", "place.level"], "time": "at", "key": "id",
    }  # fmt: skip
    return KafkaSource.from_topics("flow", **{**given, "format": "avro", **more}).options


def decoder(server, form, *columns):
    """Return a decoder of a format, all fields or some."""
    fields = Fields(columns or ("flow", "place.level"), None if columns else "at", None if columns else "id")
    fields = Fields(fields.columns, fields.time, fields.key, registry=Registry(options(server)))
    return Decoder(FORMATS[form], fields, 10_000)


def avro(number=1, **more):
    named = {}
    fastavro.parse_schema(PLACE, named)
    out = io.BytesIO()
    at = dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)
    record = {"flow": 1250, "place": {"level": -2.5}, "at": at, "id": 7, **more}
    record["flow"] = __import__("decimal").Decimal(record["flow"]).scaleb(-2)
    fastavro.schemaless_writer(out, fastavro.parse_schema(FLOW, named), record)
    return b"\0" + struct.pack(">I", number) + out.getvalue()


def message(path=b"\x02\x02", number=2, level=-2.5):
    pool = descriptor_pool.DescriptorPool()
    for file in (timestamp_pb2, wrappers_pb2):
        pool.AddSerializedFile(file.DESCRIPTOR.serialized_pb)
    for file in (COMMON, MAIN):
        pool.AddSerializedFile(file.SerializeToString())
    one = message_factory.GetMessageClass(pool.FindMessageTypeByName("m.Flow"))()
    one.flow.value, one.place.level, one.id = 12.5, level, 7
    one.at.FromJsonString("2024-01-31T12:00:00Z")
    return b"\0" + struct.pack(">I", number) + path + one.SerializeToString()


WRITTEN = {"avro": (avro, "2024-01-31T12:00:00+00:00"), "protobuf": (message, "2024-01-31T12:00:00Z")}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_value_with_a_schema(server, form):
    """Features, time and key come out, schemas that refer to others included; each is asked for once."""
    write, at = WRITTEN[form]
    read = decoder(server, form)
    server.asked.clear()

    found = read.columns([write()] * 3)
    again = read.columns([write()])

    assert found.values.tolist() == [[12.5, -2.5]] * 3
    assert (found.times, found.keys, found.faults) == ([at] * 3, ["7"] * 3, {})
    assert again.values.tolist() == [[12.5, -2.5]]
    assert len(server.asked) == 2  # the schema, and the one it refers to


@pytest.mark.parametrize(
    ("form", "written"), [("avro", avro(place={"level": -0.0})), ("protobuf", message(level=-0.0))]
)
def test_zero_keeps_its_sign(server, form, written):
    """-0.0 is read as -0.0."""
    level = decoder(server, form).columns([written]).values[0, 1]

    assert math.copysign(1, level) == -1.0
    assert level == 0


FAULTS = {
    "avro": {
        b"\1aaaaa": "no schema number",
        b"\0\0\0": "no schema number",
        b"\0\0\0\0\x63x": "schema 99 is unknown",
        b"\0\0\0\0\2x": "schema 2 is one of PROTOBUF, not of Avro",
        b"\0\0\0\0\3x": "contains itself",
        b"\0\0\0\0\5x": "cannot be used",
        b"\0\0\0\0\4\x02a": "not an object",
        avro()[:-2]: "is not of its schema 1",
        avro() + b"x": "more than the schema says",
    },
    "protobuf": {
        b"\0\0\0\0\2": "names no message",
        b"\0\0\0\0\2\xff\xff\xff\xff\xff\xff": "names no message",
        b"\0\0\0\0\2\x02\x63": "names no message",
        b"\0\0\0\0\1\0": "schema 1 is one of AVRO, not of Protobuf",
        message(b"\x02\x0c"): "no usable message [6]",
        message()[:-1]: "is not of its schema 2",
    },
}


@pytest.mark.parametrize(("form", "value"), [(form, value) for form, rows in FAULTS.items() for value in rows])
def test_the_reason_is_said(server, form, value):
    """What is no record of its schema is told so, and takes nothing of its neighbours with it."""
    write, _ = WRITTEN[form]

    found = decoder(server, form).columns([write(), value, write()])

    assert found.values.tolist() == [[12.5, -2.5]] * 2
    assert list(found.faults) == [1]
    assert FAULTS[form][value] in found.faults[1]


@pytest.mark.parametrize("form", WRITTEN)
def test_mutated_values(server, form):
    """Whatever bytes change, each record is an event or a fault with a reason, and neighbours stay what they are."""
    write, _ = WRITTEN[form]
    good, chance, read = write(), random.Random(1), decoder(server, form, "flow")
    values = []
    for _ in range(300):
        value = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            value[chance.randrange(5, len(value))] = chance.randrange(256)
        values += [bytes(value[: chance.randint(0, len(value))]) if chance.random() < 0.3 else bytes(value), good]

    found = read.columns(values)

    assert all(i % 2 == 0 for i in found.faults)
    assert found.faults
    assert all(reason.endswith(".") for reason in found.faults.values())
    assert len(found.values) == len(values) - len(found.faults)


def test_an_unknown_number_is_asked_for_once(server):
    """Damaged records name numbers that are none: the registry hears of each one time."""
    read = decoder(server, "avro")
    server.asked.clear()

    found = read.columns([b"\0\0\0\0\x63x"] * 50)

    assert len(found.faults) == 50
    assert len(server.asked) == 1


def test_a_registry_that_is_away_or_refuses_is_no_fault_of_the_record(server):
    """Then nothing becomes a dead letter: the run ends with the reason, and without the password."""
    wrong = Registry(options(server, registry_password="guess"))
    away = Registry(options(server, registry="http://127.0.0.1:9"))

    with pytest.raises(AccessError, match="refuses us") as refused:
        wrong.avro(1)
    with pytest.raises(UnavailableError, match="does not answer"):
        away.avro(1)
    assert "guess" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"registry": None, "registry_username": None, "registry_password": None}, "registry: is missing"),
        ({"format": "json"}, "registry: has a meaning with the formats avro and protobuf only"),
        ({"registry_password": None}, "registry_username: goes together with registry_password"),
        ({"key_format": "json"}, "key_format: has a meaning with record_key = true only"),
        ({"key": None, "record_key": True, "key_field": "id"}, "key_field: a key that is text has no fields"),
        ({"key": None, "record_key": True, "key_format": "protobuf"}, "key_field: is missing"),
        ({"format": "csv", "csv_fields": ["ce.time"], "cloudevents": True, "registry": None, "registry_username": None,
          "registry_password": None}, "csv_fields"),
    ],
)  # fmt: skip
def test_options_that_contradict_each_other(server, given, said):
    """Each is told by its name."""
    with pytest.raises(ConfigError, match=said):
        options(server, **given)


def record(offset, value, key=None, headers=()):
    return SimpleNamespace(offset=offset, value=value, key=key, headers=headers, timestamp=1000 * offset)


def block(source, *records):
    return source._reader.block(TopicPartition("flow", 0), records)


KEYS = {
    "text": (b"a7", "a7"),
    "json": (b'{"id": {"no": 7}}', "7"),
    "msgpack": (msgspec.msgpack.encode({"id": {"no": "a7"}}), "a7"),
    "avro": (avro(), "7"),
    "protobuf": (message(), "7"),
}


@pytest.mark.parametrize("form", KEYS)
def test_keys(server, form):
    """A record's key has a format of its own; one that cannot be read is a dead letter, with its place."""
    key, series = KEYS[form]
    field = {"text": None, "json": "id.no", "msgpack": "id.no"}.get(form, "id")
    registered = (
        {} if form in ("avro", "protobuf") else dict.fromkeys(["registry", "registry_username", "registry_password"])
    )
    given = {"format": "json", "key": None, "record_key": True, "key_format": form, "key_field": field, **registered}
    source = KafkaSource(options(server, columns=["flow"], time=None, **given))
    good = b'{"flow": 1}'

    found = block(source, record(5, good, key), record(6, good, b"\xff"), record(7, b"{", key), record(8, good))

    bad = [7] if form == "text" else [6, 7]
    assert [one.position for one in found.dead_letters] == bad
    assert found.dead_letters[0].reason.startswith("Its value" if form == "text" else "Its key")
    assert list(found.keys) == ([series, "\\xff", None] if form == "text" else [series, None])
    assert found.positions == [one for one in (5, 6, 7, 8) if one not in bad]
    assert found.times == [one / 1 for one in found.positions]


CE = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/pump", "ce_type": "flow", "ce_time": "2024-01-31T12:00:00Z"}
BINARY = [(name, text.encode()) for name, text in CE.items()]
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def envelope(**more):
    return json.dumps({name[3:]: text for name, text in CE.items()} | {"data": {"flow": 12.5}} | more).encode()


def test_cloud_events(server):
    """Binary and structured ones, side by side: fields are those of the data, attributes begin with ce."""
    given = {"format": "json", "columns": ["flow"], "time": "ce.time", "key": "ce.source", "cloudevents": True}
    registered = dict.fromkeys(["registry", "registry_username", "registry_password"])
    source = KafkaSource(options(server, **given, **registered))

    found = block(
        source,
        record(0, b'{"flow": 12.5}', headers=BINARY),
        record(1, envelope(), headers=STRUCTURED),
        record(2, envelope(data=None, data_base64="eyJmbG93IjogMTIuNX0="), headers=STRUCTURED),
        record(3, envelope()),
    )

    assert found.values.tolist() == [[12.5]] * 3
    assert list(found.times) == [CE["ce_time"]] * 3
    assert list(found.keys) == ["/pump"] * 3
    assert [(one.position, one.reason) for one in found.dead_letters] == [
        (3, "It is no CloudEvent: neither its content-type nor a header ce_specversion says so.")
    ]


@pytest.mark.parametrize(
    ("value", "headers", "said"),
    [
        (b"{}", [("ce_specversion", b"1.0")], "attribute 'id' is missing"),
        (b"{}", [("ce_specversion", b"\xff")], "not UTF-8"),
        (b"{}", [*BINARY, ("ce_specversion", b"0.3")], "version is '0.3'"),
        (b"7", BINARY, "data is not an object"),
        (b"[]", STRUCTURED, "envelope is not an object"),
        (b"{", STRUCTURED, "not JSON"),
        (envelope(data_base64="?"), STRUCTURED, "not base64"),
        (envelope(data_base64=7), STRUCTURED, "not base64"),
        (envelope(id=7), STRUCTURED, "attribute 'id' is missing"),
        (b"{}", [("content-type", b"application/cloudevents-batch+json")], "none that is read"),
    ],
)
def test_no_cloud_event(value, headers, said):
    """What is missing is said."""
    load = FORMATS["json"].load(Fields(("flow",)))

    with pytest.raises(RecordError, match=said):
        opened(value, headers, load, load)
