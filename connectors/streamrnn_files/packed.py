"""Bytes of a file that is packed, to those that were packed."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any

from streamrnn.errors import MissingExtraError, SourceError

__all__ = ["Gunzip", "Unzstd"]


class Gunzip:
    r"""Unpacks gzip, one member behind the other.

    Parameters
    ----------
    path
        What is read, for messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return what is unpacked by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When it is damaged.
        """
        found = b""
        self._begun = self._begun or bool(data)
        try:
            while data:
                found += self._open.decompress(data)
                data = self._open.unused_data
                if self._open.eof:
                    data = data.lstrip(b"\0")
                    self._open = zlib.decompressobj(wbits=31)
                    self._begun = bool(data)
        except zlib.error as error:
            raise SourceError(f"{self._path!r} is damaged: gzip says {error}.") from None
        if final and self._begun:
            raise SourceError(f"{self._path!r} is damaged: it ends in the middle of what gzip has packed.")
        return found


class Unzstd:
    """Unpacks zstd, where Python or a library can.

    Parameters
    ----------
    path
        What is read, for messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = _zstd(path)

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return what is unpacked by now.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.

        Raises
        ------
        SourceError
            When it is damaged.
        """
        del final
        try:
            return self._open(data) if data else b""
        except Exception as error:  # noqa: BLE001  (each library has errors of its own)
            raise SourceError(f"{self._path!r} is damaged: zstd says {error}.") from None


def _zstd(path: str) -> Callable[[bytes], bytes]:
    """Return what decompresses bytes as they come: Python's own module from 3.14 on, else that of an extra."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name).ZstdDecompressor().decompress  # type: ignore[no-any-return]
        except ImportError:
            continue
    try:
        made: Any = importlib.import_module("zstandard").ZstdDecompressor().decompressobj(read_across_frames=True)
    except ImportError:
        raise MissingExtraError(
            f"{path!r} is compressed with zstd: pip install 'streamrnn[zstd]', or pipe it in: zstd -dc {path} | streamrnn replay -"
        ) from None
    return made.decompress  # type: ignore[no-any-return]
