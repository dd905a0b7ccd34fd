"""What this core can do at most: fused multiply-adds, and bytes from each cache.

``python benchmarks/roofline.py`` prints a table; ``measure()`` gives the figures to other benchmarks, in their own process, so
that every speed is a share of what the same core did in the same minute.

All loops are compiled by the same compiler as the nets, with the same options. Best of many repeats: a core that is shared is
slower at times, never faster.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from streamrnn.kernels.numba_pipeline import EntryCompiler, InnerCompiler

# the nets' own way to machine code, with the widest vectors that there are
FAST = {
    "fastmath": {"reassoc", "contract", "nsz"},
    "error_model": "numpy",
    "nogil": True,
    "_nrt": False,
    "pipeline_class": EntryCompiler,
}
KIB = 1024


@dataclass(frozen=True, slots=True)
class Core:
    """Measured limits of one core.

    Parameters
    ----------
    gflops
        float32 multiply-adds, two operations each, in 1e9 a second.
    load
        Bytes a nanosecond that can be read and used: from L1, L2 and L3.
    renew
        Bytes a nanosecond that can be read, changed and written back, counted once: in L1, L2 and L3.
    sizes
        Bytes of the caches, as the system states them.
    model
        What the processor calls itself.
    """

    gflops: float
    load: tuple[float, float, float]
    renew: tuple[float, float, float]
    sizes: tuple[int, int, int]
    model: str

    def level(self, nbytes: int) -> int:
        """Return 0, 1 or 2: the smallest cache that holds so many bytes."""
        return next((level for level in (0, 1) if nbytes <= self.sizes[level]), 2)

    def best(self, other: Core) -> Core:
        """Return the better of each figure: both are of the same core, which neighbours slow down at times."""
        return replace(
            self, gflops=max(self.gflops, other.gflops),
            load=tuple(map(max, self.load, other.load)), renew=tuple(map(max, self.renew, other.renew)),
        )  # fmt: skip


CHAINS = {**FAST, "fastmath": {"contract"}}  # reassociation would fold the chains into one


@numba.njit(**{**CHAINS, "pipeline_class": InnerCompiler})
def one_each(values, a, b):
    """Apply a multiply-add to each of eight values."""
    p, q, r, s, t, u, v, w = values
    return p * a + b, q * a + b, r * a + b, s * a + b, t * a + b, u * a + b, v * a + b, w * a + b


@numba.njit(**{**CHAINS, "pipeline_class": InnerCompiler})
def four_each(values, a, b):
    """Apply four, without a loop: of one with more than four turns no vectors would be made."""
    return one_each(one_each(one_each(one_each(values, a, b), a, b), a, b), a, b)


@numba.njit(**CHAINS)
def multiply_add(x, a, b, repeats):
    """Apply 8 chains of 16 multiply-adds to each element: the chains fill the units while each waits for itself."""
    for _ in range(repeats):
        for i in range(x.size):
            p = x[i]
            values = p, p + a, p + b, p - a, p - b, p * a, p * b, a - p
            values = four_each(four_each(four_each(four_each(values, a, b), a, b), a, b), a, b)
            p, q, r, s, t, u, v, w = values
            x[i] = p + q + r + s + t + u + v + w


@numba.njit(**FAST)
def load(x, repeats):
    """Read an array once as eight streams, two loads for a multiply-add: four sums, since one would wait for itself."""
    n = x.size // 8
    total = np.float32(0.0)
    for _ in range(repeats):
        p, q, r, s = x[:n], x[n : 2 * n], x[2 * n : 3 * n], x[3 * n : 4 * n]
        t, u, v, w = x[4 * n : 5 * n], x[5 * n : 6 * n], x[6 * n : 7 * n], x[7 * n :]
        one, two, three, four = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for i in range(n):
            one += p[i] * q[i]
            two += r[i] * s[i]
            three += t[i] * u[i]
            four += v[i] * w[i]
        total = max(total, (one + two) + (three + four))
        x[0] += np.float32(1.0)  # the next pass may not be left out
    return total


@numba.njit(**FAST)
def load_far(x, repeats):
    """Do the same as four streams with two sums: enough beyond L1, and fewer streams are fetched ahead better."""
    n = x.size // 4
    total = np.float32(0.0)
    for _ in range(repeats):
        p, q, r, s = x[:n], x[n : 2 * n], x[2 * n : 3 * n], x[3 * n :]
        one, two = np.float32(0.0), np.float32(0.0)
        for i in range(n):
            one += p[i] * q[i]
            two += r[i] * s[i]
        total = max(total, one + two)
        x[0] += np.float32(1.0)
    return total


@numba.njit(**FAST)
def renew(x, a, repeats):
    """Read every element, change it, write it back."""
    for _ in range(repeats):
        for i in range(x.size):
            x[i] *= a


def aligned(n: int) -> NDArray[np.float32]:
    """Return n ones, 64-byte aligned."""
    raw = np.ones(n + 16, np.float32)
    start = -raw.ctypes.data % 64 // 4
    return raw[start : start + n]


def best(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of so many runs, in nanoseconds."""
    function()
    shortest = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        function()
        shortest = min(shortest, time.perf_counter_ns() - begin)
    return shortest


def caches() -> tuple[int, int, int]:
    """Return the bytes of L1d, L2 and L3 from sysfs, or common ones where it is silent."""
    found = {}
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (folder / "type").read_text().strip() != "Instruction":
            size = (folder / "size").read_text().strip()
            found[int((folder / "level").read_text())] = int(size[:-1]) * {"K": KIB, "M": KIB * KIB}[size[-1]]
    return found.get(1, 32 * KIB), found.get(2, 512 * KIB), found.get(3, 32 * KIB * KIB)


def model() -> str:
    """Return the processor's name, family and model, as the kernel states them."""
    lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
    facts = {key.strip(): value.strip() for key, value in reversed(lines)}
    return f"{facts.get('model name', '?')}, family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"


def measure(repeats: int = 40) -> Core:
    """Measure this core, in about two seconds."""
    x = aligned(256)
    a, b = np.float32(0.5), np.float32(0.25)
    ns = best(lambda: multiply_add(x, a, b, 20), repeats)
    gflops = 20 * x.size * 8 * 16 * 2 / ns
    sizes = caches()
    # half of L1 (the rest is the system's and the loop's own), the faster of an eighth and a half of L2, eight times L2 for L3
    spans = (sizes[0] // 2,), (sizes[1] // 8, sizes[1] // 2), (min(8 * sizes[1], sizes[2] // 2),)
    loads, renewals = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for level, span in [(at, span) for at in range(3) for span in spans[at]]:
        array, rounds = aligned(span // 4), max(1, 2_000_000 // span)
        ns = min(best(functools.partial(way, array, rounds), repeats) for way in (load, load_far))
        loads[level] = max(loads[level], rounds * span / ns)
        ns = best(functools.partial(renew, array, np.float32(1.0), rounds), repeats)
        renewals[level] = max(renewals[level], rounds * span / ns)
    return Core(gflops, tuple(loads), tuple(renewals), sizes, model())  # type: ignore[arg-type]


def rows(core: Core) -> list[tuple[str, str]]:
    """Return the figures as rows of a table."""
    names = ("L1", "L2", "L3")
    return [
        ("float32 multiply-add", f"{core.gflops:.0f} GFLOP/s"),
        *(
            (f"load, {n} ({s // KIB} KiB)", f"{v:.0f} GB/s")
            for n, s, v in zip(names, core.sizes, core.load, strict=True)
        ),
        *((f"read, change, write, {n}", f"{v:.0f} GB/s") for n, v in zip(names, core.renew, strict=True)),
    ]


if __name__ == "__main__":
    core = measure()
    table = Table("limit", "this core", title=core.model)
    for row in rows(core):
        table.add_row(*row)
    Console().print(table)
