"""Rules and dashboard, as Prometheus itself reads them: each rule fires where it should, each panel finds something.

``promtool`` belongs to the package ``prometheus``; ``.ci/run`` installs it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from streamrnn import config
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.engine.assemble import make_runtime
from streamrnn.scorers.check_model import check_model
from tests.daemon.daemon_rig import place
from tests.laws.places import ROOT

RULES = ROOT / "deploy" / "alerts.yaml"
UNIT_TESTS = ROOT / "tests" / "deploy" / "alerts.test.yaml"
TARGET = {"instance": "a:9100", "job": "streamrnn"}  # what Prometheus adds to whatever it scrapes
Series = tuple[str, frozenset[str]]
"""A metric's name and those of its labels."""


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it; where it is missing skip the test, but not where it had to be installed."""
    found = shutil.which("promtool")
    if found is None:
        if os.environ.get("CI") == "true" and shutil.which("apt-get") and os.getuid() == 0:
            pytest.fail("promtool is missing, though .ci/run could install it")
        pytest.skip("promtool was not found; on Debian: apt-get install prometheus")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run tells Prometheus that was started again, over a source that knows how much it has not read."""
    folder = tmp_path_factory.mktemp("run")
    for events in (700, 1400):
        checked = config.load(place(folder, events), check_model)
        health = MeteredHealth(checked.alarm.rate)
        health.runtime = make_runtime(checked, monitor=health)
        health.runtime.observers = [health.observe]
        health.runtime.run()
    health.runtime.source.lag = lambda: {"0": 3}  # type: ignore[attr-defined]  # what a source may have; only Kafka's does
    return health.exposition().decode()


def samples(exposition: str) -> list[tuple[str, dict[str, str]]]:
    """Return names and labels as Prometheus stores them."""
    return [
        (sample.name, {**sample.labels, **TARGET})
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    ]


def kinds(exposition: str) -> set[Series]:
    return {(name, frozenset(labels)) for name, labels in samples(exposition)} | {("up", frozenset(TARGET))}


def unit_tests() -> list[dict[str, Any]]:
    read = yaml.safe_load(UNIT_TESTS.read_text())["tests"]
    assert isinstance(read, list)
    return read


def test_rules_load() -> None:
    """Prometheus takes the file of rules."""
    done = promtool("check", "rules", RULES)

    assert (done.returncode, done.stderr) == (0, "")


def test_rules_fire() -> None:
    """Each rule fires for what it is there for, with the labels and the sentence it promises, and not for what almost is that."""
    done = promtool("test", "rules", UNIT_TESTS)

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_is_left_out() -> None:
    """Every rule has a unit test in which it fires, beside a series for which it does not or a moment when it does not yet."""
    rules = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    fires = {
        asked["alertname"]
        for test in unit_tests()
        for asked in test["alert_rule_test"]
        if asked["exp_alerts"] and (len(test["alert_rule_test"]) > 1 or len(test["input_series"]) > 1)
    }

    assert sorted(rules) == sorted(fires)


def test_the_program_gives_what_rules_are_tested_with(exposition: str) -> None:
    """Every series in the unit tests is one that a run exposes, with these labels and no others."""
    written = {
        (name, frozenset(re.findall(r"(\w+)=", labels)))
        for test in unit_tests()
        for one in test["input_series"]
        for name, labels in [one["series"].rstrip("}").split("{")]
    }

    assert len(written) > 12
    assert sorted(map(str, written - kinds(exposition))) == []


def panels() -> list[tuple[str, list[str]]]:
    """Return the dashboard's expressions, each with the labels of its legend."""
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    return [
        (target["expr"].replace("$instance", ".*"), re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        for panel in board["panels"]
        for target in panel["targets"]
    ]


def empty(expressions: list[tuple[str, list[str]]], exposition: str, folder: Path) -> list[str]:
    """Return the expressions that find nothing, or something without a label of its legend, in what a run exposes."""
    series = []
    for name, labels in samples(exposition):
        braces = ", ".join(f"{one}={json.dumps(value)}" for one, value in labels.items())
        series.append({"series": f"{name}{{{braces}}}", "values": "1+1x90"})

    def test(expression: str, legend: list[str]) -> dict[str, Any]:
        for label in legend:
            expression = f'label_replace({expression}, "has_{label}", "yes", "{label}", ".+")'
        has = ", ".join(f"has_{label}" for label in legend)
        said = ", ".join(f'has_{label}="yes"' for label in legend)
        asked = f"(count by ({has}) ({expression})) > bool 0"
        found = {"expr": asked, "eval_time": "90m", "exp_samples": [{"labels": f"{{{said}}}", "value": 1}]}
        return {"interval": "1m", "input_series": series, "promql_expr_test": [found]}

    lacking = []
    for expression, legend in expressions:
        path = folder / "panel.yaml"
        path.write_text(json.dumps({"evaluation_interval": "1m", "tests": [test(expression, legend)]}))
        if promtool("test", "rules", path).returncode:
            lacking.append(expression)
    return lacking


def test_every_panel_finds_something(exposition: str, tmp_path: Path) -> None:
    """Each expression of the dashboard finds series in what a run exposes, and they have the labels of their legend."""
    assert len(panels()) > 15
    assert empty(panels(), exposition, tmp_path) == []


@pytest.mark.parametrize(
    ("expression", "legend"),
    [
        ("streamrnn_alarm_shares", ["partition"]),
        ("streamrnn_alarm_share", ["partition", "key"]),
        ('streamrnn_alarm_share{key="a"}', ["partition"]),
        ("sum by (partition) (rate(streamrnn_alarms_total[5m]))", ["partition"]),
        ("streamrnn_alarm_share > 5 * on(instance) group_left() streamrnn_alarm_rate_wanted", ["partition"]),
    ],
)
def test_a_planted_panel_is_caught(expression: str, legend: list[str], exposition: str, tmp_path: Path) -> None:
    """A metric that is not there, a label that it has not, an expression that is none."""
    assert empty([(expression, legend)], exposition, tmp_path) == [expression]


def test_promtool_may_be_missing_but_not_where_it_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a developer's tests are skipped, with a reason; where ``.ci/run`` could install it they fail."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install prometheus"):
        promtool("--version")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="could install it"):
        promtool("--version")
