"""The memory of what is expected of one feature: where each part of an outlook lies (float64 words).

An outlook holds the season and its shape, the regression on what the shape leaves, the running errors of the three experts, and the rule that tells a
surprise, which looks twice at an error: see :mod:`~streamrnn.kernels.anomaly.expectation` and :mod:`~streamrnn.kernels.anomaly.surprise`. A blank one is zero all over.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.net.words import OUTLOOK_RING, SEASON_LAGS

N_FORECASTS: Final = 3
EXPERT_LAST, EXPERT_NET, EXPERT_SHAPE = range(N_FORECASTS)
RESIDUAL_LAGS: Final = 13
LAGS_ROOM: Final = 16  # of the regression's arrays: a multiple of eight
GAIN_ROOM: Final = 192  # of its matrix P, packed

# events since the first value, the missing ones among them; what is expected next; values in a row that were learned as others
AGE, EXPECTED, CUT_IN_A_ROW = range(3)
# the season, the event its shape begins with, and the level
SEASON, SHAPE_BEGAN, BASE_LEVEL = range(3, 6)
# a look, relative to its place. Running size of the errors: itself, errors counted, those in a row beyond its limit, largest of this stretch and of the
# one before; then the tail's quantile and Hill's mean
LOOK_SIZE, LOOK_COUNTED, LOOK_WIDE, LOOK_PEAK, LOOK_PEAK_BEFORE, LOOK_TAIL, LOOK_HILL = range(7)
LOOK_WORDS: Final = 7
ONE_STEP, SMOOTHED = 6, 16  # places of the looks: at the error itself, at its running mean
SIZE, COUNTED = ONE_STEP + LOOK_SIZE, ONE_STEP + LOOK_COUNTED
# events until an episode is over; whether this one is free; its least p-value; the errors' running mean
QUIET_LEFT, IS_FREE, LEAST_P, SMOOTHED_ERROR = 13, 14, 15, 23
# events until a value outside the valid range is over; what was expected above the shape when a fault began that does not count, and for how many events still
INVALID_LEFT, IGNORED_FROM, IGNORED_LEFT = range(24, 27)
# the last value, how many times in a row, the longest such run, how many there were; alarms of runs of late
LAST_VALUE, EQUAL_RUN, LONGEST_RUN, RUNS, STUCK_OF_LATE = range(27, 32)
# whether this run has alarmed; a counter's last reading, its time, and how many events ago it was; 0: there was none
IS_STUCK, READING, READ_AT, READ_AGO = range(40, 44)
FORECASTS, EXPERT_ERRORS = 32, 36  # of each expert
LAG_COEFFICIENTS, LAST_RESIDUALS, LAG_GAIN = 48, 64, 80
SEASON_CURVE: Final = LAG_GAIN + GAIN_ROOM
RING: Final = SEASON_CURVE + 2 * (SEASON_LAGS + 1)
SEASON_SHAPE: Final = RING + OUTLOOK_RING
END: Final = SEASON_SHAPE + SEASON_LAGS
