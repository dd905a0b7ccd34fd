"""TLS, log-in and rights: each works, or says the true reason as soon as it is known."""

from __future__ import annotations

import os
import socket
import time

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
from kafka_rig import apart, make_records, offline
from kafka_security import PASSWORD, USER, token_server

from streamrnn.errors import AccessError, ConfigError, SinkError, StateError, UnavailableError
from streamrnn_kafka import KafkaSink, KafkaSource
from streamrnn_kafka.oauth import Tokens

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def allow(rig, *topics: str, group: str | None = None) -> None:
    """Give the user of the tests all rights on topics and on everything that is named after the rig."""
    patterns = [ResourcePattern(ResourceType.TOPIC, topic) for topic in topics]
    if group is not None:
        patterns.append(ResourcePattern(ResourceType.GROUP, group))
        patterns.append(ResourcePattern(ResourceType.TRANSACTIONAL_ID, f"{group}-0"))
    rig.admin.create_acls(
        [ACL(f"User:{USER}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, pattern) for pattern in patterns]
    )


def first_events(rig, n: int, **options):
    source = KafkaSource.from_topics(rig.topic, group=rig.name, columns=["at.flow"], **options)
    with source:
        events = iter(source)
        return [next(events).x["at.flow"] for _ in range(n)]


@pytest.mark.parametrize("sasl", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_encrypted_and_logged_in(rig, listeners, sasl):
    """TLS with each way to log in reads what is there."""
    rig.create()
    rig.produce(make_records(20, 1))
    allow(rig, rig.topic, group=rig.name)

    assert len(first_events(rig, 20, **listeners.options(sasl=sasl))) == 20


def complaint(rig, folder, **options) -> tuple[int, str, float]:
    """Run a configuration that cannot work; return exit code, what it said, and after how many seconds."""
    began = time.monotonic()
    worker = rig.start(rig.config(folder, source=options))
    code = worker.wait(timeout=60)
    return code, (folder / "watch.log").read_text(), time.monotonic() - began


SPOILED = {
    "password": ({"password": "wr0ng-password"}, 77, "the credentials are refused"),
    "authority": ({"tls_ca_file": "stranger.pem"}, 77, "certificate is not trusted"),
    "expired": (
        {"servers": "expired", "sasl": None, "username": None, "password": None, "tls_ca_file": "expired.pem"},
        77,
        "certificate has expired",
    ),
    "not TLS": ({"servers": "plain", "connect_timeout_s": 3.0}, 69, "does it speak TLS on this port?"),
    "nobody there": (
        {"servers": "127.0.0.1:1", "connect_timeout_s": 1.0},
        69,
        "does not answer within 1 s. Nobody listens there.",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_the_true_reason(rig, listeners, tmp_path, case):
    """A wrong password, a certificate of a stranger or an expired one: the reason, long before the client's time-out."""
    spoil, code, said = SPOILED[case]
    rig.create()
    options = listeners.options(**{"connect_timeout_s": 40.0, **spoil})
    places = {"expired": f"127.0.0.1:{listeners.expired}", "plain": rig.servers}
    options["servers"] = places.get(options["servers"], options["servers"])
    if "tls_ca_file" in spoil:
        options["tls_ca_file"] = str(listeners.folder / options["tls_ca_file"])

    found, text, seconds = complaint(rig, tmp_path, **options)

    assert (found, said in text) == (code, True), text
    assert seconds < 30
    assert PASSWORD not in text
    assert "wr0ng" not in text


def test_no_rights(rig, listeners, tmp_path):
    """A topic that the user may not read, or a group that it may not join, is named."""
    rig.create()
    hidden = complaint(rig, tmp_path, **listeners.options())
    allow(rig, rig.topic)
    forbidden = complaint(rig, tmp_path, **listeners.options())

    assert hidden[0] == 66
    assert f"has no topic '{rig.topic}', or this user may not see it" in hidden[1]
    assert forbidden[0] == 77
    assert "may not create it" in forbidden[1]


def test_unknown_topic(rig, tmp_path):
    """A topic that is not there is named."""
    code, text, _ = complaint(rig, tmp_path)

    assert (code, f"has no topic '{rig.topic}'" in text) == (66, True), text


def test_our_certificate(rig, listeners, tmp_path):
    """A broker that asks for a client certificate takes ours; without one, or without its key, the reason is said."""
    rig.create()
    rig.produce(make_records(20, 1))
    ours = {"tls_certificate_file": str(listeners.folder / "client.pem")}
    ours |= {"sasl": None, "username": None, "password": None, "servers": f"127.0.0.1:{listeners.mutual}"}
    key, other = (str(listeners.folder / name) for name in ("client.key", "stranger.pem"))

    assert len(first_events(rig, 20, **listeners.options(**ours, tls_key_file=key))) == 20
    for spoil, code, said in (
        ({"tls_certificate_file": None}, 77, "asks for a client certificate"),
        ({"tls_certificate_file": other, "tls_key_file": key}, 78, "KEY_VALUES_MISMATCH"),
        ({"tls_key_file": str(tmp_path / "none.key")}, 78, "No such file"),
    ):
        found, text, _ = complaint(rig, tmp_path, **listeners.options(**{**ours, **spoil}))
        assert (found, said in text) == (code, True), text


def test_tokens(rig, listeners):
    """OAUTHBEARER logs in with a token, and again with a new one before the first has ended, while records go on."""
    rig.create()
    allow(rig, rig.topic, group=rig.name)
    with token_server(life_s=3.0) as tokens:
        options = listeners.options(sasl="OAUTHBEARER", oauth_url=tokens.url, oauth_scope="kafka")
        source = KafkaSource.from_topics(rig.topic, group=rig.name, columns=["at.flow"], **options)
        with source:
            events, seen = iter(source), []
            end = time.monotonic() + 7.0  # more than two lives
            while time.monotonic() < end:
                rig.produce(make_records(1, 1))
                seen.append(next(events).position)

    assert seen == list(range(len(seen)))
    assert len(tokens.asked) >= 3
    assert tokens.asked[0] == {"grant_type": "client_credentials", "scope": "kafka", "user": USER}


REFUSED = {
    "secret": ({}, {"password": "wr0ng-secret"}, AccessError, "HTTP 401: invalid_client: no such client"),
    "broken": ({"status": 503}, {}, UnavailableError, "gives no token now: HTTP 503"),
    "moved": ({"status": 302}, {}, UnavailableError, "HTTP 302"),
    "away": ({}, {"oauth_url": "http://127.0.0.1:1/token"}, UnavailableError, "does not answer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_token(rig, listeners, case):
    """What is wrong with a token, or with where it comes from, is said at once."""
    server, spoil, error, said = REFUSED[case]
    began = time.monotonic()

    with token_server(**server) as tokens:
        options = listeners.options(sasl="OAUTHBEARER", **{"oauth_url": tokens.url, "connect_timeout_s": 40.0, **spoil})
        with pytest.raises(error, match=said) as caught:
            first_events(rig, 1, **options)

    assert time.monotonic() - began < 20
    assert "wr0ng" not in str(caught.value)


def test_a_token_that_has_ended(rig, listeners, tmp_path):
    """A token that the broker does not take is refused like a wrong password."""
    rig.create()
    with token_server(ago_s=9000.0) as tokens:
        options = listeners.options(sasl="OAUTHBEARER", oauth_url=tokens.url, connect_timeout_s=40.0)
        code, text, seconds = complaint(rig, tmp_path, **options)

    assert (code, "the credentials are refused" in text) == (77, True), text
    assert seconds < 30
    assert not any(one in text for one in (PASSWORD, tokens.token()[:40]))


def test_a_token_outlives_its_provider():
    """While the provider is away, the last token serves as long as it is valid; then the reason is said."""
    with token_server(life_s=1.0) as server:
        tokens = Tokens(server.url, USER, PASSWORD)
        first = tokens.token()
        assert tokens.token() == first
        assert len(server.asked) == 1
        server.status = 500
        time.sleep(0.85)
        assert tokens.token() == first
        time.sleep(0.3)
        with pytest.raises(UnavailableError, match="HTTP 500"):
            tokens.token()
        server.status = 200
        assert tokens.token() != first


def test_check_looks_at_the_topics_of_the_sink(rig, listeners):
    """``check`` says what the sink would meet, all of it, and creates nothing."""

    def wrong(connection, **options):
        source = KafkaSource.from_topics(rig.topic, group=rig.name, columns=["at.flow"], **connection)
        sink = KafkaSink.to_topic(rig.output, dead_letter_topic=rig.dead, **options)
        sink.attach(source)
        return [(type(error), str(error)) for error in sink.check()]

    rig.create()
    plain = {"servers": rig.servers}
    assert wrong(plain) == []
    [(kind, said)] = wrong(plain, create_topics=False)
    assert (kind, rig.state in said) == (SinkError, True)
    assert [kind for kind, said in wrong(listeners.options()) if "may not create it" in said] == [AccessError] * 3
    assert not {rig.output, rig.dead, rig.state} & set(rig.admin.list_topics())
    for topic in (rig.output, rig.dead, rig.state):
        rig.create(1, topic)
    [(kind, said)] = wrong(plain)
    assert (kind, "cleanup.policy=delete" in said) == (StateError, True)
    [(kind, said)] = wrong({"servers": "127.0.0.1:1", "connect_timeout_s": 0.2})
    assert (kind, "does not answer" in said) == (UnavailableError, True)


WRONG = [
    ({"sasl": "OAUTHBEARER", "username": "a", "password": "b", "tls": True}, "oauth_url: is missing"),
    ({"sasl": "OAUTHBEARER", "username": "a", "password": "b", "oauth_url": "https://a"}, "OAUTHBEARER without tls"),
    (
        {"sasl": "OAUTHBEARER", "username": "a", "password": "b", "tls": True, "oauth_url": "http://a.org/token"},
        "must begin with https://",
    ),
    ({"oauth_url": "https://a"}, 'sasl = "OAUTHBEARER" only'),
    ({"sasl": "PLAIN", "username": "a", "password": "b"}, "PLAIN without tls"),
    ({"sasl": "PLAIN", "tls": True}, "go together"),
    ({"tls_ca_file": "a.pem"}, "tls = true only"),
    ({"tls": True, "tls_key_file": "a.pem"}, "needs tls_certificate_file"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_contradictions(options, said):
    """Options that contradict each other are refused before any broker is asked."""
    with pytest.raises(ConfigError, match=said):
        KafkaSource.from_topics("a", servers="localhost:1", group="g", columns=["x"], **options)


def test_exactly_once_over_tls(rig, listeners, tmp_path):
    """The whole of a run, transactions and state included, over TLS with a log-in; the sink takes the source's options."""
    records = make_records(600, 2)
    expected = offline(records, topic=rig.topic)
    rig.create(2)
    rig.produce(records)
    for topic in (rig.output, rig.dead):
        rig.create(2, topic)
    rig.create(1, rig.state, **{"cleanup.policy": "compact"})
    allow(rig, rig.topic, rig.output, rig.dead, rig.state, group=rig.name)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    options = listeners.options(password=f"${{file:{os.fspath(tmp_path / 'password')}}}")
    config = rig.config(tmp_path, source=options)

    rig.start(config)
    rig.wait_until(rig.done)

    assert apart(rig.pairs(rig.output), expected) == []


@pytest.mark.parametrize("kind", [KafkaTCPTransport, KafkaSSLTransport])
def test_what_comes_with_the_end_is_heard(kind):
    """A broker that refuses says so and closes; both may come at once, and neither is lost."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        one = KafkaTCPTransport(None, ours)
        one.__class__ = kind
        theirs.sendall(b"refused")
        theirs.close()

        assert one._sock_recv() == (b"refused", None)
        data, error = one._sock_recv()
        assert (data, "socket disconnected" in str(error)) == (b"", True)
