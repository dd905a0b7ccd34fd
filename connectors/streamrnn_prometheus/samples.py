"""Results to samples: a series for each number of a result, with the labels of its key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from streamrnn.io import Block
from streamrnn_prometheus.options import millis

__all__ = ["AS_SERIES", "Batch", "labels_of", "samples_of"]

AS_SERIES = "score", "alarm", "prediction", "residual", "low", "high", "severity", "p_value", "threshold"
"""Of a result, what is written where the result has it."""

Batch = list[tuple[dict[str, str], list[tuple[int, float]]]]
"""Of each series its labels and its samples: milliseconds and value, in order of time."""

_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_KEY = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)?\{{((?:{_LABEL.pattern}(?:,|(?=\}})))*)\}}")
_ESCAPED = re.compile(r"\\(.)")


def labels_of(key: str) -> dict[str, str]:
    r"""Return the labels of a key that is labels as PromQL writes them, the name of the metric as ``metric``; of another, ``key`` alone.

    Parameters
    ----------
    key
        Of an event.

    Examples
    --------
    >>> from streamrnn_prometheus.samples import labels_of
    >>> labels_of('up{host="x",job="a\\"b"}'), labels_of("pump 7")
    ({'host': 'x', 'job': 'a"b', 'metric': 'up'}, {'key': 'pump 7'})
    """
    found = _KEY.fullmatch(key)
    if found is None:
        return {"key": key}
    labels = {
        name: _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], text)
        for name, text in _LABEL.findall(found[2])
    }
    return labels | ({} if found[1] is None else _apart(labels, "metric", found[1]))


def _apart(labels: Mapping[str, str], name: str, text: str) -> dict[str, str]:
    """Return a label of ours beside others; one of the same name is kept as Prometheus keeps those of targets."""
    return {name: text} | ({f"exported_{name}": labels[name]} if name in labels else {})


def _numbers(line: Mapping[str, Any], feature: str | None) -> Iterator[tuple[str, str | None, float]]:
    """Yield field, feature and value of each number of a result."""
    for field in AS_SERIES:
        value = line.get(field)
        for name, one in value.items() if isinstance(value, dict) else [(feature, value)]:
            if isinstance(one, int | float) or one in ("Infinity", "-Infinity"):
                yield field, name, float(one)


def _when(time: str | float | None) -> int | None:
    try:
        return None if time is None else millis(time)
    except (ValueError, OverflowError):
        return None


def samples_of(outputs: Sequence[bytes], blocks: Sequence[Block], more: Mapping[str, str]) -> tuple[Batch, int]:
    """Return the numbers of results as samples, and how many results have no time that a sample could have.

    Parameters
    ----------
    outputs
        Results as lines of JSON.
    blocks
        Their events, in the same order.
    more
        Labels that all series get.
    """
    found: dict[tuple[str | None, str, str, str | None], dict[int, float]] = {}
    events = ((block, i) for block in blocks for i in range(len(block)))
    untimed = 0
    for line, (block, i) in zip(outputs, events, strict=True):
        when = _when(None if block.times is None else block.times[i])
        if when is None:
            untimed += 1
            continue
        feature = block.names[0] if len(block.names) == 1 else None
        key = None if block.keys is None else block.keys[i]
        for field, name, value in _numbers(msgspec.json.decode(line), feature):
            found.setdefault((key, block.partition, field, name), {})[when] = value
    batch: Batch = []
    for (key, partition, field, name), samples in found.items():
        labels = {} if key is None else labels_of(key)
        for ours, text in (("feature", name), ("partition", None if partition == "0" else partition)):
            labels |= {} if text is None else _apart(labels, ours, text)
        named = {one: text for one, text in {**labels, **more}.items() if text}  # an empty label is none
        batch.append((named | {"__name__": f"streamrnn_result_{field}"}, sorted(samples.items())))
    return batch, untimed
