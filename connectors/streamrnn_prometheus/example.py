"""A configuration to start from: ``streamrnn config --example prometheus``."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# Asks a Prometheus every 15 seconds and writes a result for each series of the answer to a file.
# `streamrnn check watch.toml` says what is wrong with this file, `streamrnn run watch.toml` runs it.
# docs/prometheus.md is the guide, docs/options.md lists every option.

[source]
kind = "prometheus"
url = "${PROMETHEUS_URL:-http://localhost:9090}"
query = "sum by (job) (rate(prometheus_http_requests_total[1m]))"  # each series of the answer is a key
column = "requests"         # what its values are called
step_s = 15
lag_s = 30                  # how far behind the clock: samples that come later than that are not seen
start = "now"               # or a time: "2026-01-01T00:00:00Z"
follow = true

[model]
kind = "RNNAnomalyDetector"
hidden_size = 16
seed = 1

[alarm]
rate = 0.001     # largest share of normal events that may alarm
warm_up = 300    # events of a key before its first alarm: the net must see something first

[sink]
kind = "files"
path = "scores.jsonl"

[state]
dir = "state"
every = 10000    # events between two snapshots
"""
