"""Bytes of a file that is compressed, or no text, or in another encoding, to UTF-8 lines: stage by stage, as its first bytes say."""

from __future__ import annotations

import codecs
import importlib
import re
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Protocol

import msgspec

from streamrnn.errors import MissingExtraError, SourceError
from streamrnn_files.documents import ArrayLines, DocumentLines, tabular
from streamrnn_files.line_protocol import ProtocolLines, is_protocol
from streamrnn_files.options import SourceOptions
from streamrnn_files.parquet import ParquetLines

__all__ = ["Translator"]

_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LINES = (".csv", ".tsv", ".jsonl", ".ndjson")


class _Stage(Protocol):
    def feed(self, data: bytes, *, final: bool) -> bytes: ...


class _Gunzip:
    def __init__(self, path: str) -> None:
        self._path = path
        self._open = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, data: bytes, *, final: bool) -> bytes:
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


class _Unzstd:
    def __init__(self, path: str) -> None:
        self._path = path
        self._open = _zstd(path)

    def feed(self, data: bytes, *, final: bool) -> bytes:
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


class _Decode:
    def __init__(self, encoding: str) -> None:
        self._open = codecs.getincrementaldecoder(encoding)("replace")

    def feed(self, data: bytes, *, final: bool) -> bytes:
        return self._open.decode(data, final).encode()


class Translator:
    r"""The stages of a file; none for what is UTF-8 lines already.

    Parameters
    ----------
    options
        What the user asks for.

    Examples
    --------
    >>> import gzip
    >>> from streamrnn_files.options import SourceOptions
    >>> from streamrnn_files.translate import Translator
    >>> made = Translator(SourceOptions(path="a"))
    >>> made.feed(gzip.compress('[{"a": 1}]'.encode("utf-16")), final=True), made.told()
    (b'{"a": 1}\n', ('gzip', 'utf-16-le', 'JSON array'))
    """

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._path = options.path
        self._stages: list[_Stage] = []
        self._told: list[str] = []
        self._next: list[Callable[[bytes, bool], tuple[str, _Stage | None] | None]] = [
            self._packed, self._packed, self._wide, self._document,
        ]  # fmt: skip
        self._waiting = b""

    @property
    def plain(self) -> bool:
        """Whether bytes pass as they are."""
        return not self._stages and not self._next

    def told(self) -> tuple[str, ...]:
        """Return what the stages are called."""
        return tuple(self._told)

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the text of what comes next.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.
        """
        for stage in self._stages:
            data = stage.feed(data, final=final)
        if not self._next:
            return data
        self._waiting += data
        while self._next:
            found = self._next[0](self._waiting, final)
            if found is None:
                return b""
            del self._next[0]
            name, made = found
            if made is not None:
                self._told.append(name)
                self._stages.append(made)
                self._waiting = made.feed(self._waiting, final=final)
                if isinstance(made, ParquetLines):
                    self._next = []
        data, self._waiting = self._waiting, b""
        return data

    def _packed(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        if len(data) < 4 and not final:
            return None
        if data.startswith(b"\x1f\x8b"):
            return "gzip", _Gunzip(self._path)
        if data.startswith(b"\x28\xb5\x2f\xfd"):
            return "zstd", _Unzstd(self._path)
        if data.startswith(b"PAR1") or self._options.format == "parquet":
            return "Parquet", ParquetLines(self._path)
        return "", None

    def _wide(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        if len(data) < 4 and not final:
            return None
        asked = self._options.encoding
        if asked is not None and self._options.wide:
            return asked, _Without(asked)
        for mark, encoding in _WIDE.items():
            if data.startswith(mark):
                return encoding, _Without(encoding)
        if asked is None and len(data) >= 4 and data[0] and not data[1] and data[2] and not data[3]:
            return "utf-16-le", _Decode("utf-16-le")
        return "", None

    def _document(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        asked, suffix = self._options.format, PurePath(re.sub(r"\.(gz|zst)$", "", self._path)).suffix.lower()
        if asked == "influx" or (asked == "auto" and suffix == ".lp"):
            return "line protocol", ProtocolLines()
        if asked in ("csv", "jsonl") or (asked == "auto" and suffix in _LINES and data[:1] != b"["):
            return "", None
        text = data.removeprefix(codecs.BOM_UTF8).lstrip()
        if not text:
            return ("", None) if final or len(data) > 1 << 16 else None
        if text[:1] == b"[":
            if not final and len(text) < 1 << 10 and re.fullmatch(rb"\[\s*(?:\[\s*)?", text):
                return None
            nested = re.match(rb"\[\s*\[\s*\{", text) is not None
            return "JSON array", ArrayLines(self._path, self._options.max_line_bytes, nested=nested)
        if asked == "json":
            return "JSON", DocumentLines(self._path)
        end = text.find(b"\n")
        if end < 0 and not final and len(text) <= self._options.max_line_bytes + (1 << 20):
            return None
        line = text if end < 0 else text[:end]
        if text[:1] == b"{":
            document = self._is_document(line, end >= 0 or final)
            if document is None:  # numbers beside a table: a document, if it is all there is
                if not final and not text[len(line) :].strip():
                    return None
                document = not text[len(line) :].strip()
            return ("JSON", DocumentLines(self._path)) if document else ("", None)
        lines = [one.decode(errors="replace") for one in text.split(b"\n")[:20] if one.strip() and one[:1] != b"#"]
        if lines and is_protocol(lines[0].strip("\r")):
            return "line protocol", ProtocolLines()
        return "", None

    @staticmethod
    def _is_document(line: bytes, whole: bool) -> bool | None:
        """Whether an object that begins with this line is one document: it goes on behind it, or holds a table; None: if it is the only one."""
        if not whole or line.rstrip()[-1:] in b"{[,:":
            return True
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        rows = tabular(found) if isinstance(found, dict) else None
        if rows is None or len(rows) < 2:
            return False
        return None if any(isinstance(value, int | float) for value in found.values()) else True


class _Without(_Decode):
    """Decodes what begins with a mark of its byte order, and leaves that out."""

    def __init__(self, encoding: str) -> None:
        super().__init__(encoding)
        self._first = True

    def feed(self, data: bytes, *, final: bool) -> bytes:
        text = super().feed(data, final=final)
        if self._first and text:
            self._first = False
            text = text.removeprefix(codecs.BOM_UTF8)
        return text
