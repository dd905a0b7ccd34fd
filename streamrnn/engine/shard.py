"""Everything learned from one input partition."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from streamrnn.config import Alarm, Alarms, Forecast, Records
from streamrnn.container import pack_pieces
from streamrnn.engine.columns import Columns
from streamrnn.engine.episodes import columns_of, follow, silence_event
from streamrnn.engine.fit import check_fit
from streamrnn.engine.fleet import Fleet
from streamrnn.engine.keys import Keys, KeyState
from streamrnn.engine.local_times import LocalTimes, check_zone
from streamrnn.engine.manifest import ShardManifest, WrittenModel, check_shared, manifest_of, read_manifest
from streamrnn.engine.positions import cut
from streamrnn.engine.silence import Clock, Silence
from streamrnn.engine.window_state import check_windows
from streamrnn.engine.windows import Gathered, Windows
from streamrnn.errors import ConfigError, ModelChangedError, StateError
from streamrnn.io import AlarmEvent, Block, Pieces
from streamrnn.scorers.feedback import FIELD
from streamrnn.scorers.kinds import ModelKind
from streamrnn.scorers.limits import ALARM
from streamrnn.scorers.make import feedback_rows, new_scorer
from streamrnn.scorers.scored import RawRows, Scored, join
from streamrnn.scorers.scorer import Scorer, read
from streamrnn.scorers.times import seconds_of_events

__all__ = ["STALE_ROUNDS", "Shard"]

STALE_ROUNDS = 10
"""After so many rounds without an event a key is stale."""


class Shard:
    """The scorers of one input partition, one for each key, or one net that all of them share.

    When more than ``max_keys`` keys are held, the one whose last event lies furthest back goes, with all it learned;
    should it come again it starts anew. This follows the order of the events alone.

    Parameters
    ----------
    kind
        How a model is made, written and read.
    alarm
        Settings of the alarm rule.
    max_keys
        Keys held at most.
    numerics
        What happens where a snapshot was computed with other numerics: ``"warn"`` or ``"refuse"``.
    max_bytes
        Memory for all keys; where it is enough for fewer than ``max_keys``, fewer are held, but always one. ``room`` says
        how many, from the first block on.
    forecast
        What is forecast beside; horizon 0 for nothing.
    watched
        Columns that will come, where that is known beforehand: a snapshot with others is refused at once.
    keyed
        Whether many keys will come: they then share one net, where the model has such a way, and each has a forecaster without the
        long regression, half a megabyte.
    alarms
        Which alarm events are wanted: none, where they go nowhere.
    records
        How records become events: in which zone their times are, and of which windows events are.

    Examples
    --------
    >>> import numpy as np
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.engine.shard import Shard
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.kinds import ModelKind
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
        *,
        keyed: bool = False,
        alarms: Alarms | None = None,
        records: Records | None = None,
    ) -> None:
        self.kind = kind
        self.alarm = alarm or Alarm()
        self.max_keys = max_keys
        self.numerics = numerics
        self.max_bytes = max_bytes
        self.forecast = forecast or Forecast()
        self.watched = watched
        self.keyed = keyed
        self.wanted = alarms if alarms is not None and alarms.wanted else None
        self._silence = (
            Silence(self.wanted.max_gap_s, self.wanted.max_ahead_s) if self.wanted and self.wanted.max_gap else None
        )
        ahead = (alarms or Alarms()).max_ahead_s
        self.windows = Windows(records, ahead, max_keys) if records is not None and records.windows else None
        zone = None if records is None else records.zone
        self.local_times = LocalTimes(zone, max_keys) if zone is not None else None
        self.columns = Columns()
        self.events = 0
        self.alarms = 0
        self.refused = 0
        self.unapplied = 0  # feedback on events that are unknown, or too old
        self.limit_alarms = 0  # events whose forecast newly reaches a limit
        self.infinite = 0  # values: a detector sees them, other models and forecasts take them as missing
        self.unwritten = 0  # events whose results the sink could not take
        self._fleet = Fleet(self._new_shared, max_keys) if keyed and kind.make_shared is not None else None
        self._keys = Keys(self._new_scorer, max_keys)  # with a fleet: those that an output for alarms follows

    def keys(self) -> list[str | None]:
        """Return the keys held, the one unseen for longest first."""
        return list(self._keys) if self._fleet is None else self._fleet.keys()

    def __len__(self) -> int:
        return len(self._keys if self._fleet is None else self._fleet)

    @property
    def shares(self) -> bool:
        """Whether the keys share one net."""
        return self._fleet is not None

    @property
    def room(self) -> int:
        """Keys that there is room for."""
        return self._keys.room

    @property
    def silent(self) -> int:
        """Keys that are taken for silent."""
        return sum(one.report.silent for one in self._keys.states())

    def coldest(self, most: int) -> list[tuple[str | None, int]]:
        """Return the keys unseen for longest, each with how many events of the partition have come since its own last one.

        Parameters
        ----------
        most
            Keys that are returned.
        """
        return (self._keys if self._fleet is None else self._fleet).coldest(most)

    @property
    def stale(self) -> int:
        """Keys without an event in the last :data:`STALE_ROUNDS` rounds; a round is as many events as there are keys.

        Were each event that of any key, one in twenty thousand would count by chance.
        """
        return (self._keys if self._fleet is None else self._fleet).count_idle(STALE_ROUNDS * len(self))

    @property
    def times_passed_over(self) -> int:
        """Records whose times were too far ahead or behind to count."""
        if self.windows:
            return self.windows.clock.ahead
        return self._silence.clock.ahead if self._silence else 0

    @property
    def late(self) -> int:
        """Records behind the end of their window."""
        return self.windows.late if self.windows else 0

    def of_windows(self) -> dict[str, int]:
        """Return what windows hold and what they left out, and what is odd of local times: see ``told`` of each; nothing where there are none."""
        return (self.windows.told() if self.windows else {}) | (self.local_times.told() if self.local_times else {})

    @property
    def evicted(self) -> int:
        """Keys that had to go."""
        return self._keys.evicted if self._fleet is None else self._fleet.evicted

    def _new_scorer(self) -> Scorer:
        if self._fleet is not None:
            return self._fleet.scorer
        return new_scorer(self.kind, self.alarm, self.forecast, keyed=self.keyed)

    def _new_shared(self, room: int) -> Scorer:
        return new_scorer(self.kind, self.alarm, self.forecast, keyed=True, room=room)

    def set_alarm(self, alarm: Alarm) -> None:
        """Have all keys alarm by other settings of rate and cooldown from now on; what they remember stays.

        Parameters
        ----------
        alarm
            The settings.
        """
        self.alarm = alarm
        if self._fleet is not None:
            self._fleet.set_alarm(alarm)
            return
        for state in self._keys.states():
            state.scorer.set_alarm(alarm)

    def room_for(self, names: tuple[str, ...]) -> int:
        """Return how many keys with these features may be held: it depends on nothing but them and the settings.

        Parameters
        ----------
        names
            Of the features.
        """
        if self.max_bytes is None:
            return self.max_keys
        if self._fleet is not None:
            net, each = self._fleet.sizes(names)
            return max(1, min(self.max_keys, (self.max_bytes - net) // each))
        return max(1, min(self.max_keys, self.max_bytes // self.key_bytes(names)))

    def key_bytes(self, names: tuple[str, ...]) -> int:
        """Return the memory that one key with these features takes, in bytes, estimated from above.

        Parameters
        ----------
        names
            Of the features.
        """
        if self._fleet is not None:
            return self._fleet.sizes(names)[1]
        scorer = self._new_scorer()
        read(scorer.run(np.zeros((1, len(names))), names, [0]))
        return scorer.memory()

    def gather(self, block: Block) -> Iterator[Gathered]:
        """Yield the events that records make: themselves, or the windows that they close, piece by piece.

        Parameters
        ----------
        block
            Records in the order of the partition.

        Raises
        ------
        ConfigError
            When windows are wanted, and the records have no time.
        """
        if self.local_times:
            block = self.local_times.placed(block)
        if self.windows is None:
            yield Gathered(block, len(block))
            return
        names = self.windows.names_of(block.names)
        if names != self.columns.current:
            self.windows.room = self.room_for(names)
        yield from self.windows.gather(block)

    def score(self, block: Block) -> Scored:
        """Score and learn every event of a block. Where blocks are cut changes nothing.

        Parameters
        ----------
        block
            Events in the order of the partition.

        Raises
        ------
        ConfigError
            When the model does not fit the columns that come.
        ModelChangedError
            When columns of the snapshot that was taken up are missing.
        """
        n, names = len(block), block.names
        if names != self.columns.current or (n and not self.events):
            check_fit(self.kind, cut(block, 0, 0) if self.events else block, self.forecast, self.alarm)
        if names != self.columns.current:
            self.columns.meet(names, self.events)
            self._limit(self.room_for(names))
        if n == 0:
            return Scored(np.empty(0), np.empty(block.values.shape), [], [], self.kind.predicted)
        self.infinite += int(np.isinf(block.values).sum())
        if self._fleet is not None:
            states, _, silent = self._split(block) if self.wanted else ([], [], [])
            found, refused = self._fleet.score(block)
            self.refused += refused
        else:
            states, unknown, silent = self._split(block)
            found = self._score_each(block, states, unknown)
        found = replace(found, label=self.kind.predicted)
        if self.wanted:
            found = replace(found, episodes=self._episodes(block, found, states, silent))
        for state in states:
            state.rows = []
        self.events += n
        self.alarms += sum(found.alarms)
        if FIELD in found.details:
            self.unapplied += found.details[FIELD].tolist().count(False)
        if ALARM in found.details:
            self.limit_alarms += n - found.details[ALARM].tolist().count(None)
        return found

    def _limit(self, room: int) -> None:
        """Hold at most so many keys from now on."""
        self._keys.room = room
        if self._fleet is not None:
            self._fleet.limit(room)
            self._keys.make_room()

    def _score_each(self, block: Block, states: list[KeyState], unknown: list[int]) -> Scored:
        """Have each key's own scorer score its rows."""
        parts: list[tuple[Sequence[int], Scored | RawRows]] = []
        losses = []
        for state in states:
            parts.append((state.rows, _run(state.scorer, block, state.rows)))
            refused, loss = state.count()
            self.refused += refused
            if loss is not None:
                losses.append(loss)
        if unknown:
            parts.append((unknown, self._nothing_for(parts, block, len(unknown))))
        return replace(join(parts), losses=np.array(losses))

    def _episodes(
        self, block: Block, scored: Scored, states: list[KeyState], silent: list[tuple[int, AlarmEvent]]
    ) -> list[AlarmEvent]:
        """Return the episodes that start and end with the events of a block, in their order."""
        columns, quiet = columns_of(block, scored), self.wanted.ends_after if self.wanted else 0
        found = silent
        for state in states:
            if state.episode is not None or any(scored.alarms[i] for i in state.rows):
                key = None if block.keys is None else block.keys[state.rows[0]]
                state.episode, some = follow(state.episode, state.rows, columns, key, quiet)
                found += some
        return [event for _, event in sorted(found, key=operator.itemgetter(0))]

    def _watch(self, block: Block, i: int, when: float, state: KeyState) -> list[tuple[int, AlarmEvent]]:
        """Take the time of an event; return which keys fall silent with it, and whether its own silence ends."""
        silence = self._silence
        if silence is None or not silence.moves(when):
            return []
        found = []
        if silence.due():
            held = self._keys.items()
            for number in silence.fallen_silent((k, one.report) for k, (_, one) in enumerate(held)):
                key, one = held[number]
                found.append((i, silence_event("start", key, block, i, one.report.last)))
        before = state.report.last
        if silence.reported(state.report, when):
            found.append((i, silence_event("end", None if block.keys is None else block.keys[i], block, i, before)))
        return found

    def _split(self, block: Block) -> tuple[list[KeyState], list[int], list[tuple[int, AlarmEvent]]]:
        """Return the keys of a block, each with its rows, the rows of feedback on keys that are not held, and what fell silent.

        One that is evicted halfway is scored like the others, then forgotten.
        """
        times = self._times(block)
        if block.keys is None:
            only = self._keys.touch(None)
            only.rows = list(range(len(block)))
            return (
                [only],
                [],
                [one for i in only.rows for one in self._watch(block, i, times[i], only)] if times else [],
            )
        active: list[KeyState] = []
        unknown: list[int] = []
        silent: list[tuple[int, AlarmEvent]] = []
        late = feedback_rows(self.kind, block.values, block.names).tolist()
        for i, key in enumerate(block.keys):
            state = self._keys.get(key) if late[i] else self._keys.touch(key)
            if state is None:
                unknown.append(i)
                continue
            if not state.rows:
                active.append(state)
            state.rows.append(i)
            if times and not late[i]:
                silent += self._watch(block, i, times[i], state)
        return active, unknown, silent

    def _times(self, block: Block) -> list[float]:
        """Return the times of events, in seconds; nothing where nobody asks."""
        if self._silence is None:
            return []
        if block.times is None:
            raise ConfigError(
                "[alarms] max_gap: the events have no time. Name its column with [source] time, or leave max_gap unset."
            )
        found: list[float] = seconds_of_events(block.times, len(block)).tolist()
        return found

    def _nothing_for(self, parts: Sequence[tuple[Sequence[int], Scored | RawRows]], block: Block, n: int) -> Scored:
        """Return what is said of feedback on keys that are not held: that it was not applied."""
        like = parts[0][1] if parts else _run(self._new_scorer(), block, [])
        return read(like).blank(n, **{FIELD: False})

    def relearn(self, block: Block) -> tuple[Block, Scored]:
        """Learn events that an earlier run has scored, with the columns that they had then.

        Parameters
        ----------
        block
            Events in the order of the partition, as they are read now.

        Returns
        -------
        tuple
            The block with the columns of then, and its results.

        Raises
        ------
        ConfigError, ModelChangedError
            As :meth:`score`.
        """
        block = self.columns.of_then(block)
        return block, self.score(block)

    def take_growth(self) -> list[str]:
        """Return the columns that have come to nets which had learned without them, once."""
        return self.columns.take_growth()

    def snapshot(self) -> bytes:
        """Return everything learned as bytes. Raises as :meth:`snapshot_pieces`."""
        return bytes(self.snapshot_pieces())

    def snapshot_pieces(self) -> Pieces:
        """Return the same in pieces that are read where they lie: they are good until an event more is learned.

        Raises
        ------
        StateError
            When the model has no form without pickle.
        """
        states = self._keys.states()
        manifest = manifest_of(
            ShardManifest(
                model=WrittenModel(self.kind.name, dict(self.kind.parameters)),
                events=self.events,
                alarms=self.alarms,
                evicted=self.evicted,
                keys=list(self._keys),
                shared=self.shares,
                held=len(self) if self.shares else 0,
                numerics=dict(self.kind.numerics),
                forecast=self.forecast.horizon,
                period=_listed(self.forecast.period),
                columns=dict(self.columns.learned),
                unwritten=self.unwritten,
                clock=self._silence.clock if self._silence else Clock(),
                reports=[one.report for one in states] if self._silence else [],
                windows=self.windows.written() if self.windows else None,
                times=self.local_times.written() if self.local_times else None,
                episodes=[(i, one.episode) for i, one in enumerate(states) if one.episode is not None],
            )
        )
        scorers = [self._fleet.scorer] if self._fleet is not None else [state.scorer for state in states]
        return pack_pieces(manifest, [blob for scorer in scorers for blob in scorer.dumps()])

    def restore(self, data: bytes) -> None:
        """Take up what :meth:`snapshot` gave.

        Parameters
        ----------
        data
            A snapshot.

        Raises
        ------
        StateError
            When the data is damaged, or was written by another model configuration.
        ModelChangedError
            When the forecast's horizon or period is another one than that of the snapshot.
        """
        manifest, blobs = read_manifest(data)
        self.kind.check_model({"kind": manifest.model.kind, "parameters": manifest.model.parameters})
        check_shared(self.shares, manifest)
        self.kind.check_numerics(manifest.numerics, refuse=self.numerics == "refuse")
        self.columns.expect(manifest.columns)
        if self.watched and not (self.windows and self.windows.names_of(self.watched) != self.watched):
            self.columns.check(self.watched)
        if manifest.forecast != self.forecast.horizon:
            raise ModelChangedError(
                f"The snapshot was written with [forecast] horizon = {manifest.forecast}, now it is "
                f"{self.forecast.horizon}. Restore the old value, or start anew with --fresh."
            )
        if self.forecast.horizon and manifest.period != _listed(self.forecast.period):
            raise ModelChangedError(
                f"The snapshot was written with [forecast] period {_said(manifest.period)}, now it is "
                f"{_said(_listed(self.forecast.period))}. Restore the old value, or start anew with --fresh."
            )
        check_windows(self.windows.settings if self.windows else None, manifest.windows)
        check_zone(self.local_times.zone if self.local_times else None, manifest.times)
        # Fewer keys than there were stay, where that was asked for; the budget of bytes follows with the first block,
        # which brings the features.
        if self._fleet is not None:
            self._fleet.restore(blobs, manifest.evicted, self.alarm)
            keys = [(key, KeyState(self._fleet.scorer)) for key in manifest.keys]
        else:
            keys = self._read_keys(manifest.keys, blobs)
        for place, episode in manifest.episodes:
            keys[place][1].episode = episode if self.wanted else None
        if self._silence:
            self._silence = Silence(self._silence.max_gap, self._silence.max_ahead)
            self._silence.clock = manifest.clock
            for (_, state), report in zip(keys, manifest.reports, strict=False):
                state.report = report
        if self.windows and manifest.windows:
            self.windows.restore(manifest.windows)
        if self.local_times and manifest.times:
            self.local_times.restore(manifest.times)
        self._keys.replace(keys, self.max_keys)
        self._keys.evicted = manifest.evicted
        self.events, self.alarms, self.unwritten = manifest.events, manifest.alarms, manifest.unwritten
        self.columns.restore(manifest.columns)

    def _read_keys(self, keys: Sequence[str | None], blobs: Sequence[bytes]) -> list[tuple[str | None, KeyState]]:
        found = []
        for i, key in enumerate(keys):
            scorer = self._new_scorer()
            if len(blobs) != scorer.parts * len(keys):
                raise StateError("The snapshot's keys do not fit its content.")
            scorer.restore(blobs[scorer.parts * i : scorer.parts * (i + 1)])
            scorer.set_alarm(self.alarm)
            found.append((key, KeyState(scorer, scorer.counters)))
        if not keys and blobs:
            raise StateError("The snapshot's keys do not fit its content.")
        return found


def _run(scorer: Scorer, block: Block, rows: Sequence[int]) -> Scored | RawRows:
    """Give a scorer its rows of a block."""
    if len(rows) == len(block):
        return scorer.run(block.values, block.names, block.times)
    times = block.times
    return scorer.run(block.values[rows], block.names, None if times is None else [times[i] for i in rows])


def _listed(period: int | tuple[int, ...] | None) -> list[int]:
    """Return a season as a manifest keeps it; nothing where it is found."""
    return [] if period is None else [period] if isinstance(period, int) else list(period)


def _said(period: list[int]) -> str:
    """Return a season for a message."""
    return str(period) if period else "unset"
