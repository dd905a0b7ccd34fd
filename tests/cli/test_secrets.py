"""No secret of a configuration leaves the process for people, whatever is in it and however it is spelled by then."""

from __future__ import annotations

import html
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from streamrnn import config_secrets
from streamrnn.config_secrets import redact, redact_all, remember
from streamrnn.scorers.kinds import ModelKind
from tests.daemon.daemon_rig import Process, get, place, wait

PARTS = ("xzeb", "xkudu", "xgnu", "xokapi", "xibex", "xlynx")
SECRET = "xzeb\"xkudu\\xgnu\txokapi\nxibex'xlynxü"
SERVER = "[server]\nport = 0\n"

SECRETS = (SECRET, 'qu"ote', "back\\slash\\\\", "tab\tbed", "two\nlines", "größe😀", "a//b+/=", " blanks  ", "<&>;'")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "repr in JSON": lambda text: json.dumps(repr(text)),
    "JSON in repr": lambda text: repr(json.dumps(text)),
    "bytes": lambda text: repr(text.encode()),
    "URL": quote,
    "form": quote_plus,
    "HTML": html.escape,
    "one line": lambda text: " ".join(text.split()),
    "path": lambda text: repr(str(Path("t") / text / "out.jsonl")),
}


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_secrets, "_known", {})
    monkeypatch.setattr(config_secrets, "_every", None)


@pytest.mark.usefixtures("nothing_known")
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_every_spelling_is_found(spelled: str) -> None:
    """A message may quote, escape or fold a secret before it is redacted: nothing but quotes and blanks is left of it."""
    for secret in SECRETS:
        remember(secret)

    left = [redact(SPELLINGS[spelled](secret)) for secret in SECRETS]

    around = str.maketrans("", "", "\"'\\ +b/tn")
    assert [one.replace("out.jsonl", "").replace("%20", "").translate(around) for one in left] == ["***"] * len(SECRETS)


@pytest.mark.usefixtures("nothing_known")
def test_what_is_no_secret_stays() -> None:
    """Other texts, numbers and shapes stay as they are; names in tables are texts too."""
    remember("tr0ub4dor")

    assert redact("tr0ub4do and troubador") == "tr0ub4do and troubador"
    assert redact_all({"tr0ub4dor": (1, None, ["x tr0ub4dor"])}) == {"***": [1, None, ["x ***"]]}


@pytest.mark.usefixtures("nothing_known")
def test_a_secret_within_another() -> None:
    """Of a secret that begins as a shorter one does, or holds it, nothing is left, whichever was told first."""
    for secret in ("hunter22", "hunter22-and-more", "before-hunter22"):
        remember(secret)

    assert redact("hunter22-and-more, before-hunter22, hunter22") == "***, ***, ***"


@pytest.mark.usefixtures("nothing_known")
def test_hostile_texts_take_no_time() -> None:
    """A text made to keep the search busy costs time as it is long, no more."""
    for secret in (*SECRETS, "\\\\\\\\x", "////x", "n\t" * 30, "k" * 30_000 + "+/" * 15_000):
        remember(secret)

    started = time.process_time()
    for text in ("\\" * 50_000, "/" * 50_000, "n \\u000" * 20_000, "\\u00" * 20_000):
        assert redact(text + "y") == text + "y"
    assert time.process_time() - started < 10  # minutes where it goes with the square


def assert_hidden(said: str) -> None:
    assert [part for part in PARTS if part in said] == []


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the size of files is limited on Linux only")
@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_no_way_out_of_a_run(tmp_path: Path, form: str) -> None:
    """An output in a folder named by a secret is full: log, status, readiness, metrics, top, systemd and the last words hide it."""
    config = place(tmp_path, 4000, follow=True, more=SERVER + f"[log]\nformat = '{form}'\n")
    config.write_text(config.read_text().replace('"out.jsonl"', '"t/${MY_TOKEN}/out.jsonl"'))
    (tmp_path / "t" / SECRET).mkdir(parents=True)

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        environment = {**os.environ, "MY_TOKEN": SECRET, "NOTIFY_SOCKET": str(tmp_path / "n")}
        with Process(config, env=environment, preexec_fn=narrow) as run:
            said = run.err.read_text
            wait(lambda: "trouble" in said())
            words = said().replace('"', " ").replace(",", " ").replace("=", " ").replace(":", " ").split()
            port = int(words[words.index("port") + 1].strip("}"))
            asked = [get(port, address)[1].decode() for address in ("/status", "/readyz", "/metrics", "/", "/series")]
            top = subprocess.run(
                [sys.executable, "-m", "streamrnn", "top", "--once", f"127.0.0.1:{port}"],
                capture_output=True, check=True, timeout=60, env={**os.environ, "COLUMNS": "400"},
            )  # fmt: skip
            assert run.stop(signal.SIGTERM) == 73
        manager.setblocking(False)
        heard = []
        while not heard or "STOPPING" not in heard[-1] or "failed" not in heard[-1]:
            heard.append(manager.recv(4096).decode())

    everything = [said(), top.stdout.decode(), *asked, *heard]
    assert sum("File too large" in one and "t/***/out.jsonl" in one for one in everything) >= 5
    assert_hidden("".join(everything))


def run_it(folder: Path, command: str, *more: str) -> str:
    """Run a command with the secret in its environment, and return all that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "streamrnn", *command.split(), str(folder / "watch.toml"), *more],
        capture_output=True, check=False, timeout=120, env={**os.environ, "MY_TOKEN": SECRET}, cwd=folder,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode()


@pytest.mark.slow
def test_no_way_out_of_a_command(tmp_path: Path) -> None:
    """A check, an error with its traceback, a summary, the list of snapshots, dead letters, a picture: none shows it."""
    config = place(tmp_path, 0, more='[dead_letter]\npath = "${MY_TOKEN}.jsonl"\n')
    text = config.read_text().replace('key = "sensor"', 'columns = ["flow", "${MY_TOKEN}"]')
    named = SECRET.replace('"', '""')
    (tmp_path / "in.csv").write_text(f'flow,"{named}"\n' + "1,2\n,x\n" * 300)
    config.write_text(text)

    good = [run_it(tmp_path, "run", "--plot", "out.html"), run_it(tmp_path, "check"), run_it(tmp_path, "snapshot list")]
    good += [run_it(tmp_path, "snapshot show"), (tmp_path / "out.html").read_text()]
    letters = (tmp_path / f"{SECRET}.jsonl").read_text()
    config.write_text(text.replace('"out.jsonl"', '"in.csv/${MY_TOKEN}/x"').replace('"flow", ', '"flw", '))
    bad = [run_it(tmp_path, "check"), run_it(tmp_path, "run", "--debug")]

    assert "are in" in good[0]
    assert json.loads(letters.splitlines()[0])["reason"] == "Column '***': 'x' is not a number."
    assert all("***" in one for one in (good[0], *bad))
    assert_hidden("".join([*good, letters.replace(json.dumps(SECRET)[1:-1], ""), *bad]))


def test_a_rotated_secret_of_a_model() -> None:
    """What an old snapshot holds under a secret's name is as hidden as what the configuration holds now."""
    kind = ModelKind("module:factory", {"api_token": "new-one"}, dict)

    with pytest.raises(Exception, match=r"api_token: '\*\*\*' then, '\*\*\*' now"):
        kind.check_model({"kind": "module:factory", "parameters": {"api_token": "old-one"}})
