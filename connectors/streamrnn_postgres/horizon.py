"""Up to which position the rows of a table are final: none with a smaller position will become visible later."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

from streamrnn_postgres.table import Table

if TYPE_CHECKING:
    import psycopg

__all__ = ["Horizon"]

LONG_S = 60.0
"""A transaction that is open for longer than this is named in a warning."""

# The newest row is read before the locks: what has ended in between is in the next statement's snapshot.
LOOK = """
WITH RECURSIVE held AS MATERIALIZED (
    SELECT relation, virtualtransaction, pid FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), above(relation, parent) AS (
    SELECT relation, relation FROM held
    UNION SELECT above.relation, i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.parent
)
SELECT (SELECT max({position}) FROM {name}), coalesce(array_agg(virtualtransaction), '{{}}'), coalesce(array_agg(pid), '{{}}')
FROM held WHERE relation IN (SELECT relation FROM above WHERE parent = ANY($1::oid[]))
"""

PREPARED = "-1/"
"""How the transactions begin that were prepared for a second phase: they change their name when they are."""


class Horizon:
    """Finds the last position behind which reading may go on.

    A number of a sequence is taken before its row is visible, and transactions commit in another order: a row that comes late would
    be passed over by a reader that looks at the newest one only. So after a new newest row was seen, whoever was writing to the table
    at that moment is waited for. An INSERT locks its table before it takes a number, and until its transaction ends: what is smaller
    than the newest row that was seen is then visible, or never will be.

    Parameters
    ----------
    connection
        To the server.
    table
        What is read.

    Examples
    --------
    >>> from streamrnn_postgres.horizon import Horizon
    >>> from streamrnn_postgres.table import Table
    >>> Horizon(None, Table("events", "id", ("id",), (), ())).end is None
    True
    """

    def __init__(self, connection: psycopg.Connection[Any], table: Table) -> None:
        self.end: int | None = None
        self._connection = connection
        self._look = LOOK.format(name=table.name, position=table.position)
        self._behind = f"{{{','.join(map(str, table.behind))}}}"
        self._newest: int | None = None
        self._writing: set[str] = set()
        self._since = 0.0
        self._warned = False

    @property
    def waits(self) -> bool:
        """Whether there are rows that others, which are not yet visible, may have to come before."""
        return self._newest is not None

    def look(self) -> bool:
        """Look once; return whether there is more to read than before."""
        [found] = self._connection.execute(self._look, (self._behind,)).fetchall()
        newest, writing, pids = found
        now = set(writing)
        if self._newest is None:
            if newest is None or (self.end is not None and newest <= self.end):
                return False
            self._newest, self._writing, self._since, self._warned = newest, now, time.monotonic(), False
        self._writing &= now
        if self._writing or any(one.startswith(PREPARED) for one in now):
            self._warn(
                {
                    pid
                    for one, pid in zip(writing, pids, strict=True)
                    if one in self._writing or one.startswith(PREPARED)
                }
            )
            return False
        self.end, self._newest = self._newest, None
        return True

    def _warn(self, pids: set[int | None]) -> None:
        """Say once who keeps reading from going on, where that takes long."""
        if self._warned or time.monotonic() - self._since < LONG_S:
            return
        self._warned = True
        who = ", ".join(sorted("a prepared transaction" if one is None else f"pid {one}" for one in pids))
        warnings.warn(
            f"A transaction that writes to the table is open for more than {LONG_S:.0f} s ({who}); rows behind {self._newest} wait "
            "for it: it may bring one that comes before them.",
            RuntimeWarning,
            stacklevel=2,
        )
