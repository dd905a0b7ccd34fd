"""The table of keys: what a dict says, whatever hashes keys have."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest

from streamrnn.models._key_table import FEW, MOST_RECENT, SPREAD, WHOLE, KeyTable

UNSPREAD = pow(SPREAD, -1, WHOLE + 1)


class Hashed:
    """A key with a hash that is given, equal to no other."""

    def __init__(self, spread):
        whole = spread * UNSPREAD & WHOLE  # the hash that is spread to this
        self.hash = whole - (WHOLE + 1) if whole >> 63 else whole

    def __hash__(self):
        return self.hash


KINDS = {
    "texts": lambda n: [f"key-{i}" for i in range(n)],
    "numbers": lambda n: [i << 20 for i in range(n)],
    "tuples": lambda n: [(i % 7, str(i)) for i in range(n)],
    "halves": lambda n: [i / 2 + 0.5 for i in range(n)],
    "one hash": lambda n: [Hashed(5 << 61) for _ in range(n)],
    "few places": lambda n: [Hashed((i % 3) << 62 | i) for i in range(n)],
    "round the end": lambda n: [Hashed(WHOLE - (i << 40)) for i in range(n)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_a_dict_says(kind):
    """Keys that come and go in any order, looked for one by one and many at once, while the table grows."""
    rng, keys, free = np.random.default_rng(3), KINDS[kind](240), list(range(240, 0, -1))
    table, known = KeyTable({}), {}
    for _ in range(1500):
        key = keys[rng.integers(len(keys))]
        if key in known:
            free.append(known.pop(key))
            table.remove(key)
        else:
            known[key] = free.pop()
            table.add(key, known[key])
        some = [keys[i] for i in rng.integers(len(keys), size=rng.integers(1, 2 * FEW))]

        assert table.find_many(some).tolist() == [known.get(one, 0) for one in some]
        assert [table.find(one) for one in some[:5]] == [known.get(one, 0) for one in some[:5]]
        assert len(table) == len(known)
    again = KeyTable(known)

    assert again.find_many(keys).tolist() == [known.get(one, 0) for one in keys]


def test_keys_are_equal_as_in_a_dict():
    """1, 1.0 and True are one key; NaN is one where it is the very object; None, empty and nested keys are keys."""
    nan, many = float("nan"), ["x"] * FEW
    known = {1: 1, nan: 2, None: 3, (): 4, ("a", (None,)): 5, np.float64(2.5): 6, "": 7}
    table, asked = KeyTable(known), [1.0, True, nan, float("nan"), None, (), ("a", (None,)), 2.5, "", np.str_("")]

    for keys in (asked, asked + many):
        assert table.find_many(keys).tolist() == [known.get(one, 0) for one in keys]


@pytest.mark.parametrize("n", [1, FEW, 10 * FEW])
def test_what_has_no_hash_is_no_key(n):
    """One of them among many raises as it does in a dict."""
    with pytest.raises(TypeError, match="unhashable"):
        KeyTable({"a": 1}).find_many(["a"] * (n - 1) + [[]])


def test_an_area_far_behind_has_its_place():
    """A table of few keys knows areas beyond its own size."""
    table = KeyTable({"a": 70_000, "b": 3})
    table.add("c", 70_001)

    assert table.find_many(["a", "b", "c", "d"]).tolist() == [70_000, 3, 70_001, 0]


def test_what_was_looked_for_is_kept_for_some_keys():
    """However many keys are looked for one by one, few of them are kept beside the table."""
    keys = [f"key-{i}" for i in range(3 * MOST_RECENT)]
    table = KeyTable({key: area for area, key in enumerate(keys, 1)})
    before = sys.getsizeof(table)

    assert [table.find(key) for key in keys] == list(range(1, len(keys) + 1))
    assert sys.getsizeof(table) < before + 100 * MOST_RECENT


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_on_its_own(kind):
    """It holds the very keys, whose hashes need not be those of their copies; what comes and goes in one is not in the other."""
    keys = KINDS[kind](60)
    table = KeyTable({key: area for area, key in enumerate(keys[:40], 1)})
    other = copy.deepcopy(table)
    for area, key in enumerate(keys[40:], 41):
        other.add(key, area)
    table.remove(keys[3])
    assert table.find_many(keys).tolist() == [0 if i == 3 else i + 1 if i < 40 else 0 for i in range(60)]
    assert other.find_many(keys).tolist() == list(range(1, 61))
    assert [other.find(key) for key in keys] == list(range(1, 61))
