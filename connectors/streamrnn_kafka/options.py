"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from streamrnn.errors import ConfigError
from streamrnn_kafka.letters import LEAST_RECORD_BYTES

__all__ = [
    "ConnectionOptions",
    "SinkOptions",
    "SourceOptions",
    "check_topic",
    "check_topics",
    "start_ms",
    "start_offset",
]

TOPIC_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def check_topic(option: str, name: str) -> None:
    """Raise where Kafka would not take ``name`` for a topic (or a group, or a member: one rule for all, ours).

    Parameters
    ----------
    option
        The option that names it, for the message.
    name
        The name.

    Raises
    ------
    ConfigError
        When Kafka would not take it.
    """
    if not TOPIC_NAME.fullmatch(name) or name in (".", ".."):
        raise ConfigError(f"{option}: must be 1 to 249 of the characters a-z A-Z 0-9 . _ -. Got {name!r} instead.")


def check_topics(topic: str, dead_letters: str | None, state: str | None, alarms: str | None = None) -> None:
    """Raise where Kafka would not take one of a sink's topics, or two of them are the same.

    Parameters
    ----------
    topic
        The topic of results.
    dead_letters
        The topic of dead letters, or None.
    state
        The topic of snapshots, or None.
    alarms
        The topic of alarms, or None.

    Raises
    ------
    ConfigError
        When Kafka would not take one of them, or two are the same.
    """
    named = [("[sink] topic", topic), ("[dead_letter] topic", dead_letters), ("[state] topic", state)]
    named.append(("[alarms] topic", alarms))
    given = [(option, name) for option, name in named if name is not None]
    for i, (option, name) in enumerate(given):
        check_topic(option, name)
        for other, same in given[:i]:
            if name == same:
                raise ConfigError(f"{option}: must differ from {other}. Both are {name!r}.")


START_OFFSETS = re.compile(r"offset(?: (?P<all>\d{1,18})|(?: [^\s=]+=\d{1,18})+)", re.ASCII)


def start_ms(text: str) -> int | None:
    """Return the time that ``start`` names, in ms since 1970, or None where it names none.

    Parameters
    ----------
    text
        The option ``start``.

    Raises
    ------
    ConfigError
        When it is neither ``earliest``, ``latest``, a time nor offsets.
    """
    if text in ("earliest", "latest") or START_OFFSETS.fullmatch(text):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            "[source] start: must be 'earliest', 'latest', a time (2024-01-31T12:00:00Z), 'offset 1200', or "
            f"'offset flow/0=1200 flow/1=900'. Got {text!r} instead."
        ) from None
    return int(1000 * (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp())


def start_offset(text: str, partition: str) -> int | None:
    """Return the offset that ``start`` names for a partition, or None where it names none.

    Parameters
    ----------
    text
        The option ``start``.
    partition
        Name of the partition: ``"flow/0"``.

    Examples
    --------
    >>> from streamrnn_kafka.options import start_offset
    >>> start_offset("offset 12", "flow/0"), start_offset("offset flow/0=12", "flow/0"), start_offset("offset flow/0=12", "flow/1")
    (12, 12, None)
    """
    found = START_OFFSETS.fullmatch(text)
    if found is None:
        return None
    if found["all"] is not None:
        return int(found["all"])
    named = dict(one.split("=") for one in text.split()[1:])
    return int(named[partition]) if partition in named else None


class ConnectionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach the brokers: the part that both connectors share.

    Parameters
    ----------
    servers
        Brokers to ask first, host:port, separated by commas. None: a sink takes the connection of its source.
    tls
        Whether to encrypt the connection, and to check the broker's certificate and name.
    tls_ca_file
        Certificates of authorities to trust, PEM. None: those of the system.
    tls_certificate_file, tls_key_file, tls_key_password
        Our certificate and private key, PEM, where brokers ask for one, and what the key is encrypted with.
    sasl
        The mechanism to log in with. None: no login.
    username, password
        Who logs in, and the password; with OAUTHBEARER the client id and secret.
    oauth_url, oauth_scope, oauth_ca_file
        With OAUTHBEARER: the token endpoint, the scope to ask for, and authorities to trust for it, PEM.
    connect_timeout_s
        How long to try to reach the first broker at start, in seconds.
    """

    servers: Annotated[
        str | None,
        Meta(description="Brokers to ask first, host:port, separated by commas. A sink beside a Kafka source may leave "
             "all options of the connection unset: it takes those of the source."),
    ] = None  # fmt: skip
    tls: Annotated[bool, Meta(description="Encrypt the connection, and check the broker's certificate and name.")] = (
        False
    )
    tls_ca_file: Annotated[
        str | None, Meta(description="Certificates of authorities to trust, PEM. Unset: those of the system.")
    ] = None
    tls_certificate_file: Annotated[
        str | None, Meta(description="Our certificate, PEM, where brokers ask for one; may hold the key too.")
    ] = None
    tls_key_file: Annotated[str | None, Meta(description="Our private key, PEM.")] = None
    tls_key_password: Annotated[str | None, Meta(description="What the private key is encrypted with.")] = None
    sasl: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None,
        Meta(description="How to log in. PLAIN sends the password as it is, OAUTHBEARER a token: only with tls."),
    ] = None
    username: Annotated[str | None, Meta(description="Who logs in. With OAUTHBEARER: the client id.")] = None
    password: Annotated[
        str | None,
        Meta(description="The password; better a reference, ${KAFKA_PASSWORD} or ${file:/run/secrets/kafka}. With "
             "OAUTHBEARER: the client secret."),
    ] = None  # fmt: skip
    oauth_url: Annotated[
        str | None,
        Meta(description="With OAUTHBEARER: where tokens come from, the token endpoint of an OpenID provider "
             "(client credentials). Tokens are renewed before they end."),
    ] = None  # fmt: skip
    oauth_scope: Annotated[str | None, Meta(description="With OAUTHBEARER: the scope to ask for.")] = None
    oauth_ca_file: Annotated[
        str | None,
        Meta(description="With OAUTHBEARER: authorities to trust for oauth_url, PEM. Unset: those of the system."),
    ] = None
    connect_timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="How long to try to reach the first broker at start.")
    ] = 30.0

    def check_connection(self, table: str) -> None:
        """Raise where options of the connection contradict each other; ``table`` names theirs.

        Parameters
        ----------
        table
            The table that these options are in: ``"source"`` or ``"sink"``.

        Raises
        ------
        ConfigError
            When options contradict each other, or a password or token would be sent unencrypted.
        """
        files = [
            name for name in ("tls_ca_file", "tls_certificate_file", "tls_key_file") if getattr(self, name) is not None
        ]
        if files and not self.tls:
            raise ConfigError(f"[{table}] {files[0]}: has a meaning with tls = true only.")
        if self.tls_key_file is not None and self.tls_certificate_file is None:
            raise ConfigError(f"[{table}] tls_key_file: needs tls_certificate_file beside it.")
        for name in ("username", "password"):
            if (getattr(self, name) is None) != (self.sasl is None):
                raise ConfigError(
                    f"[{table}] {name}: 'sasl', 'username' and 'password' go together; set all three or none."
                )
        sent = {"PLAIN": "password", "OAUTHBEARER": "token"}.get(self.sasl or "")
        if sent is not None and not self.tls:
            raise ConfigError(f"[{table}] sasl: {self.sasl} without tls = true would send the {sent} for all to read.")
        self._check_oauth(table)

    def _check_oauth(self, table: str) -> None:
        if self.sasl != "OAUTHBEARER":
            given = [name for name in ("oauth_url", "oauth_scope", "oauth_ca_file") if getattr(self, name) is not None]
            if given:
                raise ConfigError(f'[{table}] {given[0]}: has a meaning with sasl = "OAUTHBEARER" only.')
            return
        if self.oauth_url is None:
            raise ConfigError(f"[{table}] oauth_url: is missing; OAUTHBEARER takes its tokens from there.")
        url = urlsplit(self.oauth_url)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1")):
            raise ConfigError(
                f"[{table}] oauth_url: must begin with https://; only to this very machine may the secret go unencrypted. "
                f"Got {self.oauth_url!r} instead."
            )


class SourceOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[source]`` with ``kind = "kafka"``.

    Parameters
    ----------
    servers, tls, tls_ca_file, tls_certificate_file, tls_key_file, tls_key_password
        See :class:`ConnectionOptions`.
    sasl, username, password, oauth_url, oauth_scope, oauth_ca_file, connect_timeout_s
        See :class:`ConnectionOptions`.
    topics
        Topics to read.
    pattern
        Instead of ``topics``: a regular expression that matches topics from their start.
    group
        The consumer group, the name of this application.
    replica
        Which process of the group this is: another one for each, and the same one after a restart.
    columns
        Fields to watch; ``a.b`` is the field ``b`` inside ``a``.
    time
        Field of the event's time. None: the record's timestamp, in seconds since 1970.
    key
        Field of the event's key. None: all events have the same one, but for ``record_key``.
    record_key, key_format, key_field
        Whether the record's key is the event's, how keys are written, and which field of them it is (None: the whole
        key).
    format
        How the values are written.
    cloudevents
        Whether records are CloudEvents: fields are those of the data, ``ce.time`` and the like the attributes.
    registry, registry_username, registry_password, registry_ca_file
        Address of the Schema Registry, who logs in to it, and authorities to trust for it, PEM.
    csv_fields
        For the format csv, the names of the cells, in order.
    on_missing
        What a record that lacks some values is: an event, for which the model takes the mean, or a dead letter.
    start
        Where to begin in a partition that the group has not read: earliest, latest, a time or an offset.
    max_record_bytes
        A longer record is a dead letter.
    session_timeout_s
        A process that is silent for longer, in seconds, loses its partitions to the others.
    stuck_after_s
        A partition that stands still for so many seconds while records come is counted, and the group joined again.
    leave_on_stop
        Whether to leave the group when stopped, so that others get the partitions at once.
    columnar
        Whether whole batches of records are read and written at once, or the client takes one after the other.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSource
    >>> KafkaSource.Options(servers="localhost:9092", topics=("flow",), group="watch", columns=("flow",)).start
    'earliest'
    """

    topics: Annotated[tuple[str, ...], Meta(description="Topics to read.")] = ()
    pattern: Annotated[
        str | None, Meta(description="Instead of 'topics': a regular expression; topics that it matches from their start.")
    ] = None  # fmt: skip
    group: Annotated[
        str,
        Meta(min_length=1, description="The consumer group: the name of this application. Its processes share the "
             "partitions; its offsets, its transactions and its state carry this name."),
    ]  # fmt: skip
    replica: Annotated[
        str,
        Meta(min_length=1, description="Which process of the group this is. Each has another one, and the same one after "
             "a restart: its partitions then wait for it."),
    ] = "0"  # fmt: skip
    columns: Annotated[
        tuple[str, ...],
        Meta(description="Fields to watch; a.b is the field b inside the field a. For the format number: one name of your "
             "choice. Only where records are counted ('every'), there may be none."),
    ] = ()  # fmt: skip
    time: Annotated[
        str | None, Meta(description="Field of the event's time, passed on as written. Unset: the record's timestamp, "
                         "in seconds since 1970."),
    ] = None  # fmt: skip
    key: Annotated[str | None, Meta(description="Field that says which series an event belongs to.")] = None
    record_key: Annotated[
        bool, Meta(description="The record's key says which series an event belongs to, instead of a field.")
    ] = False
    key_format: Annotated[
        Literal["text", "json", "msgpack", "avro", "protobuf"],
        Meta(description="With record_key: how the keys are written."),
    ] = "text"
    key_field: Annotated[
        str | None,
        Meta(description="With record_key: the field of the key that says which series; a.b for nested ones. Unset: the "
             "key itself."),
    ] = None  # fmt: skip
    format: Annotated[
        Literal["json", "msgpack", "csv", "number", "avro", "protobuf"],
        Meta(description="How the values are written. number: as text, one a record. avro, protobuf: in the Confluent wire "
             "format, with schemas from 'registry'; they need pip install 'streamrnn[registry]'."),
    ] = "json"  # fmt: skip
    cloudevents: Annotated[
        bool,
        Meta(description="Records are CloudEvents, binary or structured: fields are those of the data, ce.time and the like "
             "the attributes."),
    ] = False  # fmt: skip
    registry: Annotated[
        str | None, Meta(description="Address of the Schema Registry, https://host:port; several with commas.")
    ] = None
    registry_username: Annotated[str | None, Meta(description="Who logs in to the Schema Registry.")] = None
    registry_password: Annotated[
        str | None, Meta(description="The password for it; better a reference, ${REGISTRY_PASSWORD}.")
    ] = None
    registry_ca_file: Annotated[
        str | None, Meta(description="Certificates of authorities to trust for it, PEM. Unset: the usual ones.")
    ] = None
    csv_fields: Annotated[
        tuple[str, ...], Meta(description="For the format csv: what its cells are called, in order.")
    ] = ()
    on_missing: Annotated[
        Literal["mean", "dead_letter"],
        Meta(description="A record that lacks some values: passed on (the model takes the mean), or a dead letter."),
    ] = "mean"
    start: Annotated[
        str,
        Meta(description="Where to begin in a partition that the group has not read: earliest, latest, a time, ISO-8601 "
             "(2024-01-31T12:00:00Z): the first record with that timestamp or a later one, or an offset: 'offset 1200' in "
             "every partition, 'offset flow/0=1200 flow/1=900' in these, and all of any other."),
    ] = "earliest"  # fmt: skip
    max_record_bytes: Annotated[
        int, Meta(ge=64, le=1 << 30, description="A longer record is a dead letter.")
    ] = 1 << 20  # fmt: skip
    session_timeout_s: Annotated[
        float,
        Meta(ge=1, le=1800, description="A process that is silent for longer loses its partitions to the others."),
    ] = 15.0  # fmt: skip
    stuck_after_s: Annotated[
        float,
        Meta(ge=1, le=3600, description="A partition that stands still for so long while records come is counted, and the "
             "group joined again."),
    ] = 60.0  # fmt: skip
    leave_on_stop: Annotated[
        bool,
        Meta(description="Give the partitions to the others at once when asked to stop. false: the place is kept, so that a "
             "restart within the session time-out moves nothing."),
    ] = False  # fmt: skip
    columnar: Annotated[
        Literal["auto", "off"],
        Meta(description="auto: whole batches of records are read at once, by compiled code, wherever that gives the same as the "
             "client's own way, which is tried out at the start; not with cloudevents. So are results written. off: "
             "the client reads and writes record by record, several times slower."),
    ] = "auto"  # fmt: skip

    @property
    def member(self) -> str:
        """The name of this process in the group, and of its transactions: the group's with the replica behind it."""
        return f"{self.group}-{self.replica}"

    def __post_init__(self) -> None:
        if not self.servers:
            raise ConfigError("[source] servers: is missing. It must be host:port of a broker, or several with commas.")
        self.check_connection("source")
        if bool(self.topics) == (self.pattern is not None):
            raise ConfigError(
                f"[source] topics: give either 'topics' or 'pattern'. Got topics = {list(self.topics)} and pattern = "
                f"{self.pattern!r}."
            )
        for topic in self.topics:
            check_topic("[source] topics", topic)
        check_topic("[source] group", self.group)
        check_topic("[source] replica", self.replica)
        start_ms(self.start)
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ConfigError(f"[source] pattern: {self.pattern!r} is no regular expression: {error}.") from error
        if len(set(self.columns)) != len(self.columns):
            raise ConfigError(f"[source] columns: must differ from each other. Got {list(self.columns)} instead.")
        used = [*self.columns, *(name for name in (self.time, self.key) if name is not None)]
        if self.cloudevents:
            used = [name for name in used if not name.startswith("ce.")]
        lacking = [name for name in used if name not in self.csv_fields] if self.format == "csv" else []
        if lacking:
            raise ConfigError(
                f"[source] csv_fields: must name each cell, {lacking} among them. Got {list(self.csv_fields)}."
            )
        if self.format == "number" and len(used) > 1:
            raise ConfigError(f"[source] format: number holds one value. Got the fields {used}.")
        self._check_formats()
        if self.key is not None and self.record_key:
            raise ConfigError(
                f"[source] record_key: the field {self.key!r} is the key already; it can only be one of them."
            )

    def _check_formats(self) -> None:
        """Raise where formats lack what they need, or options say something about a format that is not used."""
        for name in ("key_format", "key_field"):
            if getattr(self, name) not in (None, "text") and not self.record_key:
                raise ConfigError(f"[source] {name}: has a meaning with record_key = true only.")
        if self.key_field is not None and self.key_format == "text":
            raise ConfigError("[source] key_field: a key that is text has no fields. Set key_format.")
        if self.key_format == "protobuf" and self.key_field is None:
            raise ConfigError("[source] key_field: is missing; a message of Protobuf is no name of a series by itself.")
        registered = {"avro", "protobuf"} & {self.format, self.key_format}
        if registered and self.registry is None:
            raise ConfigError(
                f"[source] registry: is missing; the format {min(registered)} takes its schemas from there."
            )
        if self.registry is not None and not registered:
            raise ConfigError("[source] registry: has a meaning with the formats avro and protobuf only.")
        if (self.registry_username is None) != (self.registry_password is None):
            raise ConfigError("[source] registry_username: goes together with registry_password; set both or none.")
        for name in ("registry_username", "registry_ca_file"):
            if getattr(self, name) is not None and self.registry is None:
                raise ConfigError(f"[source] {name}: has a meaning with 'registry' only.")
        if self.cloudevents and self.format == "csv" and any(one.startswith("ce.") for one in self.csv_fields):
            raise ConfigError("[source] csv_fields: names that begin with ce. are those of a CloudEvent's attributes.")


class SinkOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sink]`` with ``kind = "kafka"``.

    Parameters
    ----------
    servers, tls, tls_ca_file, tls_certificate_file, tls_key_file, tls_key_password
        See :class:`ConnectionOptions`.
    sasl, username, password, oauth_url, oauth_scope, oauth_ca_file, connect_timeout_s
        See :class:`ConnectionOptions`.
    topic
        The topic to write.
    delivery
        What a crash may leave: each result once, some twice, or some missing.
    compression
        How batches are compressed.
    transaction_timeout_s
        The broker aborts a transaction that lasts longer, in seconds.
    max_record_bytes
        The longest record that is written, with its key and headers.
    create_topics
        Whether to create topics that are missing.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSink
    >>> KafkaSink.Options(topic="scores").delivery
    'exactly_once'
    """

    topic: Annotated[str, Meta(min_length=1, description="The topic to write.")]
    delivery: Annotated[
        Literal["exactly_once", "at_least_once", "at_most_once"],
        Meta(description="What a crash may leave. exactly_once: one transaction holds results, dead letters, state and "
             "offsets; readers must set isolation.level=read_committed. at_least_once: results may come twice. "
             "at_most_once: results may be missing. The model's state is exact with each of them."),
    ] = "exactly_once"  # fmt: skip
    compression: Annotated[
        Literal["none", "gzip", "lz4", "zstd", "snappy"],
        Meta(
            description="How batches are compressed. gzip is slow: for narrow lines only. The others need pip install "
            "'streamrnn[compression]', here and where results are read with this client."
        ),
    ] = "none"
    transaction_timeout_s: Annotated[
        float,
        Meta(ge=1, le=900, description="The broker aborts a transaction that lasts longer: as long may a partition wait "
             "whose process died in the middle of a commit."),
    ] = 10.0  # fmt: skip
    max_record_bytes: Annotated[
        int,
        Meta(ge=LEAST_RECORD_BYTES, le=1 << 30, description="The longest record that is written, with its key and headers. A "
             "longer result is a dead letter, a longer dead letter is cut. max.message.bytes of both topics must be as large."),
    ] = 1 << 20  # fmt: skip
    create_topics: Annotated[
        bool,
        Meta(description="Create topics that are missing: results and dead letters with as many partitions as the input."),
    ] = True  # fmt: skip

    def __post_init__(self) -> None:
        self.check_connection("sink")
        check_topic("[sink] topic", self.topic)
