"""A word of a slab's header has one meaning."""

from __future__ import annotations

import pytest

from streamrnn.kernels.slab import Slab


@pytest.mark.parametrize("word", [3, -1, 16], ids=["taken", "below", "beyond"])
def test_a_header_word_is_given_once(word):
    """Two things in one word, or one outside of the header, are refused where they are laid out, not found by a kernel that reads astray."""
    slab = Slab(16)
    slab.add(3, "weights", "f4", 2)

    for add in (lambda: slab.note([(word, 1)]), lambda: slab.add(word, "more", "f8", 1)):
        with pytest.raises(ValueError, match=f"Header word {word} "):
            add()
