"""Nets in the cache before a process of its own needs them."""

from __future__ import annotations

import functools

from streamrnn import RNNAnomalyDetector


@functools.cache
def compile_detector(hidden_size: int) -> None:
    """Compile a detector into the cache: a process that had to, beside others, may take longer than a test waits."""
    RNNAnomalyDetector(hidden_size=hidden_size).learn_one({"flow": 1.0})
