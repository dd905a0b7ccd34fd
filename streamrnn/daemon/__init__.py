"""A run that nobody watches. See the README beside this file."""
