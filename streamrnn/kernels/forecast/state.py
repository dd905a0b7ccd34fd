"""Where each array of a forecast state lies: what a forecaster keeps beside its nets, one flat slab like a net's.

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
    AR_0,
    ARX_0,
    BASE,
    BLANK,
    CHANGE_COUNT,
    CHANNELS,
    CODE,
    COEFFICIENTS,
    CONTEXT,
    CONTEXTS,
    CORRELATION,
    DIFFERENCES,
    ENERGY,
    ERROR_COUNT,
    EXPERT_FORECASTS,
    FEATURES,
    FIRST_FEATURES,
    FIRST_VALUE,
    GAIN,
    GIVEN,
    GIVEN_PERIOD,
    HAS_TIME,
    HORIZON,
    INFORMED,
    INPUT_OF,
    KNOWN_FEATURES,
    LAGS,
    LANE_ROWS,
    LAST_FEATURES,
    LONGEST_PERIOD,
    MAX_PERIOD,
    MEAN_CHANGE,
    MEAN_ERROR,
    MIXED_FORECASTS,
    MODELS,
    MOST_KNOWN,
    N_EXPERTS,
    N_INPUTS,
    NETS,
    NEXT_FORECASTS,
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
    RAW_VALUES,
    REGRET,
    REGRET_BOUND,
    RING_SIZE,
    RLS_0,
    RLS_WORDS,
    ROW,
    SCRATCH,
    SCRATCH_LANES,
    SETTINGS,
    SHARE,
    SIGN,
    SQUARED_REGRET,
    STATE_FORMAT,
    STATE_HEADER_WORDS,
    USUAL_CHANGE,
    VALUE_RING,
    VERSION,
    WEIGHTS,
)
from streamrnn.kernels.slab import up


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that decides the layout of a forecast state.

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


class StateLayout:
    """Where each array of a forecast state lies.

    Parameters
    ----------
    shape
        What decides it.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.fields: dict[str, tuple[int, str, tuple[int, ...]]] = {}
        self.words: dict[int, int] = {}
        self._at = STATE_HEADER_WORDS
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
            (VERSION, STATE_FORMAT), (CHANNELS, C), (FEATURES, z.features), (HORIZON, H), (N_EXPERTS, E), (N_INPUTS, I), (NETS, N),
            (RING_SIZE, Q), (GIVEN_PERIOD, z.period), (HAS_TIME, z.timed), (MODELS, len(z.lags)), (LONGEST_PERIOD, M),
            (KNOWN_FEATURES, F), (GIVEN, given),
        ):  # fmt: skip
            self.words[word] = int(value)
        for place, code in enumerate(z.codes):
            self.words[CODE + place] = code
            self.words[OWN + place] = z.codes[:place].count(code)
        widest = max((*z.lags, 2 + z.arx + 2 * F, z.ar + 1, H, 8))
        for word, name, *shape in (
            (VALUE_RING, "values", C, Q), (RAW_VALUES, "raw", C, H + 1), (BASE, "base", C, H + 1), (CONTEXT, "context", C, H + 1),
            (MEAN_CHANGE, "change", C, H), (CHANGE_COUNT, "changes", C, H), (EXPERT_FORECASTS, "forecasts", H, E + given, C, H),
            (DIFFERENCES, "differences", C, M + 1), (CORRELATION, "correlation", C, M + 1), (ENERGY, "energy", C),
            (PERIOD, "period", C), (USUAL_CHANGE, "usual", C), (SIGN, "sign", C), (FIRST_VALUE, "first", C), (ANCHOR, "anchor", C),
            (PENDING, "pending", max(N, 1), H + 1, I), (ROW, "row", I),
            (SCRATCH, "scratch", 3 * widest + H + max(z.ar, z.arx) + 8), (SCRATCH_LANES, "lanes", 3 * (E + 1) + LANE_ROWS, C, H),
            (LAST_FEATURES, "known", F), (FIRST_FEATURES, "known_first", F),
        ):  # fmt: skip
            self._add(word, name, *shape)
        self._add(INPUT_OF, "input_of", I, dtype="i8")
        self._mixture(PLAIN, "", E, C)
        self._mixture(INFORMED, "informed.", (E + 1) * given, C * given)
        for place, lags in enumerate(z.lags):
            base = RLS_0 + place * RLS_WORDS
            self.words[base + LAGS] = lags
            self._add(base + GAIN, f"rls{place}.gain", C, lags, lags)
            self._add(base + COEFFICIENTS, f"rls{place}.coefficients", C, H, lags)
            self._add(base + SETTINGS, f"rls{place}.settings", 2)
        for base, name, c, lags, n in (
            (AR_0, "ar", C * (z.ar > 0), z.ar, 1 + z.ar), (ARX_0, "arx", C * given, z.arx, 2 + z.arx + 2 * F),
        ):  # fmt: skip
            self.words[base + LAGS] = lags
            self._add(base + GAIN, f"{name}.gain", c, n, n)
            self._add(base + COEFFICIENTS, f"{name}.coefficients", c, n)
        self._add(ARX_0 + PATH_COEFFICIENTS, "arx.path", H, C * given, 2 + z.arx + 2 * F)
        self._add(ARX_0 + PATH_CHANGES, "arx.path_changes", H, C * given, z.arx + H)
        self._add(ARX_0 + PATH_LEVEL, "arx.level", H, C * given)
        self._add(ARX_0 + PATH_BOUND, "arx.bound", H, C * given, 1 + H)

    def _mixture(self, base: int, name: str, E: int, C: int) -> None:
        H = self.shape.horizon
        for word, part, *shape in (
            (REGRET, "regret", CONTEXTS, E, C, H), (SQUARED_REGRET, "squares", CONTEXTS, E, C, H), (REGRET_BOUND, "bound", CONTEXTS, E, C, H),
            (WEIGHTS, "weights", CONTEXTS, E, C, H), (MEAN_ERROR, "error", C, H), (ERROR_COUNT, "errors", C, H),
            (QUANTILES, "quantiles", len(LEVELS), C, H), (MIXED_FORECASTS, "mixed", H, C, H), (NEXT_FORECASTS, "now", C, H), (PRIOR, "prior", E),
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
