"""A block of columns, one of which is a label: the others are features, in an order that stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ConfigError, StateError

__all__ = ["LabelColumn", "over_all_columns"]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a snapshot holds of it."""

    label: str
    features: list[str]


class LabelColumn:
    """Knows which column is the label, and the order in which a model knows the others.

    Parameters
    ----------
    label
        Name of the column.
    time
        Name of the feature that a net takes for the time; None: of none.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.label_column import LabelColumn
    >>> column = LabelColumn("y")
    >>> column.features_of(np.array([[1.0, 2.0, 3.0]]), ("a", "y", "b")).tolist(), column.features
    ([[1.0, 3.0]], ('a', 'b'))
    """

    def __init__(self, label: str, time: str | None = None) -> None:
        self.label = label
        self.features: tuple[str, ...] = ()
        self._time = time

    def index(self, names: tuple[str, ...]) -> int:
        """Return which column is the label.

        Parameters
        ----------
        names
            Of the columns.

        Raises
        ------
        ConfigError
            When none is.
        """
        if self.label not in names:
            raise ConfigError(
                f"[model] label: the input has no column {self.label!r} among those that are watched: {', '.join(names)}."
            )
        return names.index(self.label)

    def meet(self, names: tuple[str, ...]) -> None:
        """Take notice of columns: a feature that was not there before comes behind the others.

        Parameters
        ----------
        names
            Of the columns.
        """
        self.features += tuple(name for name in names if name != self.label and name not in self.features)

    def features_of(self, values: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the features of rows in the order that stays, (n, F); NaN for one that is not there any more.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        """
        self.meet(names)
        indices = {name: i for i, name in enumerate(names)}
        rows = np.full((len(values), len(self.features)), np.nan)
        for i, name in enumerate(self.features):
            if name in indices:
                rows[:, i] = values[:, indices[name]]
        return rows

    def names_for_net(self) -> list[Any] | None:
        """Return what a net calls the features: by their places, but for the time, which it knows by its name. None: places alone."""
        if self._time not in self.features:
            return None
        return [name if name == self._time else i for i, name in enumerate(self.features)]

    def to_bytes(self) -> bytes:
        """Return label and features as JSON."""
        return msgspec.json.encode(_Written(self.label, list(self.features)))

    def restore(self, data: bytes) -> None:
        """Take up what :meth:`to_bytes` gave.

        Parameters
        ----------
        data
            What was written.

        Raises
        ------
        StateError
            When it is something else, or of another label.
        """
        try:
            written = msgspec.json.decode(data, type=_Written)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError("The snapshot holds no model with a label.") from error
        self.restore_names(written.label, written.features)

    def restore_names(self, label: str, features: Sequence[str]) -> None:
        """Take up the features of a snapshot.

        Parameters
        ----------
        label
            Name of the label.
        features
            Names of the features.

        Raises
        ------
        StateError
            When they are of another label, or not possible.
        """
        if label != self.label:
            raise StateError(f"The snapshot's model has label = {label[:80]!r}, now it is {self.label!r}.")
        if label in features or len(set(features)) != len(features):
            raise StateError("The snapshot's features are no list of different names beside the label.")
        self.features = tuple(features)


def over_all_columns(
    found: Mapping[str, NDArray[Any]], columns: int | list[int], shape: tuple[int, ...]
) -> dict[str, NDArray[Any]]:
    """Return what a detector says of some columns as if of all of them: NaN in the others.

    Parameters
    ----------
    found
        By name.
    columns
        What ``"prediction"``, ``"low"``, ``"high"`` and ``"contribution"`` are about: an index, or one for each of their columns.
    shape
        Of all columns, (n, I).

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.label_column import over_all_columns
    >>> part = {name: np.ones(1) for name in ("prediction", "low", "high", "contribution")}
    >>> over_all_columns(part, 1, (1, 2))["low"].tolist()
    [[nan, 1.0]]
    """
    wide = dict(found)
    for name in ("prediction", "low", "high", "contribution"):
        wide[name] = np.full(shape, np.nan)
        wide[name][:, columns] = found[name]
    return wide
