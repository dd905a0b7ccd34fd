"""Bytes of a file that is compressed, or no text, or in another encoding, to UTF-8 lines: stage by stage, as its first bytes say."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Protocol

import msgspec

from streamrnn_files.documents import ArrayLines, DocumentLines, RowLines
from streamrnn_files.line_ends import CarriageReturns, ends_with_returns
from streamrnn_files.line_protocol import ProtocolLines
from streamrnn_files.line_stage import LineStage, text_of
from streamrnn_files.options import SourceOptions
from streamrnn_files.packed import Gunzip, Unzstd
from streamrnn_files.parquet import ParquetLines
from streamrnn_files.series_lines import TURNED, find_columns, is_series, series_rows
from streamrnn_files.shapes import SHAPES
from streamrnn_files.tabular import tabular

__all__ = ["Translator"]

_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_JSON_LINES = (".jsonl", ".ndjson")
_LINES = (".csv", ".tsv", *_JSON_LINES)
_SHAPE_MOST = 1 << 18
_SERIES = b'{"metric":{'
_FIELD = re.compile(rb'"[^":]{0,12}(?:1[6-9]|20|21)\d\d[^":]{0,12}"\s*:')
"""A field whose name may be a moment."""
"""Bytes of a file that its shape is told from."""


_DOCUMENTS = (ArrayLines, DocumentLines, RowLines, ProtocolLines, ParquetLines)


class _Stage(Protocol):
    def feed(self, data: bytes, *, final: bool) -> bytes: ...


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
            self._packed, self._packed, self._wide, self._returns, self._document, self._shape,
        ]  # fmt: skip
        self._waiting = b""
        self._json = False

    @property
    def plain(self) -> bool:
        """Whether bytes pass as they are."""
        return not self._stages and not self._next

    @property
    def made_json(self) -> bool:
        """Whether what comes out is JSON Lines that the stages made."""
        return any(isinstance(stage, (*_DOCUMENTS, LineStage)) for stage in self._stages)

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
            return "gzip", Gunzip(self._path)
        if data.startswith(b"\x28\xb5\x2f\xfd"):
            return "zstd", Unzstd(self._path)
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

    def _returns(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        found = ends_with_returns(data, final=final)
        return None if found is None else ("carriage returns", CarriageReturns()) if found else ("", None)

    def _document(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        asked, suffix = self._options.format, PurePath(re.sub(r"\.(gz|zst)$", "", self._path)).suffix.lower()
        if asked == "influx" or (asked == "auto" and suffix == ".lp"):
            return "line protocol", ProtocolLines()
        self._json = asked == "jsonl" or (asked == "auto" and suffix in _JSON_LINES)
        if asked == "auto" and data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_SERIES):
            end = data.find(b"\n")
            if end < 0 and not final and len(data) <= self._options.max_line_bytes:
                return None
            if is_series(text_of(data[:end] if end >= 0 else data).lstrip("\ufeff")):
                return "lines of series", LineStage(series_rows)
        if asked in ("csv", "jsonl") or (asked == "auto" and suffix in _LINES and data[:1] != b"["):
            return "", None
        text = data.removeprefix(codecs.BOM_UTF8).lstrip()
        if not text:
            return ("", None) if final or len(data) > 1 << 16 else None
        if text[:1] == b"[":
            if not final and len(text) < 1 << 10 and re.fullmatch(rb"\[\s*(?:\[\s*)?", text):
                return None
            if re.match(rb"\[\s*\[\s*[^\s\[{]", text):
                return "JSON array", RowLines(self._path, self._options.max_line_bytes)
            nested = re.match(rb"\[\s*\[\s*\{", text) is not None
            return "JSON array", ArrayLines(self._path, self._options.max_line_bytes, nested=nested)
        if asked == "json":
            return "JSON", DocumentLines(self._path)
        end = text.find(b"\n")
        if end < 0 and not final and len(text) <= self._options.max_line_bytes + (1 << 20):
            return None
        line = text if end < 0 else text[:end]
        if text[:1] == b"{":
            self._json = True
            document = self._is_document(line, end >= 0 or final)
            if document is None:  # numbers beside a table: a document, if it is all there is
                if not final and not text[len(line) :].strip():
                    return None
                document = not text[len(line) :].strip()
            return ("JSON", DocumentLines(self._path)) if document else ("", None)
        return "", None

    def _shape(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        """Tell lines of another shape than a plain table, from the first of them."""
        if self._options.format == "csv" or (self._stages and isinstance(self._stages[-1], LineStage)):
            return "", None
        if self._json or (self._stages and isinstance(self._stages[-1], _DOCUMENTS)):
            return self._columns(data, final)
        most = max(shape.lines for shape in SHAPES)
        text = data[:_SHAPE_MOST].removeprefix(codecs.BOM_UTF8)
        complete = final or len(data) >= _SHAPE_MOST
        if final and len(data) < _SHAPE_MOST and not text.endswith(b"\n"):
            text += b"\n"
        lines = [text_of(line).rstrip("\r") for line in text.split(b"\n")[:-1] if line.strip()][:most]
        if not lines:
            return ("", None) if complete else None
        for shape in SHAPES:
            if not shape.may_be(lines[0], self._options):
                continue
            if len(lines) < shape.lines and not complete:
                return None
            stage = shape.stage(lines[: shape.lines], self._options)
            if stage is not None:
                return shape.name, stage
        return "", None

    def _columns(self, data: bytes, final: bool) -> tuple[str, _Stage | None] | None:
        """Tell objects whose fields are moments, from the first of them."""
        end = data.find(b"\n")
        if self._options.follow or self._options.format == "jsonl" or (final and end < 0):
            return "", None
        if end < 0:
            return None if len(data) <= self._options.max_line_bytes else ("", None)
        rows = (
            find_columns(text_of(data[:end]).lstrip("\ufeff"), self._options) if _FIELD.search(data, 0, end) else None
        )
        return ("", None) if rows is None else (TURNED, LineStage(rows))

    @staticmethod
    def _is_document(line: bytes, whole: bool) -> bool | None:
        """Whether an object that begins with this line is one document: it goes on behind it; None: if it holds a table and is the only one."""
        if not whole or line.rstrip()[-1:] in b"{[,:":
            return True
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        rows = tabular(found) if isinstance(found, dict) else None
        return False if rows is None or len(rows) < 2 else None


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
