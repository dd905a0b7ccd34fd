"""What is special about Prometheus: series that come and go, bounded answers, late samples, servers that restart, log-ins."""

from __future__ import annotations

import json
import math
import subprocess
import time

import pytest
from prometheus_rig import Server, found_server

from streamrnn import config
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ConfigError, GoneError, SourceError, StateError
from streamrnn.scorers.check_model import check_model
from streamrnn_prometheus import PrometheusSource
from tests.compiled import compile_detector

STALE = float("nan")


def source(server, query=None, **options):
    options = {"start": server.begin, "step_s": 1.0, "lag_s": 1.0, "follow": False} | options
    return PrometheusSource.from_query(server.url, query, **options)


def events(made, size=1000):
    """Read to the end: time behind the start in seconds, key, values."""
    found = []
    with made as one:
        while not (poll := one.poll(size, 0.0)).ended:
            found += [event for block in poll.blocks for event in block.events()]
    return found


def at(server, i):
    return int((server.begin + i) * 1000)


def test_series_are_keys_in_one_order(server):
    """Labels in their order are the key, whatever they hold; a series that is not there is no event, infinity is a number."""
    name = server.metric()
    odd = 'a"b\\c\nd'
    server.write(
        ({"__name__": name, "z": "1"}, [(at(server, 0), 1.5), (at(server, 1), math.inf)]),
        ({"__name__": name, "host": odd, "a": "é"}, [(at(server, 1), 1e-300)]),
    )

    found = events(source(server, f"last_over_time({name}[500ms])"), size=2)

    plain, other = f'{name}{{z="1"}}', f'{name}{{a="é",host="a\\"b\\\\c\\nd"}}'
    assert [(one.key, one.x["value"]) for one in found] == [(plain, 1.5), (other, 1e-300), (plain, math.inf)]
    assert server.ask(f"count_over_time({found[1].key}[3h])"), "a key is a selector of PromQL"
    assert [one.position for one in found] == [at(server, 0) * 10**6, at(server, 1) * 10**6, at(server, 1) * 10**6 + 1]
    assert found[0].time == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(server.begin))


def test_answers_are_bounded(server):
    """More steps than Prometheus answers at once, and more samples than it holds for a query: all come, each once, in order."""
    steps = events(source(server, "time()", step_s=0.2))
    name = server.metric()
    server.write(*(({"__name__": name, "i": f"{i:03}"}, [(at(server, 0), float(i))]) for i in range(100)))
    many = events(source(server, f"last_over_time({name}[299s])"))  # 30,000 samples; the server holds 20,000

    assert len(steps) >= 14_000
    assert [one.x["value"] for one in steps] == [(at(server, 0) + 200 * i) / 1000 for i in range(len(steps))]
    assert [one.x["value"] for one in many] == [float(i) for _ in range(300) for i in range(100)]


CONFIG = """
[source]
kind = "prometheus"
url = "{url}"
query = "last_over_time({name}[500ms])"
column = "flow"
start = {start}
step_s = 1
lag_s = 1
follow = false
[model]
hidden_size = 8
seed = 3
[alarm]
warm_up = 50
rate = 0.05
[sink]
path = "out.jsonl"
[state]
dir = "state"
every = 70
"""


def run(path, events=10**9):
    runtime = make_runtime(config.load(path, check_model), block_events=13)
    runtime.stopped = lambda: runtime.summary.events >= events
    runtime.run()


def test_a_restart_equals_one_pass(server, tmp_path):
    """A run that is stopped in the middle of steps, again and again, writes the bytes of one that never stopped."""
    compile_detector(8)
    name = server.metric()
    for key in "xyz":
        samples = [(at(server, i), (i * 7 % 24) / 3 + ord(key)) for i in range(120)]
        server.write(({"__name__": name, "k": key}, samples))
    for folder in ("once", "often"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "watch.toml").write_text(CONFIG.format(url=server.url, name=name, start=server.begin))

    run(tmp_path / "once" / "watch.toml")
    for _ in range(16):
        run(tmp_path / "often" / "watch.toml", 26)
    once, often = (tmp_path / one / "out.jsonl" for one in ("once", "often"))

    assert len(once.read_bytes().splitlines()) == 360
    assert often.read_bytes() == once.read_bytes()
    assert json.loads(once.read_text().splitlines()[0])["key"] == f'{name}{{k="x"}}'


def test_what_comes_late_is_counted_and_not_seen(server):
    """A sample behind the step that was read changes no event, neither now nor for a run that goes on behind the step; it is counted."""
    name = server.metric()
    now = int(time.time()) - 1
    server.write(({"__name__": name, "k": "a"}, [(now * 1000, 1.0), ((now + 2) * 1000, 2.0)]))
    live = {"start": now, "step_s": 1.0, "lag_s": 0.3, "follow": True}
    with source(server, f"last_over_time({name}[500ms])", **live) as one:
        one.poll(10, 0.0)
        [first] = one.poll(10, 3.0).blocks
        server.write(({"__name__": name, "k": "0"}, [(now * 1000, 9.0)]))
        [second] = one.poll(10, 4.0).blocks
        told = one.chosen()
    with source(server, f"last_over_time({name}[500ms])", **live) as one:
        one.seek("0", first.next_position)
        [again] = one.poll(10, 3.0).blocks

    assert [first.values.tolist(), second.values.tolist(), again.values.tolist()] == [[[1.0]], [[2.0]], [[2.0]]]
    assert told["late"] == 1
    assert told["first_late"].startswith(f'{name}{{k="0"}} at ')


def test_now_begins_with_what_is_to_come(server):
    """Without a start nothing of the past is read; a step comes once it is as old as was asked for."""
    with source(server, "time()", start="now", step_s=0.5, lag_s=0.2, follow=True) as one:
        entered = time.time()
        one.poll(10, 0.0)
        [block] = one.poll(10, 2.0).blocks
        came = time.time()

    assert entered - 0.5 < block.values[0, 0] <= came - 0.2


def test_a_position_of_another_input_is_refused(server):
    """Another step, a step that holds less than was read, and one that is gone while later ones are there: each is said."""
    name = server.metric()
    server.write(({"__name__": name}, [(at(server, 60), 1.0)]))
    with source(server, f"last_over_time({name}[500ms])", step_s=2.0) as one:
        for position in (at(server, 1) * 10**6, at(server, 60) * 10**6 + 2, at(server, 62) * 10**6, "x"):
            with pytest.raises(StateError, match=r"no position|was reached") as caught:
                one.seek("0", position)
            assert not isinstance(caught.value, GoneError)
        with pytest.raises(GoneError, match="deleted as too old") as gone:
            one.seek("0", at(server, 10) * 10**6)
    assert gone.value.first == at(server, 60) * 10**6


def test_what_is_wrong_is_said_beforehand(server):
    """A query that is none is told in Prometheus' words; series that cannot be told apart, and options that contradict each other, too."""
    [wrong] = source(server, "rate(").check()
    name = server.metric()
    server.write(*(({"__name__": f"{name}{one}"}, [(at(server, 0), 1.0)]) for one in "ab"))
    same = source(server, queries={"flow": f'{{__name__=~"{name}."}}'})

    assert isinstance(wrong, SourceError)
    assert "parse error" in str(wrong)
    with pytest.raises(SourceError, match=r"Two series of the query of 'flow' are \{\}"):
        events(same)
    with pytest.raises(ConfigError, match="unencrypted"):
        PrometheusSource.from_query("http://prometheus:9090", "up", token="tr0ub4dor")
    with pytest.raises(ConfigError, match="only be one of the two"):
        PrometheusSource.from_query("http://localhost:9090", "up", queries={"a": "up"})


WEB = """
tls_server_config: {cert_file: cert.pem, key_file: key.pem}
basic_auth_users: {watcher: "$2b$04$bSqbbmTk8iAb9BTURK6ydei.X3e13tMREwwbtr4KBBqy28TJXOR1m"}
"""


def test_a_server_that_restarts_is_waited_for_and_asks_who_comes(tmp_path):
    """By TLS and a password: a wrong one is refused, an unknown authority too; what comes behind a kill -9 of the server goes on with the next step."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]
    subprocess.run([*command, *names], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "web.yml").write_text(WEB)
    with Server(found_server(), tmp_path, web=tmp_path / "web.yml") as server:
        access = {"user": "watcher", "password": "tr0ub4dor", "tls_ca_file": str(tmp_path / "cert.pem")}
        [refused] = source(server, "time()", **access | {"password": "tr0ub4dor&3"}).check()
        [unknown] = source(server, "time()", **access | {"tls_ca_file": None}).check()
        with source(server, "time()", **access) as one:
            one.poll(10, 0.0)
            [before] = one.poll(10, 1.0).blocks
            one.poll(6, 0.0)  # what is left of the first answer
            server.stop(9)
            away = one.poll(10, 0.1)
            server.start()
            [after] = one.poll(10, 1.0).blocks

    assert type(refused).__name__ == "AccessError"
    assert "tr0ub4dor" not in str(refused)
    assert "certificate" in str(unknown)
    assert not away.blocks
    assert not away.ended
    assert after.values[0, 0] - before.values[0, 0] == 16.0
