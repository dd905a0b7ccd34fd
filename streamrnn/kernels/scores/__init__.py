"""From a prediction to a score, and from scores to alarms, for models without a rule of their own. See README.md here."""
