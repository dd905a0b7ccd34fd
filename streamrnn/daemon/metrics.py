"""What Prometheus reads at ``/metrics``: made from the run's health when it asks; only durations are counted as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any

import streamrnn
from streamrnn.daemon.health import Health, quantiles
from streamrnn.errors import MissingExtraError
from streamrnn.safe_text import safe_text

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["MeteredHealth"]

# Name, what it counts, how it is read off a summary: one row, one counter.
COUNTERS = (
    ("events", "Events scored and written.", "events"),
    ("outputs", "Results written: one for each event.", "events"),
    ("alarms", "Events that alarmed.", "alarms"),
    ("dead_letters", "Records that could not become events.", "dead_letters"),
    ("replayed_events", "Events learned again after a restart, without output.", "replayed"),
    ("snapshots", "Snapshots written.", "snapshots"),
    ("restores", "Partitions taken up from a snapshot.", "restores"),
    ("lost_commits", "Commits that were lost, or may have been: read and learned again.", "lost_commits"),
)

# The same for what a shard has counted, by partition.
SHARD_COUNTERS = (
    ("refused_updates", "Updates of weights that were refused: not finite, or absurdly large.", "refused"),
    ("evicted_keys", "Series dropped because there were more than max_keys.", "evicted"),
    (
        "times_passed_over",
        "Records whose times were further than [alarms] max_ahead from the watermark.",
        "times_passed_over",
    ),
    (
        "infinite_values",
        "Values that are infinite: a detector sees them, other models and forecasts take them as missing.",
        "infinite",
    ),
    ("late_records", "Records behind the end of their window, which counts them no more.", "late"),
    ("unapplied_feedback", "Feedback on events that are unknown, or too old.", "unapplied"),
    ("limit_alarms", "Events whose forecast newly reaches a limit.", "limit_alarms"),
)

# The same for what is kept of a partition and told by its quantiles.
QUANTILES = (
    ("score", "Quantiles of the last scores.", "scores"),
    (
        "loss",
        "Quantiles of the nets' last losses: means over the events of a series in a block, standardised.",
        "losses",
    ),
)

# The same for what says whether a model is still good, by partition and by the events that it is taken over.
GOOD = (
    ("skill", "1 - mean absolute error over that of the last value: 0 is no better than persistence.", "skill"),
    ("coverage", "Share of values inside the interval that was given before they came.", "coverage"),
)

STEP_BUCKETS = (1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2)
SLOW_BUCKETS = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)


def _label(partition: str) -> str:
    """Return a partition's name as a label: whole, since two that were cut could be one."""
    return safe_text(partition, isolate=False)


class MeteredHealth(Health):
    """Health that also keeps histograms of durations.

    Parameters
    ----------
    alarm_rate, keep_series, ends_after
        See :class:`~streamrnn.daemon.health.Health`.

    Raises
    ------
    MissingExtraError
        Without prometheus-client.
    """

    def __init__(self, alarm_rate: float = 0.01, *, keep_series: bool = True, ends_after: int = 10) -> None:
        super().__init__(alarm_rate, keep_series=keep_series, ends_after=ends_after)
        try:  # here, not above: a run without a port needs none of it
            from prometheus_client import CollectorRegistry, Histogram  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError("[server] port needs prometheus-client: pip install prometheus-client") from error
        self.began = time.time()  # read once: whoever counts its changes counts starts
        self._registry = CollectorRegistry(auto_describe=False)
        made: dict[str, Any] = {"registry": self._registry, "namespace": "streamrnn"}
        self._step = Histogram(
            "step_seconds", "Time to score and learn one event, mean of a block.", buckets=STEP_BUCKETS, **made
        )
        self._commit = Histogram("commit_seconds", "Time to write a block's results.", buckets=SLOW_BUCKETS, **made)
        self._restore = Histogram("restore_seconds", "Time to take up a snapshot.", buckets=SLOW_BUCKETS, **made)
        self._registry.register(self)  # has collect()

    def stepped(self, seconds: float, events: int) -> None:
        """Note how long the models took for a block.

        Parameters
        ----------
        seconds
            How long that took.
        events
            How many.
        """
        if events:
            self._step.observe(seconds / events)

    def committed(self, seconds: float, snapshots: Mapping[str, Sized]) -> None:
        """Note how long a commit took.

        Parameters
        ----------
        seconds
            How long that took.
        snapshots
            Snapshots that were written, by partition.
        """
        super().committed(seconds, snapshots)
        self._commit.observe(seconds)

    def assigned(self, partition: str, seconds: float, restored: bool) -> None:
        """Note how long a restore took.

        Parameters
        ----------
        partition
            Its name.
        seconds
            How long that took.
        restored
            Whether it came with the state of an earlier run.
        """
        super().assigned(partition, seconds, restored)
        if restored:
            self._restore.observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        from prometheus_client import generate_latest  # noqa: PLC0415

        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        """Return every metric but the histograms: called whenever Prometheus asks."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily  # noqa: PLC0415

        summary = self.summary
        yield InfoMetricFamily("streamrnn_build", "What runs here.", value={"version": streamrnn.__version__})
        for name, text, attribute in COUNTERS:
            yield CounterMetricFamily(f"streamrnn_{name}", text, value=getattr(summary, attribute))
        yield CounterMetricFamily(
            "streamrnn_rebalances", "Partitions that went to another process.", value=self.revoked_partitions
        )
        yield CounterMetricFamily(
            "streamrnn_stuck_partitions",
            "Partitions that stood still though records came.",
            value=self.stuck_partitions(),
        )
        shards = self.runtime.shards() if self.runtime is not None else {}
        for name, text, attribute in SHARD_COUNTERS:
            counter = CounterMetricFamily(f"streamrnn_{name}", text, labels=["partition"])
            for partition, shard in shards.items():
                counter.add_metric([_label(partition)], getattr(shard, attribute))
            yield counter
        for name, text, value in self._single():
            yield GaugeMetricFamily(f"streamrnn_{name}", text, value=value)
        for name, text, values in self._by_partition():
            gauge = GaugeMetricFamily(f"streamrnn_{name}", text, labels=["partition"])
            for partition, one in values.items():
                if one is not None:
                    gauge.add_metric([_label(partition)], one)
            yield gauge
        for name, text, attribute in QUANTILES:
            gauge = GaugeMetricFamily(f"streamrnn_{name}", text, labels=["partition", "quantile"])
            for partition, known in self.known().items():
                for q, value in quantiles(getattr(known, attribute)).items():
                    gauge.add_metric([_label(partition), q], value)
            yield gauge

        good = self.good()
        for name, text, field in GOOD:
            gauge = GaugeMetricFamily(f"streamrnn_{name}", text, labels=["partition", "events"])
            for partition, found in good.items():
                for events, value in found[field].items():
                    if value is not None:
                        gauge.add_metric([_label(partition), events], value)
            yield gauge

    def _single(self) -> Iterator[tuple[str, str, float]]:
        yield "silent_seconds", "Since the loop last came round: grows when it hangs.", self.silent_s()
        yield "trouble", "1 while an output or a snapshot cannot be written.", float(self.trouble is not None)
        yield "start_time_seconds", "When this process began, in seconds since 1970.", self.began
        yield "alarm_rate_wanted", "[alarm] rate.", self.alarm_rate

    def _by_partition(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        now, wall, known = time.monotonic(), time.time(), self.known()
        shards = self.runtime.shards() if self.runtime is not None else {}
        yield "keys", "Series held.", {name: len(shard) for name, shard in shards.items()}
        yield "silent_keys", "Series that no longer report.", {name: shard.silent for name, shard in shards.items()}
        yield (
            "stale_keys",
            "Series without an event in the last ten rounds of as many events as there are series.",
            self.stale(),
        )
        yield (
            "coldest_key_events", "Events of the partition since the last one of the series unseen for longest.",
            {name: found[0][1] for name, found in self.coldest_of(1).items() if found},
        )  # fmt: skip
        yield "keys_room", "Series that there is room for.", {name: shard.room for name, shard in shards.items()}
        yield "lag_records", "Records of the input that were not read yet, where the source knows.", self.lag()
        yield (
            "snapshot_headroom_records", "Records that the input holds before the newest snapshot: below 0 a restart cannot go on.",
            self.headroom(),
        )  # fmt: skip
        yield (
            "event_lag_seconds", "Age of the last event by its own time.",
            {name: None if one.event_time is None else max(0.0, wall - one.event_time) for name, one in known.items()},
        )  # fmt: skip
        yield "state_bytes", "Size of the last snapshot.", {name: one.snapshot_bytes for name, one in known.items()}
        yield (
            "snapshot_age_seconds", "Since the last snapshot.",
            {name: None if one.snapshot_at is None else now - one.snapshot_at for name, one in known.items()},
        )  # fmt: skip
        yield (
            "input_drift", "How far the input's mean over ten thousand events has moved from that over a million, in standard deviations.",
            {name: found["drift"] for name, found in self.good().items()},
        )  # fmt: skip
        yield (
            "alarm_share", "Share of the last events that alarmed: to compare with alarm_rate_wanted.",
            {name: one.alarm_share for name, one in known.items()},
        )  # fmt: skip
