"""A configuration to start from: ``streamrnn config --example sqlite``."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# Watches the rows of a table in a SQLite database and writes a result for each into another table, exactly once.
# `streamrnn check watch.toml` says what is wrong with this file, `streamrnn run watch.toml` runs it. Paths are relative to this
# file. docs/sqlite.md is the guide, docs/options.md lists every option.

[source]
kind = "sqlite"
path = "${DATABASE:-plant.db}"
table = "events"
columns = ["flow"]          # columns of numbers to watch
# time = "time"             # passed on as written
# key = "sensor"            # one net for each value of this column
follow = false              # true: go on as rows are added

[model]
kind = "RNNAnomalyDetector"
hidden_size = 16
seed = 1

[alarm]
rate = 0.001     # largest share of normal events that may alarm
warm_up = 300    # events before the first alarm: the net must see something first

[sink]
kind = "sqlite"
path = "${DATABASE:-plant.db}"
table = "results"           # made where it is missing; results_dead_letters, results_state and results_snapshots beside it

[state]
every = 10000    # events between two snapshots
"""
