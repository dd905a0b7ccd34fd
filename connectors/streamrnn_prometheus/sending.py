"""Samples to a server: what it refuses is found out and left, what it does not take now is for later."""

from __future__ import annotations

import time
import warnings

from streamrnn.errors import AccessError, SinkError, UnavailableError
from streamrnn_prometheus.client import LATER, Client
from streamrnn_prometheus.remote_write import HEADERS, write_request
from streamrnn_prometheus.samples import Batch

__all__ = ["Sending"]

TAKEN_MS = 3_600_000
"""A Prometheus takes samples of the last hour, where it is not told otherwise."""

OLD = "out of bounds", "too old"

WARNED_EVERY_S = 60.0


class Sending:
    """Sends samples, each request whole or not at all.

    Parameters
    ----------
    client
        By which.
    endpoint
        Where the server takes them.
    """

    def __init__(self, client: Client, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint
        self._warned = -WARNED_EVERY_S
        self.dropped = 0

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def check(self) -> None:
        """Send nothing, and see what the server says.

        Raises
        ------
        SinkError, AccessError, UnavailableError
            When it would not take samples.
        """
        if (why := self._refused([])) is not None:
            raise SinkError(f"{self._client.name} takes no samples: {why}.")

    def send(self, batch: Batch, *, again: bool = False) -> None:
        """Send samples; those that are refused for what they are, are counted and dropped.

        Parameters
        ----------
        batch
            Series and their samples.
        again
            Whether they may have been sent before: what is refused then is there.

        Raises
        ------
        UnavailableError
            When the server does not take them now.
        AccessError, SinkError
            When it takes none from us.
        """
        if not batch or (why := self._refused(batch)) is None:
            return
        lower, upper = _halves(batch, why)
        if upper:
            self.send(lower, again=again)
            self.send(upper, again=again)
        elif not again:
            self._drop(lower, why)

    def _drop(self, batch: Batch, why: str) -> None:
        self.dropped += sum(len(samples) for _, samples in batch)
        if (now := time.monotonic()) - self._warned >= WARNED_EVERY_S:
            self._warned = now
            warnings.warn(
                f"{self._client.name} refuses samples, {self.dropped:,} so far: {why}.", RuntimeWarning, stacklevel=2
            )

    def _refused(self, batch: Batch) -> str | None:
        """Send samples; return why they are refused for what they are, None where they are taken."""
        code, body = self._client.post(self._endpoint, write_request(batch), HEADERS)
        if code < 300:
            return None
        why = " ".join(body.decode(errors="replace")[:300].split()).rstrip(".") or f"HTTP {code}"
        if code in (401, 403):
            raise AccessError(f"{self._client.name} refuses the log-in: {why}.")
        if code >= 500 or code in LATER:
            raise UnavailableError(f"{self._client.name} does not take samples now: {why}.")
        if code < 400 or code in (404, 405):
            raise SinkError(f"{self._client.name} takes no samples at {self._endpoint}: {why}.")
        return why


def _halves(batch: Batch, why: str) -> tuple[Batch, Batch]:
    """Return the earlier half of samples and the later one; where some are too old, those and the others. A part that is refused as a whole has no later half."""
    times = sorted({ms for _, samples in batch for ms, _ in samples})
    edge = time.time_ns() // 1_000_000 - TAKEN_MS
    if any(one in why for one in OLD) and times[-1] < edge:
        return batch, []
    if len(times) == 1:
        return batch[: (len(batch) + 1) // 2], batch[(len(batch) + 1) // 2 :]
    middle = edge if any(one in why for one in OLD) and times[0] < edge else times[len(times) // 2]
    parts: tuple[Batch, Batch] = [], []
    for labels, samples in batch:
        for part, some in zip(
            parts,
            ([one for one in samples if one[0] < middle], [one for one in samples if one[0] >= middle]),
            strict=True,
        ):
            if some:
                part.append((labels, some))
    return parts
