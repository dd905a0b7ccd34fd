"""One net in Python's hands: slab, names of the columns, growth, and the bytes of a snapshot."""

from __future__ import annotations

import copy
import functools
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import direct
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import bind, clear
from streamrnn.kernels.net.layout import Layout, Sizes
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.schedules import PACED, SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS, WORDS
from streamrnn.kernels.net.words import HEADER_WORDS
from streamrnn.models import _defaults as defaults
from streamrnn.models._area_rules import area_rules
from streamrnn.models._event_code import available, native_address
from streamrnn.models._net_experts import MOVED, carry_experts
from streamrnn.models._net_state import check_header, check_shared, settled_area, settled_pieces
from streamrnn.models._net_weights import draw_fixed_rows, draw_input_rows, move_target_inputs
from streamrnn.pieces import Pieces

__all__ = ["Net", "layout_of"]

STATISTICS: Final = "x_statistics", "y_mean", "y_var", "y_count", "gaps"
_CARRIED: Final = list(at.CARRIED_NET_WORDS)
RATES: Final = {**SCHEDULES, "Paced": PACED}


@functools.lru_cache(maxsize=256)
def layout_of(sizes: Sizes) -> Layout:
    """Return the layout of these sizes; models of the same sizes share one."""
    return Layout(sizes)


def _python(kernel: Any) -> Any:
    """Return a kernel as the plain function that it was."""
    return getattr(kernel, "py_func", kernel)


def _not_yet(*event: Any) -> None:
    """Say that this net has no short way for an event."""


def _no_code() -> Any:
    """Return None: this net has not run yet."""


class Net:
    """The parameters and the memory of one net, on one slab.

    Parameters
    ----------
    sizes
        Cell, inputs, hidden units, outputs, layers, window, stride.
    seed
        Weights are drawn from (seed, layer, name of the input).
    optimizer, loss
        Rows of the tables of optimisers and losses.
    settings
        Settings of the optimiser and its schedule by name, over the defaults of its row.
    schedule
        Row of the table of schedules of the learning rate, or ``"Paced"``.
    loss_settings
        Settings of the loss, in the order of its row.
    normalize_inputs, normalize_targets
        Running standardisation of either side.
    pull
        Share by which an update moves the weights towards their initial values, for each learned target.
    clip
        Largest global norm of a gradient; 0 for no limit.
    init
        Row of the table of initialisers of the biases.
    entry
        The compiled function that runs this net's events.

    Examples
    --------
    >>> from streamrnn.kernels.net.layout import Sizes
    >>> from streamrnn.models._net import Net
    >>> net = Net(Sizes("lstm", inputs=0, hidden=4, outputs=1), seed=0)
    >>> net.grow(inputs=["flow"])
    >>> net.array("layer0.weights").shape
    (8, 16)
    """

    def __init__(
        self,
        sizes: Sizes,
        seed: int,
        *,
        optimizer: str = defaults.OPTIMIZER,
        loss: str = defaults.LOSS,
        settings: Mapping[str, float] | None = None,
        schedule: str = "Constant",
        loss_settings: Sequence[float] | None = None,
        normalize_inputs: bool = True,
        normalize_targets: bool = True,
        pull: float = defaults.PULL,
        clip: float = defaults.CLIP,
        init: str = defaults.INIT,
        entry: Callable[..., Any] | None = None,
    ) -> None:
        rule, row = OPTIMIZERS[optimizer], LOSSES[loss]
        carried = sizes.traces and CELLS[sizes.cell].traced > 0
        self.sizes = replace(sizes, slots=rule.slots, traces=carried, two_pass=rule.two_pass or clip > 0.0)
        self.seed = int(seed)  # numpy integers have another repr, which the weights are drawn from
        self.init = init
        self.inputs: list[Any] = []
        self.head_of: Sequence[Sequence[int]] = ()
        self.probe: Net | None = None  # one of one area, which nothing has come to
        self.entry = entry
        self.call: Callable[..., Any] = self.first_call
        self._code_of: Callable[[], Callable[..., Any]] = _no_code
        self.cells, self.row = array("d"), np.empty(0)
        self.address: int | None = None
        self.predict: Callable[[Any], Any] = _not_yet
        self.learn: Callable[..., Any] = _not_yet
        self.first_target, self.first_output, self.first_told, self.first_weight = 0, 0, 0, 0
        self.layout = layout_of(self.sizes)
        self.slab = self.layout.allocate()
        header = self.header
        header[at.LOSS], header[at.OPTIMIZER] = row.code, rule.code
        header[at.NORMALIZE_X], header[at.NORMALIZE_Y] = normalize_inputs, normalize_targets
        hyper = self.array("settings")
        self.tune({**rule.defaults, **(settings or {})}, schedule)
        for word, value in zip((at.LOSS_A, at.LOSS_B), loss_settings or tuple(row.defaults.values()), strict=False):
            hyper[word] = value
        hyper[at.CLIP], hyper[at.PULL] = clip, pull
        hyper[at.ALPHA], hyper[at.Y_CLIP] = defaults.ALPHA, defaults.Y_CLIP
        hyper[at.X_CLIP] = defaults.X_CLIP if normalize_inputs else defaults.X_CLIP_RAW
        self._draw_fixed_rows()

    def tune(self, settings: Mapping[str, float], schedule: str) -> None:
        """Set settings of the optimiser by name, and the row of the table of schedules: from the next update on.

        Parameters
        ----------
        settings
            By the names that the optimiser gives them.
        schedule
            Row of the table, or ``"Paced"``.
        """
        self.header[at.SCHEDULE] = RATES[schedule]
        hyper = self.array("settings")
        for name, value in settings.items():
            hyper[WORDS[name]] = value

    def become(self, stride: int, init: str) -> None:
        """Change what no place in the slab depends on: the stride, and how the biases begin. Before the first event only.

        Parameters
        ----------
        stride
            Events between two updates.
        init
            Row of the table of initialisers of the biases.
        """
        self.sizes, self.init = replace(self.sizes, stride=stride), init
        self.layout, self.probe = layout_of(self.sizes), None
        self.header[at.STRIDE] = stride
        self._draw_fixed_rows()

    @property
    def entry(self) -> Callable[..., Any] | None:
        """The function that runs this net's events, behind a plain function as :attr:`call` is.

        Whoever measures a model by the objects that it leads to, as river does, stops at functions: else they would count
        numba's compiler with its caches, and meet dead weak references there.
        """
        return self._entry_of()

    @entry.setter
    def entry(self, entry: Callable[..., Any] | None) -> None:
        def entry_of() -> Callable[..., Any] | None:
            return entry

        self._entry_of = entry_of

    @property
    def keep(self) -> Callable[[], Callable[..., Any]]:
        """A plain function that holds the compiled code: what :attr:`address` is of is there as long as it is."""
        return self._code_of

    @property
    def code(self) -> Callable[..., Any]:
        """What :attr:`call` runs, once it has run: for the short ways of an event, which close over it.

        The plain function in between costs a twentieth of an event of 16 units.
        """
        return self._code_of()

    def first_call(self, *args: Any) -> None:
        """Run the entry; from the second call on :attr:`call` runs the compiled code, without the dispatcher.

        Parameters
        ----------
        args
            Of the entry.

        Raises
        ------
        StateError
            When the net was made without an entry.
        """
        if self.entry is None:
            raise StateError("This net was made without an entry: it cannot run.")
        self.entry(*args)
        code, made = direct(self.entry)

        def call(*args: Any) -> None:
            code(*args)

        def code_of() -> Callable[..., Any]:
            return code

        self.call, self._code_of = call, code_of
        self.address = native_address(made) if made is not None and available() else None

    def __deepcopy__(self, memo: dict[int, Any]) -> Net:
        """Return a net with a slab of its own, aligned, and the same compiled code."""
        other = copy.copy(self)
        other.probe = None
        other.inputs = list(self.inputs)
        other.lay_row(self.row.size)
        other.row[:] = self.row
        other.slab = self.layout.allocate()
        other.slab[:] = self.slab
        other.call = other.first_call
        return other

    def lay_row(self, width: int) -> None:
        """Begin a new row for single events, NaN all over.

        ``cells`` is its memory as Python's own array, which is written to and read from faster than NumPy's. The
        short ways of an event (``predict``, ``learn``), closed over the row before, are forgotten.

        Parameters
        ----------
        width
            Its length.
        """
        self.cells = array("d", [math.nan]) * max(width, 1)
        self.row = np.frombuffer(self.cells)
        self.forget_ways()

    def forget_ways(self) -> None:
        """Let single events go the long way, until they are given a short one anew."""
        self.predict = self.learn = _not_yet

    @property
    def hasty(self) -> bool:
        """Whether single events have a short way."""
        return self.predict is not _not_yet

    @property
    def header(self) -> NDArray[np.int64]:
        """The slab's header, as a view."""
        return self.slab[: HEADER_WORDS * 8].view(np.int64)

    def array(self, name: str) -> NDArray[Any]:
        """Return one array of the slab by name, as a view.

        Parameters
        ----------
        name
            Of the array, as in the layout.
        """
        return self.layout.view(self.slab, name)

    def _draw_fixed_rows(self) -> None:
        draw_fixed_rows(self.slab, self.layout, self.sizes, self.init, self.seed)

    def grow(
        self,
        inputs: Sequence[Any] = (),
        outputs: int = 0,
        areas: int = 0,
        target_inputs: int = 0,
        lasts: int = 0,
        head_of: Sequence[Sequence[int]] | None = None,
        folded: int = 0,
    ) -> None:
        """Lay the slab out anew with more inputs or outputs; everything learned stays as it is, bit for bit.

        Parameters
        ----------
        inputs
            Names of the new inputs: their weights are drawn from (seed, name).
        outputs
            How many outputs to add, with weights of zero.
        areas
            How many memories of streams to add, blank.
        target_inputs, lasts
            How many inputs to add that say what the targets before were, and how many numbers more to keep for that.
        head_of
            For each group of outputs the places in layer 0's inputs, the bias at 0, that it sees beside the hidden state: what it saw before
            comes first. None, or no group: as before; ever none: all outputs see all inputs.
        folded
            How many columns to add, behind the new inputs, that have no input of their own; from then on no other can be added.
        """
        old = self.sizes
        sizes = replace(
            old, inputs=old.inputs + len(inputs) + folded, folded=old.folded + folded, outputs=old.outputs + outputs, areas=old.areas + areas,
            target_inputs=old.target_inputs + target_inputs, lasts=old.lasts + lasts,
        )  # fmt: skip
        sizes = self._seeing(sizes, head_of)
        self.bind(0)
        layout = layout_of(sizes)
        slab = layout.allocate()
        fresh = slab[: HEADER_WORDS * 8].view(np.int64)
        for word in at.CARRIED_NET_WORDS:
            fresh[word] = self.header[word]
        if sizes == replace(old, areas=sizes.areas):  # what there is lies as it did
            there = slice(8 * HEADER_WORDS, self.layout.state_nbytes)
            slab[there] = self.slab[there]
            self._hold(self.inputs, sizes, layout, slab)
            return
        for name, field in self.layout.fields.items():
            if field.at >= self.layout.state_nbytes or 0 in field.shape or name in MOVED:
                continue
            into, kept = layout.every(slab, name), self.layout.every(self.slab, name)
            shared = tuple(slice(0, min(a, b)) for a, b in zip(into.shape, kept.shape, strict=True))
            into[shared] = kept[shared]
        drawn = [*inputs, *(("sum", i) for i in range(at.SUMS if folded and not old.folded else 0))]
        if old.target_inputs and drawn:
            move_target_inputs(slab, layout, old, len(drawn))
        draw_input_rows(slab, layout, sizes, self.seed, drawn, target_inputs)
        carry_experts((self.layout, old, self.slab), (layout, sizes, slab), old.areas)
        self._hold([*self.inputs, *inputs], sizes, layout, slab)

    def _seeing(self, sizes: Sizes, head_of: Sequence[Sequence[int]] | None) -> Sizes:
        """Return the sizes of a net whose groups of outputs see these inputs."""
        if not head_of:
            return sizes
        self.head_of = head_of
        return replace(sizes, groups=len(head_of), seen=len(head_of[0]))

    def _hold(self, inputs: list[Any], sizes: Sizes, layout: Layout, slab: NDArray[np.uint8]) -> None:
        self.inputs, self.sizes, self.layout, self.slab, self.probe = inputs, sizes, layout, slab, None
        if self.head_of:
            self.array("head_of")[:] = self.head_of
        self.first_target, self.first_output = sizes.inputs, sizes.inputs + sizes.outputs
        self.first_told = sizes.inputs + 2 * sizes.outputs
        self.first_weight = self.first_told + sizes.waited
        self.forget_ways()

    def bind(self, area: int) -> None:
        """Make another area the one that the header's offsets mean, and leave no counter behind.

        Parameters
        ----------
        area
            From 0 to ``sizes.areas`` - 1.
        """
        words = self.slab.view(np.int64)
        _python(bind)(words, area)
        words[self.header[at.AREA_HEAD] : self.header[at.AREA_HEAD] + 2] = self.header[[at.FILL, at.FRESH]]

    def _area(self, number: int) -> NDArray[np.uint8]:
        start = self.layout.area_at + number * self.layout.area_nbytes
        return self.slab[start : start + self.layout.area_nbytes]

    def area_state(self, number: int) -> bytearray:
        """Return the state of one area as bytes: what :meth:`state` has of it.

        Parameters
        ----------
        number
            From 0 to ``sizes.areas`` - 1.
        """
        memory = self.slab.data  # Python's own views: a number through NumPy's takes as long as the copy
        words = memory.cast("q")
        if number == words[at.AREA]:
            head = words[at.AREA_HEAD]
            words[head + at.A_FILL], words[head + at.A_FRESH] = words[at.FILL], words[at.FRESH]
        start = self.layout.area_at + number * self.layout.area_nbytes
        return settled_area(bytearray(memory[start : start + self.layout.area_nbytes]), self.sizes.layers, self.layout)

    def put_area(self, number: int, data: bytes | NDArray[np.uint8]) -> None:
        """Let one area be what :meth:`area_state` gave of it, or of one alike.

        Parameters
        ----------
        number
            From 0 to ``sizes.areas`` - 1.
        data
            Bytes that somebody has looked at, or an array of them, (n,).
        """
        memory = self.slab.data
        start = self.layout.area_at + number * self.layout.area_nbytes
        memory[start : start + self.layout.area_nbytes] = data if isinstance(data, bytes) else data.data
        words = memory.cast("q")
        if number == words[at.AREA]:
            head, prepared = words[at.AREA_HEAD], words[at.PREPARED]
            words[at.FILL], words[at.FRESH] = words[head + at.A_FILL], words[head + at.A_FRESH]
            words[prepared] = words[prepared + at.JUDGED] = 0

    def _one_area(self) -> Net:
        """Return a net as this one with one area."""
        other = copy.copy(self)
        other.sizes = replace(self.sizes, areas=1)
        other.layout = layout_of(other.sizes)
        other.slab = other.layout.allocate()
        return other

    def with_state(self, state: bytes) -> Net:
        """Return a net alike with another state: to look at what somebody has written.

        Parameters
        ----------
        state
            The bytes of :meth:`state`, as many as this net's.
        """
        other = copy.copy(self)
        other.probe = None
        other.slab = self.slab.copy()
        other.slab[: len(state)] = np.frombuffer(state, np.uint8)
        return other

    def clear_area(self, number: int) -> None:
        """Put the memory of one stream back to before its first event.

        Parameters
        ----------
        number
            From 1 to ``sizes.areas`` - 1.
        """
        one = self.probe = self.probe or self._one_area()
        self.put_area(number, one.layout.allocate()[one.layout.area_at : one.layout.area_at + one.layout.area_nbytes])

    def forget(self) -> None:
        """Put the memory of all streams back to before the first event; weights stay, and without keys the statistics."""
        kept = {} if self.sizes.keyed else {name: self.array(name).copy() for name in STATISTICS}
        for area in range(self.sizes.areas):
            self.bind(area)
            _python(clear)(self.slab.view(np.int64), self.slab.view(np.float64))
        self.bind(0)
        for name, values in kept.items():
            self.array(name)[:] = values

    def state(self) -> bytes:
        """Return the state as bytes: equal states give equal bytes.

        Places that hold no committed step (the window's free slots) count as zero.
        """
        return bytes(self.pieces())

    def pieces(self, areas: int | None = None) -> Pieces:
        """Return the same in pieces, which are good until the net runs again.

        Parameters
        ----------
        areas
            Of how many memories of streams; None: of all.
        """
        kept = self.layout if areas is None else layout_of(replace(self.sizes, areas=areas))

        def make() -> Iterator[memoryview]:
            self.bind(0)
            return settled_pieces(self.slab, self.sizes, kept)

        return Pieces(kept.state_nbytes, make)

    def restore(
        self,
        inputs: Sequence[Any],
        outputs: int,
        state: bytes | bytearray,
        areas: int = 1,
        fresh: int | None = None,
        spare: int = 0,
        target_inputs: int = 0,
        lasts: int = 0,
        head_of: Sequence[Sequence[int]] | None = None,
        folded: int = 0,
    ) -> None:
        """Take over a state that :meth:`state` gave for a net of the same settings.

        Parameters
        ----------
        inputs, outputs
            What the net had.
        state
            The bytes.
        areas
            How many memories of streams the net had.
        fresh
            Most steps that an area can have between two updates; None: fewer than the stride.
        spare
            Slots of the window that are free between two events.
        target_inputs, lasts
            What the net had of these, as in :meth:`grow`.
        head_of
            What its groups of outputs see, as in :meth:`grow`.
        folded
            How many columns it had without an input of their own.

        Raises
        ------
        StateError
            When the bytes do not fit, or hold a count or an offset that this layout cannot have.
        """
        sizes = replace(
            self.sizes, inputs=len(inputs) + folded, folded=folded, outputs=outputs, areas=areas,
            target_inputs=target_inputs, lasts=lasts,
        )  # fmt: skip
        sizes = self._seeing(sizes, head_of)
        layout = layout_of(sizes)
        if len(state) != layout.state_nbytes:
            raise StateError(f"The net's state must have {layout.state_nbytes} bytes. Got {len(state)} instead.")
        slab = layout.allocate()
        expected = slab[: HEADER_WORDS * 8].view(np.int64).copy()
        expected[[at.LOSS, at.OPTIMIZER, at.SCHEDULE]] = self.header[[at.LOSS, at.OPTIMIZER, at.SCHEDULE]]
        slab[: layout.state_nbytes] = np.frombuffer(state, np.uint8)
        check_header(slab[: HEADER_WORDS * 8].view(np.int64), expected)
        check_shared(slab, layout)
        rules = area_rules(layout, sizes.stride - 1 if fresh is None else fresh, spare)
        rules.check(slab[layout.area_at : layout.state_nbytes])
        self._hold(list(inputs), sizes, layout, slab)

    @property
    def allocated(self) -> int:
        """Bytes that the slab takes: scratch, and what its alignment costs, included."""
        base = self.slab.base
        return self.slab.nbytes if base is None else int(base.nbytes)
