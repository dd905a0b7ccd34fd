"""How a forecaster runs: rows of channels and features by name, a forecast state for each series, nets, forecasts in the kind of y."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import FeatureError, ParameterError
from streamrnn.kernels.forecast.experts.lstm import CHANGE_INPUT, FEATURE_INPUT, VALUE_INPUT
from streamrnn.kernels.net import words as at
from streamrnn.models._features import is_unknown, to_float
from streamrnn.models._forecast_states import Ask, ForecastStates
from streamrnn.models._keys import key_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import check
from streamrnn.models._recurrent import Recurrent

__all__ = ["ONLY", "Series", "codes_of", "head_of"]

ONLY: Final = "y"  # the channel of a series that is one number


def codes_of(channels: Iterable[int], features: Iterable[int]) -> list[int]:
    """Return the codes of a net's inputs: two for each channel, its value and its change, and one for each feature.

    Parameters
    ----------
    channels, features
        Their places.

    Examples
    --------
    >>> from streamrnn.models._series import codes_of
    >>> codes_of([0, 1], [0])
    [0, 1, 3, 4, 2]
    """
    codes = [3 * channel + part for channel in channels for part in (VALUE_INPUT, CHANGE_INPUT)]
    return codes + [3 * feature + FEATURE_INPUT for feature in features]


def head_of(codes: Sequence[int], channels: int) -> list[list[int]]:
    """Return which of a net's inputs the outputs of each channel see beside the hidden state: those of their own channel, and all features.

    What other channels do reaches them through the hidden state: else the weights would grow with the square of the channels.

    Parameters
    ----------
    codes
        Of the inputs, in their order.
    channels
        How many there are.

    Examples
    --------
    >>> from streamrnn.models._series import codes_of, head_of
    >>> head_of(codes_of([0, 1], [0]), 2)
    [[0, 1, 2, 5], [0, 3, 4, 5]]
    """
    shared = [place for place, code in enumerate(codes, start=1) if code < 0 or code % 3 == FEATURE_INPUT]
    own: list[list[int]] = [[] for _ in range(channels)]
    for place, code in enumerate(codes, start=1):
        if code >= 0 and code % 3 != FEATURE_INPUT:
            own[code // 3].append(place)
    return [[0, *places, *shared] for places in own]


class Series(Recurrent):
    """A row is ``[time] | y (C) | x (F) | forecasts (C H) | area``; states beside the nets, one for each series.

    A subclass makes ``_states`` and ``_nets`` in its ``__init__``, and calls :meth:`_lay_row`.
    """

    horizon: int
    _states: ForecastStates
    _nets: list[Net]
    _single: bool | None  # y is one number
    _n_seen: int
    _row: NDArray[np.float64]
    _row_y: memoryview
    _row_x: memoryview

    @property
    def bytes_per_key(self) -> int:
        """Memory that one more key takes, in bytes: in each net, and a forecast state."""
        more = sum(net.layout.area_nbytes for net in self._nets[1:])
        return super().bytes_per_key + more + self._states.allocated // len(self._states.slabs)

    def take_state(self, state: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Return False: this model takes up a state by being made anew.

        Parameters
        ----------
        state
            From another model of this class.
        """
        return False

    def _key_nets(self) -> list[Net]:
        return self._nets

    def _key_parts(self, area: int) -> list[bytes]:
        return [*super()._key_parts(area), self._states.of(area)]

    def _check_key_parts(self, parts: list[bytes]) -> None:
        super()._check_key_parts(parts[:-1])
        self._states.taken(parts[-1])

    def _take_key_parts(self, area: int, parts: list[bytes]) -> None:
        super()._take_key_parts(area, parts[:-1])
        self._states.begin(area)
        self._states.slabs[area] = self._states.taken(parts[-1])

    def _see(self, key: Any) -> int:
        have, area = self._net.sizes.areas, super()._see(key)
        if self._net.sizes.areas != have and len(self._nets) > 1:
            self._nets[1].grow(areas=self._net.sizes.areas - have)
        return area

    def _drop(self, key: Any) -> int:
        area = super()._drop(key)
        for net in self._nets[1:] if area else ():
            net.clear_area(area)
        if area:
            self._states.begin(area)
        return area

    # ---- growth ---------------------------------------------------------------------------------

    def _n_outputs(self) -> int:
        return self.horizon * len(self._targets.names)

    def _width(self) -> int:
        z = self._states.shape if hasattr(self, "_states") else None
        return 1 if z is None else z.timed + z.channels * (1 + self.horizon) + z.features + 1

    def _named_inputs(self, channels: Sequence[Any], features: Sequence[Any]) -> list[Any]:
        own = [(part, name) for name in channels for part in ("value", "change")]
        plain = {("value", ONLY): "y", ("change", ONLY): "change of y"} if self._single else {}
        return [plain.get(one, f"{one[0]} of channel {one[1]!r}") for one in own] + list(features)

    def _enlarge(self, channels: Sequence[Any], features: Sequence[Any]) -> None:
        """Give new channels and features their places; what has been learned stays as it is."""
        if not channels and not features:
            return
        self._check_room(features or ["y"])
        first_channel, first_feature = len(self._targets.names), len(self._columns.names) - (self._time is not None)
        codes = codes_of(
            range(first_channel, first_channel + len(channels)), range(first_feature, first_feature + len(features))
        )
        names = self._named_inputs(channels, features)
        self._columns.add(features)
        self._targets.add(channels)
        self._states.grow(len(channels), len(features), codes)
        for net in self._nets:
            net.grow(
                names,
                outputs=self.horizon * len(channels),
                head_of=head_of(self._states.inputs, len(self._targets.names)),
            )
        self._lay_row()

    def _values(self, y: Any) -> dict[Any, float]:
        """Return y as values by channel.

        Raises
        ------
        FeatureError
            When it is no number, or of another kind than before.
        """
        single = not isinstance(y, Mapping)
        if single and self._single is False and is_unknown(y):
            return {}
        if self._single is not None and single != self._single:
            was, now = ("a number", "a dict") if self._single else ("a dict of channels", "no dict")
            raise FeatureError(f"The series' values were {was} so far. Got {now} instead: {y!r}.")
        return {ONLY: to_float(ONLY, y)} if single else {name: to_float(name, v) for name, v in y.items()}

    def _lay_row(self) -> None:
        """Make the row that events are written into, and the two parts of it that the short way fills."""
        C = self._states.shape.channels
        self._row = np.full(self._width(), np.nan)
        self._row[-1] = 0.0
        self._row_y, self._row_x = memoryview(self._row[:C]), memoryview(self._row[C:])  # type: ignore[arg-type]

    def _write(self, y: Any, x: Mapping[Any, Any] | None) -> bool:
        """Write an event into the row if it has exactly the channels and features known, in numbers, and no key or time."""
        if self.key is not None or self._time is not None:
            return False
        if self._single:
            if not isinstance(y, float):
                return False
            self._row[0] = y
        elif self._single is None or not isinstance(y, Mapping) or not self._targets.write(y, self._row_y):
            return False
        return self._columns.write(x, self._row_x) if x else not self._columns.names

    def _area(self, x: Mapping[Any, Any] | None) -> int:
        """Return the area of an event that is learned, its forecast state ready."""
        if self.key is None:
            return 0
        have = self._net.sizes.areas
        code = self._touch_one(key_of(x or {}, self.key))
        if self._net.sizes.areas != have and len(self._nets) > 1:
            self._nets[1].grow(areas=self._net.sizes.areas - have)
        if code < 0:
            self._states.begin(-code)
        return code

    def _call(self, area: int, rows: NDArray[np.float64], n: int) -> None:
        self._run(self._states, self._nets, area, rows, n)
        self._n_seen += n

    def _run(self, states: ForecastStates, nets: list[Net], area: int, rows: NDArray[np.float64], n: int) -> None:
        first, last = (nets[0], nets[-1]) if nets else (self._net, self._net)
        first.call(states.slabs[area], first.slab, last.slab, rows, n)

    def _ask(self, area: int) -> Ask:
        """Return the entry for questions about one series."""
        return functools.partial(self._run, self._states, self._nets, area)

    def _to_come(self, xs: list[dict[Any, Any]] | None, start: int) -> NDArray[np.float64] | None:
        """Return the features of the H steps from ``start`` on (H, F), NaN where they are not given; None where none counts."""
        if not xs or not self._states.shape.arx or not self._states.shape.features:
            return None
        found = np.full((self.horizon, len(self._columns.names)), np.nan)
        for row, x in zip(found, islice(xs, start, None), strict=False):
            self._columns.write_slowly(x, row)
        return np.ascontiguousarray(found[:, int(self._time is not None) :])

    def _roll(
        self, steps: NDArray[np.float64], horizon: int, xs: list[dict[Any, Any]] | None, area: int
    ) -> NDArray[np.float64]:
        """Return forecasts beyond the model's horizon: a copy takes its own forecasts in, and is asked again."""
        states, nets = self._states.copy(), [copy.deepcopy(net) for net in self._nets]
        states.freeze(1)
        for net in nets:
            net.header[at.FROZEN] = 1
        first, C, ask = (
            int(self._time is not None),
            states.shape.channels,
            functools.partial(self._run, states, nets, area),
        )
        while len(steps) < horizon:
            for i in range(len(steps) - self.horizon, len(steps)):
                row = np.full(self._width(), np.nan)
                row[first : first + C] = steps[i]
                if xs is not None:
                    found = np.empty(len(self._columns.names))
                    self._columns.write_slowly(xs[i], found)
                    row[:first], row[first + C : len(found) + C] = found[:first], found[first:]
                row[-1] = area
                self._run(states, nets, area, row, 1)
            steps = np.vstack([steps, states.ahead(area, self._to_come(xs, len(steps)), ask)[0]])
        return steps[:horizon]

    # ---- forecasts ------------------------------------------------------------------------------

    def _area_of(self, key: Any, xs: Sequence[Mapping[Any, Any]] | None) -> int:
        if self.key is None:
            return 0
        if key is None and xs and self.key in xs[0]:
            key = xs[0][self.key]
        return self._keys.find(key)

    def _steps(self, horizon: int, xs: list[dict[Any, Any]] | None, key: Any) -> tuple[NDArray[np.float64], int, int]:
        """Return forecasts (horizon, C), how many of the steps know their features, and the area asked."""
        check("forecast", "horizon", horizon, "an int >= 1", ok=hasattr(horizon, "__index__") and horizon >= 1)
        if xs is not None and len(xs) != horizon:
            raise ParameterError(f"The 'xs' parameter must have {horizon} entries, one a step. Got {len(xs)}.")
        area = self._area_of(key, xs)
        steps, known = self._states.ahead(area, self._to_come(xs, 0), self._ask(area))
        if horizon > self.horizon and np.isfinite(steps).any():
            steps = self._roll(steps, horizon, xs, area)
        elif horizon > self.horizon:
            steps = np.full((horizon, steps.shape[1]), np.nan)
        return steps[:horizon], min(known, horizon), area

    def _said(self, steps: NDArray[np.float64]) -> list[Any]:
        """Return forecasts (horizon, C) in the kind of y: numbers, or dicts of the channels that have had a value."""
        names = self._targets.names
        if self._single is False:
            known = [math.isfinite(value) for value in steps[0].tolist()]
            if not all(known):
                names, steps = list(compress(names, known)), steps[:, known]
            return [dict(zip(names, step)) for step in steps.tolist()]  # noqa: B905  for each event: strict costs a third more
        return np.nan_to_num(steps[:, 0]).tolist() if names else [0.0] * len(steps)

    def _weights_of_experts(self, field: str, names: list[str]) -> dict[str, Any]:
        weights = self._states.array(0, field)[0]
        if not weights.size:
            return {}
        awake = self._states.awake(0)
        weights = weights * np.concatenate([awake, np.ones((len(weights) - len(awake), awake.shape[1]))])[:, :, None]
        weights = weights / np.where(weights.any(axis=0), weights.sum(axis=0), 1.0)
        by_channel = [
            {name: weights[e, c].astype(float) for e, name in enumerate(names)} for c in range(weights.shape[1])
        ]
        return by_channel[0] if self._single else dict(zip(self._targets.names, by_channel, strict=True))
