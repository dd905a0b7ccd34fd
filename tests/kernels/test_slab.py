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


def test_small_arrays_of_an_area_lie_close_together():
    """Each within one cache line, none across two; areas begin at a line."""
    slab = Slab(16)
    slab.begin_areas()
    for word, size in enumerate((1, 3, 2, 8, 1, 24)):
        slab.add(word, str(size) + str(word), "f8", size)
    slab.end_areas(3)

    small = [field for field in slab.fields.values() if field.size <= 64]
    assert all(field.at // 64 == (field.at + field.size - 1) // 64 for field in small)
    assert slab.area_nbytes % 64 == slab.area_at % 64 == 0
    assert slab.area_nbytes == 64 * 7
