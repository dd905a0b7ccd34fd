"""Bytes to columns and back, compiled: what connectors and results share. numpy and the compiler of the kernels only."""
