"""Where each array of a forecast state lies: what a forecaster keeps beside its nets, one flat slab like a net's.

Sizes: C channels, F exogenous features, H horizon, E experts, I inputs of a net, N nets, L lags, M longest period, Q values
remembered, K contexts (``CONTEXTS``). The header is int64; words of it give the place of each array, in units of its own type. Values, sums and
whatever else grows with the stream are float64. What is a distance is float32: shapes of a season, seasonal errors, and forecasts, which are kept as
distances from the last value that they were made behind.

Everything before scratch is the state; a snapshot is those bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.profile import PROFILE_LAGS
from streamrnn.kernels.forecast.season import REFINED
from streamrnn.kernels.least_squares import packed, padded
from streamrnn.kernels.slab import Slab


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
    short
        The season within the season, 0 for none or to have it found.
    profiles
        For each profile among the experts whether it is of both seasons.
    long
        Lags of the long direct regression; 0 for none.
    calendar
        What the time says of days and weeks, as bits.
    holidays
        How many are listed.
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
    short: int = 0
    profiles: tuple[bool, ...] = ()
    long: int = 0
    calendar: int = 0
    holidays: int = 0


class StateLayout(Slab):
    """The layout of a forecast state.

    Parameters
    ----------
    shape
        What decides it.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__(at.STATE_HEADER_WORDS)
        self.shape = z = shape
        self.given = int(z.arx > 0 and z.features > 0)
        self.known = self.given * min(z.features, at.MOST_KNOWN)
        self.found = z.period == 0
        self.longest = z.period or at.MAX_PERIOD
        self._note_sizes()
        self._lay_values()
        self._lay_mixture(at.PLAIN, "", len(z.codes), z.channels)
        self._lay_mixture(at.INFORMED, "informed.", (len(z.codes) + 1) * self.given, z.channels * self.given)
        self._lay_regressions()
        self._lay_profiles()
        self._lay_long()
        self.state_nbytes = self.nbytes
        self._lay_scratch()

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in and nothing seen."""
        slab = super().allocate()
        for name in at.BLANK:
            self.view(slab, name)[:] = np.nan
        return slab

    def _note_sizes(self) -> None:
        z = self.shape
        refined = (REFINED + 2 * at.BLOCK_EVENTS) * self.found
        ring = (
            max(self.longest + refined, 2 * z.period, z.long) + z.horizon + max((*z.lags, z.ar, z.arx), default=0) + 4
        )
        self.note((
            (at.VERSION, at.STATE_FORMAT), (at.CHANNELS, z.channels), (at.FEATURES, z.features), (at.HORIZON, z.horizon),
            (at.N_EXPERTS, len(z.codes)), (at.N_INPUTS, z.inputs), (at.NETS, z.nets), (at.RING_SIZE, ring),
            (at.GIVEN_PERIOD, z.period), (at.HAS_TIME, z.timed), (at.MODELS, len(z.lags)), (at.LONGEST_PERIOD, self.longest),
            (at.KNOWN_FEATURES, self.known), (at.GIVEN, self.given), (at.PROFILES, len(z.profiles)),
            (at.SHORT_ROOM, max(z.short, at.CURVE_LAGS * self.found)), (at.LONG_LAGS, z.long),
            (at.CALENDAR, z.calendar), (at.N_HOLIDAYS, z.holidays),
        ))  # fmt: skip
        for place, code in enumerate(z.codes):
            self.note(((at.CODE + place, code), (at.OWN + place, z.codes[:place].count(code))))

    def _lay_values(self) -> None:
        """Add each channel's values and changes, what the experts forecast of it, and the nets' inputs."""
        z, C, H = self.shape, self.shape.channels, self.shape.horizon
        N = (at.CURVE_LAGS + 1) * self.found
        self.add_all("f8", (
            (at.VALUE_RING, "values", C, self.words[at.RING_SIZE]), (at.RAW_VALUES, "raw", C, H + 1), (at.BASE, "base", C, H + 1),
            (at.CONTEXT, "context", C, H + 1), (at.MEAN_CHANGE, "change", C, H), (at.CHANGE_COUNT, "changes", C, H),
            (at.COARSE_VALUES, "coarse", C, N), (at.BLOCK_SUM, "block", C, 2),
            (at.PERIOD, "period", C), (at.SHORT_PERIOD, "short", C), (at.IMPUTED, "imputed", C), (at.CHANGE_PEAKS, "change_peaks", 2, C, H),
            (at.CLOCK, "clock", 3), (at.PROFILE_SETTINGS, "profile.settings", len(z.profiles), 3), (at.HOLIDAYS, "holidays", z.holidays),
            (at.DAYS_OFF, "days_off", (2 + H) * (z.holidays > 0)), (at.HOLIDAY_SHARE, "holiday_share", len(z.profiles), C, 2 * (z.holidays > 0)),
            (at.USUAL_CHANGE, "usual", C), (at.SIGN, "sign", C), (at.FIRST_VALUE, "first", C), (at.ANCHOR, "anchor", C),
            (at.NO_COUNT, "no_count", C),
            (at.PENDING, "pending", max(z.nets, 1), H + 1, z.inputs), (at.LAST_FEATURES, "known", self.known),
            (at.FIRST_FEATURES, "known_first", self.known),
        ))  # fmt: skip
        self.add_all("f4", (
            (at.EXPERT_FORECASTS, "forecasts", len(z.codes) + self.given, C, H * (H + 1) // 2), (at.LAG_CURVE, "curve", C, 2, N),
            (at.COARSE_CURVE, "coarse_curve", C, 2, N),
        ))  # fmt: skip
        self.add(at.INPUT_OF, "input_of", "i8", z.inputs)

    def _lay_scratch(self) -> None:
        """Add what an event needs for a moment."""
        z, C, H = self.shape, self.shape.channels, self.shape.horizon
        widest = padded(
            max((*z.lags, z.long, 2 + z.arx + 2 * self.known, z.ar + 1, H, 8, PROFILE_LAGS, at.CURVE_LAGS // 3 + 1))
        )
        experts = len(z.codes) + self.given
        lanes = max(experts, at.LANE_ROWS + (4 * experts + at.SHORT_ROWS + 1) // 2)
        self.add(at.PENDING_AT, "pending_at", "i8", H)
        self.add_all("f8", (
            (at.ABSENT_ROW, "absent", (2 + C * (1 + H) + z.features) * z.timed), (at.ROW, "row", z.inputs),
            (at.SCRATCH, "scratch", 3 * widest + H + max(z.ar, z.arx) + 8),
            (at.SCRATCH_LANES, "lanes", lanes, C, H),
        ))  # fmt: skip

    def _lay_mixture(self, base: int, name: str, E: int, C: int) -> None:
        """Add one mixture's regrets, weights, errors, quantiles and forecasts."""
        H, K = self.shape.horizon, at.CONTEXTS
        for word, part, *shape in (
            (at.MEAN_ERROR, "error", C, H), (at.ERROR_COUNT, "errors", C, H),
            (at.NEXT_FORECASTS, "now", C, H), (at.PRIOR, "prior", E),
            (at.ERROR_PEAKS, "peaks", 2, C, H), (at.REGRET_UNIT, "unit", C, H),
        ):  # fmt: skip
            self.add(base + word, name + part, "f8", *shape)
        for word, part in (
            (at.REGRET, "regret"), (at.SQUARED_REGRET, "squares"), (at.REGRET_BOUND, "bound"), (at.WEIGHTS, "weights"),
        ):  # fmt: skip
            self.add(base + word, name + part, "f4", K, E, C, H)
        self.add(base + at.QUANTILES, name + "quantiles", "f4", len(LEVELS), C, H)
        self.add(base + at.MIXED_FORECASTS, name + "mixed", "f4", C, H * (H + 1) // 2)
        self.add(base + at.SHARE, name + "share", "f4", C * (base == at.INFORMED), H * (H + 1) // 2)

    def _lay_regressions(self) -> None:
        """Add the matrix and the coefficients of each recursive least squares, and the open paths of the one with features."""
        z, C, H, F = self.shape, self.shape.channels, self.shape.horizon, self.known
        for place, lags in enumerate(z.lags):
            base = at.RLS_0 + place * at.RLS_WORDS
            self.note(((base + at.LAGS, lags),))
            self.add_all("f8", (
                (base + at.GAIN, f"rls{place}.gain", C, packed(padded(lags))),
                (base + at.SETTINGS, f"rls{place}.settings", 2),
            ))  # fmt: skip
            self.add(base + at.COEFFICIENTS, f"rls{place}.coefficients", "f4", C, H, lags)
        for base, name, c, lags, n in (
            (at.AR_0, "ar", C * (z.ar > 0), z.ar, 1 + z.ar), (at.ARX_0, "arx", C * self.given, z.arx, 2 + z.arx + 2 * F),
        ):  # fmt: skip
            self.note(((base + at.LAGS, lags),))
            self.add(base + at.GAIN, f"{name}.gain", "f8", c, packed(padded(n)))
            self.add(base + at.COEFFICIENTS, f"{name}.coefficients", "f8", c, n)
        c = C * self.given
        self.add_all("f8", (
            (at.ARX_0 + at.PATH_COEFFICIENTS, "arx.path", H, c, 2 + z.arx + 2 * F),
            (at.ARX_0 + at.PATH_CHANGES, "arx.path_changes", H, c, z.arx + H), (at.ARX_0 + at.PATH_LEVEL, "arx.level", H, c),
            (at.ARX_0 + at.PATH_BOUND, "arx.bound", H, c, 1 + H),
        ))  # fmt: skip

    def _lay_profiles(self) -> None:
        """Add level and shapes of each profile, and the regression of its residuals."""
        C, H, L = self.shape.channels, self.shape.horizon, PROFILE_LAGS
        for place, both in enumerate(self.shape.profiles):
            base = at.PROFILE_0 + place * at.PROFILE_WORDS
            for word, name, *shape in (
                (at.SEASON_OF, "season_of", C, 2), (at.LEVEL, "level", C), (at.RESIDUAL_SPREAD, "spread", C),
                (at.RESIDUALS, "residuals", C, H + L + 1), (at.RESIDUAL_GAIN, "gain", C, packed(padded(L))),
            ):  # fmt: skip
                self.add(base + word, f"profile{place}.{name}", "f8", *shape)
            self.add(base + at.RESIDUAL_COEFFICIENTS, f"profile{place}.coefficients", "f4", C, L, H)
            self.add(base + at.SHAPE, f"profile{place}.shape", "f4", C, self.longest)
            self.add(base + at.SHORT_SHAPE, f"profile{place}.short_shape", "f4", C, self.words[at.SHORT_ROOM] * both)

    def _lay_long(self) -> None:
        """Add what the long regression keeps: sums and last changes, and the solution under way."""
        C, H, L = self.shape.channels, self.shape.horizon, self.shape.long
        n, K = max(L - 1, 0), (L + H) * (L > 0)
        for word, name, *shape in (
            (at.LONG_SUMS, "sums", K), (at.LONG_MATRIX_ROW, "row", K),
            (at.LONG_COLUMNS, "columns", K), (at.LONG_TARGETS, "targets", H, n), (at.LONG_FACTOR, "factor", n * (n + H) - n * (n - 1) // 2),
            (at.LONG_NEXT, "next", n, H), (at.LONG_TRACE, "trace", 1),
        ):  # fmt: skip
            self.add(word, f"long.{name}", "f8", *shape)
        self.add_all(
            "f4",
            (
                (at.LONG_CHANGES, "long.changes", C, K),
                (at.LONG_KEPT, "long.kept", C, K),
                (at.LONG_COEFFICIENTS, "long.coefficients", n, H),
            ),
        )
