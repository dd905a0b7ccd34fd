"""The forecaster: its entry, its state, the mixture of experts and its intervals. See README.md here."""
