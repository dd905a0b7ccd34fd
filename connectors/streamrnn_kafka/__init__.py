"""Kafka topics as streams: the place of the connector, which is not written yet."""

__all__: list[str] = []
