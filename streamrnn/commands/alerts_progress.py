"""How far ``streamrnn alerts`` has come, in a file that is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streamrnn.errors import SinkError, StateError
from streamrnn.whole import write_whole

__all__ = ["Progress"]


class Progress(msgspec.Struct):
    """How far a receiver has come: what the position file holds.

    Parameters
    ----------
    after
        Of each place the number of the last alarm that was dealt with.
    open
        The starts of episodes that have not ended, by what they are known by; of a receiver that is told again and again.
    held
        Episodes whose start was held back, so that their end is too.
    recent
        Of each key when its last starts were posted, where there is a limit.
    """

    after: dict[str, int] = msgspec.field(default_factory=dict)
    open: dict[str, str] = msgspec.field(default_factory=dict)
    held: list[str] = msgspec.field(default_factory=list)
    recent: dict[str, list[float]] = msgspec.field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Progress:
        """Return what a file holds; the beginning, where there is none.

        Parameters
        ----------
        path
            Where it lies.

        Raises
        ------
        StateError
            When it holds something else.
        SinkError
            When it cannot be read.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StateError(
                f"[alarms] position_file: {str(path)!r} is not such a file: {error}. Name another one, or delete it."
            ) from error
        except OSError as error:
            raise SinkError(f"[alarms] position_file: {str(path)!r} cannot be read: {error.strerror}.") from error

    def write(self, path: Path) -> None:
        """Write it to a file.

        Parameters
        ----------
        path
            Where it lies.

        Raises
        ------
        SinkError
            When it cannot be written.
        """
        try:
            write_whole(path, msgspec.json.encode(self))
        except OSError as error:
            raise SinkError(f"[alarms] position_file: {str(path)!r} cannot be written: {error.strerror}.") from error
