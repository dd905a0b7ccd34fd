"""A configuration to start from: ``streamrnn config --example file``."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# Watches the columns of a CSV file. `streamrnn check watch.toml` says what is wrong with this file,
# `streamrnn run watch.toml` runs it. Paths are relative to this file. docs/options.md lists every option.

[source]
path = "${INPUT:-in.csv}"   # - is standard input; JSON Lines too
follow = false              # true: go on as the file grows, like tail -F
# columns = ["flow"]        # all columns of numbers by default
# key = "sensor"            # one net for each value of this column

[model]
kind = "RNNAnomalyDetector"
hidden_size = 16
seed = 1

[alarm]
rate = 0.001     # largest share of normal events that may alarm
warm_up = 300    # events before the first alarm: the net must see something first

[sink]
path = "out.jsonl"

[dead_letter]
path = "dead.jsonl"   # records that are no events, with line and reason

[state]
dir = "state"    # a restart goes on from here, without a gap or a repetition
every = 10000    # events between two snapshots

# [server]
# port = 9100    # http://localhost:9100 shows the run, as does `streamrnn top`; /metrics for Prometheus
"""
