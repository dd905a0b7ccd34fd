"""The anomaly detector: its entry, the comparison with what it remembers, the alarm rule. See README.md here."""
