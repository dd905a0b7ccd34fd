"""The source: what queries give, step by step, a while behind the clock."""

from __future__ import annotations

import time
from typing import Any, Self

import msgspec

from streamrnn.config import checked_table
from streamrnn.errors import ConfigError, GoneError, RetriableSourceError, SourceError, StateError, StreamrnnError
from streamrnn.io import Poll, Position, SourceContext, Tally
from streamrnn_prometheus.client import Client, TooMuchError, Unanswered
from streamrnn_prometheus.late import AGAIN, Late
from streamrnn_prometheus.options import SourceOptions, millis
from streamrnn_prometheus.steps import BEHIND, ROWS, Rows, block_of, iso, rows_of

__all__ = ["PrometheusSource"]

PARTITION = "0"

MOST_STEPS = 11_000
"""Of one answer: what Prometheus gives at most."""

FIRST_STEPS = 16
"""Of the first question, as nobody knows how many series there are."""

ROWS_AT_ONCE = 50_000
"""What a question is meant to bring."""

GIVE_UP_S = 120.0
"""A server that was reached once, and is gone for longer than that, ends the run."""


class PrometheusSource:
    """Events of queries to a Prometheus; a position is a step and the number of a row in it.

    A step is read once it is ``lag_s`` old. Its rows are the series that have a value there, in the order of their labels. The
    first poll only announces the partition. A server that restarts is waited for.

    Parameters
    ----------
    options
        What to read and how, see ``PrometheusSource.Options``.
    context
        What the run asks besides.

    Raises
    ------
    ConfigError
        When nothing is asked for.

    Examples
    --------
    >>> from streamrnn_prometheus import PrometheusSource
    >>> source = PrometheusSource.from_query("http://127.0.0.1:1", "up")
    >>> print(*source.check())
    http://127.0.0.1:1 cannot be reached: ...
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = True

    def __init__(self, options: SourceOptions, context: SourceContext | None = None) -> None:
        if options.query is None and not options.queries:
            raise ConfigError("[source] query: is missing. It must be a text.")
        self._options = options
        self._context = context or SourceContext()
        self._client = Client("source", options)
        self._tally = Tally()
        self._late = Late(options)
        self._entered = False
        self._announced = False
        self._gone_since: float | None = None
        self._end: int | None = None  # the last step, where it is not waited for more
        self._next = 0  # the step to ask for
        self._passed = 0  # of its rows
        self._steps = FIRST_STEPS  # of a question
        self._most = MOST_STEPS - AGAIN
        self._rows: Rows | None = None
        self._given = 0  # of these rows

    @classmethod
    def from_query(
        cls, url: str, query: str | None = None, *, keep_raw: bool = False, **options: Any
    ) -> PrometheusSource:
        """Return a source of a query, not yet entered.

        Parameters
        ----------
        url
            Address of the server.
        query
            PromQL; None where ``queries`` are given.
        keep_raw
            Keep labels and values of each event, as JSON, in ``Block.raws``.
        options
            See ``PrometheusSource.Options``.

        Raises
        ------
        ConfigError
            With one line for each wrong option.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSource
        >>> PrometheusSource.from_query("http://localhost:9090", "up", start="soon")
        Traceback (most recent call last):
        ...
        streamrnn.errors.ConfigError: [source] start: must be ISO-8601, seconds since 1970 or "now". Got 'soon' instead.
        """
        checked = checked_table("source", SourceOptions, {"url": url, "query": query, **options})
        return cls(checked, SourceContext(keep_raw=keep_raw))

    def __enter__(self) -> Self:
        options = self._options
        newest = self._newest()
        self._end = None if options.follow else newest
        step = options.step_ms
        self._next = newest + step if options.start == "now" else -(-millis(options.start) // step) * step
        try:
            self._ask(newest, newest)
        except BaseException:
            self._client.close()
            raise
        self._entered = True
        return self

    def __exit__(self, *exc: object) -> None:
        self._entered = False
        self._client.close()

    def _newest(self) -> int:
        """Return the newest step that is old enough."""
        step = self._options.step_ms
        return (time.time_ns() // 1_000_000 - round(self._options.lag_s * 1000)) // step * step

    def _ask(self, first: int, last: int) -> Rows:
        step = self._options.step_ms
        answers = [self._client.series(query, first, last, step) for query in self._options.asked]
        return rows_of(answers, self._options, first, (last - first) // step + 1, self._tally)

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong with the input: no server, no right to ask it, a query that is none.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSource
        >>> [type(one).__name__ for one in PrometheusSource.from_query("http://127.0.0.1:1", "up").check()]
        ['UnavailableError']
        """
        try:
            with PrometheusSource(self._options, self._context):
                return []
        except StreamrnnError as error:
            return [error]

    def reread(self) -> PrometheusSource:
        """Return a source of the same steps that ends with the newest one when it is entered.

        Raises
        ------
        ConfigError
            When the first step is that of the moment a run begins, which nobody knows afterwards.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSource
        >>> PrometheusSource.from_query("http://localhost:9090", "up", start="2024-01-01").reread().chosen()["columns"]
        ['value']
        """
        if self._options.start == "now":
            raise ConfigError('[source] start: must be a time where the input is read again. Got "now" instead.')
        return PrometheusSource(msgspec.structs.replace(self._options, follow=False), self._context)

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and what came late or was no number so far. May be called from another thread.

        Examples
        --------
        >>> from streamrnn_prometheus import PrometheusSource
        >>> PrometheusSource.from_query("http://localhost:9090", "up").chosen()["bad_cells"]
        {}
        """
        key = "labels" if self._options.key is None else self._options.key
        found = {"columns": list(self._options.names), "left_out": {}, "time": {"column": "time"}, "key": key}
        return found | {"order": "oldest first", **self._tally.told(), **self._late.told()}

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` new events, waiting up to ``timeout_s`` for the first.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.

        Raises
        ------
        SourceError
            When the server refuses a query, or is gone for long.
        """
        if not self._entered:
            raise SourceError("The source is not open: read it inside a with statement.")
        if not self._announced:
            self._announced = True
            return Poll(assigned=(PARTITION,))
        end = time.monotonic() + timeout_s
        while True:
            if self._rows is not None and self._given < len(self._rows):
                return Poll(blocks=(self._block(self._rows, max_events),))
            last = self._newest() if self._end is None else self._end
            if self._next <= last:
                if not self._filled(last, end):
                    return Poll()
            elif self._end is not None:
                return Poll(ended=True)
            if (left := end - time.monotonic()) <= 0 and self._rows is None:
                return Poll()
            if self._next > last and self._end is None:
                due = (self._next + self._options.lag_s * 1000) / 1000 - time.time()
                time.sleep(max(0.0, min(left, due + 0.001)))

    def _block(self, rows: Rows, most: int) -> Any:
        start, self._given = self._given, min(self._given + most, len(rows))
        block = block_of(rows, start, self._given, self._options, self._context, PARTITION)
        if self._given == len(rows):
            self._rows = None
        return block

    def _filled(self, last: int, end: float) -> bool:
        """Ask for the next steps; return False where there is no answer for now."""
        step = self._options.step_ms
        behind = min(self._steps, (last - self._next) // step + 1) * step + self._next
        before = self._late.steps * step if behind > last else 0
        try:
            rows = self._ask(self._next - before, behind - step)
        except TooMuchError:
            if self._steps == 1:
                raise
            self._most = self._steps = self._steps // 2
            return True
        except Unanswered as error:
            self._steps = max(1, self._steps // 2)  # it may have had no time for so much
            self._wait_for_server(error, end)
            return False
        self._gone_since = None
        n = (behind - self._next) // step
        self._late.look(rows, n + before // step, before // step)
        self._given = rows.behind(before // step, self._passed)
        self._steps = min(8 * max(n, self._steps), max(1, ROWS_AT_ONCE * n // max(1, len(rows))), self._most)
        self._rows = rows if self._given < len(rows) else None
        self._next, self._passed = behind, 0
        return True

    def _wait_for_server(self, error: StreamrnnError, end: float) -> None:
        """Let a moment pass, as the server may come back; raise where it has been gone for long."""
        now = time.monotonic()
        if self._gone_since is None:
            self._gone_since = now
        elif now - self._gone_since > GIVE_UP_S:
            raise RetriableSourceError(str(error)) from error
        time.sleep(max(0.0, min(1.0, end - now)))

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading at the row ``position``, or the first one behind it.

        Parameters
        ----------
        partition
            The only partition, ``"0"``.
        position
            A step and the number of a row in it.

        Raises
        ------
        StateError
            When it is none, or the server does not hold the row that was read last.
        RetriableSourceError
            When the server does not answer for now.
        """
        step, number = divmod(position, ROWS) if isinstance(position, int) else (0, 0)
        if partition != PARTITION or not isinstance(position, int) or step % self._options.step_ms:
            raise StateError(
                f"The queries have no position {position!r}: it is no step of {self._options.step_s:g} s. Put 'step_s' back, "
                "or start anew with --fresh."
            )
        try:
            rows = self._ask(step, step)
            least = 1 if number == BEHIND else max(1, number)
            if len(rows) < least:
                raise self._missing(step, number, len(rows))
        except Unanswered as error:
            raise RetriableSourceError(str(error)) from error
        self._announced = True
        self._rows = None
        self._late.forget()
        self._next, self._passed = (step + self._options.step_ms, 0) if number == BEHIND else (step, number)

    def _missing(self, step: int, number: int, there: int) -> StateError:
        """Return what it means that a step does not hold the row that was read last."""
        at, size = step, self._options.step_ms
        said = f"{self._client.name} holds {there} series at {iso(step)}, where row {number} was reached"
        while at <= (newest := self._newest()):
            last = min(newest, at + (FIRST_STEPS - 1) * size)
            if at > step and len(rows := self._ask(at, last)):
                first = rows.first + int(rows.at[0]) * size
                return GoneError(
                    f"{said}: it was deleted as too old, or the query is another one. Start anew with --fresh.",
                    first * ROWS,
                )
            at = last + size if at > step else at + size
        return StateError(f"{said}: it is another one, or so is the query. Put it back, or start anew with --fresh.")
