"""What a record that is no event raises."""

__all__ = ["RecordError"]


class RecordError(ValueError):
    """A record is no event; the message says why, as a sentence."""
