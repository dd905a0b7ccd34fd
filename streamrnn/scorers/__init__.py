"""What turns values into scores, alarms and predictions. See the README beside this file."""
