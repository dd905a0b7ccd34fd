"""The settings that every estimator gets unless it is told otherwise: one table for all tasks, written here alone.

They were chosen once, for long lags and for ordinary series together; ``docs/learning-rules.md`` says how, and what
their neighbours do. They may depend on the structure of a net, never on a task.
"""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.forecast.experts.table import EXPERTS as TABLE
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS

__all__ = [
    "ALARM_RATE",
    "ALPHA",
    "CELL",
    "CLIP",
    "COOLDOWN",
    "EXPERTS",
    "HIDDEN_SIZE",
    "INIT",
    "LEARNING",
    "LOSS",
    "LR",
    "LR_OF_CLASSES",
    "LR_OF_NUMBERS",
    "MAX_FEATURES",
    "MAX_KEYS",
    "MAX_PENDING",
    "MEMORY",
    "MEMORY_OF_KEY",
    "MEMORY_OF_LIGHT",
    "MEMORY_OF_LIGHT_KEY",
    "N_LAYERS",
    "OPTIMIZER",
    "OPTIMIZER_OF_LABELS",
    "PATIENCE",
    "PROTECT",
    "PULL",
    "SEED",
    "STRIDE",
    "STRIDE_OF_LABELS",
    "STRIDE_OF_TRANSFORMER",
    "WARM_UP",
    "WINDOW",
    "WINDOW_OF_KEY",
    "WINDOW_OF_LABELS",
    "X_CLIP",
    "X_CLIP_RAW",
    "Y_CLIP",
]  # fmt: skip

CELL: Final = "lstm"
HIDDEN_SIZE: Final = 16
EXPERTS: Final = tuple(TABLE)
N_LAYERS: Final = 1
WINDOW: Final = 16  # events of exact gradient; older causes are the traces' business
WINDOW_OF_KEY: Final = 4  # of detectors by key, and in the light form: with 16 the window is most of a key
STRIDE: Final = 4  # of detectors, forecasters, and streams by key, whose updates come from one stream at a time
STRIDE_OF_TRANSFORMER: Final = 8  # of one stream: learns no less than 4, for three quarters of the time
# Nets that answer with a label learn often, over a window so short that it costs little: what lies before it is the traces' business. Without
# momentum, which keeps pushing where the last event has already been corrected, at twice Adam's rate. docs/learning-rules.md has the figures.
WINDOW_OF_LABELS: Final = 4
STRIDE_OF_LABELS: Final = 8  # at most, and no more than half the window: with a window of 4, each second event
OPTIMIZER_OF_LABELS: Final = "rmsprop"
LR_OF_NUMBERS: Final = 0.007  # its rate there; 0.01 learns rows without order worse, 0.005 smooth series later
LR_OF_CLASSES: Final = 0.01  # 0.005 and 0.007 follow changes later
LEARNING: Final = "traces"
INIT: Final = "timescales"
OPTIMIZER: Final = "adam"  # with beta_1 = 0.9, beta_2 = 0.99: 0.999 remembers a spike for a thousand updates
LR: Final = OPTIMIZERS["adam"].defaults["lr"]  # 0.005; twice as much learns smooth series faster and noisy ones worse
LOSS: Final = "huber"  # bounded errors: an outlier of 1e6 teaches no more than one of 3 standard deviations
CLIP: Final = 0.0  # no limit on the gradient's norm: Adam's step is bounded, and a limit costs a second pass over W
PULL: Final = 1e-6  # towards the initial weights, for each learned target; 1e-4 keeps a lag of 1000 from being learned
ALPHA: Final = 1e-3  # statistics forget over 1000 events
X_CLIP: Final = 20.0  # standard deviations; at 5 an input that is rare (1 in 1000) looks like one that is not (1 in 50)
X_CLIP_RAW: Final = 1e6  # inputs that the user scales are taken as they are
Y_CLIP: Final = 5.0  # targets beyond that teach nothing more
ALARM_RATE: Final = 1e-3
COOLDOWN: Final = 0  # the score habituates after an alarm anyway
WARM_UP: Final = 300
PROTECT: Final = 8  # the longest horizon: whatever an alarm was part of
PATIENCE: Final = 100
MEMORY: Final = 6000  # with 3000 events that recur after weeks are new again, with 12000 nothing is after a change
MEMORY_OF_KEY: Final = 1024
MEMORY_OF_LIGHT: Final = 960  # a detector of its own in 64 KiB
MEMORY_OF_LIGHT_KEY: Final = 64  # 8 KiB a key
MAX_FEATURES: Final = 1024
MAX_KEYS: Final = 1000
MAX_PENDING: Final = 1000
SEED: Final = 0
