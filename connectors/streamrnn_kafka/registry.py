"""Avro and Protobuf in the Confluent wire format, with schemas from a Schema Registry.

A value is the byte 0, the schema's number (4 bytes, big-endian) and the data; for Protobuf the path of the message
inside its file stands in between. Schemas never change once they have a number, so each is asked for once.
The client is Confluent's own; schemas of Protobuf are asked for in the registry's ``serialized`` form, a file
descriptor, so that no compiler of Protobuf is needed.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib
import io
import json
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from streamrnn.errors import AccessError, ConfigError, UnavailableError
from streamrnn_kafka.values import RecordError

if TYPE_CHECKING:
    from streamrnn_kafka.options import SourceOptions

__all__ = ["Registry", "avro_loader", "protobuf_loader"]

TIMEOUT_S: Final = 10.0
TRIES: Final = 5
SCHEMAS: Final = 1000
"""Schemas kept, and numbers that the registry does not know: damaged records name many, and shall not ask for each again."""

# What fastavro raises for bytes that are not of their schema. MemoryError: a length of 2^60.
_AVRO_FAULTS: Final = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, StopIteration, MemoryError)


def _needed(module: str) -> Any:
    """Import what the extra ``registry`` brings."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"[source] format: avro and protobuf need {error.name}. Install it with: pip install 'streamrnn[registry]'."
        ) from error


class Registry:
    """The schemas of a Schema Registry, by number.

    Parameters
    ----------
    options
        The options of the source that begin with ``registry``.

    Raises
    ------
    ConfigError
        When the extra ``registry`` is not installed, or the address is none.
    """

    def __init__(self, options: SourceOptions) -> None:
        self.url = options.registry
        package = _needed("confluent_kafka.schema_registry")
        settings: dict[str, Any] = {
            "url": self.url, "timeout": TIMEOUT_S, "max.retries": TRIES, "retries.wait.ms": 250, "retries.max.wait.ms": 2000,
        }  # fmt: skip
        if options.registry_username is not None:
            settings["basic.auth.user.info"] = f"{options.registry_username}:{options.registry_password}"
        if options.registry_ca_file is not None:
            settings["ssl.ca.location"] = options.registry_ca_file
        try:
            self._client = package.SchemaRegistryClient(settings)
        except (ValueError, OSError) as error:
            raise ConfigError(f"[source] registry: {error}.") from None
        self._refused = package.error.SchemaRegistryError
        self._avro = functools.lru_cache(SCHEMAS)(self._parse_avro)
        self._protobuf = functools.lru_cache(SCHEMAS)(self._build_protobuf)

    def avro(self, number: int) -> Any:
        """Return a schema of Avro as fastavro wants it.

        Parameters
        ----------
        number
            The schema's id in the registry.

        Raises
        ------
        RecordError
            When there is no such schema of Avro.
        UnavailableError
            When the registry does not answer: nothing is wrong with the record.
        AccessError
            When it refuses the credentials.
        """
        return _or_raise(self._avro(number))

    def protobuf(self, number: int, path: tuple[int, ...]) -> Any:
        """Return the class of a message: the one at ``path`` in the schema's file. Raises as :meth:`avro`.

        Parameters
        ----------
        number
            The schema's id in the registry.
        path
            Indices of the message and of those it is nested in, outermost first.
        """
        return _or_raise(self._protobuf(number, path))

    def _ask(self, number: int, question: Callable[[], Any]) -> Any:
        """Return the registry's answer, or the fault of a record that names what the registry has not."""
        try:
            return question()
        except self._refused as error:
            if error.http_status_code in (401, 403):
                raise AccessError(f"The schema registry at {self.url} refuses us: {error}.") from error
            if error.http_status_code != 404:
                raise UnavailableError(f"The schema registry at {self.url} failed: {error}.") from error
            return RecordError(f"Its schema {number} is unknown to the registry.")
        except Exception as error:  # the HTTP library has a tree of errors of its own, by version
            raise UnavailableError(
                f"The schema registry at {self.url} does not answer: {error}. Does it run, and is that its address?"
            ) from error

    def _parse_avro(self, number: int) -> Any:
        answer = self._ask(number, lambda: self._client.get_schema(number))
        if isinstance(answer, RecordError):
            return answer
        if (answer.schema_type or "AVRO") != "AVRO":
            return RecordError(f"Its schema {number} is one of {answer.schema_type}, not of Avro.")
        parse = _needed("fastavro").parse_schema
        named: dict[str, Any] = {}
        try:
            for one in self._references(number, answer, None):
                parse(json.loads(one[1].schema_str), named)
            schema = parse(json.loads(answer.schema_str), named)
        except Exception as error:  # noqa: BLE001  fastavro's own errors, and whatever else a schema that is none leads to
            return RecordError(f"Its schema {number} cannot be used: {type(error).__name__}: {error}.")
        if _recursive(schema, named, ()):
            return RecordError(f"Its schema {number} contains itself, which is not supported.")
        return schema

    def _references(self, number: int, schema: Any, form: str | None) -> list[tuple[str, Any]]:
        """Return what a schema refers to, each before those that refer to it, as (name, schema)."""
        found: dict[str, Any] = {}

        def visit(one: Any) -> None:
            for reference in one.references or ():
                if reference.name not in found:
                    subject, version = reference.subject, reference.version
                    found[reference.name] = None
                    answer = self._ask(number, lambda: self._client.get_version(subject, version, fmt=form))  # noqa: B023
                    if isinstance(answer, RecordError):
                        raise answer
                    visit(answer.schema)
                    del found[reference.name]
                    found[reference.name] = answer.schema

        visit(schema)
        return list(found.items())

    def _build_protobuf(self, number: int, path: tuple[int, ...]) -> Any:
        answer = self._ask(number, lambda: self._client.get_schema(number, fmt="serialized"))
        if isinstance(answer, RecordError):
            return answer
        if answer.schema_type != "PROTOBUF":
            return RecordError(f"Its schema {number} is one of {answer.schema_type or 'AVRO'}, not of Protobuf.")
        pools, factory = _needed("google.protobuf.descriptor_pool"), _needed("google.protobuf.message_factory")
        pool = pools.DescriptorPool()
        try:
            for name, schema in self._references(number, answer, "serialized"):
                _add_file(pool, name, schema.schema_str)
            name = f"schema-{number}.proto"
            messages = list(_add_file(pool, name, answer.schema_str).message_types_by_name.values())
            kind = messages[path[0]]
            for step in path[1:]:
                kind = kind.nested_types[step]
        except RecordError as error:
            return error
        except (
            IndexError,
            KeyError,
            TypeError,
            ValueError,
            binascii.Error,
        ) as error:  # the pool's errors are TypeErrors
            return RecordError(f"Its schema {number} has no usable message {list(path)}: {error}.")
        return factory.GetMessageClass(kind)


def _or_raise(answer: Any) -> Any:
    if isinstance(answer, RecordError):
        raise RecordError(str(answer))
    return answer


def _add_file(pool: Any, name: str, text: str) -> Any:
    """Add a file descriptor, written in base64, to a pool, and the well-known files that it needs. Return it."""
    descriptors, default = (
        _needed("google.protobuf.descriptor_pb2"),
        _needed("google.protobuf.descriptor_pool").Default(),
    )
    file = descriptors.FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    file.name = name
    for needed in file.dependency:
        if needed.startswith("google/protobuf/"):
            _needed(needed.removesuffix(".proto").replace("/", ".") + "_pb2")  # puts itself into the default pool
            pool.AddSerializedFile(default.FindFileByName(needed).serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(name)


def _recursive(schema: Any, named: Mapping[str, Any], inside: tuple[str, ...]) -> bool:
    """Tell whether a record of Avro can hold itself: then a short value can nest deeper than any stack."""
    if isinstance(schema, str):
        return schema in inside or (schema in named and _recursive(named[schema], named, inside))
    if isinstance(schema, list):
        return any(_recursive(one, named, inside) for one in schema)
    kind = schema["type"]
    if kind in ("record", "error"):
        within = (*inside, schema["name"])
        return any(_recursive(field["type"], named, within) for field in schema["fields"])
    if kind == "array":
        return _recursive(schema["items"], named, inside)
    if kind == "map":
        return _recursive(schema["values"], named, inside)
    return not isinstance(kind, str) and _recursive(kind, named, inside)


def _schema_number(value: bytes) -> int:
    if len(value) < 5 or value[0] != 0:
        raise RecordError("Its value has no schema number: a byte 0 and four more must come first.")
    return int(struct.unpack_from(">I", value, 1)[0])


def avro_loader(registry: Registry) -> Callable[[bytes], Any]:
    """Return what reads a value of Avro as objects of Python.

    Parameters
    ----------
    registry
        Where schemas come from.
    """
    read = _needed("fastavro").schemaless_reader

    def load(value: bytes) -> Any:
        number = _schema_number(value)
        schema = registry.avro(number)
        rest = io.BytesIO(value[5:])
        try:
            found = read(rest, schema, None)
        except _AVRO_FAULTS as error:
            raise RecordError(f"Its value is not of its schema {number}: {type(error).__name__}: {error}.") from None
        if rest.read(1):
            raise RecordError(f"Its value is not of its schema {number}: there is more than the schema says.")
        return found

    return load


def _zigzag(value: bytes, at: int) -> tuple[int, int]:
    """Return the number in zigzag that begins at a place, and the place behind it."""
    number = 0
    for shift in range(0, 35, 7):
        if at >= len(value):
            break
        byte = value[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise RecordError("Its value names no message: the path behind the schema's number is cut or too long.")


def _message_path(value: bytes) -> tuple[tuple[int, ...], int]:
    """Return which message of its file a value holds, and where its bytes begin."""
    count, at = _zigzag(value, 5)
    if count == 0:  # short for the first one
        return (0,), at
    if not 0 < count <= 32:
        raise RecordError(f"Its value names no message: a path of {count} steps.")
    path = []
    for _ in range(count):
        step, at = _zigzag(value, at)
        if step < 0:
            raise RecordError(f"Its value names no message: message {step}.")
        path.append(step)
    return tuple(path), at


def protobuf_loader(registry: Registry, wanted: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """Return what reads the wanted fields of a message, a tree of names, as objects of Python.

    Parameters
    ----------
    registry
        Where schemas come from.
    wanted
        The fields to read by name: each with those inside it.
    """
    fault = _needed("google.protobuf.message").DecodeError

    def load(value: bytes) -> Any:
        number = _schema_number(value)
        path, at = _message_path(value)
        kind = registry.protobuf(number, path)
        try:
            message = kind.FromString(value[at:])
        except fault as error:
            raise RecordError(f"Its value is not of its schema {number}: {error}.") from None
        return _read(message, wanted)

    return load


def _read(message: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a message; those that are not set, or not there, are left out."""
    found: dict[str, Any] = {}
    for name, below in wanted.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None or (field.has_presence and not message.HasField(name)):
            continue
        value = getattr(message, name)
        if field.is_repeated:
            found[name] = [str(one) for one in value]
        elif field.message_type is None:
            found[name] = value
        elif isinstance(below, Mapping):
            found[name] = _read(value, below)
        else:  # a moment as text, a wrapped number as number
            found[name] = _needed("google.protobuf.json_format").MessageToDict(value)
    return found
