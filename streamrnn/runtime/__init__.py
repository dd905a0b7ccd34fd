"""The runtime: carries events from a source through models to a sink. See the README beside this file."""
