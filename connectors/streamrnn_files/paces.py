"""Whether a column parts records into series that keep a pace of their own, or go on smoothly, where all records together do neither."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from streamrnn_files.numerals import Numerals, values_of

__all__ = [
    "are_kinds",
    "are_mixed",
    "at_own_pace",
    "begins_again",
    "in_bursts",
    "in_rounds",
    "levels_apart",
    "tells_series",
]

FEWEST = 5
"""Records of each series, at least."""

_OF_EACH = 8
"""Records of a series in the mean, at least."""

_NEARLY = 0.1
"""How far a step may be from the middle one, as a share of it."""

_EVEN = 0.8
"""The share of steps that are near the middle one, from where on a series keeps its pace."""

_UNEVEN = 0.6
"""The same share, below which records of several do not."""

_BURST = 0.25
"""The longest round of records, as a share of the pace."""

_OTHER = 1.5
"""How many times another the longest pace of series is that are no states of one cycle."""

_ROUND, _MISSING, _DISORDER = 3, 2, 0.02
"""Kinds that make a round, at least; how many times as many records there would be if no round missed one; the share of neighbours that are the other way round."""

_LONG = 12
"""Records of each of these."""

_APART = 0.1
"""The share of a column's variance, or of the squares of its steps, that is left within groups of records that are series."""


def are_kinds(cells: Sequence[str]) -> bool:
    """Whether a few texts come again and again.

    Parameters
    ----------
    cells
        All cells of the first records.
    """
    return 1 < len(set(cells)) <= len(cells) / _OF_EACH and all(map(str.strip, cells))


def are_mixed(kinds: Sequence[str]) -> bool:
    """Whether kinds take turns: records change from one to another more than twice for each.

    Parameters
    ----------
    kinds
        What each record is of.
    """
    return sum(a != b for a, b in itertools.pairwise(kinds)) > 2 * len(set(kinds))


def _groups(kinds: Sequence[str], values: Sequence[float]) -> list[list[float]]:
    found: dict[str, list[float]] = {}
    for kind, value in zip(kinds, values, strict=True):
        found.setdefault(kind, []).append(value)
    return list(found.values())


def _steps(values: Sequence[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(values)]


def _pace(times: Sequence[float], share: float) -> float | None:
    """Return the middle step of times, None where fewer than a share of steps is near it."""
    steps = sorted(map(abs, _steps(times)))
    middle = steps[len(steps) // 2]
    near = sum(abs(step - middle) <= _NEARLY * middle for step in steps)
    return middle if middle > 0 and near >= share * len(steps) else None


def _paces(groups: Sequence[Sequence[float]]) -> list[float]:
    """Return the pace of each series, () where one has none."""
    found = [_pace(group, _EVEN) for group in groups]
    return [pace for pace in found if pace is not None] if None not in found else []


def at_own_pace(kinds: Sequence[str], times: Sequence[float]) -> bool:
    """Whether the records of each kind follow one another at an even pace, and all together do not.

    Parameters
    ----------
    kinds
        What each record is of.
    times
        When it was, in seconds.
    """
    groups = _groups(kinds, times)
    return (
        min(map(len, groups)) >= FEWEST
        and bool(_paces(groups))
        and (_pace(times, _UNEVEN) is None or in_bursts(kinds, times))
    )


def in_rounds(kinds: Sequence[str], times: Sequence[float]) -> bool:
    """Whether records come in rounds that list most of the kinds, in the same order each, and take less time than passes until a kind comes again.

    Parameters
    ----------
    kinds
        What each record is of.
    times
        When it was, in seconds.
    """
    count = len(set(kinds))
    last: dict[str, float] = {}
    waits = []
    for kind, at in zip(kinds, times, strict=True):
        if kind in last:
            waits.append(abs(at - last[kind]))
        last[kind] = at
    if not _ROUND <= count <= len(kinds) / FEWEST or sorted(waits)[len(waits) // 2] == 0:
        return False
    rounds = _bursts(times, sorted(waits)[len(waits) // 2])
    listed = [[kinds[place] for place in one] for one in rounds]
    whole = sum(len(set(one)) == len(one) for one in listed)
    if len(rounds) < FEWEST or whole < _EVEN * len(rounds) or count * len(rounds) > _MISSING * len(kinds):
        return False
    pairs = Counter(pair for one in listed for pair in itertools.pairwise(one))
    against = sum(min(times, pairs[b, a]) for (a, b), times in pairs.items()) / 2
    return against <= _DISORDER * pairs.total()


def _bursts(times: Sequence[float], pace: float) -> list[list[int]]:
    """Return the places of records that follow one another within a small part of a pace."""
    rounds: list[list[int]] = []
    for place, step in enumerate((2 * pace, *map(abs, _steps(times)))):
        if step > _BURST * pace or not rounds:
            rounds.append([])
        rounds[-1].append(place)
    return rounds


def begins_again(kinds: Sequence[str], times: Sequence[float]) -> bool:
    """Whether the time goes back where records of one kind end and those of another begin: series that stand one behind the other do.

    Parameters
    ----------
    kinds
        What each record is of.
    times
        When it was, in seconds.
    """
    steps = list(zip(itertools.pairwise(kinds), itertools.pairwise(times), strict=True))
    within = sum((now > was) - (now < was) for (a, b), (was, now) in steps if a == b)
    return any((now - was) * within < 0 for (a, b), (was, now) in steps if a != b)


def in_bursts(kinds: Sequence[str], times: Sequence[float]) -> bool:
    """Whether records come in rounds, one of each kind within a short while and then none until the next round.

    Parameters
    ----------
    kinds
        What each record is of.
    times
        When it was, in seconds.
    """
    pace = _pace(_groups(kinds, times)[0], _EVEN)
    if pace is None:
        return False
    rounds = _bursts(times, pace)
    count = len(set(kinds))
    whole = [
        one
        for one in rounds
        if len({kinds[place] for place in one}) == len(one) == count
        and abs(times[one[-1]] - times[one[0]]) <= _BURST * pace
    ]
    return len(whole) >= _EVEN * len(rounds)


def levels_apart(kinds: Sequence[str], cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether the kinds of records explain nearly all of the variance of their numbers, or of their steps, and numbers change within each.

    Parameters
    ----------
    kinds
        What each record is of.
    cells
        A column's.
    numerals
        How its numbers are written.
    """
    values = values_of(cells, numerals)
    if len(values) != len(cells) or not are_mixed(kinds):
        return False
    groups = _groups(kinds, values)
    shares = zip(_parts(groups), _parts([values]), strict=True)
    return any(0 < within < _APART * total for within, total in shares)


def _parts(groups: Sequence[Sequence[float]]) -> Iterator[float]:
    """Return what is left of squares within groups: of the distance from their mean, and of their steps, each for a record."""
    count = sum(map(len, groups))
    means = [sum(group) / len(group) for group in groups]
    yield sum(sum((value - mean) ** 2 for value in group) for group, mean in zip(groups, means, strict=True)) / count
    steps = [step for group in groups for step in _steps(group)]
    yield sum(step * step for step in steps) / max(1, len(steps))


def tells_series(
    kinds: Sequence[str],
    times: Sequence[float],
    features: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    sure: Mapping[str, Numerals],
) -> bool:
    """Whether it is beyond doubt that kinds are series: each keeps its pace, and the paces differ, or they come in rounds or at levels of their own.

    Parameters
    ----------
    kinds
        What each record is of.
    times
        When it was, in seconds.
    features
        The columns of numbers.
    whole
        All cells, by column.
    sure
        How the numbers of each column are written.
    """
    if not at_own_pace(kinds, times):
        return False
    groups = _groups(kinds, times)
    paces = _paces(groups)
    return (
        (max(paces) >= _OTHER * min(paces) and min(map(len, groups)) >= _LONG)
        or in_bursts(kinds, times)
        or any(levels_apart(kinds, whole[name], sure[name]) for name in features)
    )
