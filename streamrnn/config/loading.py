"""A configuration out of its file."""

from __future__ import annotations

from pathlib import Path

from streamrnn.config.options import Config
from streamrnn.config.parsing import CheckModel, label_of, parse
from streamrnn.config_file import read
from streamrnn.config_secrets import fill
from streamrnn.errors import ConfigError

__all__ = ["load"]


def load(path: str | Path, check_model: CheckModel | None = None) -> Config:
    """Read and check a configuration file.

    Parameters
    ----------
    path
        A file in TOML, YAML or JSON.
    check_model
        See :func:`parse`.

    Raises
    ------
    SourceError
        When the file is missing or cannot be read.
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import load
    >>> load("no-such.toml")
    Traceback (most recent call last):
    ...
    streamrnn.errors.SourceError: The configuration file 'no-such.toml' cannot be read: No such file or directory.
    """
    file = read(path)
    base = Path(path).absolute().parent
    data, unfilled = fill(file.data, base)
    problems = [f"{label_of(where)}: {why}." for where, why in unfilled]
    config = None
    try:
        config = parse(data, base, check_model)
    except ConfigError as error:  # an option whose reference is wrong is reported once
        known = tuple(f"{label_of(where)}:" for where, _ in unfilled)
        problems += [problem for problem in error.problems if not problem.startswith(known)]
    if config is None or problems:
        raise ConfigError([file.locate(problem) for problem in sorted(problems, key=file.line_of)])
    return config
