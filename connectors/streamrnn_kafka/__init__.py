"""Kafka as source and sink: results, dead letters, model state and input offsets in one transaction."""

from streamrnn_kafka.sink import KafkaSink
from streamrnn_kafka.source import KafkaSource

__all__ = ["KafkaSink", "KafkaSource"]
