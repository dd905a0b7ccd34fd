"""A configuration to start from: ``streamrnn config --example postgres``."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# Watches the rows of a table in PostgreSQL and writes a result for each into another table, exactly once.
# `streamrnn check watch.toml` says what is wrong with this file, `streamrnn run watch.toml` runs it.
# docs/postgres.md is the guide, docs/options.md lists every option.

[source]
kind = "postgres"
url = "${DATABASE_URL:-postgresql:///plant}"
table = "events"
position = "id"             # bigint GENERATED ALWAYS AS IDENTITY, or bigserial: the order of the rows
columns = ["flow"]          # columns of numbers to watch
# time = "time"             # timestamptz, timestamp, date, or a number: seconds since 1970
# key = "sensor"            # one net for all values of this column, which it keeps apart
follow = false              # true: go on as rows are added

[model]
kind = "RNNAnomalyDetector"
hidden_size = 16
seed = 1

[alarm]
rate = 0.001     # largest share of normal events that may alarm
warm_up = 300    # events before the first alarm: the net must see something first

[sink]
kind = "postgres"
url = "${DATABASE_URL:-postgresql:///plant}"
table = "results"           # made where it is missing; results_dead_letters, results_state and results_snapshots beside it

[state]
every = 10000    # events between two snapshots
"""
