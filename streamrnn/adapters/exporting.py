"""The weights of a job as a file, named by what is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from streamrnn.adapters.keyed import digest_of
from streamrnn.adapters.results import kind_of
from streamrnn.models.persistence import dumps, loads
from streamrnn.whole import write_whole

__all__ = ["export"]


def export(model: Any, folder: str | os.PathLike[str]) -> Path:
    """Write what all keys of a model share to a file, and return its path: ``DIGEST.streamrnn``, the same for the same weights.

    The weights are frozen in it, and it holds no key. The model stays as it is.

    Parameters
    ----------
    model
        An ``RNNAnomalyDetector`` or ``RNNRegressor`` with ``key``, trained on events of some keys.
    folder
        Where the file goes; it is made where it is missing.

    Raises
    ------
    ParameterError
        When it is another model.

    Examples
    --------
    >>> import tempfile
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.adapters import FrozenModel, export
    >>> model = RNNRegressor(key="pump", hidden_size=8)
    >>> for i in range(100):
    ...     model.learn_one({"pump": "north", "level": i % 7 / 3}, i % 5)
    >>> path = export(model, tempfile.mkdtemp())
    >>> path.stem == FrozenModel.load(path).digest
    True
    """
    kind_of(model)
    alone = loads(dumps(model))
    alone.reset()
    alone.freeze()
    data = dumps(alone)
    path = Path(folder, f"{digest_of(data)}.streamrnn")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    return path
