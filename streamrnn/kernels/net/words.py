"""The words of a net's header: sizes, counters, and where each array of its slab begins.

Offsets are in units of the array's own type. The settings at the end are places in the array ``settings``.
"""

from __future__ import annotations

NET_FORMAT = 2
HEADER_WORDS = 264
MAX_LAYERS = 8
LANES = 8  # float64 in one vector: input statistics lie in blocks of mean (8) | variance (8) | count (8)
# ---- header words -------------------------------------------------------------------------------
VERSION, INPUTS, OUTPUTS, HIDDEN, LAYERS, WINDOW, STRIDE, SLOTS = range(8)
TRACES, LOSS, OPTIMIZER, SCHEDULE, NORMALIZE_X, NORMALIZE_Y, FROZEN, TWO_PASS = range(8, 16)
FILL, FRESH, EVENTS, LEARNED, UPDATES, REFUSED, PAD_T, DOUBLING = range(16, 24)
# offsets, float64 units
X_STATS, Y_MEAN, Y_VAR, Y_COUNT, HYPER, PREPARED_STATS, LOSS_SUM, SCALED_INPUTS = range(24, 32)
AREA, AREA_BYTES = 32, 33  # the area that is bound; bytes from one to the next
# offsets, float32 units
HEAD, HEAD_0, HEAD_S, HEAD_GRAD, HEAD_WIDTH, OUT, D_OUT, KNOWN = range(34, 42)
S_DH, S_DC, S_DX, S_ROW, S_A, S_LOCAL, S_LATER, S_DCS, S_DO, S_STEP = range(42, 52)
PREPARED, SCRATCH_AT, X_RAW, TARGET, LAST, NET_ROW = range(52, 58)
AREA_HEAD, LIVE_FILL, LIVE_OUT, GAPS, CURVE, RAW = range(58, 64)
KEYED, TIMED = 192, 193
# a detector's: events remembered, units of its head; offsets and sizes of what watches one feature
MEMORY, PHI, WATCH, WATCH_SIZE, KEPT, KEPT_SIZE, HEADS, HEAD_SIZE, ECHO, RULE, ALARM, FOUND, ORDER, GAINS, OUTLOOK = (
    range(194, 209)
)
# what outputs see beside the hidden state: how many inputs (0: all), groups of outputs, each group's places, what it sees now
HEAD_SEEN, HEAD_GROUPS, HEAD_OF, S_HEAD_X = range(209, 213)
# what a net is told of the targets before: how many inputs that is, in which places, and what is kept of them
TARGET_INPUTS, TOLD, LAST_TARGETS, LASTS, TARGET_ROWS = range(213, 218)
# the mixture in front: which experts, what the linear one sees and learns with, the weights, and scratch
(
    EXPERT_BITS, FEATURE_LAGS, TARGET_LAGS, N_REGRESSORS, N_OWN, LINEAR_W, LINEAR_P, LINEAR_P_SIZE, RATES, TAPE, LIVE_TAPE, TAPE_SIZE,
    MIXTURE, SAID, MIXED, REGRESSORS, GAIN_SCRATCH, WEIGHING, ERRORS,
) = range(218, 237)  # fmt: skip
POLICY = 237  # of a detector: what the operator has said of each feature
# whether columns may be 0 where they are absent, and which are; columns with an input of their own, inputs of features; whether rows say what an event
# weighs, whether rare classes weigh more; the regressors that are not 0, of many
SPARSE, KINDS, OWN_INPUTS, FEATURE_INPUTS, WEIGHTED, BALANCED, NONZERO = range(238, 245)
# random features of an event: how many, their weights, those of the outputs, squares of the gradients, and the features now; errors of the outputs
N_WAVES, WAVE_W, WAVE_U, WAVE_P, WAVES, WAVE_ERRORS = range(245, 251)
# of a detector: float64 words of what is expected of a feature, and of the rule's memory, by its form
OUTLOOK_SIZE, ALARM_SIZE = 251, 252
CLASS_COUNTS = 253  # how often each class came of late
# what the season says of the next target: how many numbers, where a stream's memory of it lies, and scratch
SEASONS, SEASON_PLACE, SEASON_SUMS = range(254, 257)
LINEAR_LOSS = (
    257  # the linear expert's loss of late: its mean, its variance, how many, and the sum that tells of a change
)
# errors of numbers that are learned: how many numbers, their usual errors, quantiles of the errors in units of these, and scratch
N_BANDS, USUAL, BANDS, BAND_MOVES = range(258, 262)
LAYER_0, LAYER_WORDS = 64, 16
# words of one layer
NX, W, W_0, W_S, W_SIZE, TRACE, XS, REC, DZ, DC_START, GRAD, LIVE_XS, LIVE_REC, OWN_GRAD = range(14)
# words of an area's head: counters while another area is bound; time of its last event (float64); events that the state which
# learns and the one that runs ahead have taken, and the number of the last of them whose target is known; mean loss of late (float64)
A_FILL, A_FRESH, A_CLOCK, A_EVENTS, A_AHEAD, A_KNOWN, A_LOSS = range(7)
# ---- settings (float64) -------------------------------------------------------------------------
(
    LR, BETA_1, BETA_2, EPS, CLIP, PULL, LOSS_A, LOSS_B, ALPHA, X_CLIP, Y_CLIP, POWER, OPT_A, OPT_B,
) = range(14)  # fmt: skip
N_HYPER = 16
# Words that travel when a slab is laid out anew; the others follow from the sizes.
CARRIED_NET_WORDS = (
    LOSS, OPTIMIZER, SCHEDULE, NORMALIZE_X, NORMALIZE_Y, FROZEN, FILL, FRESH, EVENTS, LEARNED, UPDATES, REFUSED, DOUBLING,
)  # fmt: skip
HORIZONS = (
    2,
    8,
)  # steps ahead of a detector's head: below 2 errors sit at the noise floor, beyond 8 they are the stream's own
DEPTH = 9  # of the rings of what was forecast: the longest horizon and the event itself
ECHO_LAGS, ECHO_UNITS = 20, 40  # last values the head sees beside the hidden state; fixed random units, two of each
RECENT = 32  # values of the view "shape"
WATCH_WORDS, LIGHT_WATCH_WORDS = 80, 48  # float64 words of a feature's counters and rings
SEASON_LAGS, OUTLOOK_RING = (
    344,
    768,
)  # lags among which a detector looks for a season, beyond a day of 5 minutes and a week of half-hours; values it is learned from
TARGET_SEASON, TARGET_RING = 344, 768  # the same of a number that is learned
LIGHT_LAGS, LIGHT_RING = 169, 170  # the same of a light one, float32: a week of hours
OUTLOOK_SCRATCH = 384  # float64 words
OUTLOOK_WORDS = (
    280 + 2 * (SEASON_LAGS + 1) + OUTLOOK_RING + SEASON_LAGS
)  # float64 words of what a feature is expected to be
SEASONLESS_WORDS = 136  # of a light one that looks for no season
LIGHT_WORDS = SEASONLESS_WORDS + (LIGHT_RING + 2 * LIGHT_LAGS + 2) // 2
LEAST_SEASONAL = 64  # remembered events below which a light one looks for no season
RULE_WORDS, ALARM_WORDS = 16, 176  # settings and memory of the alarm rule
LIGHT_ALARM_WORDS = 72
GAIN_WORDS = 4  # by how much more than once the views of a feature count, by the user's word
FOUND_WORDS = 24  # what was found for one feature
JUDGED, PAUSED = (
    1,
    2,
)  # words behind PREPARED: whether the event has been judged; whether it is learned without its values
POLICY_WORDS = 8  # what the operator has said of one feature
KIND_MEASURED, KIND_COUNTABLE, KIND_COUNTED = (
    0.0,
    1.0,
    2.0,
)  # kinds of columns: absent is the mean; so far, as all its values may be counts; absent is 0
MOST_OWN, SUMS = (
    64,
    32,
)  # counts with an input of their own; inputs that are sums of all others, by a hash of their places
N_DOUBLINGS = 64  # the learning curve has one mean for each doubling of the number of targets learned
