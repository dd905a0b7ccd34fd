"""A stand-in for the one file that river's checks would download: same columns, same rarity, made here."""

from __future__ import annotations

import numpy as np


class CreditCard:
    """Time, V1 to V28 and Amount; one row in fifty is a fraud, whose components lie elsewhere."""

    def take(self, n):
        rng = np.random.default_rng(2013)
        seconds = 0.0
        for _ in range(n):
            seconds += float(rng.exponential(0.6))
            fraud = bool(rng.random() < 0.02)
            components = rng.normal(-4.0 if fraud else 0.0, 1.0, 28)
            x = {"Time": seconds}
            x |= {f"V{i + 1}": float(v) for i, v in enumerate(components)}
            x["Amount"] = float(rng.lognormal(3.0, 1.5))
            yield x, int(fraud)
