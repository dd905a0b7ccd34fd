"""Alarms reach a real HTTP server: none is lost, none has two ids, whatever happens to the server or to us."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.commands.alerts import Alerts, alarm_sink
from streamrnn.commands.receivers import Webhook
from streamrnn.engine.assemble import make_runtime
from streamrnn.errors import ConfigError, StateError
from streamrnn.scorers.check_model import check_model


class Receiver:
    """A webhook that answers what it is told, and keeps what it has taken."""

    def __init__(self, port=0):
        self.answers = []  # codes to come; then 204
        self.tries = []
        self.taken = []
        self.slow_s = 0.0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = receiver.answers.pop(0) if receiver.answers else 204
                receiver.tries.append((code, self.headers["Idempotency-Key"]))
                if code < 300:
                    receiver.taken.append((self.headers["Idempotency-Key"], json.loads(body)))
                time.sleep(receiver.slow_s)
                self.send_response(code)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def write(folder: Path, kind: str = "files", **more) -> Path:
    """Write a stream with spikes, and the configuration of a run over it."""
    rows = [f"{i},{i % 7 + (40 if i in (70, 71, 143, 216) else 0)}" for i in range(300)]
    (folder / "in.csv").write_text("t,x\n" + "\n".join(rows) + "\n")
    places = {
        "files": ({"path": "out.jsonl"}, {"dir": "state"}, {"path": "alarms.jsonl"}),
        "sqlite": ({"kind": "sqlite", "path": "out.db"}, {}, {"table": "alarms"}),
    }
    sink, state, alarms = places[kind]
    tables = {
        "source": {"path": "in.csv", "columns": ["x"], "time": "t"},
        "model": {"hidden_size": 8},
        "alarm": {"rate": 0.02, "warm_up": 30},
        "sink": sink,
        "state": state | {"every": 40},
        "alarms": alarms | {"position_file": "posted.json"} | more,
    }
    path = folder / "watch.json"
    path.write_text(json.dumps(tables))
    return path


def run(path, events=10**9):
    runtime = make_runtime(config.load(path, check_model), block_events=13)
    runtime.stopped = lambda: runtime.summary.events >= events
    runtime.run()


def read(path):
    return [(number, json.loads(data)) for _, number, data in alarm_sink(config.load(path, check_model)).alarms({})]


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_alarms_are_those_of_one_pass(tmp_path, kind):
    """A run that is stopped after every block writes the alarms of one that never stopped, each once; the number goes on behind any of them."""
    for name in ("once", "often"):
        (tmp_path / name).mkdir()
    once, often = write(tmp_path / "once", kind), write(tmp_path / "often", kind)
    run(once)
    for _ in range(0, 300, 26):
        run(often, 26)
    found = read(once)

    assert len(found) >= 6
    assert [one for _, one in read(often)] == [one for _, one in found]
    place = {"files": "alarms.jsonl", "sqlite": "alarms"}[kind]
    sink = alarm_sink(config.load(once, check_model))
    for i, (number, _) in enumerate(found):
        rest = [json.loads(data) for _, _, data in sink.alarms({place: number})]
        assert rest == [one for _, one in found[i + 1 :]]


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_verify_proves_alarms_too(tmp_path, kind, capsys):
    """A changed, a missing and an added alarm are each found; a run that goes on and one that began with a snapshot are not blamed."""

    def verified():
        with pytest.raises(SystemExit) as ended:
            main(["verify", str(path)])
        return ended.value.code, capsys.readouterr().err

    path = write(tmp_path, kind)
    run(path, 160)
    assert verified()[0] == 0
    run(path)
    assert verified() == (0, "")
    if kind == "sqlite":
        return
    lines = (tmp_path / "alarms.jsonl").read_bytes().splitlines(keepends=True)
    for changed, said in (
        ([lines[0], lines[1].replace(b"end", b"fin"), *lines[2:]], "alarm 2: [alarms] holds"),
        ([*lines[:-1], lines[0]], f"alarm {len(lines)}: [alarms] holds"),
    ):
        data = b"".join(changed)
        (tmp_path / "alarms.jsonl").write_bytes(data.ljust(sum(map(len, lines)), b"\n")[: sum(map(len, lines))])
        code, err = verified()
        assert (code, said in err) == (76, True)


def test_what_was_not_committed_is_not_read(tmp_path):
    """A crash between the write and the record of it leaves bytes that nobody is sent, and a restart cuts them."""
    path = write(tmp_path)
    run(path, 160)
    before = read(path)
    with (tmp_path / "alarms.jsonl").open("ab") as file:
        file.write(b'{"id":"never","event":"start"}\n')

    assert read(path) == before
    run(path)
    assert not any(one["id"] == "never" for _, one in read(path))
    assert [one for _, one in read(path)[: len(before)]] == [one for _, one in before]


def posted(path, receiver, **options):
    sent = Alerts(
        alarm_sink(config.load(path, check_model)),
        Webhook(receiver.url, 10.0),
        str(path.parent / "posted.json"),
        **options,
    )
    sent.run(once=True)
    return sent


def test_each_alarm_is_posted_once_in_order(tmp_path, receiver):
    """All committed alarms arrive in order, with their id in the header; a second start has nothing to post."""
    path = write(tmp_path)
    run(path)
    posted(path, receiver)
    posted(path, receiver)

    assert [body for _, body in receiver.taken] == [one for _, one in read(path)]
    assert [key for key, _ in receiver.taken] == [body["id"] for _, body in receiver.taken]


def test_a_receiver_in_trouble_loses_nothing(tmp_path, receiver, monkeypatch):
    """5xx, 429 and a closed port are tried again; the order stays, nothing is left out and nothing taken twice."""
    monkeypatch.setattr("streamrnn.commands.alerts.FIRST_PAUSE_S", 0.01)
    path = write(tmp_path)
    run(path)
    receiver.answers = [500, 503, 204, 429, 204]
    said = []
    port = receiver.port
    receiver.close()
    sent = Alerts(
        alarm_sink(config.load(path, check_model)), Webhook(receiver.url, 10.0), str(tmp_path / "posted.json"),
        say=lambda name, **fields: said.append((name, fields)),
    )  # fmt: skip
    thread = threading.Thread(target=lambda: sent.run(once=True))
    thread.start()
    while not said:
        time.sleep(0.01)
    back = Receiver(port)
    back.answers = receiver.answers
    thread.join(20)
    back.close()

    assert said[0][0] == "alarm_not_taken"
    assert "refused" in said[0][1]["reason"]
    assert [body for _, body in back.taken] == [one for _, one in read(path)]


def test_what_is_refused_for_good_is_kept(tmp_path, receiver):
    """A 400 is not tried again: the alarm lies in a file beside with the reason, and the next ones go on."""
    path = write(tmp_path)
    run(path)
    receiver.answers = [204, 400]
    sent = posted(path, receiver)
    alarms = [one for _, one in read(path)]

    kept = json.loads((tmp_path / "posted.json.refused.jsonl").read_text())
    assert (kept["reason"], json.loads(kept["alarm"])) == ("HTTP 400", alarms[1])
    assert [body for _, body in receiver.taken] == [alarms[0], *alarms[2:]]
    assert (sent.posted, sent.refused) == (len(alarms) - 1, 1)


@pytest.mark.slow
def test_killed_at_any_moment_none_is_lost(tmp_path, receiver):
    """Kill -9 of the command: each alarm is taken, and by its id at most one at a time came twice."""
    path = write(tmp_path, webhook=receiver.url)
    run(path)
    alarms = [one for _, one in read(path)]
    command = [sys.executable, "-m", "streamrnn", "alerts", str(path)]
    receiver.slow_s = 0.15
    kills = 0
    for _ in range(3):
        wanted = min(len(receiver.tries) + 1 + len(alarms) // 4, len(alarms))
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            end = time.monotonic() + 20
            while len(receiver.tries) < wanted and time.monotonic() < end:
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
    assert subprocess.run([*command, "--once"], check=False, capture_output=True).returncode == 0

    ids = [key for key, _ in receiver.taken]
    assert list(dict.fromkeys(ids)) == [one["id"] for one in alarms]
    assert len(ids) <= len(alarms) + kills


def test_sigterm_ends_it_with_0(tmp_path):
    """A receiver that is away for ever keeps nobody from stopping."""
    path = write(tmp_path, webhook="http://127.0.0.1:9/hook")
    run(path)
    command = [sys.executable, "-m", "streamrnn", "alerts", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert b"alarm_not_taken" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_sentences(tmp_path, receiver, capsys):
    """What is missing is named, and doing so works; a file that holds no position is refused."""
    path = write(tmp_path)
    run(path)
    with pytest.raises(SystemExit) as ended:
        main(["alerts", str(path)])
    assert ended.value.code == 78
    assert (
        "[alarms] webhook: is missing. Set it or alertmanager, or name it with --webhook URL or --alertmanager URL."
        in capsys.readouterr().err
    )
    with pytest.raises(SystemExit) as ended:
        main(["alerts", str(path), "--webhook", receiver.url, "--once"])
    assert ended.value.code == 0
    assert f"{len(receiver.taken)} alarms posted." in capsys.readouterr().err

    (tmp_path / "posted.json").write_text("[1]")
    with pytest.raises(StateError, match="position_file"):
        posted(path, receiver)
    tables = json.loads(path.read_text())
    del tables["alarms"]
    path.write_text(json.dumps(tables))
    with pytest.raises(ConfigError, match="Set path, topic or table"):
        alarm_sink(config.load(path, check_model))
