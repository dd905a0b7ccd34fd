"""Losses on the net's outputs, each a row that holds its functions. See README.md here."""
