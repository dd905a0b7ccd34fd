"""What a forecaster keeps beside its nets: one flat slab, like a net's (:mod:`streamrnn.kernels.net.layout`).

Sizes: C channels, F exogenous features, H horizon, E experts, I inputs of a net, N nets, L lags, M longest period, Q values
remembered, K contexts (``CONTEXTS``). The header is int64, everything else float64; words of the header give the place of each
array, in units of 8 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.forecast.conformal import LEVELS
from streamrnn.kernels.forecast.words import (
    ANCHOR,
    AR,
    ARX,
    BASE,
    BLANK,
    BOUND,
    CHANGE,
    CHANGES,
    CHANNELS,
    CODE,
    COEFFICIENTS,
    CONTEXT,
    CONTEXTS,
    CORRELATION,
    DIFFERENCES,
    ENERGY,
    ERROR,
    ERRORS,
    EXPERTS,
    FEATURES,
    FIRST,
    FORECASTS,
    FORMAT,
    GAIN,
    GIVEN,
    GIVEN_PERIOD,
    HEADER_WORDS,
    HORIZON,
    INFORMED,
    INPUT_OF,
    INPUTS,
    KNOWN,
    KNOWN_FEATURES,
    KNOWN_FIRST,
    LAGS,
    LANE_ROWS,
    LANES,
    LONGEST,
    MAX_PERIOD,
    MEMORY,
    MIXED,
    MODELS,
    MOST_KNOWN,
    NETS,
    NOW,
    OWN,
    PATH_BOUND,
    PATH_CHANGES,
    PATH_COEFFICIENTS,
    PATH_LEVEL,
    PENDING,
    PERIOD,
    PLAIN,
    PRIOR,
    QUANTILES,
    RAW,
    REGRET,
    RLS,
    RLS_WORDS,
    ROW,
    SCRATCH,
    SETTINGS,
    SHARE,
    SIGN,
    SQUARES,
    TIMED,
    USUAL,
    VALUES,
    VERSION,
    WEIGHTS,
)
from streamrnn.kernels.slab import up


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
    ar, arx
        Lags of the regressions that are rolled on, without and with features; 0 for none.
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
    ar: int = 0
    arx: int = 0


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
        Q = M + H + max((*z.lags, z.ar, z.arx), default=0) + 4
        given = int(z.arx > 0 and z.features > 0)
        F = given * min(z.features, MOST_KNOWN)
        for word, value in (
            (VERSION, FORMAT), (CHANNELS, C), (FEATURES, z.features), (HORIZON, H), (EXPERTS, E), (INPUTS, I), (NETS, N),
            (MEMORY, Q), (GIVEN_PERIOD, z.period), (TIMED, z.timed), (MODELS, len(z.lags)), (LONGEST, M),
            (KNOWN_FEATURES, F), (GIVEN, given),
        ):  # fmt: skip
            self.words[word] = int(value)
        for place, code in enumerate(z.codes):
            self.words[CODE + place] = code
            self.words[OWN + place] = z.codes[:place].count(code)
        widest = max((*z.lags, 2 + z.arx + 2 * F, z.ar + 1, H, 8))
        for word, name, *shape in (
            (VALUES, "values", C, Q), (RAW, "raw", C, H + 1), (BASE, "base", C, H + 1), (CONTEXT, "context", C, H + 1),
            (CHANGE, "change", C, H), (CHANGES, "changes", C, H), (FORECASTS, "forecasts", H, E + given, C, H),
            (DIFFERENCES, "differences", C, M + 1), (CORRELATION, "correlation", C, M + 1), (ENERGY, "energy", C),
            (PERIOD, "period", C), (USUAL, "usual", C), (SIGN, "sign", C), (FIRST, "first", C), (ANCHOR, "anchor", C),
            (PENDING, "pending", max(N, 1), H + 1, I), (ROW, "row", I),
            (SCRATCH, "scratch", 3 * widest + H + max(z.ar, z.arx) + 8), (LANES, "lanes", 3 * (E + 1) + LANE_ROWS, C, H),
            (KNOWN, "known", F), (KNOWN_FIRST, "known_first", F),
        ):  # fmt: skip
            self._add(word, name, *shape)
        self._add(INPUT_OF, "input_of", I, dtype="i8")
        self._mixture(PLAIN, "", E, C)
        self._mixture(INFORMED, "informed.", (E + 1) * given, C * given)
        for place, lags in enumerate(z.lags):
            base = RLS + place * RLS_WORDS
            self.words[base + LAGS] = lags
            self._add(base + GAIN, f"rls{place}.gain", C, lags, lags)
            self._add(base + COEFFICIENTS, f"rls{place}.coefficients", C, H, lags)
            self._add(base + SETTINGS, f"rls{place}.settings", 2)
        for base, name, c, lags, n in (
            (AR, "ar", C * (z.ar > 0), z.ar, 1 + z.ar), (ARX, "arx", C * given, z.arx, 2 + z.arx + 2 * F),
        ):  # fmt: skip
            self.words[base + LAGS] = lags
            self._add(base + GAIN, f"{name}.gain", c, n, n)
            self._add(base + COEFFICIENTS, f"{name}.coefficients", c, n)
        self._add(ARX + PATH_COEFFICIENTS, "arx.path", H, C * given, 2 + z.arx + 2 * F)
        self._add(ARX + PATH_CHANGES, "arx.path_changes", H, C * given, z.arx + H)
        self._add(ARX + PATH_LEVEL, "arx.level", H, C * given)
        self._add(ARX + PATH_BOUND, "arx.bound", H, C * given, 1 + H)

    def _mixture(self, base: int, name: str, E: int, C: int) -> None:
        H = self.shape.horizon
        for word, part, *shape in (
            (REGRET, "regret", CONTEXTS, E, C, H), (SQUARES, "squares", CONTEXTS, E, C, H), (BOUND, "bound", CONTEXTS, E, C, H),
            (WEIGHTS, "weights", CONTEXTS, E, C, H), (ERROR, "error", C, H), (ERRORS, "errors", C, H),
            (QUANTILES, "quantiles", len(LEVELS), C, H), (MIXED, "mixed", H, C, H), (NOW, "now", C, H), (PRIOR, "prior", E),
            (SHARE, "share", H, C, H),
        ):  # fmt: skip
            self._add(base + word, name + part, *shape)

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
