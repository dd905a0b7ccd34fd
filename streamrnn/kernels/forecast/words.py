"""The words of a forecast state's header: sizes, counters, and where each array begins, in units of 8 bytes."""

from __future__ import annotations

from typing import Final

FORMAT: Final = 2
HEADER_WORDS: Final = 160
CONTEXTS: Final = 2  # an ordinary event; one behind a jump, where other experts are right
MAX_PERIOD: Final = 400  # a year of days, a day of five minutes, two weeks of hours
MAX_EXPERTS: Final = 16
LANE_ROWS: Final = 16  # rows of scratch beside three for each expert
MOST_KNOWN: Final = 32  # features whose future counts: an event costs their square
# ---- header words -------------------------------------------------------------------------------
VERSION, CHANNELS, FEATURES, HORIZON, EXPERTS, INPUTS, NETS, MEMORY = range(8)
GIVEN_PERIOD, TIMED, EVENTS, FROZEN, MODELS, LONGEST, KNOWN_FEATURES, GIVEN = range(8, 16)
(
    VALUES, RAW, BASE, CONTEXT, CHANGE, CHANGES, FORECASTS, DIFFERENCES, CORRELATION, ENERGY, PERIOD, PENDING, ROW, SCRATCH,
    INPUT_OF, USUAL, SIGN, FIRST, LANES, ANCHOR, KNOWN, KNOWN_FIRST,
) = range(16, 38)  # fmt: skip
# from here on: code of each expert, then its own word (which net, which RLS)
CODE, OWN = 48, 64
# words of each RLS: lags, and where its matrix P, weights W and settings lie
RLS, RLS_WORDS = 80, 4
LAGS, GAIN, COEFFICIENTS, SETTINGS = range(4)
MAX_RLS: Final = 8
# words of the regressions that are rolled on, without and with features: as an RLS's, then where open paths lie
AR, ARX = 112, 120
PATH_COEFFICIENTS, PATH_CHANGES, PATH_LEVEL, PATH_BOUND = range(4, 8)
# words of each mixture, without and with a known future: where its beliefs, errors, bands and forecasts lie
PLAIN, INFORMED = 128, 140
REGRET, SQUARES, BOUND, WEIGHTS, ERROR, ERRORS, QUANTILES, MIXED, NOW, PRIOR, SHARE = range(11)
CARRIED = (EVENTS, FROZEN)
# NaN before anything is known
MEMORY_OF_SERIES: Final = (
    "values", "raw", "base", "first", "forecasts", "mixed", "now", "informed.mixed", "informed.now", "arx.level", "known",
)  # fmt: skip
BLANK: Final = (*MEMORY_OF_SERIES, "anchor", "known_first")
