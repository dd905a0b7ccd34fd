"""The next letter of a text: a classifier reads Python's own manual once, and then goes on writing.

``python examples/characters.py`` prints how many letters were guessed right, each before it was told. A letter that is absent is
given as 0: a feature that is left out counts as its mean.
"""

from __future__ import annotations

import copy
import random
import re
from collections import Counter, defaultdict
from collections.abc import Hashable
from itertools import pairwise
from pydoc_data.topics import topics

from streamrnn import RNNClassifier

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
LETTERS = 20_001
REPORT = 5_000


def text() -> str:
    """Return letters and single spaces of the manual that ``help()`` shows."""
    pages = " ".join(topics[name] for name in sorted(topics))
    return re.sub("[^a-z]+", " ", pages.lower())[:LETTERS]


def event(letter: str) -> dict[Hashable, float]:
    """Return a letter as 27 features, all but one of them 0."""
    return {other: float(other == letter) for other in ALPHABET}


def go_on(model: RNNClassifier, letter: str, n: int) -> str:
    """Let a copy of the model read what it writes itself; a label that is None moves the state and teaches nothing."""
    model, rng, written = copy.deepcopy(model), random.Random(1), [letter]  # noqa: S311
    for _ in range(n):
        x = event(written[-1])
        chances = model.predict_proba_one(x)
        written += rng.choices(list(chances), list(chances.values()))
        model.learn_one(x, None)
    return "".join(written)


def main() -> None:
    """Guess each letter, then learn it; count pairs of letters beside it."""
    model = RNNClassifier(hidden_size=32, lr=0.01, seed=1)
    pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    read = text()
    right = Counter[str]()
    print("letters read   net   most frequent after the letter before")
    for place, (letter, following) in enumerate(pairwise(read), start=1):
        x = event(letter)
        right["net"] += model.predict_one(x) == following
        right["pairs"] += bool(pairs[letter]) and max(pairs[letter], key=pairs[letter].__getitem__) == following
        model.learn_one(x, following)
        pairs[letter][following] += 1
        if place % REPORT == 0:
            print(f"{place:12d} {right['net'] / REPORT:5.1%} {right['pairs'] / REPORT:6.1%}")
            right.clear()
    print(f"\nand it goes on: {go_on(model, read[-1], 100)!r}")


if __name__ == "__main__":
    main()
