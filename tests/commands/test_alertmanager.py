"""A real Alertmanager is told of episodes: what is open fires, what has ended is resolved, and nothing is there twice.

It belongs to the package ``prometheus-alertmanager``; ``.ci/run`` installs it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from streamrnn import config
from streamrnn.cli import main
from streamrnn.commands import alerts as alerts_command
from streamrnn.commands.alerts import Alerts, alarm_sink
from streamrnn.commands.receivers import Alertmanager, Webhook
from streamrnn.scorers.check_model import check_model
from tests.commands.test_alerts import Receiver, read, run, write

NAMES = "alertmanager", "prometheus-alertmanager"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def people():
    """Where the Alertmanager tells its people."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(people, tmp_path_factory):
    """Its address."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI") == "true" and shutil.which("apt-get") and os.getuid() == 0:
            pytest.fail("alertmanager is missing, though .ci/run could install it")
        pytest.skip("alertmanager was not found; on Debian: apt-get install prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("alertmanager")
    route = {"receiver": "people", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    told = [{"name": "people", "webhook_configs": [{"url": people.url, "send_resolved": True}]}]
    (folder / "config.yaml").write_text(json.dumps({"route": route, "receivers": told}))
    port = free_port()
    command = [
        found, f"--config.file={folder}/config.yaml", f"--storage.path={folder}", f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        until(lambda: ready(url))
        yield url
        process.terminate()


def ready(url):
    try:
        return urllib.request.urlopen(f"{url}/-/ready", timeout=5).status == 200
    except OSError:
        return False


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def firing(url, **labels):
    """What the Alertmanager holds for open."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
        found = json.load(answer)
    return [one for one in found if labels.items() <= one["labels"].items()]


def told(people, **labels):
    """Whether people were told of an alert: its states, in order."""
    return [
        (one["status"], one["labels"])
        for _, body in people.taken
        for one in body.get("alerts", ())
        if labels.items() <= one["labels"].items()
    ]


def test_an_open_episode_fires_until_it_ends(tmp_path, server, people):
    """From a run's alarm to people: labels, values and link are there, a second post changes nothing, the end resolves it."""
    path = write(tmp_path)
    run(path, 70)  # to the end of a block, event 77; the episode that began with event 70 is open
    checked = config.load(path, check_model)
    receiver = Alertmanager(server, 10.0, {"team": "pumps"}, "http://localhost:8080/")
    for _ in range(2):  # killed behind the post, before the record of it
        (tmp_path / "position").unlink(missing_ok=True)
        sent = Alerts(alarm_sink(checked), receiver, str(tmp_path / "position"))
        sent.run(once=True)
    [start] = [one["start"] for _, one in read(path)]
    [alert] = until(lambda: firing(server, team="pumps"))

    assert sent.posted == 1
    wanted = {
        "alertname": "StreamrnnAlarm",
        "partition": read(path)[0][1]["partition"],
        "feature": "x",
        "view": start["view"],
    }
    assert alert["labels"] == wanted | {"team": "pumps"}
    assert alert["generatorURL"] == "http://localhost:8080/"
    assert float(alert["annotations"]["value"]) == start["value"]
    assert float(alert["annotations"]["expected"]) == start["prediction"]
    assert until(lambda: told(people, team="pumps"))[0] == ("firing", alert["labels"])

    run(path, 13)
    Alerts(alarm_sink(checked), receiver, str(tmp_path / "position")).run(once=True)
    until(lambda: not firing(server, team="pumps"))
    assert [one["event"] for _, one in read(path)] == ["start", "end"]
    assert until(lambda: told(people, team="pumps")[1:])[0] == ("resolved", alert["labels"])


def test_an_episode_that_goes_on_is_told_again(tmp_path, server, monkeypatch):
    """What is open lies in the position file: whoever starts anew keeps it alive, with a later end each time."""
    monkeypatch.setattr(alerts_command, "AGAIN_S", 0.0)
    monkeypatch.setattr(alerts_command, "LOOK_EVERY_S", 0.05)
    path = write(tmp_path)
    run(path, 70)
    checked = config.load(path, check_model)
    receiver = Alertmanager(server, 10.0, {"team": "again"})
    Alerts(alarm_sink(checked), receiver, str(tmp_path / "position")).run(once=True)
    [first] = until(lambda: firing(server, team="again"))
    looks = iter(range(40))
    Alerts(alarm_sink(checked), receiver, str(tmp_path / "position"), stopped=lambda: next(looks, None) is None).run()
    [later] = firing(server, team="again")

    assert later["startsAt"] == first["startsAt"]
    assert later["endsAt"] > first["endsAt"]


def test_a_silence_ends_where_it_began():
    """The end of a silence carries the labels of its start."""
    now = datetime.now(UTC)
    receiver = Alertmanager("http://localhost", 1.0)
    head = {"id": "a", "partition": "0", "key": "pump-7"}
    moment = {"view": "silence", "position": 7, "time": (now - timedelta(hours=1)).isoformat(), "last_s": 1.0}
    start = receiver.alert(head | {"event": "start", "start": moment}, now)
    end = receiver.alert(head | {"event": "end", "end": moment}, now)

    assert start["labels"] == end["labels"] == {
        "alertname": "StreamrnnSilence", "partition": "0", "key": "pump-7", "view": "silence",
    }  # fmt: skip
    assert start["annotations"]["summary"].endswith("is silent")
    assert start["startsAt"] <= end["endsAt"] <= now.isoformat() < start["endsAt"]


@pytest.mark.parametrize("when", [None, 7, "7", "soon", "2999-01-01", 1e300, "nan"])
def test_a_time_that_is_none_is_that_of_the_post(when):
    """Times that count something else, or lie ahead, make no alert that Alertmanager refuses."""
    now = datetime.now(UTC)
    alert = Alertmanager("http://localhost", 1.0).alert(
        {"event": "end", "start": {"time": when}, "end": {"time": when}}, now
    )

    assert alert["startsAt"] == alert["endsAt"] == now.isoformat()


def test_the_busiest_key_is_held_back(tmp_path):
    """Beyond ``max_per_hour`` an episode's start and end lie in a file beside; the next ones are counted anew."""
    receiver = Receiver()
    path = write(tmp_path)
    run(path)
    alarms = [one for _, one in read(path)]
    sent = Alerts(
        alarm_sink(config.load(path, check_model)), Webhook(receiver.url, 10.0), str(tmp_path / "posted.json"), max_per_hour=1
    )  # fmt: skip
    sent.run(once=True)
    receiver.close()

    assert [body for _, body in receiver.taken] == alarms[:2]
    held = [json.loads(line) for line in (tmp_path / "posted.json.held.jsonl").read_text().splitlines()]
    assert [json.loads(one["alarm"]) for one in held] == alarms[2:]
    assert sent.held == len(alarms) - 2


def test_alerts_test(tmp_path, server, people, capsys):
    """``streamrnn alerts test`` says of each receiver whether an alarm arrives; one that is away is an error, and its address stays hidden."""
    path = write(tmp_path, alertmanager=server)
    main_ends(["alerts", "test", str(path), "--webhook", people.url], 0)
    out = capsys.readouterr().out
    main_ends(["alerts", "test", str(path), "--webhook", "http://127.0.0.1:9/secret"], 69)
    found = capsys.readouterr()

    assert [line.split(":")[0] for line in out.splitlines()] == ["webhook", "alertmanager"]
    assert any(body.get("key") == "streamrnn-test" for _, body in people.taken)
    assert [line.split(":")[0] for line in found.out.splitlines()] == ["alertmanager"]
    assert "The webhook did not take the start of a test alarm" in found.err
    assert "secret" not in found.err


def main_ends(arguments, code):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
