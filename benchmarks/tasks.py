"""Long-lag tasks as endless streams: inputs, and targets that are known at the question only.

Trial follows trial without a pause and without a sign that a state should be cleared. ``trials(rng, n)`` of a task
returns X (events, I) and Y (events, K); Y is NaN everywhere but at the questions.

References
----------
S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997: experiments 2c, 4 and 6a.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GatedRecall:
    """A value of -1 or +1 comes at every event. The flagged one is asked for ``lag`` events later.

    Inputs: value, flag, question. Target: the flagged value. A trial is ``lag`` + 1 events and a pause of up to a
    tenth of that.
    """

    lag: int
    inputs = 3
    outputs = 1
    loss = "huber"

    def trials(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Return n trials."""
        lengths = self.lag + 1 + rng.integers(0, self.lag // 10 + 1, n)
        start = np.cumsum(lengths) - lengths
        X = np.zeros((int(lengths.sum()), 3))
        X[:, 0] = rng.integers(0, 2, len(X)) * 2.0 - 1.0
        X[start, 1] = 1.0
        X[start + self.lag, 2] = 1.0
        Y = np.full((len(X), 1), np.nan)
        Y[start + self.lag, 0] = X[start, 0]
        return X, Y


@dataclass(frozen=True, slots=True)
class NoisyRecall:
    """Task 2c of 1997: b, x or y, at least q distractors out of p, e; then the second symbol comes again.

    One input a symbol (p + 4). At e, two targets: 1 for the symbol that will come, 0 for the other. After the q
    distractors each further symbol is e with probability 1/10.
    """

    q: int
    p: int
    outputs = 2
    loss = "huber"

    @property
    def inputs(self) -> int:
        """One for each symbol: p distractors, e, b, x, y."""
        return self.p + 4

    def trials(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Return n trials."""
        e, b, x = self.p, self.p + 1, self.p + 2
        distractors = self.q + rng.geometric(0.1, n) - 1
        lengths = distractors + 4
        start = np.cumsum(lengths) - lengths
        symbols = rng.integers(0, self.p, int(lengths.sum()))
        which = rng.integers(0, 2, n)
        end = start + lengths - 1
        symbols[start], symbols[start + 1], symbols[end - 1], symbols[end] = b, x + which, e, x + which
        X = np.zeros((len(symbols), self.inputs))
        X[np.arange(len(symbols)), symbols] = 1.0
        Y = np.full((len(symbols), 2), np.nan)
        Y[end - 1, 0], Y[end - 1, 1] = which == 0, which == 1
        return X, Y


@dataclass(frozen=True, slots=True)
class Adding:
    """Experiment 4 of 1997: of T to 1.1 T random values two are marked; asked for 0.5 + (first + second) / 4 at the end.

    Inputs: value in [-1, 1], mark (1 at the two values, -1 at both ends, else 0). The first mark is among the first
    ten events, the second among the first T/2 - 1.
    """

    length: int
    inputs = 2
    outputs = 1
    loss = "huber"

    def trials(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Return n trials."""
        lengths = rng.integers(self.length, self.length + self.length // 10 + 1, n)
        start = np.cumsum(lengths) - lengths
        end = start + lengths - 1
        X = np.zeros((int(lengths.sum()), 2))
        X[:, 0] = rng.uniform(-1.0, 1.0, len(X))
        X[start, 1] = X[end, 1] = -1.0
        first = rng.integers(0, 10, n)
        second = rng.integers(0, self.length // 2 - 2, n)
        second += second >= first  # never the same event twice
        for mark in (first, second):
            X[start + mark, 1] = 1.0
            X[(start + mark)[mark == 0], 0] = 0.0  # "in the rare case that the first pair gets marked": no value
        Y = np.full((len(X), 1), np.nan)
        Y[end, 0] = 0.5 + (X[start + first, 0] + X[start + second, 0]) / 4.0
        return X, Y


@dataclass(frozen=True, slots=True)
class TemporalOrder:
    """Experiment 6a of 1997: X or Y at an event in 10..20 and again in 50..60 of 100 to 110; asked for both, in order.

    Inputs: one for each of E (start), B (end), a, b, c, d, X, Y. Target: the class XX, XY, YX or YY.
    """

    inputs = 8
    outputs = 4
    loss = "cross_entropy"

    def trials(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Return n trials."""
        lengths = rng.integers(100, 111, n)
        start = np.cumsum(lengths) - lengths
        symbols = rng.integers(2, 6, int(lengths.sum()))
        one, two = rng.integers(0, 2, n), rng.integers(0, 2, n)
        end = start + lengths - 1
        symbols[start], symbols[end] = 0, 1
        symbols[start + rng.integers(10, 21, n)] = 6 + one
        symbols[start + rng.integers(50, 61, n)] = 6 + two
        X = np.zeros((len(symbols), 8))
        X[np.arange(len(symbols)), symbols] = 1.0
        Y = np.full((len(symbols), 4), np.nan)
        Y[end, 0] = 2 * one + two
        return X, Y


Task = GatedRecall | NoisyRecall | Adding | TemporalOrder


def blocks(task: Task, seed: int, events: int = 20_000) -> Iterator[tuple[Array, Array]]:
    """Return an endless stream of blocks of about that many events, whole trials each."""
    rng = np.random.default_rng(seed)
    X, _ = task.trials(rng, 8)
    n = max(1, events * 8 // len(X))
    while True:
        yield task.trials(rng, n)
