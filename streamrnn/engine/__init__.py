"""The engine: carries events from a source through scorers to a sink. See the README beside this file."""
