"""Prometheus as a stream: the answers to queries in, step by step, each series a key."""

from streamrnn_prometheus.source import PrometheusSource

__all__ = ["PrometheusSource"]
