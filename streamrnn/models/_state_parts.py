"""The parts of a model's state, looked at before anything is made of them: a file may have been written by anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from streamrnn.errors import StateError
from streamrnn.models._keys import Keys
from streamrnn.pieces import Pieces

__all__ = ["MOST", "count", "joined", "keys_and_areas", "keys_from", "names_of", "waiting", "written_keys"]

MOST: Final = 2**60
"""A count beyond is none: no stream is as long."""


def count(value: Any, what: str, least: int = 0) -> int:
    """Return a count as it is.

    Parameters
    ----------
    value
        What the state has.
    what
        It counts, for the message.
    least
        The smallest that can be.

    Raises
    ------
    StateError
        When it is no whole number, or one that cannot be.

    Examples
    --------
    >>> from streamrnn.models._state_parts import count
    >>> count(True, "events")
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: The model's state has events of True: not a whole number from 0 to 2^60.
    """
    if type(value) is not int or not least <= value <= MOST:
        raise StateError(f"The model's state has {what} of {str(value)[:40]}: not a whole number from {least} to 2^60.")
    return value


def names_of(given: Any, what: str, first: Any = None, none: Any = None) -> list[Any]:
    """Return names of features, channels or classes.

    Parameters
    ----------
    given
        What the state has.
    what
        They are, for the message.
    first
        The name that comes first, where there is one of the time.
    none
        The name that is not among them, that of the key.

    Raises
    ------
    StateError
        When one is there twice, or they are no list of names.

    Examples
    --------
    >>> from streamrnn.models._state_parts import names_of
    >>> names_of(["ts", "level"], "features", first="ts")
    ['ts', 'level']
    """
    if type(given) is not list or len(set(given)) != len(given):
        raise StateError(f"The model's state holds {what} that are no list of different names.")
    if (first is not None and given[:1] != [first]) or (none is not None and none in given):
        raise StateError(f"The model's state holds {what} that do not fit its time or key.")
    return given


def joined(value: Any) -> Any:
    """Return a state with each of its parts in one piece.

    Parameters
    ----------
    value
        A state, or a part of it.

    Examples
    --------
    >>> from streamrnn.models._state_parts import joined
    >>> from streamrnn.pieces import in_pieces
    >>> joined({"areas": 2, "states": [in_pieces(b"weights")]})
    {'areas': 2, 'states': [b'weights']}
    """
    if type(value) is dict:
        return {name: joined(one) for name, one in value.items()}
    if type(value) is list and value and type(value[0]) is Pieces:
        return [bytes(one) for one in value]
    return bytes(value) if type(value) is Pieces else value


def keys_and_areas(pairs: Any, areas: int, most: int) -> list[tuple[Any, int]]:
    """Return keys with their memories, numbered from 1 on; a memory may be free.

    Parameters
    ----------
    pairs
        What the state has.
    areas
        Memories that there are, the blank one included.
    most
        Keys that there may be.

    Raises
    ------
    StateError
        When two have the same one, or one that there is not.

    Examples
    --------
    >>> from streamrnn.models._state_parts import keys_and_areas
    >>> keys_and_areas([("a", 2), ("b", 1)], areas=3, most=1000)
    [('a', 2), ('b', 1)]
    """
    found = [(key, count(area, "a memory", least=1)) for key, area in pairs]
    taken = sorted(area for _, area in found)
    if (
        len(dict(found)) != len(found)
        or len(set(taken)) != len(taken)
        or (taken and taken[-1] >= areas)
        or len(taken) > most
    ):
        raise StateError(f"The model's state gives {len(taken)} keys places that {areas} memories do not have.")
    return found


def keys_from(state: Mapping[str, Any], areas: int, most: int) -> Keys:
    """Return the keys of a state, in the order in which they were seen last.

    Parameters
    ----------
    state
        With ``keys`` and, where they are in the order of their places, ``ticks``.
    areas
        Memories that there are, the blank one included.
    most
        Keys that there may be.

    Raises
    ------
    StateError
        When that cannot be.
    """
    found = keys_and_areas(state["keys"], areas, most)
    if "ticks" not in state:
        return Keys(most, found)
    seen, wrong = state["ticks"], StateError("The model's state says of its keys when they were seen as no one can.")
    if type(seen) is not bytes or len(seen) != 8 * (1 + max((area for _, area in found), default=0)):
        raise wrong
    ticks = np.frombuffer(seen, "<i8").astype(np.int64)
    own = ticks[[area for _, area in found]]
    if len(np.unique(own)) != len(own) or not (0 <= ticks[0] <= MOST and ((own > 0) & (own <= ticks[0])).all()):
        raise wrong
    return Keys(most, found, ticks)


def written_keys(keys: Keys) -> dict[str, Any]:
    """Return what a state says of keys, as :func:`keys_from` reads it.

    Parameters
    ----------
    keys
        Of the model.
    """
    kept, ticks = keys.written()
    return {"keys": kept, **({"ticks": ticks.astype("<i8").tobytes()} if kept else {})}


def waiting(given: Iterable[Any], areas: int, sizes: tuple[int, int], most: int) -> list[tuple[int, bytes, bytes]]:
    """Return events that wait for their label: area, features as they came, features standardised.

    Parameters
    ----------
    given
        What the state has.
    areas
        Memories that there are.
    sizes
        Bytes of the features of an event as they came, and of all its inputs.
    most
        Events that may wait in each; 0 where none can.

    Raises
    ------
    StateError
        When one does not fit, or too many wait.
    """
    found = [(count(area, "a memory"), raw, scaled) for area, raw, scaled in given]
    held: dict[int, int] = {}
    for area, raw, scaled in found:
        held[area] = held.get(area, 0) + 1
        fits = type(raw) is bytes and type(scaled) is bytes and (len(raw), len(scaled)) == sizes
        if not fits or area >= areas or held[area] > most:
            raise StateError("The model's state holds a waiting event that does not fit.")
    return found
