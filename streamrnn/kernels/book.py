"""What a forecaster keeps beside its nets: one flat slab, like a net's (:mod:`streamrnn.kernels.layout`).

Sizes: C channels, F exogenous features, H horizon, E experts, I inputs of a net, N nets, L lags, M longest period, Q values
remembered, K contexts (``CONTEXTS``). The header is int64, everything else float64; words of the header give the place of each
array, in units of 8 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.layout import up

FORMAT: Final = 1
HEADER_WORDS: Final = 128
CONTEXTS: Final = 2  # an ordinary event; one behind a jump, where other experts are right
MAX_PERIOD: Final = 400  # a year of days, a day of five minutes, two weeks of hours
MAX_EXPERTS: Final = 16

# ---- header words -------------------------------------------------------------------------------
VERSION, CHANNELS, FEATURES, HORIZON, EXPERTS, INPUTS, NETS, MEMORY = range(8)
GIVEN_PERIOD, TIMED, EVENTS, FROZEN, MODELS, LONGEST = range(8, 14)
(
    VALUES, RAW, BASE, CONTEXT, CHANGE, CHANGES, FORECASTS, MIXED, REGRET, SQUARES, BOUND, WEIGHTS, ERROR, ERRORS,
    QUANTILES, NOW, DIFFERENCES, CORRELATION, ENERGY, PERIOD, PENDING, ROW, SCRATCH, PRIOR, INPUT_OF, USUAL, SIGN, FIRST,
) = range(16, 44)  # fmt: skip
# from here on: code of each expert, then its own word (which net, which RLS)
CODE, OWN = 48, 64
# words of each RLS: lags, and where its matrix P, weights W and settings lie
RLS, RLS_WORDS = 80, 4
LAGS, GAIN, COEFFICIENTS, SETTINGS = range(4)
MAX_RLS: Final = 8

CARRIED = (EVENTS, FROZEN)
BLANK: Final = ("values", "raw", "base", "first", "forecasts", "mixed", "now")  # NaN before anything is known


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that decides the layout of a book.

    Parameters
    ----------
    channels, features, horizon, inputs
        C, F, H, I.
    codes
        What each expert is: rows of the table of experts.
    lags
        Lags of each recursive least squares among them.
    period
        The season, 0 to have it found.
    timed
        Whether a row begins with the event's time.
    nets
        How many of the experts are nets.
    """

    channels: int
    features: int
    horizon: int
    inputs: int
    codes: tuple[int, ...]
    lags: tuple[int, ...]
    period: int = 0
    timed: bool = False
    nets: int = 0


class BookLayout:
    """The map of a book.

    Parameters
    ----------
    shape
        What decides it.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.fields: dict[str, tuple[int, str, tuple[int, ...]]] = {}
        self.words: dict[int, int] = {}
        self._at = HEADER_WORDS
        self._build()
        self.nbytes = 8 * self._at

    def _add(self, word: int, name: str, *shape: int, dtype: str = "f8") -> None:
        self.fields[name] = (self._at, dtype, shape)
        self.words[word] = self._at
        self._at = up(self._at + int(np.prod(shape)), 8)

    def _build(self) -> None:
        z = self.shape
        C, H, E, I, N = z.channels, z.horizon, len(z.codes), z.inputs, z.nets
        M = max(MAX_PERIOD, z.period)
        Q = M + H + max(z.lags, default=0) + 4
        for word, value in (
            (VERSION, FORMAT), (CHANNELS, C), (FEATURES, z.features), (HORIZON, H), (EXPERTS, E), (INPUTS, I), (NETS, N),
            (MEMORY, Q), (GIVEN_PERIOD, z.period), (TIMED, z.timed), (MODELS, len(z.lags)), (LONGEST, M),
        ):  # fmt: skip
            self.words[word] = int(value)
        for place, code in enumerate(z.codes):
            self.words[CODE + place] = code
            self.words[OWN + place] = z.codes[:place].count(code)
        for word, name, *shape in (
            (VALUES, "values", C, Q), (RAW, "raw", C, H + 1), (BASE, "base", C, H + 1), (CONTEXT, "context", C, H + 1),
            (CHANGE, "change", C, H), (CHANGES, "changes", C, H),
            (FORECASTS, "forecasts", H, C, H, E), (MIXED, "mixed", H, C, H),
            (REGRET, "regret", C, CONTEXTS, H, E), (SQUARES, "squares", C, CONTEXTS, H, E),
            (BOUND, "bound", C, CONTEXTS, H, E), (WEIGHTS, "weights", C, CONTEXTS, H, E),
            (ERROR, "error", C, H), (ERRORS, "errors", C, H), (QUANTILES, "quantiles", C, H, len(LEVELS)),
            (NOW, "now", C, H), (DIFFERENCES, "differences", C, M + 1), (CORRELATION, "correlation", C, M + 1),
            (ENERGY, "energy", C), (PERIOD, "period", C), (USUAL, "usual", C), (SIGN, "sign", C), (FIRST, "first", C), (PENDING, "pending", max(N, 1), H + 1, I),
            (ROW, "row", I), (SCRATCH, "scratch", 2 * max((*z.lags, H, 8)) + 8), (PRIOR, "prior", E),
        ):  # fmt: skip
            self._add(word, name, *shape)
        self._add(INPUT_OF, "input_of", I, dtype="i8")
        for place, lags in enumerate(z.lags):
            base = RLS + place * RLS_WORDS
            self.words[base + LAGS] = lags
            self._add(base + GAIN, f"rls{place}.gain", C, lags, lags)
            self._add(base + COEFFICIENTS, f"rls{place}.coefficients", C, H, lags)
            self._add(base + SETTINGS, f"rls{place}.settings", 2)

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in and nothing seen."""
        raw = np.zeros(self.nbytes + 64, np.uint8)
        start = -raw.ctypes.data % 64
        slab = raw[start : start + self.nbytes]
        header = slab.view(np.int64)
        for word, value in self.words.items():
            header[word] = value
        for name in BLANK:
            self.view(slab, name)[:] = np.nan
        return slab

    def view(self, slab: NDArray[np.uint8], name: str) -> NDArray[Any]:
        """Return one array of the slab, without a copy."""
        start, dtype, shape = self.fields[name]
        return slab[8 * start : 8 * (start + int(np.prod(shape)))].view(dtype).reshape(shape)
