"""``python -m streamrnn`` is ``streamrnn``. A run takes signals from its first line on; what it imports takes a while."""

import sys

from streamrnn.daemon import signals

RUNS = sys.argv[1:2] == ["run"]
if RUNS:
    signals.begin()

from streamrnn import cli  # noqa: E402  (signals first)


def main() -> None:
    """Run the command line as a process of its own."""
    cli.main(at_end=signals.end if RUNS else None)


if __name__ == "__main__":
    main()
