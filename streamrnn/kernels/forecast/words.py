"""The words of a forecast state's header: sizes, counters, and where each array begins, in units of 8 bytes."""

from __future__ import annotations

from typing import Final

STATE_FORMAT: Final = 3
STATE_HEADER_WORDS: Final = 160
CONTEXTS: Final = 2  # an ordinary event; one behind a jump, where other experts are right
MAX_PERIOD: Final = 400  # a year of days, a day of five minutes, two weeks of hours
MAX_EXPERTS: Final = 16
LANE_ROWS: Final = 16  # rows of scratch beside three for each expert
MOST_KNOWN: Final = 32  # features whose future counts: an event costs their square
# ---- header words -------------------------------------------------------------------------------
VERSION, CHANNELS, FEATURES, HORIZON, N_EXPERTS, N_INPUTS, NETS, RING_SIZE = range(8)
GIVEN_PERIOD, HAS_TIME, N_EVENTS, IS_FROZEN, MODELS, LONGEST_PERIOD, KNOWN_FEATURES, GIVEN = range(8, 16)
(
    VALUE_RING, RAW_VALUES, BASE, CONTEXT, MEAN_CHANGE, CHANGE_COUNT, EXPERT_FORECASTS, DIFFERENCES, CORRELATION, ENERGY, PERIOD, PENDING, ROW, SCRATCH,
    INPUT_OF, USUAL_CHANGE, SIGN, FIRST_VALUE, SCRATCH_LANES, ANCHOR, LAST_FEATURES, FIRST_FEATURES,
) = range(16, 38)  # fmt: skip
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
PLAIN, INFORMED = 128, 140
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
) = range(11)
CARRIED_WORDS = (N_EVENTS, IS_FROZEN)
# NaN before anything is known
NAN_UNTIL_SEEN: Final = (
    "values", "raw", "base", "first", "forecasts", "mixed", "now", "informed.mixed", "informed.now", "arx.level", "known",
)  # fmt: skip
BLANK: Final = (*NAN_UNTIL_SEEN, "anchor", "known_first")
