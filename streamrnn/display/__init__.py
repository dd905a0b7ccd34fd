"""A run for the eyes. See the README beside this file."""
