"""The experts of the mixture: each one way to forecast all steps ahead. See README.md here."""
