"""A configuration to start from: ``streamrnn config --example kafka``."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# Watches a Kafka topic and writes a result for each event, exactly once. `streamrnn check watch.toml` says what is wrong
# with this file, `streamrnn run watch.toml` runs it. docs/kafka.md is the guide, docs/options.md lists every option.

[source]
kind = "kafka"
servers = "${KAFKA:-localhost:9092}"
topics = ["flow"]
group = "watch"              # this application: its processes share the partitions
replica = "${REPLICA:-0}"    # another one for each process, the same one after a restart
columns = ["flow"]           # JSON fields to watch; a.b is the field b inside the field a
# key = "sensor"             # one net for each value of this field

[model]
kind = "RNNAnomalyDetector"
hidden_size = 16
seed = 1

[alarm]
rate = 0.001     # largest share of normal events that may alarm
warm_up = 300    # events before the first alarm: the net must see something first

[sink]
kind = "kafka"
topic = "flow.scores"        # readers must set isolation.level=read_committed

[dead_letter]
topic = "flow.dead"          # records that are no events, with the reason in the headers

[state]
every = 10000    # events of a partition between two snapshots

[server]
port = "${PORT:-9100}"       # http://localhost:9100 shows the run, as does `streamrnn top`; /metrics for Prometheus. Another one
                             # for each process on the same machine
"""
