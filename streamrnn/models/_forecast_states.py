"""Forecast states in Python's hands: growth, and the bytes of a snapshot."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.bands import BANDS_HEAD
from streamrnn.kernels.forecast.calendar import BY_HOUR, BY_WEEKDAY
from streamrnn.kernels.forecast.experts.long import BACK, BUILD, FACTOR, IDLE
from streamrnn.kernels.forecast.experts.profile import BOTH
from streamrnn.kernels.forecast.experts.table import AR_CODE, ARX_CODE, EXPERTS, LONG_CODE, PROFILE_CODE, RLS_CODE
from streamrnn.kernels.forecast.forecaster import ASK_BANDS, ASK_INFORMED
from streamrnn.kernels.forecast.state import Shape, StateLayout
from streamrnn.pieces import Pieces

__all__ = ["Ask", "ForecastStates"]

_FIXED = ("prior", "informed.prior", "input_of", "profile.settings", "holidays")
Ask = Callable[[NDArray[np.float64], int], None]


@functools.lru_cache(maxsize=256)
def _layout_of(shape: Shape) -> StateLayout:
    return StateLayout(shape)


@functools.lru_cache(maxsize=256)
def _places(levels: tuple[float, ...]) -> NDArray[np.float64]:
    return np.asarray(np.interp(levels, LEVELS, np.arange(len(LEVELS))))


def _read(state: NDArray[np.uint8]) -> tuple[memoryview]:
    return (state.data,)


class ForecastStates:
    """One forecast state for each series, all of one shape; the first is blank where series have keys.

    Parameters
    ----------
    names
        The experts.
    horizon
        H.
    period
        The main season and the one within it, 0 for none; both 0 to have them found.
    nets
        How many of the experts are nets.
    timed
        Whether rows begin with the time.
    calendar
        What the time says of days and weeks: "hour", "weekday".
    holidays
        Days since 1970, ascending.
    level
        Of the quantile that forecasts aim at; 0: the mean.

    Examples
    --------
    >>> from streamrnn.models._forecast_states import ForecastStates
    >>> states = ForecastStates(("drift", "rls"), horizon=2)
    >>> states.grow(channels=1)
    >>> states.array(0, "weights")[0, :, 0].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """

    def __init__(
        self, names: tuple[str, ...], horizon: int, period: tuple[int, int] = (0, 0), nets: int = 0, timed: bool = False,
        calendar: tuple[str, ...] = (), holidays: Sequence[int] = (), level: float = 0.0,
    ) -> None:  # fmt: skip
        asked = [EXPERTS[name] for name in names]
        self.rows = rows = [row for row in asked if row.code != ARX_CODE]
        self.prior = np.array([row.prior for row in rows])
        arx = [row for row in asked if row.code == ARX_CODE]
        self.informed_prior = np.array([row.prior for row in (*rows, *arx)])
        self.inputs: list[int] = []
        self.holidays, self.level = list(holidays), level
        self.shape = Shape(
            0, 0, horizon, 0, tuple(row.code for row in rows), tuple(row.lags for row in rows if row.code == RLS_CODE),
            period[0], timed, nets, max((row.lags for row in rows if row.code == AR_CODE), default=0),
            max((row.lags for row in arx), default=0), period[1], tuple(row.short_floor > 0.0 for row in rows if row.code == PROFILE_CODE),
            max((row.lags for row in rows if row.code == LONG_CODE), default=0),
            BY_HOUR * ("hour" in calendar) + BY_WEEKDAY * ("weekday" in calendar), len(self.holidays),
        )  # fmt: skip
        self.slabs: list[NDArray[np.uint8]] = []
        self.layout = _layout_of(self.shape)
        self._lay_out(self.shape, [])

    def array(self, area: int, name: str) -> NDArray[Any]:
        """Return one array of one state, as a view.

        Parameters
        ----------
        area
            Whose state.
        name
            Of the array, as in the layout.
        """
        return self.layout.view(self.slabs[area], name)

    def header(self, area: int) -> NDArray[np.int64]:
        """Return one state's header, as a view.

        Parameters
        ----------
        area
            Whose state.
        """
        return self.slabs[area][: 8 * at.STATE_HEADER_WORDS].view(np.int64)

    def _blank(self, layout: StateLayout) -> NDArray[np.uint8]:
        slab = layout.allocate()
        slab.view(np.float64)[at.LOSS_LEVEL] = self.level
        for name, prior in (("", self.prior), ("informed.", self.informed_prior)):
            if layout.fields[f"{name}prior"].shape != (0,):
                layout.view(slab, f"{name}prior")[:] = prior / prior.sum()
                layout.view(slab, f"{name}weights")[:] = (prior / prior.sum())[:, None, None]
        layout.view(slab, "input_of")[:] = self.inputs
        layout.view(slab, "holidays")[:] = self.holidays
        for place, row in enumerate(row for row in self.rows if row.code == RLS_CODE):
            layout.view(slab, f"rls{place}.settings")[0] = row.forget
        for place, row in enumerate(row for row in self.rows if row.code == PROFILE_CODE):
            layout.view(slab, "profile.settings")[place] = row.floor, row.short_floor, row.forget
        layout.view(slab, "period")[:], layout.view(slab, "short")[:] = self.shape.period, self.shape.short
        return slab

    def _lay_out(self, shape: Shape, inputs: list[int]) -> None:
        """Copy everything into states of another shape; what is new is blank."""
        old, olds = self.layout, self.slabs or [self._blank(self.layout)]
        new = _layout_of(shape)
        self.inputs = [*self.inputs, *inputs]
        self.slabs = [self._blank(new) for _ in olds]
        for before, after in zip(olds, self.slabs, strict=True):
            for word in at.CARRIED_WORDS:
                after.view(np.int64)[word] = before.view(np.int64)[word]
            for name in old.fields:
                source, into = old.view(before, name), new.view(after, name)
                shared = tuple(slice(0, min(a, b)) for a, b in zip(source.shape, into.shape, strict=True))
                if name != "holidays":
                    into[shared] = source[shared]
        self.shape, self.layout = shape, new

    def grow(self, channels: int = 0, features: int = 0, inputs: list[int] | None = None) -> None:
        """Add channels, features and inputs of the nets; everything learned stays as it is, bit for bit.

        Parameters
        ----------
        channels
            How many to add.
        features
            How many to add.
        inputs
            The codes of the new inputs of the nets; None for no new ones.
        """
        z, more = self.shape, inputs or []
        shape = replace(z, channels=z.channels + channels, features=z.features + features, inputs=z.inputs + len(more))
        self._lay_out(shape, more)

    def list_holidays(self, holidays: Sequence[int]) -> None:
        """List other holidays; everything learned stays as it is.

        Parameters
        ----------
        holidays
            Days since 1970, ascending.
        """
        self.holidays = list(holidays)
        self._lay_out(replace(self.shape, holidays=len(self.holidays)), [])

    def copy(self) -> ForecastStates:
        """Return an independent copy."""
        other = copy.copy(self)
        other._lay_out(self.shape, [])  # noqa: SLF001
        return other

    def ahead(self, area: int, xs: NDArray[np.float64] | None, ask: Ask) -> tuple[NDArray[np.float64], int]:
        """Return forecasts (H, C), to be read only, and how many of the steps know their features.

        xs (H, F): features to come, NaN where one is missing. A step is forecast with them if all are there up to it.

        Parameters
        ----------
        area
            Whose forecasts.
        xs
            Features to come, (H, F), NaN where one is missing. A step is forecast with them if all are there up to
            it. None: without.
        ask
            The compiled entry with this area's states and the nets: called with a question and its code.
        """
        plain = self.array(area, "now").T
        if xs is None or not self.header(area)[at.GIVEN] or not self.header(area)[at.N_EVENTS]:
            return plain, 0
        plain = plain.copy()
        asked = np.concatenate([xs.reshape(-1), np.empty(plain.size)])
        ask(asked, ASK_INFORMED)
        known = asked[xs.size :].reshape(-1, len(plain)).T
        n = int(np.isfinite(known).any(axis=1).cumprod().sum())
        taken = np.isfinite(known[:n])
        plain[:n][taken] = known[:n][taken]
        return plain, n

    def bands(self, horizon: int, levels: Sequence[float], ask: Ask, known: int = 0) -> NDArray[np.float64]:
        """Return how far each level lies from the forecast: (levels, horizon, C), never crossing.

        Of the first ``known`` steps by the errors of forecasts with known features.

        Parameters
        ----------
        horizon
            How many steps.
        levels
            Of the quantiles, between 0 and 1.
        ask
            As in :meth:`ahead`: whose forecasts, it knows.
        known
            How many of the first steps know their features: their bands are those of such forecasts.
        """
        places = _places(tuple(levels))
        N, C = len(places), self.shape.channels
        asked = np.empty(BANDS_HEAD + N + N * horizon * C)
        asked[0], asked[1], asked[2] = N, known, horizon
        asked[BANDS_HEAD : BANDS_HEAD + N] = places
        ask(asked, ASK_BANDS)
        return asked[BANDS_HEAD + N :].reshape(N, horizon, C)

    def awake(self, area: int) -> NDArray[np.bool_]:
        """Return which experts have an opinion on each channel: no profile has before it knows a season, (experts, C).

        Parameters
        ----------
        area
            Of which series.
        """
        found = np.ones((len(self.rows), self.shape.channels), bool)
        profiles = 0
        for e, row in enumerate(self.rows):
            if row.code == PROFILE_CODE:
                found[e] = self.array(area, f"profile{profiles}.season_of")[:, 0] > 0.0
                profiles += 1
            elif row.code == LONG_CODE:
                found[e] = self.header(area)[at.LONG_READY] > 0
        return found | ~found.any(axis=0)  # where none has, the weights are those of all

    def counts(self, area: int) -> NDArray[np.bool_]:
        """Return which channels had no value so far but whole numbers from 0 on, (C).

        Parameters
        ----------
        area
            Of which series.
        """
        found: NDArray[np.bool_] = self.array(area, "no_count") == 0.0
        return found

    def begin(self, area: int) -> None:
        """Make sure that there is a blank state at ``area``.

        Parameters
        ----------
        area
            Where.
        """
        frozen = self.header(0)[at.IS_FROZEN]
        while len(self.slabs) <= area:
            self.slabs.append(self._blank(self.layout))
        self.slabs[area] = self._blank(self.layout)
        self.header(area)[at.IS_FROZEN] = frozen

    def forget(self) -> None:
        """Put the memory of all series back to before the first event; what was learned of them stays."""
        layout = self.layout
        blank = self._blank(layout)
        for slab in self.slabs:
            slab.view(np.int64)[at.N_EVENTS] = 0
            profiles = [
                f"profile{i}.{part}" for i in range(len(self.shape.profiles)) for part in ("season_of", "residuals")
            ]
            for name in (
                *at.NAN_UNTIL_SEEN,
                "context",
                "sign",
                "coarse",
                "block",
                "imputed",
                "pending",
                "long.changes",
                *profiles,
            ):
                layout.view(slab, name)[:] = layout.view(blank, name)

    def freeze(self, frozen: int) -> None:
        """Stop learning, or learn again.

        Parameters
        ----------
        frozen
            1 to stop learning, 0 to learn again.
        """
        for area in range(len(self.slabs)):
            self.header(area)[at.IS_FROZEN] = frozen

    def pieces(self) -> list[Pieces]:
        """Return each state as bytes that are read where they lie: equal states give equal bytes."""
        n = self.layout.state_nbytes
        return [Pieces(n, functools.partial(_read, slab[:n])) for slab in self.slabs]

    def restore(self, channels: int, features: int, inputs: list[int], states: list[bytes]) -> None:
        """Take over what :meth:`pieces` gave for states of the same settings.

        Parameters
        ----------
        channels
            How many there were.
        features
            How many there were.
        inputs
            The codes of the inputs of the nets.
        states
            The bytes, one for each area.

        Raises
        ------
        StateError
            When the bytes do not fit, or hold a place that this layout does not have.
        """
        self.inputs = list(inputs)
        self.shape = replace(self.shape, channels=channels, features=features, inputs=len(inputs))
        self.layout = _layout_of(self.shape)
        slabs = [self.taken(state) for state in states]
        if not slabs:
            raise StateError("The forecaster's state holds no series.")
        self.slabs = slabs

    def of(self, area: int) -> bytes:
        """Return one state as bytes.

        Parameters
        ----------
        area
            Of the series.
        """
        return self.slabs[area][: self.layout.state_nbytes].tobytes()

    def taken(self, state: bytes) -> NDArray[np.uint8]:
        """Return a slab, (bytes,), of what :meth:`of` gave.

        Parameters
        ----------
        state
            The bytes of one series.

        Raises
        ------
        StateError
            When the bytes do not fit, or hold a place that this layout does not have.
        """
        layout = self.layout
        if len(state) != layout.state_nbytes:
            raise StateError(f"The forecaster's state must have {layout.state_nbytes} bytes. Got {len(state)} instead.")
        slab = self._blank(layout)
        expected = slab[: 8 * at.STATE_HEADER_WORDS].view(np.int64).copy()
        fixed = [layout.view(slab, name).copy() for name in _FIXED]
        slab[: layout.state_nbytes] = np.frombuffer(state, np.uint8)
        words = slab[: 8 * at.STATE_HEADER_WORDS].view(np.int64)
        free = np.ones(at.STATE_HEADER_WORDS, bool)
        free[list(at.CARRIED_WORDS)] = False
        if (
            (words != expected)[free].any()
            or not all(np.array_equal(a, layout.view(slab, b)) for a, b in zip(fixed, _FIXED, strict=True))
            or not _within(layout, slab)
        ):
            raise StateError("The forecaster's state was written for other settings or another version.")
        return slab

    @property
    def allocated(self) -> int:
        """Bytes that the states take, what their alignment costs included."""
        return sum(int(slab.base.nbytes) if slab.base is not None else slab.nbytes for slab in self.slabs)


def _within(layout: StateLayout, slab: NDArray[np.uint8]) -> bool:
    """Tell whether all that a kernel takes for a place in a slab is one."""
    words, shape = slab[: 8 * at.STATE_HEADER_WORDS].view(np.int64), layout.shape
    longest, room = int(words[at.LONGEST_PERIOD]), int(words[at.SHORT_ROOM])
    solved, n = int(words[at.LONG_SOLVED]), shape.long
    places = {IDLE: 1, BUILD: solved - 1 + shape.horizon, FACTOR: solved - 1, BACK: solved - 1}
    period, short = layout.view(slab, "period"), layout.view(slab, "short")
    good = [
        0 <= words[at.N_EVENTS] < 2**60 and 0 <= words[at.LONG_SEEN] < 2**60 and 0 <= words[at.LONG_BEGUN] < 2**60,
        np.isin(layout.view(slab, "context"), (0.0, 1.0)).all(),
        np.isin(period, np.arange(longest + 1)).all() and np.isin(short, np.arange(room + 1)).all(),
        words[at.LONG_READY] in (0, n // 2, n) and solved in (0, n // 2, n),
        0 <= words[at.LONG_PLACE] < places.get(int(words[at.LONG_PHASE]), 0),
    ]
    for place in range(len(shape.profiles)):
        season, first = layout.view(slab, f"profile{place}.season_of").T
        m, inner = season % BOTH, season // BOTH
        good.append(bool(((m == np.floor(m)) & (inner <= room) & (m <= longest) & ((m > 0) | (season == 0))).all()))
        good.append(bool(((first >= 0.0) & (first <= words[at.N_EVENTS]) & (season >= 0.0)).all()))
    return all(good)
