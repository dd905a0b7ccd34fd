"""The words of a forecast state's header: sizes, counters, and where each array begins, in units of 8 bytes."""

from __future__ import annotations

from typing import Final

STATE_FORMAT: Final = 4
STATE_HEADER_WORDS: Final = 256
CONTEXTS: Final = 2  # an ordinary event; one behind a jump, where other experts are right
MAX_PERIOD: Final = 2016  # a week of five minutes: the longest season that is found
CURVE_LAGS: Final = (
    400  # of a curve of seasonal errors: a year of days, two weeks of hours; of blocks of events a week of minutes
)
BLOCK_EVENTS: Final = 6
MAX_EXPERTS: Final = 16
LANE_ROWS: Final = 4  # rows of scratch in float64
SHORT_ROWS: Final = 12  # rows of scratch in float32, and four for each expert
MOST_KNOWN: Final = 32  # features whose future counts: an event costs their square
# ---- header words -------------------------------------------------------------------------------
VERSION, CHANNELS, FEATURES, HORIZON, N_EXPERTS, N_INPUTS, NETS, RING_SIZE = range(8)
GIVEN_PERIOD, HAS_TIME, N_EVENTS, IS_FROZEN, MODELS, LONGEST_PERIOD, KNOWN_FEATURES, GIVEN = range(8, 16)
(
    VALUE_RING, RAW_VALUES, BASE, CONTEXT, MEAN_CHANGE, CHANGE_COUNT, EXPERT_FORECASTS, LAG_CURVE, COARSE_CURVE, COARSE_VALUES, PERIOD, PENDING, ROW, SCRATCH,
    INPUT_OF, USUAL_CHANGE, SIGN, FIRST_VALUE, SCRATCH_LANES, ANCHOR, LAST_FEATURES, FIRST_FEATURES, SHORT_PERIOD, BLOCK_SUM, IMPUTED, CHANGE_PEAKS,
    CLOCK, ABSENT_ROW, PROFILES, SHORT_ROOM, NO_COUNT, PENDING_AT,
) = range(16, 48)  # fmt: skip
# from here on: code of each expert, then its own word (which net, which RLS_0)
CODE, OWN = 48, 64
# words of each RLS_0: lags, and where its matrix P, weights W and settings lie
RLS_0, RLS_WORDS = 80, 4
LAGS, GAIN, COEFFICIENTS, SETTINGS = range(4)
MAX_RLS: Final = 8
# words of the regressions that are rolled on, without and with features: as an RLS's, then where open paths lie
AR_0, ARX_0 = 112, 120
PATH_COEFFICIENTS, PATH_CHANGES, PATH_LEVEL, PATH_BOUND = range(4, 8)
# words of each mixture, without and with a known future: where its weights, errors, quantiles and forecasts lie
PLAIN, INFORMED = 128, 144
(
    REGRET,
    SQUARED_REGRET,
    REGRET_BOUND,
    WEIGHTS,
    MEAN_ERROR,
    ERROR_COUNT,
    QUANTILES,
    MIXED_FORECASTS,
    NEXT_FORECASTS,
    PRIOR,
    SHARE,
    ERROR_PEAKS,
    REGRET_UNIT,
) = range(13)
# words of each profile: the season it is of, its level, spread, shapes, last residuals, and the regression on these
PROFILE_0, PROFILE_WORDS = 160, 8
SEASON_OF, LEVEL, RESIDUAL_SPREAD, SHAPE, SHORT_SHAPE, RESIDUALS, RESIDUAL_GAIN, RESIDUAL_COEFFICIENTS = range(8)
MAX_PROFILES: Final = 3
PROFILE_SETTINGS = 184
# what is known of the calendar
HOLIDAYS, N_HOLIDAYS, CALENDAR, DAYS_OFF, HOLIDAY_SHARE = range(185, 190)
# words of the long direct regression: its lags, where its arrays lie, and how far the equations are solved
LONG_0 = 192
(
    LONG_LAGS, LONG_SUMS, LONG_CHANGES, LONG_KEPT, LONG_MATRIX_ROW, LONG_COLUMNS, LONG_TARGETS, LONG_FACTOR, LONG_NEXT, LONG_COEFFICIENTS, LONG_TRACE,
) = range(LONG_0, LONG_0 + 11)  # fmt: skip
LONG_SEEN, LONG_PHASE, LONG_PLACE, LONG_SOLVED, LONG_READY, LONG_BEGUN = range(LONG_0 + 16, LONG_0 + 22)
CARRIED_WORDS = (N_EVENTS, IS_FROZEN, LONG_SEEN, LONG_PHASE, LONG_PLACE, LONG_SOLVED, LONG_READY, LONG_BEGUN)
LOSS_LEVEL = 214  # a float64: of the quantile that forecasts aim at; 0: the mean
# NaN before anything is known
NAN_UNTIL_SEEN: Final = (
    "values", "raw", "base", "first", "forecasts", "mixed", "now", "informed.mixed", "informed.now", "arx.level", "known", "clock", "days_off",
)  # fmt: skip
BLANK: Final = (*NAN_UNTIL_SEEN, "anchor", "known_first")
