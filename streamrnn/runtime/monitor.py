"""What the loop tells about itself."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Monitor"]


class Monitor:
    """Told by the loop as it goes. This one forgets it all; :class:`~streamrnn.runtime.health.Health` remembers.

    Examples
    --------
    >>> from streamrnn.runtime.monitor import Monitor
    >>> Monitor().stepped(0.01, 2048)
    """

    def stepped(self, seconds: float, events: int) -> None:
        """Models have scored and learned a block of ``events`` events."""

    def committed(self, seconds: float, snapshots: Mapping[str, bytes | memoryview]) -> None:
        """A block's results are written, with snapshots of some partitions."""

    def assigned(self, partition: str, seconds: float, restored: bool) -> None:
        """A partition has come; ``restored``: with the state of an earlier run."""

    def replaying(self, partition: str, events: int) -> None:
        """A partition reads events again that an earlier run has written: so many so far."""

    def replayed(self, partition: str) -> None:
        """A partition has none (any more) to read again."""

    def revoked(self, partition: str) -> None:
        """A partition has gone."""

    def troubled(self, why: str | None) -> None:
        """Something cannot be written for now; None: it can again."""
