"""What a configuration file may say: every option declared once, with type, default, range and text.

A configuration is one file of eleven tables, in TOML (YAML and JSON, by the name's end, say the same)::

    [source]       kind = "files", and the options of that connector; every, ... (Records)
    [model]        kind = "RNNAnomalyDetector", and the parameters of that class
    [alarm]        when a score becomes an alarm      (Alarm)
    [output]       what a result holds                (Output)
    [forecast]     how far ahead is forecast          (Forecast)
    [sink]         kind = "files", and the options of that connector
    [dead_letter]  where records go that are no events (DeadLetters)
    [alarms]       an output for alarms alone         (Alarms)
    [state]        how the run survives a restart     (State)
    [server]       health, metrics and a page         (Server)
    [log]          lines on standard error            (Log)

The options of a connector are the fields of its ``Options`` struct, declared in the connector and
checked here by the same code as the tables of this module. All mistakes of a file are reported at
once, each with file and line, the option, the rule, the value and, for an unknown name, the nearest known one.
Relative paths are relative to the configuration file. In texts, ``${NAME}``, ``${NAME:-default}`` and
``${file:/path}`` stand for a variable of the environment or the content of a file; see
:mod:`streamrnn.config_secrets`.
"""

from __future__ import annotations

from streamrnn.config.alarm_options import LONGEST_WINDOW as LONGEST_WINDOW
from streamrnn.config.alarm_options import POLICY as POLICY
from streamrnn.config.alarm_options import Alarm
from streamrnn.config.loading import load
from streamrnn.config.options import (
    Alarms,
    Config,
    DeadLetters,
    Forecast,
    Log,
    Named,
    Output,
    Server,
    State,
)
from streamrnn.config.parsing import parse
from streamrnn.config.records import Records
from streamrnn.config.rules import describe_type, nearest, parameter_names
from streamrnn.config.tables import check_table, checked_table

__all__ = [
    "Alarm",
    "Alarms",
    "Config",
    "DeadLetters",
    "Forecast",
    "Log",
    "Named",
    "Output",
    "Records",
    "Server",
    "State",
    "check_table",
    "checked_table",
    "describe_type",
    "load",
    "nearest",
    "parameter_names",
    "parse",
]
