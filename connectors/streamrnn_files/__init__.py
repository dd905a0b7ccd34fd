"""Files as streams: CSV and JSON Lines in, JSON Lines out, standard input and output among them."""

from streamrnn_files.sink import FileSink
from streamrnn_files.source import FileSource

__all__ = ["FileSink", "FileSource"]
