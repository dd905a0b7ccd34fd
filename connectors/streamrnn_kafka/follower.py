"""Looking again and again for what was committed to a topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streamrnn_kafka.options import ConnectionOptions
from streamrnn_kafka.outside import close_consumer, committed_records, outside_consumer

__all__ = ["RecordFollower"]


class RecordFollower:
    """Looks again and again for what was committed to a topic, over one connection.

    Parameters
    ----------
    options
        How to reach the brokers.
    client_id
        The name that requests are made under.
    """

    def __init__(self, options: ConnectionOptions, client_id: str) -> None:
        self._options = options
        self._client_id = client_id
        self._consumer: Any = None

    def records(self, topic: str, after: Mapping[int, int]) -> Iterator[Any]:
        """Yield what :func:`committed_records` does. A look that fails, or is not taken to its end, costs the connection.

        Parameters
        ----------
        topic, after
            See :func:`committed_records`.

        Raises
        ------
        UnavailableError
            When no broker answers.
        """
        consumer, self._consumer = self._consumer or outside_consumer(self._options, self._client_id), None
        try:
            yield from committed_records(consumer, topic, after)
        except BaseException:
            close_consumer(consumer)
            raise
        self._consumer = consumer

    def close(self) -> None:
        """Let the connection go."""
        consumer, self._consumer = self._consumer, None
        close_consumer(consumer)
