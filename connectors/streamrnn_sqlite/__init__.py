"""SQLite as a stream: the rows of a table in, results, dead letters, positions and snapshots out, in one transaction."""

from streamrnn_sqlite.sink import SqliteSink
from streamrnn_sqlite.source import SqliteSource

__all__ = ["SqliteSink", "SqliteSource"]
