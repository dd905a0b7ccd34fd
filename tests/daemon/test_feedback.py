"""Feedback over HTTP: off without a token, written into the input, applied at its place in the stream, shown on the page's table."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from streamrnn import config as configurations
from streamrnn.daemon.feedback import FeedbackDesk
from streamrnn.daemon.recent_alarms import RecentAlarm
from streamrnn.engine.assemble import make_source
from streamrnn.engine.episodes import Moment
from streamrnn.errors import ConfigError, SourceError
from tests.compiled import compile_detector
from tests.daemon.daemon_rig import HIDDEN_SIZE, Process, get, wait

TOKEN = "s3cret-of-the-desk"
SPIKE = 150


def row(i: int, key: str) -> str:
    level = 40.0 if i == SPIKE and key == "a" else 10 + (i * 7 % 24) / 3
    return json.dumps({"t": f"2024-01-01T{i // 60:02}:{i % 60:02}:00Z", "pump": key, "level": level})


def place(folder: Path, *, server: str = f'feedback_token = "{TOKEN}"') -> Path:
    """Two keys, one with a spike, and a configuration that takes feedback."""
    compile_detector(HIDDEN_SIZE)
    (folder / "in.jsonl").write_text("".join(row(i, key) + "\n" for i in range(200) for key in "ab"))
    (folder / "watch.toml").write_text(
        f"""
[source]
path = "in.jsonl"
columns = ["level", "said"]
time = "t"
key = "pump"
follow = true
[model]
hidden_size = {HIDDEN_SIZE}
seed = 3
label = "said"
feedback_memory = 400
[alarm]
warm_up = 100
[output]
fields = ["time", "key", "alarm", "feedback"]
[sink]
path = "out.jsonl"
[server]
port = 0
{server}
"""
    )
    return folder / "watch.toml"


def say(port: int, token: str | None, body: bytes | dict[str, Any], path: str = "/feedback") -> tuple[int, str]:
    """Send a word, and return code and text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def status(port: int) -> dict[str, Any]:
    return json.loads(get(port, "/status")[1])  # type: ignore[no-any-return]


def test_a_word_goes_into_the_input_and_comes_back(tmp_path: Path) -> None:
    """Only who has the token is heard; the word is a record of the input; the run applies it once; the opposite takes it back."""
    config = place(tmp_path)
    with Process(config) as run:
        port = run.port()
        wait(lambda: run.outputs() == 400)
        [alarm] = [one for one in status(port)["recent_alarms"] if one["key"] == "a"]
        word = {"alarm": alarm["alarm"], "anomaly": False}

        refused = [say(port, None, word), say(port, "s3cret-of-the-desk-", word), say(port, TOKEN, b"much")]
        refused += [
            say(port, TOKEN, {**word, "alarm": "other"}),
            say(port, TOKEN, word, "/status"),
            say(port, TOKEN, b"x" * 4000),
        ]
        assert [code for code, _ in refused] == [401, 401, 400, 404, 404, 413]
        assert (tmp_path / "in.jsonl").read_text().count("said") == 0
        assert say(port, TOKEN, word)[0] == 200
        wait(lambda: status(port)["recent_alarms"][0]["said"] is False)
        assert say(port, TOKEN, word)[0] == 200
        assert say(port, TOKEN, {**word, "anomaly": True})[0] == 200
        wait(lambda: status(port)["recent_alarms"][0]["said"] is True)

        said = [json.loads(line) for line in (tmp_path / "in.jsonl").read_text().splitlines()[400:]]
        time = json.loads(row(SPIKE, "a"))["t"]
        assert said == [{"t": time, "pump": "a", "said": value} for value in (0, 0, 1)]
        results = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()[400:]]
        assert [one["feedback"] for one in results] == [True, True, True]
        assert TOKEN not in get(port, "/status")[1].decode() + run.err.read_text()


def test_nothing_can_be_sent_without_a_token(tmp_path: Path) -> None:
    """Where no token is set the port stays read-only, whatever is sent."""
    config = place(tmp_path, server="")
    with Process(config) as run:
        port = run.port()

        assert say(port, TOKEN, {"alarm": "a", "anomaly": True})[0] == 404
        assert status(port)["takes_feedback"] is False


class Away:
    """A source whose input cannot be written."""

    def check_feedback(self) -> None: ...

    def append_feedback(self, said: object) -> None:
        raise SourceError("The disk is full.")


def test_what_cannot_be_written_is_said() -> None:
    """An event without a time cannot be named, and an input that takes nothing says why; nothing is raised."""
    alarms = {
        name: RecentAlarm("0", None, *3 * (Moment(1, time),)) for name, time in (("timed", 17), ("untimed", None))
    }
    desk = FeedbackDesk(TOKEN, Away(), "said", alarms.get)

    def words(name: str) -> bytes:
        return json.dumps({"alarm": name, "anomaly": True}).encode()

    assert desk.take(f"Bearer {TOKEN}", words("timed")) == (503, "The disk is full.")
    assert desk.take(f"bearer {TOKEN}", words("untimed")).code == 409


WRONG = {
    "no follow": ({"follow": False}, {}, "[source] follow"),
    "a CSV": ({"path": "in.csv"}, {}, "[source] format"),
    "no time": ({"time": None}, {}, "[source] time"),
    "no key said": ({"key": None}, {}, "[source] key"),
    "two columns of time": ({"time": "day + hour"}, {}, "[source] time"),
    "rows must be whole": ({"on_missing": "dead_letter"}, {}, "[source] on_missing"),
    "a value within a value": ({"columns": ["level", "level.said"]}, {"label": "level.said"}, "[source] columns"),
    "nothing remembered": ({}, {"feedback_memory": None}, "[server] feedback_token"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "model", "said"), WRONG.values(), ids=WRONG)
def test_what_could_not_be_heard_is_refused(source: dict[str, Any], model: dict[str, Any], said: str) -> None:
    """Where feedback could not be written, or would not be read, the configuration is refused before anything runs."""
    from streamrnn.engine.assemble import check_feedback
    from streamrnn.scorers.kinds import model_kind

    def table(options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    tables = {
        "source": table({"path": "in.jsonl", "columns": ["level", "said"], "time": "t", "key": "pump", "follow": True} | source),
        "model": table({"label": "said", "feedback_memory": 9} | model),
        "sink": {"path": "out.jsonl"},
        "server": {"port": 0, "feedback_token": TOKEN},
    }  # fmt: skip
    config = configurations.parse(tables, base=Path())

    with pytest.raises(ConfigError) as caught:
        check_feedback(config, model_kind(config.model.kind, config.model.options))
    assert [one.split(":")[0] for one in caught.value.problems] == [said]
    assert make_source(config) is not None
