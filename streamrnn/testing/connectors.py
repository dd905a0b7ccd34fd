"""What every pair of source and sink must do: the checks that the library's own connectors are held to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from streamrnn.testing.connector_rig import ConnectorRig
from streamrnn.testing.connector_sinks import ACCIDENTS, SINK_CHECKS
from streamrnn.testing.connector_sources import SOURCE_CHECKS

__all__ = ["CONNECTOR_CHECKS", "connector_checks"]

CONNECTOR_CHECKS = (*SOURCE_CHECKS, *SINK_CHECKS, *ACCIDENTS)
"""Names of all checks."""


def connector_checks(
    make: Callable[[], ConnectorRig], *, accidents: int | None = None
) -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of a pair of source and sink, by name.

    Parameters
    ----------
    make
        Returns a new rig: an empty input and an empty output.
    accidents
        At how many places of the code of a commit a process is killed, and a commit fails, evenly spread; None: at each line
        of the sink's own packages. At least two. Processes are forked: on POSIX systems only.

    Examples
    --------
    >>> from streamrnn.testing.connectors import connector_checks
    >>> [name for name, _ in connector_checks(lambda: None)][-2:]
    ['sink: crash inside a commit', 'sink: failure inside a commit']
    """

    def run(check: Callable[[ConnectorRig], None]) -> None:
        check(make())

    checks = SOURCE_CHECKS | SINK_CHECKS | {name: partial(check, most=accidents) for name, check in ACCIDENTS.items()}
    return [(name, partial(run, check)) for name, check in checks.items()]
