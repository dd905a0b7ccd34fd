"""What all estimators are: one net, columns by name, parameters from one table, a state of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError
from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.layout import Sizes
from streamrnn.kernels.losses import LOSSES
from streamrnn.models.features import Columns
from streamrnn.models.net import Net
from streamrnn.models.parameters import check, check_all

__all__ = ["Recurrent"]


class Recurrent:
    """Parameters, growth, state and introspection of an estimator; what it learns is its subclass's business.

    A subclass says which ``_entry`` runs its events, which ``_tasks`` its loss may have, what the net's inputs
    and outputs are (``_inputs_of``, ``_n_outputs``) and how long a row of the entry is (``_width``).
    """

    _entry: ClassVar[Any]
    _tasks: ClassVar[tuple[str, ...]] = ("regression",)
    cell: str
    hidden_size: int
    n_layers: int
    window: int
    stride: int
    learning: str
    optimizer: Any
    lr: float | None
    loss: str
    normalize: bool
    max_features: int
    seed: int

    def _start(self, given: Mapping[str, Any], *, loss: str = "huber") -> None:
        """Store each parameter under its own name, check all of them, make the net."""
        params = {name: value for name, value in given.items() if name not in ("self", "__class__")}
        owner = type(self).__name__
        for name, value in params.items():
            setattr(self, name, value)
        check_all(owner, params)
        allowed = [name for name, row in LOSSES.items() if row.task in self._tasks]
        check(owner, "loss", loss, f"one of {', '.join(allowed)}", ok=loss in allowed)
        sizes = Sizes(
            self.cell, 0, self.hidden_size, 0, layers=self.n_layers, window=self.window, stride=self.stride,
            traces=self.learning == "traces",
        )  # fmt: skip
        self._net = Net(
            sizes, self.seed, optimizer=self.optimizer, loss=loss, settings={} if self.lr is None else {"lr": self.lr},
            normalize_inputs=bool(self.normalize), normalize_targets=bool(self.normalize) and loss != "poisson",
            entry=self._entry(self.cell, self.hidden_size),
        )  # fmt: skip
        self._columns = Columns()
        self._targets = Columns()

    # ---- what subclasses say --------------------------------------------------------------------

    def _inputs_of(self, names: Sequence[Any]) -> list[Any]:
        """Return the names of the net's inputs for these features."""
        return list(names)

    def _n_outputs(self) -> int:
        """Return how many outputs the net has for the features and targets known."""
        return len(self._targets.names)

    def _width(self) -> int:
        """Return the length of one row of the entry."""
        return self._net.sizes.inputs + 2 * self._net.sizes.outputs

    # ---- growth ---------------------------------------------------------------------------------

    def _grow(self, features: Sequence[Any] = (), targets: Sequence[Any] = ()) -> None:
        """Give new features and targets their places; what has been learned stays as it is."""
        self._check_room(features)
        self._columns.add(features)
        self._targets.add(targets)
        self._net.grow(self._inputs_of(features), outputs=self._n_outputs() - self._net.sizes.outputs)
        self._net.row = np.full(self._width(), np.nan)

    def _check_room(self, features: Sequence[Any]) -> None:
        """Raise when so many more do not fit."""
        known, most = len(self._columns.names), self.max_features
        if known + len(features) > most:
            raise FeatureError(
                f"{type(self).__name__} has {known} features, and {features[0]!r} would be one more than "
                f"max_features={most} allows. Drop features, or raise max_features."
            )

    def _look(self, x: Mapping[Any, Any]) -> None:
        """Put x into the row. A name without a column is passed over: it gets one when it is learned."""
        if not self._columns.write(x, self._net.row):
            self._columns.write_slowly(x, self._net.row)

    def _take(self, x: Mapping[Any, Any]) -> None:
        """Put x into the row; new names get columns. Raises before anything has changed."""
        if self._columns.write(x, self._net.row):
            return
        fresh = self._columns.new(x)
        if fresh:
            Columns(fresh).write_slowly(x, np.empty(len(fresh)))
            self._columns.write_slowly(x, self._net.row)
            self._grow(fresh)
        self._columns.write_slowly(x, self._net.row)

    # ---- memory of the stream -------------------------------------------------------------------

    def reset(self) -> None:
        """Begin a new sequence: hidden state, window and traces are as before the first event.

        Weights and running statistics stay. Use it between sequences that have nothing to do with each other.
        """
        self._net.forget()

    def freeze(self) -> None:
        """Stop learning: from now on the state moves, weights and statistics do not. A frozen net is the net of the past."""
        self._net.header[at.FROZEN] = 1

    def unfreeze(self) -> None:
        """Learn again."""
        self._net.header[at.FROZEN] = 0

    # ---- introspection --------------------------------------------------------------------------

    @property
    def n_events(self) -> int:
        """How many events have been taken in."""
        return int(self._net.header[at.EVENTS])

    @property
    def n_updates(self) -> int:
        """How often the weights have been adjusted."""
        return int(self._net.header[at.UPDATES])

    @property
    def n_refused_updates(self) -> int:
        """How many updates were refused because something in them was not finite."""
        return int(self._net.header[at.REFUSED])

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights by name, as read-only views: they change as the model learns.

        ``layer0.recurrent`` (H, G), ``layer0.bias`` (G), ``layer0.inputs`` (I, G), further layers alike; ``head.hidden``
        (K, H), ``head.bias`` (K), ``head.inputs`` (K, I). G columns are the cell's gates, H each.
        """
        sizes, cell = self._net.sizes, CELLS[self.cell]
        H = sizes.hidden
        first = at.up(H, 4) if cell.recurrent else 0
        found = {}
        for layer in range(sizes.layers):
            W, n = self._net.array(f"layer{layer}.weights"), sizes.inputs if layer == 0 else H
            if cell.recurrent:
                found[f"layer{layer}.recurrent"] = W[:H]
            found[f"layer{layer}.bias"] = W[first]
            found[f"layer{layer}.inputs"] = W[first + 1 : first + 1 + n]
        head = self._net.array("head")
        found["head.hidden"], found["head.bias"] = head[:, :H], head[:, H]
        found["head.inputs"] = head[:, H + 1 : H + 1 + sizes.inputs]
        for view in found.values():
            view.flags.writeable = False
        return found

    # ---- the state as data ----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return parameters, names and the state's bytes: equal models give equal pickles."""
        return {
            "params": self._get_params(),  # type: ignore[attr-defined]
            "names": list(self._columns.names),
            "targets": list(self._targets.names),
            "state": self._net.state(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave."""
        self.__init__(**state["params"])  # type: ignore[misc]
        self._columns, self._targets = Columns(state["names"]), Columns(state["targets"])
        self._net.restore(self._inputs_of(state["names"]), self._n_outputs(), state["state"])
        self._net.row = np.full(self._width(), np.nan)
