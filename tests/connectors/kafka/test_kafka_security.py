"""TLS, log-in and rights: each works, or says the true reason as soon as it is known."""

from __future__ import annotations

import os
import time

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka_rig import make_records, offline
from kafka_security import PASSWORD, USER

from streamrnn.errors import ConfigError
from streamrnn_kafka import KafkaSource

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


WRONG = [
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
    rig.wait_until(lambda: rig.lag() == 0)

    assert rig.pairs(rig.output) == expected
