"""Where the data lies."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from forecasting.streams import Array


def data() -> Path:
    """Return the folder that ``STREAMRNN_DATA`` names.

    Raises
    ------
    FileNotFoundError
        When it names none.
    """
    folder = os.environ.get("STREAMRNN_DATA")
    if not folder:
        raise FileNotFoundError("Set STREAMRNN_DATA to the folder that holds ett/, hourly/ and nab/.")
    return Path(folder)


def table(path: str, first: int) -> Array:
    """Return the columns of a CSV file from ``first`` on."""
    file = data() / path
    with file.open() as lines:
        columns = len(lines.readline().split(","))
    return np.genfromtxt(file, delimiter=",", skip_header=1, usecols=range(first, columns), ndmin=2)
