"""Every exception the library raises on purpose, as one tree.

::

    StreamrnnError
    +-- ParameterError (ValueError)       a model's parameter is wrong                 exit 78
    +-- FeatureError (ValueError)         an event holds a value no number can be made of
    +-- ConfigError                       a configuration file or command is wrong     exit 78
    +-- BadDataError                      too many records are no events               exit 65
    +-- SourceError                       an input cannot be read                      exit 66
    |   +-- RetriableSourceError          ... now, but perhaps later                   exit 75
    |   +-- UnreadableError               ... as events: nothing in it is one         exit 65
    +-- SinkError                         an output cannot be written                  exit 73
    |   +-- FullError                     ... now: there is no room; try again         exit 73
    |   +-- RetriableSinkError            ... now: a commit was lost, or may be        exit 75
    +-- UnavailableError                  a server does not answer                     exit 69
    +-- AccessError                       a server refuses these credentials           exit 77
    +-- StateError                        a snapshot is damaged, foreign or does not fit  exit 76
    |   +-- ModelChangedError             a snapshot is of another [model]             exit 76
    |   +-- GoneError                     the input has deleted what must be read      exit 76
    +-- UsageError                        options of a command contradict each other   exit 64
    +-- MissingExtraError (ImportError)   an optional library is not installed         exit 78

Each class knows the exit code (``sysexits.h``) that the command line answers with.
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "BadDataError",
    "ConfigError",
    "FeatureError",
    "FullError",
    "GoneError",
    "MissingExtraError",
    "ModelChangedError",
    "ParameterError",
    "Retriable",
    "RetriableSinkError",
    "RetriableSourceError",
    "SinkError",
    "SourceError",
    "StateError",
    "StreamrnnError",
    "UnavailableError",
    "UnreadableError",
    "UsageError",
]


class StreamrnnError(Exception):
    """Root of the tree: ``except StreamrnnError`` catches whatever this library raises on purpose.

    Examples
    --------
    >>> from streamrnn.errors import StateError, StreamrnnError
    >>> issubclass(StateError, StreamrnnError), StateError.exit_code
    (True, 76)
    """

    exit_code = 70


class Retriable:
    """Mixin: the same call may succeed later, so a loop may try it again.

    Examples
    --------
    >>> from streamrnn.errors import Retriable, RetriableSourceError
    >>> issubclass(RetriableSourceError, Retriable)
    True
    """


class ParameterError(StreamrnnError, ValueError):
    """A parameter of a model is outside its rule. The message gives name, rule and value.

    Examples
    --------
    >>> from streamrnn.errors import ParameterError
    >>> ParameterError.exit_code
    78
    """

    exit_code = 78


class FeatureError(StreamrnnError, ValueError):
    """An event holds a value that is no number. The message names the feature.

    Examples
    --------
    >>> from streamrnn.errors import FeatureError
    >>> issubclass(FeatureError, ValueError)
    True
    """

    exit_code = 65


class ConfigError(StreamrnnError):
    """A configuration is wrong; ``problems`` holds one line for each mistake found.

    Parameters
    ----------
    problems
        One human-readable line for each mistake.

    Examples
    --------
    >>> from streamrnn.errors import ConfigError
    >>> print(ConfigError(["[source] path: is missing.", "[model] seed: must be an int."]))
    [source] path: is missing.
    [model] seed: must be an int.
    """

    exit_code = 78

    def __init__(self, problems: list[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class BadDataError(StreamrnnError):
    """Too many records could not become events: the run stops rather than learn from what is left.

    Examples
    --------
    >>> from streamrnn.errors import BadDataError
    >>> BadDataError.exit_code
    65
    """

    exit_code = 65


class SourceError(StreamrnnError):
    """An input is missing or cannot be read.

    Examples
    --------
    >>> from streamrnn.errors import SourceError
    >>> SourceError.exit_code
    66
    """

    exit_code = 66


class RetriableSourceError(SourceError, Retriable):
    """An input cannot be read just now.

    Examples
    --------
    >>> from streamrnn.errors import RetriableSourceError
    >>> RetriableSourceError.exit_code
    75
    """

    exit_code = 75


class UnreadableError(SourceError):
    """An input is there, and holds nothing that could become an event. The message says what to set.

    Examples
    --------
    >>> from streamrnn.errors import SourceError, UnreadableError
    >>> issubclass(UnreadableError, SourceError), UnreadableError.exit_code
    (True, 65)
    """

    exit_code = 65


class SinkError(StreamrnnError):
    """An output cannot be written.

    Examples
    --------
    >>> from streamrnn.errors import SinkError
    >>> SinkError.exit_code
    73
    """

    exit_code = 73


class FullError(SinkError):
    """An output cannot be written for lack of room; the very same commit may be tried again.

    Examples
    --------
    >>> from streamrnn.errors import FullError, SinkError
    >>> issubclass(FullError, SinkError), FullError.exit_code
    (True, 73)
    """


class RetriableSinkError(SinkError, Retriable):
    """A commit is lost, or nobody knows: what was written last must be read again before anything else is written.

    Examples
    --------
    >>> from streamrnn.errors import RetriableSinkError
    >>> RetriableSinkError.exit_code
    75
    """

    exit_code = 75


class UnavailableError(StreamrnnError):
    """A server does not answer; the message names it and says why, where that is known.

    Examples
    --------
    >>> from streamrnn.errors import UnavailableError
    >>> UnavailableError.exit_code
    69
    """

    exit_code = 69


class AccessError(StreamrnnError):
    """A server refuses the credentials, or what they ask for; the message says which.

    Examples
    --------
    >>> from streamrnn.errors import AccessError
    >>> AccessError.exit_code
    77
    """

    exit_code = 77


class StateError(StreamrnnError):
    """A snapshot is damaged, foreign, from the future, or does not fit this model.

    Examples
    --------
    >>> from streamrnn.errors import StateError
    >>> StateError.exit_code
    76
    """

    exit_code = 76


class ModelChangedError(StateError):
    """A snapshot was written by another ``[model]``; the message shows the difference.

    Examples
    --------
    >>> from streamrnn.errors import ModelChangedError, StateError
    >>> issubclass(ModelChangedError, StateError)
    True
    """


class GoneError(StateError):
    """The input no longer holds what must be read: what is older than ``first`` was deleted.

    Parameters
    ----------
    message
        One sentence, and what to do.
    first
        The position of the oldest record that there is.

    Examples
    --------
    >>> from streamrnn.errors import GoneError, StateError
    >>> issubclass(GoneError, StateError), GoneError("Offset 7 is gone.", 40).first
    (True, 40)
    """

    def __init__(self, message: str, first: int | str) -> None:
        self.first = first
        super().__init__(message)


class UsageError(StreamrnnError):
    """Options of a command do not go together. The message names them.

    Examples
    --------
    >>> from streamrnn.errors import UsageError
    >>> UsageError.exit_code
    64
    """

    exit_code = 64


class MissingExtraError(StreamrnnError, ImportError):
    """An optional library is not installed; the message is the command that installs it.

    Examples
    --------
    >>> from streamrnn.errors import MissingExtraError
    >>> str(MissingExtraError("pip install 'streamrnn[plot]'"))
    "pip install 'streamrnn[plot]'"
    """

    exit_code = 78
