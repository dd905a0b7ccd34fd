"""Long time lags in one endless stream: never reset, one pass, each prediction made before its target is known.

``python benchmarks/long_lags.py`` runs every row and writes ``benchmarks/results/long_lags.md``; ``long_lags.py recall-1000``
runs the rows whose name begins like that and prints them. Cell, hidden size and window are named, and the rule for
the contrast; everything else are the defaults of the estimators (``streamrnn.models._defaults``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import cpu
from numpy.typing import NDArray
from tasks import Adding, GatedRecall, NoisyRecall, Task, TemporalOrder, blocks

from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.net.supervised import LEARN, PREDICT, supervised
from streamrnn.models import _defaults as defaults
from streamrnn.models._net import Net
from streamrnn.models._translate import optimizer, paced

Array = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "long_lags.md"


def make(task: Task, cell: str, hidden_size: int, window: int, seed: int, learning: str = defaults.LEARNING) -> Net:
    """Return a net for a task, with the defaults of the estimators."""
    stride = defaults.STRIDE_OF_LABELS
    sizes = Sizes(cell, 0, hidden_size, 0, window=window, stride=stride, traces=learning == "traces")
    rule = paced(optimizer(defaults.OPTIMIZER), stride)
    net = Net(
        sizes, seed, loss=task.loss, optimizer=rule.name, settings=rule.settings, schedule=rule.schedule,
        normalize_targets=task.loss != "cross_entropy",
    )  # fmt: skip
    net.grow([f"input {i}" for i in range(task.inputs)], outputs=task.outputs)
    return net


def answers(net: Net, task: Task, seed: int, most: int) -> Iterator[tuple[int, Array, Array]]:
    """Run the stream; yield, block by block, events before the block + place of each question, outputs, targets."""
    run = supervised(net.sizes.cell, net.sizes.hidden)
    inputs, width = task.inputs, task.inputs + 2 * task.outputs
    done = 0
    for X, Y in blocks(task, seed):
        rows = np.full((len(X), width), np.nan)
        rows[:, :inputs], rows[:, inputs : inputs + task.outputs] = X, Y
        run(net.slab, rows.reshape(-1), len(X), PREDICT | LEARN)
        places = np.flatnonzero(~np.isnan(Y[:, 0]))
        yield done + places + 1, rows[places, inputs + task.outputs :], Y[places]
        done += len(X)
        if done >= most:
            return


def sign_is_right(outputs: Array, targets: Array) -> Array:
    """1 where the sign is that of the target."""
    return (np.sign(outputs[:, 0]) == targets[:, 0]).astype(float)


def class_is_right(outputs: Array, targets: Array) -> Array:
    """1 where the largest output is the class."""
    return (outputs.argmax(1) == targets[:, 0]).astype(float)


def both_below_0_2(outputs: Array, targets: Array) -> Array:
    """1 where both errors are below 0.2: "correctly processed" in 1997."""
    return (np.abs(outputs - targets) < 0.2).all(1).astype(float)


def squared_error_left(outputs: Array, targets: Array) -> Array:
    """1 minus the squared error over 2 % of the targets' variance (1/24): its mean is >= 0 where that is below."""
    return 1.0 - (outputs[:, 0] - targets[:, 0]) ** 2 / (0.02 / 24.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a task, a net, a criterion (the mean of ``score`` over ``last`` questions >= ``least``)."""

    name: str
    task: Task
    cell: str
    hidden_size: int
    window: int
    seeds: int
    most: int
    score: Callable[[Array, Array], Array]
    last: int
    least: float
    learning: str = defaults.LEARNING
    published: str = ""

    def solve(self, seed: int) -> tuple[int, int] | None:
        """Return events and questions until the criterion was met; None when it was not within ``most`` events."""
        net = make(self.task, self.cell, self.hidden_size, self.window, seed, self.learning)
        kept, asked = np.empty(0), 0
        for places, outputs, targets in answers(net, self.task, 1000 + seed, self.most):
            scores = np.concatenate([kept, self.score(outputs, targets)])
            sums = np.cumsum(np.concatenate([[0.0], scores]))
            good = np.flatnonzero(sums[self.last :] - sums[: -self.last] >= self.least * self.last - 1e-9)
            if good.size:
                new = int(good[0]) + self.last - len(kept)  # questions of this block, the deciding one included
                return int(places[new - 1]), asked + new
            kept, asked = scores[max(0, len(scores) - self.last + 1) :], asked + len(places)
        return None


def _recall(lag: int, cell: str, window: int, seeds: int, most: int, learning: str = "traces") -> Row:
    name = f"recall-{lag} {cell} {learning} {window}"
    return Row(name, GatedRecall(lag), cell, 32, window, seeds, most, sign_is_right, 100, 0.98, learning)


ROWS = (
    _recall(10, "trace_lstm", 16, 5, 3_000_000),
    _recall(100, "trace_lstm", 16, 5, 3_000_000),
    _recall(100, "lstm", 16, 5, 3_000_000, "tbptt"),
    _recall(100, "lstm", 16, 5, 3_000_000),
    _recall(1000, "trace_lstm", 16, 20, 3_000_000),
    _recall(1000, "lstm", 64, 10, 6_000_000),
    _recall(3000, "trace_lstm", 16, 5, 6_000_000),
    Row("adding-100", Adding(100), "trace_lstm", 32, 16, 5, 5_000_000, squared_error_left, 200, 0.0, published="74,000"),
    Row("order-6a", TemporalOrder(), "trace_lstm", 32, 16, 5, 3_000_000, class_is_right, 100, 0.98, published="31,390"),
    Row("2c-1000-50 1,000 in a row", NoisyRecall(1000, 50), "trace_lstm", 16, 16, 5, 8_000_000, both_below_0_2,
        1000, 1.0),
    Row("2c-1000-50 10,000 in a row", NoisyRecall(1000, 50), "trace_lstm", 16, 16, 5, 16_000_000, both_below_0_2,
        10_000, 1.0, published="203,000"),
)  # fmt: skip


def line(row: Row) -> str:
    """Run a row; return its line of the table."""
    found = []
    for seed in range(row.seeds):
        found.append(row.solve(seed))
        print(f"  {row.name}, seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    # where the criterion is an unbroken run, its first sequence counts
    before = row.last if row.least == 1.0 else 0
    events = ", ".join(f"{one[0] / 1e6:.3g}" if one else "-" for one in found)
    trials = ", ".join(f"{one[1] - before:,}" if one else "-" for one in found)
    solved = sum(one is not None for one in found)
    return (
        f"| {row.name} | {row.cell}, H={row.hidden_size}, {row.learning}, window {row.window} | {solved} of {row.seeds} "
        f"| {events} | {trials} | {row.published} |"
    )


HEAD = """# Long time lags, streamed

One stream, never reset; one pass; the loss at the question only. Each figure is one seed; "-": not within the limit of the row
(`ROWS` in `benchmarks/long_lags.py`). Settings: `streamrnn.models._defaults`, the same for all rows.

- recall: a value of -1 or +1 at every event; the flagged one is asked for LAG events later. Solved: 98 of the last 100 right.
- adding-100: mean squared error over 200 sequences below 2 % of the variance. order-6a: 98 of 100 classes right.
- 2c: both errors below 0.2 that many times in a row; the figure is the first sequence of that run, the events are its end.

Published: sequences of Hochreiter & Schmidhuber (1997), with a state that is reset at each sequence, 2 to 4 cells and plain
gradient descent; their criteria for adding (2000 in a row within 0.04) and 6a (2000 in a row within 0.3) are stricter than ours.

| task | net | solved | million events, seed by seed | sequences, seed by seed | published sequences |
|---|---|---|---|---|---|"""


def main(wanted: str) -> None:
    """Run the rows whose name begins with ``wanted``."""
    rows = [row for row in ROWS if row.name.startswith(wanted)]
    lines = [line(row) for row in rows]
    command = f"`python benchmarks/long_lags.py{' ' + wanted if wanted else ''}`"
    text = "\n".join([HEAD, *lines, "", f"{command}, on {cpu()}.", ""])
    if wanted:
        print(text)
    else:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
