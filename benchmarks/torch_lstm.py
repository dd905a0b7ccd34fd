"""The same LSTM, learned at the same cadence, in PyTorch: what a general framework costs for one stream.

``python benchmarks/torch_lstm.py --torch PATH_OF_A_PYTHON_WITH_TORCH`` times both, turn by turn, and renews its part of
``benchmarks/results/kernels.md``. PyTorch is no dependency: it runs in a process of its own, from an environment of its own.

Both: 8 inputs, one output, squared error, carried state, an update by Adam (PyTorch's fused one) after every 16 events with
error flowing back over these 16, float32, one thread. PyTorch is timed in three ways:

- ``LSTMCell``: one call an event, as an online learner must call it if the output is wanted before the target;
- ``LSTM, step by step``: the same with ``nn.LSTM`` on sequences of length one;
- ``LSTM, window at once``: 16 events in one call, which is fastest and answers only when the window is full.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

INPUTS, WINDOW, SIZES = 8, 16, (16, 32, 64, 128)
WAYS = ("LSTMCell", "LSTM, step by step", "LSTM, window at once")


def torch_window(way: str, hidden: int) -> Callable[[], None]:
    """Return a call that takes PyTorch's net through one window."""
    import torch  # noqa: PLC0415  only in the process that has it
    from torch import nn  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net: Any = nn.LSTMCell(INPUTS, hidden) if way == "LSTMCell" else nn.LSTM(INPUTS, hidden)
    head = nn.Linear(hidden, 1)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=1e-4, fused=True)
    X, Y = torch.randn(WINDOW, 1, INPUTS), torch.randn(WINDOW, 1)
    shape = (1, hidden) if way == "LSTMCell" else (1, 1, hidden)
    state = [torch.zeros(shape), torch.zeros(shape)]

    def window() -> None:
        h, c = (part.detach() for part in state)
        if way == "LSTM, window at once":
            out, (h, c) = net(X, (h, c))
            loss = ((head(out)[:, :, 0] - Y) ** 2).mean()
        else:
            errors = []
            for t in range(WINDOW):
                if way == "LSTMCell":
                    h, c = net(X[t], (h, c))
                    out = head(h)
                else:
                    top, (h, c) = net(X[t : t + 1], (h, c))
                    out = head(top)[0]
                errors.append((out[0, 0] - Y[t, 0]) ** 2)
            loss = torch.stack(errors).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        state[:] = [h, c]

    return window


def worker() -> None:
    """Time what each line asks for (way|hidden|seconds) and answer with the best nanoseconds an event."""
    made: dict[tuple[str, int], Callable[[], None]] = {}
    for line in sys.stdin:
        way, hidden, seconds = line.strip().split("|")
        if (way, int(hidden)) not in made:
            made[way, int(hidden)] = torch_window(way, int(hidden))
        call = made[way, int(hidden)]
        best, end = float("inf"), time.perf_counter() + float(seconds)
        while time.perf_counter() < end:
            begin = time.perf_counter_ns()
            call()
            best = min(best, time.perf_counter_ns() - begin)
        print(best / WINDOW, flush=True)


def main() -> None:
    """Time both sides in turn, print, write."""
    import kernels  # noqa: PLC0415  the other process has no streamrnn

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--torch", required=True, help="a Python that has torch")
    options.add_argument("--turns", type=int, default=12, help="turns of 0.2 s for each side")
    chosen = options.parse_args()
    other = subprocess.Popen(
        [chosen.torch, __file__, "--worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert other.stdin  # noqa: S101  both are pipes
    assert other.stdout  # noqa: S101
    best = {(side, H): float("inf") for side in ("streamrnn", *WAYS) for H in SIZES}
    for H in SIZES:
        call, events = kernels.step("lstm", H)
        call()
        for _ in range(chosen.turns):
            end = time.perf_counter() + 0.2
            while time.perf_counter() < end:
                begin = time.perf_counter_ns()
                call()
                best["streamrnn", H] = min(best["streamrnn", H], (time.perf_counter_ns() - begin) / events)
            for way in WAYS:
                other.stdin.write(f"{way}|{H}|0.2\n")
                best[way, H] = min(best[way, H], float(other.stdout.readline()))
    other.stdin.close()
    version = subprocess.run(
        [chosen.torch, "-c", "import torch; print(torch.__version__)"], check=True, capture_output=True, text=True
    ).stdout.strip()
    report = kernels.Report()
    rows = [["streamrnn", *(f"{best['streamrnn', H] / 1000:.2f}" for H in SIZES)]]
    rows += [
        [way, *(f"{best[way, H] / 1000:.1f} ({best[way, H] / best['streamrnn', H]:.0f} x)" for H in SIZES)]
        for way in WAYS
    ]
    report.table(
        f"Plain tbptt against PyTorch {version}, one stream, one thread (µs an event)", ["", *(f"H = {H}" for H in SIZES)], rows,
        "Train step, 8 inputs, window = stride = 16, carried state, fused Adam. In brackets: times as long as streamrnn.",
    )  # fmt: skip
    kernels.write("torch_lstm.py", "python benchmarks/torch_lstm.py --torch PYTHON", report.lines)


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["--worker"] else main()
