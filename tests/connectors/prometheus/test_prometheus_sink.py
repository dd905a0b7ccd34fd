"""Scores come back from a real Prometheus with all labels, each once, whatever happens to the server or to us."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading

import numpy as np
import pytest
from prometheus_rig import Server, found_server

from streamrnn import config
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import FullError, SinkError
from streamrnn.io import Block
from streamrnn.scorers.check_model import check_model
from streamrnn_prometheus import PrometheusSink
from tests.compiled import compile_detector

SOURCE = """
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
[state]
dir = "state"
every = 70
"""

TO_FILE = '[sink]\npath = "out.jsonl"\n'
TO_SERVER = '[sink]\nkind = "prometheus"\nurl = "{url}"\nlabels = {{run = "{run}"}}\n'


def place(folder, server, name, sink):
    folder.mkdir()
    values = {"url": server.url, "name": name, "start": server.begin, "run": folder.name}
    (folder / "watch.toml").write_text((SOURCE + sink).format(**values))
    return folder / "watch.toml"


def run(path, events=10**9):
    runtime = make_runtime(config.load(path, check_model), block_events=13)
    runtime.stopped = lambda: runtime.summary.events >= events
    runtime.run()


def of_run(server, run):
    """What one run has written: by name and labels, the run's own left out."""
    found = server.stored(f'{{run="{run}",__name__=~"streamrnn_result_.*"}}')
    return {name.replace(f',run="{run}"', ""): samples for name, samples in found.items()}


def killed_in(path, events, method, times):
    """Run in a process that ends as by kill -9 when a method of the sink is entered for so many times."""
    if (child := os.fork()) == 0:
        real, left = getattr(PrometheusSink, method), [times]

        def dies(*arguments, **more):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)

        setattr(PrometheusSink, method, dies)
        run(path, events)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_scores_come_back_with_all_labels(server, tmp_path):
    """Scores are those that a file gets, bit for bit, under the labels of the series they are about; of runs that were stopped and killed too."""
    compile_detector(8)
    name = server.metric()
    for key in "xyz":
        samples = [((server.begin + i) * 1000, (i * 7 % 24) / 3 + ord(key)) for i in range(100)]
        server.write(({"__name__": name, "host": f'{key}"\\', "feature": "f"}, samples))
    run(file := place(tmp_path / "file", server, name, TO_FILE))
    run(place(tmp_path / "once", server, name, TO_SERVER))
    often = place(tmp_path / "often", server, name, TO_SERVER)
    for method, times in (("commit", 3), ("_send", 5), ("_transaction", 9), ("_transaction", 14)):
        assert killed_in(often, 10**9, method, times) == -signal.SIGKILL
        run(often, 13)
    run(often)

    lines = [json.loads(line) for line in file.with_name("out.jsonl").read_text().splitlines()]
    once = of_run(server, "once")
    label = f'{{exported_feature="f",feature="flow",host="x\\"\\\\",metric="{name}"}}'
    mine = [one for one in lines if one["key"].endswith('host="x\\"\\\\"}')]
    assert list(once[f"streamrnn_result_score{label}"].values()) == [one["score"] for one in mine]
    assert list(once[f"streamrnn_result_alarm{label}"].values()) == [float(one["alarm"]) for one in mine]
    predicted = [one["prediction"] for one in mine if one["prediction"] is not None]
    assert list(once[f"streamrnn_result_prediction{label}"].values()) == predicted
    assert min(once[f"streamrnn_result_score{label}"]) == server.begin * 1000
    assert (
        len(lines)
        == sum(len(samples) for one, samples in once.items() if one.startswith("streamrnn_result_score"))
        == 300
    )
    assert of_run(server, "often") == once


def block(first, n, values=1, start=0, key="k"):
    """Events of a second each, from a time on."""
    times = [first + i for i in range(n)]
    names = tuple(f"f{i}" for i in range(values))
    positions = range(start, start + n)
    return Block(names, np.zeros((n, values)), positions, start + n, keys=[key] * n, times=times)


def commit(sink, one, **fields):
    lines = [json.dumps({"score": float(place)} | fields).encode() for place in one.positions]
    sink.commit(lines, [], {"0": one.next_position}, blocks=[one])


def test_a_server_that_is_away_loses_nothing(tmp_path):
    """Killed and away, the commit behind the one that waits is held back; what waits is sent by the next run, and all of it is there once."""
    with Server(found_server(), tmp_path) as server:
        state = tmp_path / "state"
        with PrometheusSink.to_server(server.url, state=state) as sink:
            commit(sink, block(server.begin, 5))
            server.stop(signal.SIGKILL)
            commit(sink, block(server.begin + 5, 5, start=5))
            with pytest.raises(FullError, match="Nothing is lost"):
                commit(sink, block(server.begin + 10, 5, start=10))
            assert sink.restore("0").position == 10
            with pytest.warns(RuntimeWarning, match="are sent by the next run"):
                sink.__exit__(None, None, None)
        server.start()
        with PrometheusSink.to_server(server.url, state=state) as sink:
            assert sink.restore("0").position == 10
            commit(sink, block(server.begin + 10, 5, start=10))
        [samples] = server.stored("streamrnn_result_score").values()

    assert samples == {(server.begin + i) * 1000: float(i) for i in range(15)}


def test_what_is_refused_takes_nothing_with_it(server):
    """Samples older than the server takes, and behind what it has, are dropped and counted; the others of the same commit are there."""
    with PrometheusSink.to_server(server.url, labels={"run": "refused"}) as sink:
        commit(sink, block(server.begin + 5, 3, start=5))
        with pytest.warns(RuntimeWarning, match="refuses samples, 3 so far"):
            commit(sink, block(server.begin - 9000, 3))
        commit(sink, block(server.begin + 3, 7, start=3))
    [samples] = server.stored('streamrnn_result_score{run="refused"}').values()

    assert samples == {(server.begin + i) * 1000: float(i) for i in range(5, 10)}
    assert sink.dropped == 3 + 4  # 5 and 6 are refused too, though they are there: 7 is newer


def test_each_feature_has_a_series(server):
    """Of events with several values each field that has one for each is a series for each; a result without a time is counted."""
    with PrometheusSink.to_server(server.url, labels={"run": "features"}) as sink:
        commit(
            sink,
            block(server.begin, 1, values=2, key='{a="é"}'),
            prediction={"f0": 1.5, "f1": "-Infinity"},
            low={"f0": None},
        )
        one = block(server.begin, 1)
        sink.commit([b'{"score": 1.0}'], [], {"0": 1}, blocks=[Block(one.names, one.values, one.positions, 1)])
    found = {name: list(one.values()) for name, one in server.stored('{run="features"}').items()}

    of = 'a="é",{}run="features"'.format
    assert found == {
        "streamrnn_result_score{" + of("") + "}": [0.0],
        "streamrnn_result_prediction{" + of('feature="f0",') + "}": [1.5],
        "streamrnn_result_prediction{" + of('feature="f1",') + "}": [-np.inf],
    }
    assert sink.untimed == 1


def test_a_server_that_has_trouble_is_asked_again(tmp_path):
    """A 5xx is about the moment: the commit waits; a second run in the same folder is refused meanwhile."""
    answers, tries = [503, 500, 429, 204], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            tries.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever).start()
        with PrometheusSink.to_server(f"http://127.0.0.1:{made.server_port}", state=tmp_path) as sink:
            commit(sink, block(1e9, 1))
            for _ in range(2):
                with pytest.raises(FullError, match="does not take samples now"):
                    commit(sink, block(1e9 + 1, 1))
            with pytest.raises(SinkError, match="locked"):
                PrometheusSink.to_server("http://127.0.0.1:1", state=tmp_path).__enter__()
        made.shutdown()

    assert tries == tries[:1] * 4
    assert sink.dropped == 0


def test_check_asks_whether_samples_are_taken(server):
    """A server is good or says why not, before a run begins; nothing is written."""
    [wrong] = PrometheusSink.to_server(server.url, endpoint="/api/v1/nowhere").check()

    assert PrometheusSink.to_server(server.url).check() == []
    assert isinstance(wrong, SinkError)
    assert "takes no samples at /api/v1/nowhere" in str(wrong)
