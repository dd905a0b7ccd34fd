"""Everything learned from one input partition."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm, Forecast
from streamrnn.container import pack_into
from streamrnn.engine.fit import check_fit
from streamrnn.engine.manifest import read_manifest
from streamrnn.engine.positions import cut
from streamrnn.errors import ModelChangedError, StateError
from streamrnn.io import Block
from streamrnn.scorers.feedback import blank_row, words_alone
from streamrnn.scorers.forecast import forecast_block, forecaster_bytes, forecaster_from, new_forecaster
from streamrnn.scorers.model_kinds import ModelKind, fitting, has_rule, score_block
from streamrnn.scorers.rank_rule import AlarmRule
from streamrnn.scorers.times import timed, times_of, untimed

__all__ = ["Scored", "Shard"]

MODEL_BYTES = 200_000  # of a model that does not tell its size: a forest of 25 half-space trees
OBJECT_BYTES = (
    12_000  # of a model that tells the size of its snapshot: measured 6 KB, and as much again for good measure
)
AROUND_BYTES = 6_000  # around a model that tells what it holds: measured 4 KB for rule, entry and what malloc rounds up
SCORE_BYTES = 48
NOTHING = 0, 0, 0.0  # updates refused, targets learned, sum of their losses


@dataclass(frozen=True, slots=True)
class Scored:
    """A block's results, one for each event, in its order.

    Parameters
    ----------
    scores
        float64, shape (n,).
    predictions
        float64, shape (n, I): what the model expected before it saw the event; NaN where nothing.
    alarms, p_values
        Of the alarm rule.
    label
        Name of the only feature that is predicted; None: all are.
    forecasts
        See :func:`streamrnn.scorers.forecast.forecast_block`; None where nothing is forecast.
    losses
        float64: the net's mean loss over the events of this block, for each series in it that has learned, in the loss's own unit on
        standardised targets. Empty for models that do not tell.
    told
        What a model with an alarm rule of its own says beside, by name, one row for each event: see
        :meth:`streamrnn.RNNAnomalyDetector.progressive_many`. Empty for others.
    """

    scores: NDArray[np.float64]
    predictions: NDArray[np.float64]
    alarms: list[bool]
    p_values: list[float]
    label: str | None = None
    forecasts: NDArray[np.float64] | None = None
    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    told: dict[str, NDArray[Any]] = field(default_factory=dict)

    def column(self, names: tuple[str, ...]) -> int:
        """Return the column to show of a block: the label's, or the first."""
        return 0 if self.label is None else names.index(self.label)


@dataclass(slots=True)
class _Series:
    """One key's model, alarm rule and forecaster, if there is one.

    ``rows`` are its events in the block at hand; ``tally`` is what the model had learned behind the one before.
    """

    model: Any
    rule: AlarmRule
    ahead: Any = None
    rows: list[int] = field(default_factory=list)
    tally: tuple[int, int, float] = NOTHING


class Shard:
    """The models and alarm rules of one input partition, one pair for each key.

    When more than ``max_keys`` keys are held, the one whose last event lies furthest back goes, with all it learned;
    should it come again it starts anew. This follows the order of the events alone.

    Parameters
    ----------
    kind
        How a model is made, written and read.
    alarm
        Settings of the alarm rule.
    max_keys
        Series held at most.
    numerics
        What happens where a snapshot was computed with other numerics: ``"warn"`` or ``"refuse"``.
    max_bytes
        Memory for all series; where it is enough for fewer than ``max_keys``, fewer are held, but always one. ``room`` says
        how many, from the first block on.
    forecast
        What is forecast beside; horizon 0 for nothing.
    watched
        Columns that will come, where that is known beforehand: a snapshot with others is refused at once.

    Examples
    --------
    >>> import numpy as np
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.model_kinds import ModelKind
    >>> from streamrnn.engine.shard import Shard
    >>> shard = Shard(ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees), max_keys=1)
    >>> scored = shard.score(Block(("a",), np.array([[0.5], [0.1]]), (0, 4), 8, keys=("x", "y")))
    >>> shard.events, shard.alarms, shard.keys(), shard.evicted
    (2, 0, ['y'], 1)
    """

    def __init__(
        self,
        kind: ModelKind,
        alarm: Alarm | None = None,
        max_keys: int = 1000,
        numerics: str = "warn",
        max_bytes: int | None = None,
        forecast: Forecast | None = None,
        watched: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.alarm = alarm or Alarm()
        self.max_keys = max_keys
        self.numerics = numerics
        self.max_bytes = max_bytes
        self.forecast = forecast or Forecast()
        self.watched = watched
        self.columns: dict[str, int] = {}  # each with the events that were learned before it came
        self._written: tuple[str, ...] = ()  # columns of the snapshot that was taken up, until others are met
        self._growth: list[str] = []
        self._names: tuple[str, ...] | None = None
        self.room = max_keys
        self.events = 0
        self.alarms = 0
        self.evicted = 0
        self.refused = 0
        self.unheard = 0
        self.unwritten = 0  # events whose results the sink could not take
        self._losses: list[float] = []
        self._series: OrderedDict[str | None, _Series] = OrderedDict()

    def keys(self) -> list[str | None]:
        """Return the keys held, the one unseen for longest first."""
        return list(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def set_alarm(self, alarm: Alarm) -> None:
        """Have all series alarm by other settings of rate and quiet from now on; what they remember stays."""
        self.alarm = alarm
        for series in self._series.values():
            series.rule.rate = alarm.rate
            series.rule.quiet = alarm.quiet
            if has_rule(series.model):
                series.model.set_alarm(alarm.rate, alarm.quiet)

    def room_for(self, names: tuple[str, ...]) -> int:
        """Return how many series with these features may be held: it depends on nothing but them and the settings."""
        if self.max_bytes is None:
            return self.max_keys
        return max(1, min(self.max_keys, self.max_bytes // self.series_bytes(names)))

    def series_bytes(self, names: tuple[str, ...]) -> int:
        """Return the memory that one series with these features takes, estimated from above."""
        model, time = self._new_model(), self.kind.time
        seen = names if time is None or time in names else (*names, time)
        score_block(model, seen, np.zeros((1, len(seen))))
        if hasattr(model, "memory_usage"):
            held = model.memory_usage() + AROUND_BYTES
        else:  # scratch beside what a snapshot holds
            held = (MODEL_BYTES if self.kind.dumps is None else len(self.kind.dumps(model))) * 3 // 2 + OBJECT_BYTES
        if not has_rule(model):
            held += SCORE_BYTES * self.alarm.window
        if self.forecast.horizon:
            ahead = self._new_ahead()
            zeros = np.zeros((1, len(names)))
            forecast_block(ahead, self.forecast, names, zeros, (), None if time is None else zeros[:, 0])
            held += ahead.memory_usage() * 3 // 2
        return int(held)

    def _rule(self) -> AlarmRule:
        settings = self.alarm
        return AlarmRule(settings.rate, settings.window, settings.warm_up, settings.quiet)

    def _new_model(self) -> Any:
        """Return a new model; one with an alarm rule of its own gets the settings of ``[alarm]``."""
        return self._told_of_alarm(self.kind.make())

    def _told_of_alarm(self, model: Any) -> Any:
        if has_rule(model):
            model.set_alarm(self.alarm.rate, self.alarm.quiet, self.alarm.warm_up)
        return model

    def _new_ahead(self) -> Any:
        return new_forecaster(self.forecast, self.kind.time) if self.forecast.horizon else None

    def _touch(self, key: str | None) -> _Series:
        """Return the series of ``key``, new or old, as the one seen last; drop the oldest where there are too many."""
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(self._new_model(), self._rule(), self._new_ahead())
            while len(self._series) > self.room:
                self._series.popitem(last=False)
                self.evicted += 1
        else:
            self._series.move_to_end(key)
        return series

    def score(self, block: Block) -> Scored:
        """Score and learn every event of a block. Where blocks are cut changes nothing.

        Raises
        ------
        ConfigError
            When the model does not fit the columns that come.
        ModelChangedError
            When columns of the snapshot that was taken up are missing.
        """
        n, width = len(block), len(block.names)
        if block.names != self._names or (n and not self.events):
            check_fit(self.kind, cut(block, 0, 0) if self.events else block)
        if block.names != self._names:
            self._meet(block.names)
        block = timed(block, self.kind.time)
        self._losses = []
        if n == 0:
            return Scored(np.empty(0), np.empty(block.values.shape), [], [], self.kind.label)
        if block.keys is None:
            found = self._score_rows(self._touch(None), block, range(n))
        else:
            found = self._score_keys(block, block.keys)
        if self.kind.words is not None:
            self.unheard += found["heard"].tolist().count(False)
        found = untimed(found, width)
        alarms = found.pop("alarm").tolist()
        self.events += n
        self.alarms += sum(alarms)
        return Scored(
            found.pop("score"),
            found.pop("prediction"),
            alarms,
            found.pop("p_value").tolist(),
            self.kind.label,
            found.pop("forecast", None),
            np.array(self._losses),
            found,
        )

    def relearn(self, block: Block) -> tuple[Block, Scored]:
        """Learn events that an earlier run has scored, with the columns that they had then; return those, and what was said. Raises as :meth:`score`."""
        self._check_columns(block.names)
        known = [i for i, name in enumerate(block.names) if name in self.columns]
        if self.columns and len(known) < len(block.names):
            block = replace(block, names=tuple(block.names[i] for i in known), values=block.values[:, known])
        return block, self.score(block)

    def _meet(self, names: tuple[str, ...]) -> None:
        """Take notice of the columns that come from here on."""
        self._check_columns(names)
        fresh = [name for name in names if name not in self.columns]
        self._growth += fresh if self.columns else []
        self.columns |= dict.fromkeys(fresh, self.events if self.columns else 0)
        self._written, self._names = (), names
        self.room = self.room_for(names)

    def _check_columns(self, names: Sequence[str]) -> None:
        """Raise where columns of the snapshot are missing: their nets would see nothing there for ever."""
        gone = [name for name in self._written if name not in names]
        if gone:
            raise ModelChangedError(
                f"The snapshot was written with the columns {', '.join(self._written)}; now {', '.join(gone)} "
                f"{'is' if len(gone) == 1 else 'are'} missing, and there {'is' if len(names) == 1 else 'are'} {', '.join(names)}. "
                "Restore the old [source] columns (more may be added), let a new model go on with [state] on_change = 'fresh', or "
                "start anew with --fresh."
            )

    def take_growth(self) -> list[str]:
        """Return the columns that have come to nets which had learned without them, once."""
        grown, self._growth = self._growth, []
        return grown

    def _score_keys(self, block: Block, keys: Sequence[str | None]) -> dict[str, NDArray[Any]]:
        """Score the rows of each series, and bring the results into the order of the block."""
        active: list[_Series] = []  # one that is evicted halfway is scored like the others, then forgotten
        late, nobodys = self._late(block), []
        for i, key in enumerate(keys):
            series = self._series.get(key) if late[i] else self._touch(key)  # a word begins no series, and keeps none
            if series is None:
                nobodys.append(i)
                continue
            if not series.rows:
                active.append(series)
            series.rows.append(i)
        parts: list[dict[str, NDArray[Any]]] = []
        places: list[int] = []
        raw: list[NDArray[np.float64]] = []  # rows of those series whose results can be read together
        raw_places: list[int] = []
        reader: Any = None
        for series in active:
            values = block.values[series.rows]
            run = None if self.forecast.horizon else getattr(series.model, "run_rows", None)
            rows = None if run is None else run(values, block.names)
            if rows is None:
                parts.append(self._score_rows(series, block, series.rows))
                places += series.rows
            else:
                raw.append(rows)
                raw_places += series.rows
                reader = series.model
                self._count(series)
            series.rows = []
        if raw:
            parts.append(reader.read_rows(np.concatenate(raw)))
        if nobodys:
            like = (
                parts[0]
                if parts
                else self._score_rows(_Series(self._new_model(), self._rule(), self._new_ahead()), block, [])
            )
            parts += [blank_row(like, heard=False)] * len(nobodys)
        came = np.argsort(places + raw_places + nobodys)
        return {name: np.concatenate([part[name] for part in parts])[came] for name in parts[0]}

    def _late(self, block: Block) -> NDArray[np.bool_]:
        """Return which records are late words."""
        none = np.zeros(len(block), bool)
        return (
            none if self.kind.words is None else words_alone(block.values, block.names, self.kind.words, self.kind.time)
        )

    def _score_rows(self, series: _Series, block: Block, rows: Sequence[int]) -> dict[str, NDArray[Any]]:
        """Return what one series says of its rows of a block, by name, in their order."""
        model, names = series.model, block.names
        values = block.values[rows if len(rows) < len(block) else slice(None)]
        found: dict[str, NDArray[Any]]
        if self.kind.words is not None and block.times is not None:
            found = model.progressive_many(values, names, [block.times[i] for i in rows])
        elif has_rule(model):
            found = model.progressive_many(np.ascontiguousarray(values), names)
        else:
            scores, predictions = score_block(model, names, values)
            alarms, p_values = series.rule.update_many(scores.tolist())
            found = {
                "score": scores,
                "prediction": predictions,
                "alarm": np.array(alarms),
                "p_value": np.array(p_values),
            }
        if self.forecast.horizon:
            skip = np.flatnonzero(self._late(block)[rows]).tolist()
            watched = self._names or names  # without the time that a model sees beside
            seen = times_of(names, values, self.kind.time)
            found["forecast"] = forecast_block(
                series.ahead, self.forecast, watched, values[:, : len(watched)], skip, seen
            )
        self._count(series)
        return found

    def _count(self, series: _Series) -> None:
        """Take in what a series has learned since it was counted last: updates refused, and the mean loss."""
        tally = getattr(series.model, "counters", None)
        if tally is None:
            return
        refused, learned, loss = series.tally
        self.refused += tally[0] - refused
        if tally[1] > learned:
            self._losses.append((tally[2] - loss) / (tally[1] - learned))
        series.tally = tally

    def snapshot(self) -> bytes:
        """Return everything learned as bytes. Raises as :meth:`snapshot_into`."""
        return bytes(self.snapshot_into(bytearray()))

    def snapshot_into(self, buffer: bytearray) -> memoryview:
        """Write everything learned into a buffer that may be used again; return what was written.

        Raises
        ------
        StateError
            When the model has no form without pickle.
        """
        dumps = self.kind.dumps
        if dumps is None:
            raise StateError(f"A {self.kind.name} cannot be written without pickle; run it without [state] dir.")
        manifest = {
            "content": "shard",
            "model": {"kind": self.kind.name, "parameters": dict(self.kind.parameters)},
            "numerics": dict(self.kind.numerics),
            "events": self.events,
            "alarms": self.alarms,
            "evicted": self.evicted,
            "keys": list(self._series),
            "columns": dict(self.columns),
        }
        if self.unwritten:
            manifest["unwritten"] = self.unwritten
        blobs = (part for series in self._series.values() for part in (series.rule.to_bytes(), dumps(series.model)))
        if not self.forecast.horizon:
            return pack_into(buffer, manifest, blobs, 2 * len(self._series))
        manifest["forecast"] = self.forecast.horizon
        ahead = (forecaster_bytes(series.ahead) for series in self._series.values())
        return pack_into(buffer, manifest, chain(blobs, ahead), 3 * len(self._series))

    def restore(self, data: bytes) -> None:
        """Take up what :meth:`snapshot` gave.

        Raises
        ------
        StateError
            When the data is damaged, or was written by another model configuration.
        """
        manifest, blobs = read_manifest(data)
        keys = manifest.keys
        self.kind.check_model({"kind": manifest.model.kind, "parameters": manifest.model.parameters})
        self.kind.check_numerics(manifest.numerics, refuse=self.numerics == "refuse")
        self._written = tuple(manifest.columns)
        if self.watched:
            self._check_columns(self.watched)
        if manifest.forecast != self.forecast.horizon:
            raise ModelChangedError(
                f"The snapshot was written with [forecast] horizon = {manifest.forecast}, now it is "
                f"{self.forecast.horizon}. Restore the old value, or start anew with --fresh."
            )
        if self.kind.loads is None:
            raise StateError(f"A {self.kind.name} cannot be read without pickle.")
        fresh, horizon = self._new_model() if keys else None, self.forecast.horizon
        found: OrderedDict[str | None, _Series] = OrderedDict()
        for i, key in enumerate(keys):
            rule = self._rule()
            rule.restore(blobs[2 * i])
            ahead = forecaster_from(blobs[2 * len(keys) + i], self.forecast, self.kind.time) if horizon else None
            model = self._told_of_alarm(fitting(self.kind.loads(blobs[2 * i + 1]), fresh))
            found[key] = _Series(model, rule, ahead, tally=getattr(model, "counters", NOTHING))
        while len(found) > self.max_keys:  # the budget of bytes follows with the first block, which brings the features
            found.popitem(last=False)
        self._series = found
        self.events, self.alarms, self.evicted = manifest.events, manifest.alarms, manifest.evicted
        self.unwritten = manifest.unwritten
        self.columns, self._names = dict(manifest.columns), None
