"""PostgreSQL as a stream: the rows of a table in, results, dead letters, alarms, positions and snapshots out, in one transaction."""

from streamrnn_postgres.sink import PostgresSink
from streamrnn_postgres.source import PostgresSource

__all__ = ["PostgresSink", "PostgresSource"]
