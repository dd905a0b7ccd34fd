"""Prometheus as a stream: the answers to queries in, step by step, each series a key; scores out, by remote write."""

from streamrnn_prometheus.sink import PrometheusSink
from streamrnn_prometheus.source import PrometheusSource

__all__ = ["PrometheusSink", "PrometheusSource"]
