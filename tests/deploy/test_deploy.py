"""What is in deploy/ says what the program does. Nothing here starts a container or a cluster."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamrnn import config, errors
from streamrnn.daemon.health import PartitionHealth
from streamrnn.daemon.metrics import MeteredHealth
from streamrnn.daemon.server import StatusServer
from streamrnn.scorers.check_model import check_model
from tests.laws.places import ROOT

DEPLOY = ROOT / "deploy"


def metrics() -> set[str]:
    """Names of all metrics, as Prometheus stores them."""
    health = MeteredHealth()
    health.partitions["0"] = PartitionHealth()
    text = health.exposition().decode()
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    return names | {
        f"{name}{end}" for name in names for end in ("_bucket", "_sum", "_count") if name.endswith("_seconds")
    }


def used(text: str) -> set[str]:
    return set(re.findall(r"\bstreamrnn_[a-z_]+", text))


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest's configuration is a good one, its probes ask what is there, and it runs as nobody with no rights."""
    by_kind = {one["kind"]: one for one in documents("kubernetes.yaml")}
    pod = by_kind["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    monkeypatch.setenv("KAFKA", "kafka:9092")
    monkeypatch.setenv("REPLICA", "streamrnn-0")
    path = tmp_path / "watch.toml"
    path.write_text(by_kind["ConfigMap"]["data"]["watch.toml"])
    checked = config.load(path, check_model)
    pages = StatusServer(MeteredHealth(), 0)._pages.table

    assert checked.source.options.replica == "streamrnn-0"
    assert {one["name"] for one in container["env"]} == set(re.findall(r"\$\{(\w+)", path.read_text()))
    assert (
        container["ports"][0]["containerPort"] == checked.server.port == by_kind["Service"]["spec"]["ports"][0]["port"]
    )
    assert all(container[f"{one}Probe"]["httpGet"]["path"] in pages for one in ("startup", "liveness", "readiness"))
    assert (pod["securityContext"]["runAsNonRoot"], container["securityContext"]["readOnlyRootFilesystem"]) == (
        True,
        True,
    )
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    labels = by_kind["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert by_kind["Service"]["spec"]["selector"] == labels == by_kind["StatefulSet"]["spec"]["selector"]["matchLabels"]


def test_network_policy() -> None:
    """Of the pods nothing is reached but the status port, by the monitoring; they reach the brokers they are given, and names."""
    by_kind = {one["kind"]: one for one in documents("kubernetes.yaml")}
    policy = by_kind["NetworkPolicy"]["spec"]
    pod = by_kind["StatefulSet"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    (status,) = policy["ingress"]
    kafka, names = policy["egress"]
    servers = next(one["value"] for one in container["env"] if one["name"] == "KAFKA")

    assert policy["podSelector"]["matchLabels"] == pod["metadata"]["labels"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert [one["port"] for one in status["ports"]] == [container["ports"][0]["name"]]
    assert status["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    assert [str(one["port"]) for one in kafka["ports"]] == [servers.rpartition(":")[2]]
    assert {(one["protocol"], one["port"]) for one in names["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert all(one.get("to") for one in policy["egress"])


def test_pod_monitor() -> None:
    """Prometheus' operator finds the pods by their label, asks the port that they have for what is there, and names the job as the rules do."""
    (monitor,) = documents("monitoring/podmonitor.yaml")
    pod = next(one for one in documents("kubernetes.yaml") if one["kind"] == "StatefulSet")["spec"]["template"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (container,) = pod["spec"]["containers"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "streamrnn"
    assert endpoint["port"] in [one["name"] for one in container["ports"]]
    assert endpoint["path"] in StatusServer(MeteredHealth(), 0)._pages.table


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl was not found, which builds overlays")
def test_overlay(tmp_path: Path) -> None:
    """The overlay of the guide, built: a configuration, an image by its digest, a number of replicas and a monitor of one's own."""
    guide = (ROOT / "docs" / "operating.md").read_text()
    (overlay,) = re.findall(r"^```yaml\n(# kustomization.yaml\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(overlay)
    (tmp_path / "mine" / "watch.toml").write_text('[source]\ntopics = ["mine"]\n')

    built = subprocess.run(["kubectl", "kustomize", str(tmp_path / "mine")], capture_output=True, text=True, check=True)
    by_kind = {one["kind"]: one for one in yaml.safe_load_all(built.stdout)}
    (container,) = by_kind["StatefulSet"]["spec"]["template"]["spec"]["containers"]

    assert set(by_kind) == {one["kind"] for one in documents("kubernetes.yaml")} | {"PodMonitor"}
    assert by_kind["ConfigMap"]["data"]["watch.toml"] == '[source]\ntopics = ["mine"]\n'
    assert re.fullmatch(r"registry\.example\.org/streamrnn@sha256:[0-9a-f]{64}", container["image"])
    assert by_kind["StatefulSet"]["spec"]["replicas"] == 4
    assert "annotations" not in by_kind["StatefulSet"]["spec"]["template"]["metadata"]  # nobody scrapes them twice
    assert {one["metadata"].get("namespace") for one in by_kind.values()} == {"watch"}


def test_alerts() -> None:
    """Every metric in the rules exists, and every rule has its paragraph in the operator's guide."""
    (rules,) = documents("alerts.yaml")
    guide = (ROOT / "docs" / "operating.md").read_text()

    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert used(" ".join(rule["expr"] for rule in alerts)) - metrics() == set()
    assert [rule["alert"] for rule in alerts if f"### {rule['alert']}\n" not in guide] == []
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket") for rule in alerts)
    assert set(re.findall(r"^### (Streamrnn\w+)", guide, re.MULTILINE)) == {rule["alert"] for rule in alerts}


def test_dashboard() -> None:
    """Every metric on the dashboard exists; panels have their own place."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    panels = dashboard["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}

    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert used(" ".join(expressions)) - metrics() == set()
    assert all(one.count("(") == one.count(")") and one.count("{") == one.count("}") for one in expressions)
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)


def test_every_metric_is_explained() -> None:
    """The guide names each metric."""
    guide = (ROOT / "docs" / "operating.md").read_text()

    assert (
        sorted(
            name
            for name in metrics()
            if f"`{name}`" not in guide and not re.search("_(bucket|sum|count|created)$", name)
        )
        == []
    )


def unit() -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(DEPLOY / "streamrnn.service")
    return read


def test_unit() -> None:
    """The unit never restarts what a restart cannot mend, and waits for what the program says."""
    service = unit()["Service"]
    hopeless = {errors.BadDataError, errors.StateError, errors.AccessError, errors.ConfigError}

    assert set(map(int, service["RestartPreventExitStatus"].split())) == {64} | {one.exit_code for one in hopeless}
    assert (service["Type"], service["Restart"]) == ("notify", "on-failure")
    assert int(service["WatchdogSec"]) > 60
    assert "MemoryDenyWriteExecute" not in service  # compiled code lives in memory


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze, of the package systemd")
def test_unit_is_understood() -> None:
    """Systemd itself reads the unit without a complaint, but that the program is not installed."""
    done = subprocess.run(
        ["systemd-analyze", "verify", DEPLOY / "streamrnn.service"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    about_it = [line for line in done.stderr.splitlines() if line.startswith("streamrnn.service")]
    assert [line for line in about_it if "is not executable" not in line] == []


def test_image() -> None:
    """Every line of the Dockerfile is an instruction, what it copies is there, and it ends as nobody, warm."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    known = {
        "FROM",
        "WORKDIR",
        "RUN",
        "COPY",
        "ARG",
        "ENV",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    copied = [word for name, rest in lines if name == "COPY" and "--from" not in rest for word in rest.split()[:-1]]

    assert {name for name, _ in lines} <= known
    beside = [
        one for one in copied if one not in ("streamrnn", "connectors")
    ]  # sources: absent where the wheel is tested
    assert [one for one in beside if not (ROOT / one).exists()] == []
    assert len(beside) == len(copied) - 2
    assert [rest for name, rest in lines if name == "USER"] == ["10001:10001"]
    assert ["RUN", "streamrnn warmup"] in lines
    assert lines.index(["RUN", "streamrnn warmup"]) > lines.index(["USER", "10001:10001"])
    assert all(not rest.endswith(":latest") and ":" in rest for name, rest in lines if name == "FROM")
    assert json.loads(lines[-1][1]) == ["run", "/etc/streamrnn/watch.toml"]
