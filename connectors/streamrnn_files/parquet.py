"""Parquet to JSON Lines, by an optional library."""

from __future__ import annotations

import importlib
import io
from typing import Any

import msgspec

from streamrnn.errors import MissingExtraError, SourceError

__all__ = ["ParquetLines"]

MOST = 1 << 30
"""Bytes of a file that is read whole: its table of contents stands at its end."""


class ParquetLines:
    """Makes lines of the rows of a Parquet file, once it is whole.

    Parameters
    ----------
    path
        What is read, for messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._data = bytearray()

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the lines, all of them once the file is whole.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When it is too long, or damaged.
        MissingExtraError
            When the library that reads it is not installed.
        """
        self._data += data
        if len(self._data) > MOST:
            raise SourceError(f"{self._path!r} is a Parquet file of more than 1 GB: convert it to CSV first.")
        if not final:
            return b""
        try:
            polars: Any = importlib.import_module("polars")
        except ImportError:
            raise MissingExtraError(
                f"{self._path!r} is a Parquet file: pip install 'streamrnn[parquet]', or convert it to CSV first."
            ) from None
        try:
            rows = polars.read_parquet(io.BytesIO(bytes(self._data))).iter_rows(named=True)
        except Exception as error:  # noqa: BLE001  (the library has many)
            raise SourceError(f"{self._path!r} is damaged: {str(error).splitlines()[0]}") from None
        return b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in rows)
