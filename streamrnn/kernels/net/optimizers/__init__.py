"""Optimisers, each a row that holds its functions. See README.md here."""
