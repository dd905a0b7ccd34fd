"""Lost answers, killed and suspended workers, a killed broker: the output stays that of one offline pass, bit for bit."""

from __future__ import annotations

import random
import signal
import time

import pytest
from kafka_proxy import END_TXN, PRODUCE, TXN_OFFSET_COMMIT, Proxy
from kafka_rig import apart, make_records, offline
from test_kafka_stops import run

from tests.engine.test_loop import KIND

pytestmark = [pytest.mark.broker, pytest.mark.slow]


FAULTS = {
    "the answer to every other commit is lost": ("answer", END_TXN, "cut"),
    "every other request to commit is lost": ("request", END_TXN, "cut"),
    "every other commit arrives twice": ("request", END_TXN, "double"),
    "the answer to offsets is lost": ("answer", TXN_OFFSET_COMMIT, "cut"),
    "the answer to records is lost": ("answer", PRODUCE, "cut"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_lost_answers(rig, listeners, tmp_path, fault):
    """Whatever is lost on the way to or from the broker: nothing missing, nothing twice, every bit the same."""
    direction, api, what = FAULTS[fault]
    records = make_records(640, 2, bad=60)
    count = iter(range(1000))
    rig.folder = tmp_path
    rig.create(2)
    rig.produce(records)

    def rule(found, key):
        hit = (found, key) == (direction, api) and next(count) % 2 == 0 and len(proxy.seen) < 4
        return what if hit else None

    with Proxy(listeners.proxy, listeners.behind_proxy, rule) as proxy:
        summary = run(rig, source={"servers": f"127.0.0.1:{listeners.proxy}"}, idle_s=2.0)

    assert len(proxy.seen) == 4
    assert summary.lost_commits == (4 if api == END_TXN and what == "cut" else 0)
    assert apart(rig.pairs(rig.output), offline(records, topic=rig.topic, kind=KIND)) == []


def test_chaos(rig, broker, listeners, tmp_path):
    """Three workers, six partitions: 20 kills, two suspensions beyond the session, a broker restart, cut connections."""
    records = make_records(9000, 6, bad=70)
    expected = offline(records, topic=rig.topic)
    drawn = random.Random(11)
    rig.create(6)
    connection = {"servers": f"127.0.0.1:{listeners.proxy}", "connect_timeout_s": 60.0}
    configs = [
        rig.config(tmp_path, f"w{i}", source={**connection, "replica": str(i)}, state={"every": 150}) for i in range(3)
    ]

    def rule(direction, api):
        if direction == "answer" and drawn.random() < (0.05 if api == END_TXN else 0.001):
            return "cut"
        return None

    with Proxy(listeners.proxy, listeners.behind_proxy, rule) as proxy:
        workers = [rig.start(config) for config in configs]
        with rig.trickling(records, chunk=60, pause_s=0.25):
            for kill in range(20):
                time.sleep(drawn.uniform(0.3, 1.8))
                i = drawn.randrange(3)
                if kill in (6, 13):
                    zombie = workers[(i + 1) % 3]
                    zombie.send_signal(signal.SIGSTOP)
                    time.sleep(3.5)  # its session ends after 2 s; the others take its partitions
                    zombie.send_signal(signal.SIGCONT)
                if kill == 10:
                    broker.kill()
                    time.sleep(0.5)
                    broker.start()
                workers[i].kill()
                workers[i].wait()
                workers[i] = rig.start(configs[i])
        proxy.rule = lambda _direction, _api: None
        for i, worker in enumerate(
            workers
        ):  # what gave up with "temporary" or "unavailable" is restarted, as a supervisor does
            if worker.poll() is not None:
                assert worker.returncode in (69, 75), (tmp_path / f"w{i}.log").read_text()[-3000:]
                workers[i] = rig.start(configs[i])
        rig.wait_until(rig.done, limit_s=90)

    assert apart(rig.pairs(rig.output), expected) == []
