"""How many events are asked for at once, and how long they are waited for."""

from __future__ import annotations

from streamrnn.engine.pace import LEAST, MOST, POLL_S, QUIET_S, Pace


def test_more_is_asked_for_where_it_is_quickly_done():
    """Twice as much after a full and quick block, half after a slow one, within bounds; what waits for nobody is never waited for."""
    pace = Pace()
    pace.took(pace.events - 1, 0.0)  # all that was there: a larger block would bring no more
    assert pace.events == LEAST
    for _ in range(10):
        pace.took(pace.events, 0.01)
    assert pace.events == MOST
    pace.took(pace.events, 0.07)
    assert pace.events == MOST
    for _ in range(10):
        pace.took(pace.events, 1.0)
    assert pace.events == LEAST


def test_a_number_that_was_asked_for_stays():
    """A run with blocks of a fixed size has these, however quick they are."""
    pace = Pace(40)
    pace.took(40, 0.0)
    assert pace.events == 40


def test_what_is_quiet_is_asked_less_often():
    """Waits double up to a second while nothing comes, and are short again with whatever does: a signal is noticed within one of them."""
    pace = Pace(40)
    waits = []
    for found in (False, False, False, False, True, False):
        waits.append(pace.wait_s)
        pace.waited(found=found)

    assert waits == [POLL_S, 2 * POLL_S, 4 * POLL_S, QUIET_S, QUIET_S, POLL_S]
