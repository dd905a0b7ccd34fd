"""References in a configuration, ``${NAME}``, ``${NAME:-default}`` and ``${file:/path}``, and what must not be shown.

References are filled in after the file has been parsed, in texts only: what a variable holds can never change the shape
of a configuration. Messages show the reference, not what it stood for. What came out of a file, and the values of
options that are called a password, are remembered here; :func:`redact` takes them out of whatever leaves the process for
people: log, status, page, systemd, messages. It comes before any encoding; but a message may hold an encoded secret already
(a path in quotes, what a library says), so each is found in all its usual spellings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a fifth of the time of --help, which needs no file
    from pathlib import Path

__all__ = ["Filled", "fill", "is_secret", "plain", "redact", "redact_all", "remember", "shown"]

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret is not searched for: it would blacken half of every line and hide nothing."""

LONG = 1024  # a longer one, a certificate, is searched for as it is and as Python and JSON write it: a pattern would take seconds

MOST_BYTES = 65_536  # of a secret's file: certificates fit; a log given by mistake does not

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SECRET = re.compile(r"passw|secret|token|credential|passphrase|api_?key|private", re.IGNORECASE)
_known: dict[str, str] = {}
"""The pattern of each secret."""

_every: re.Pattern[str] | None = None

_NAMED = {"\n": "n", "\t": "t", "\r": "r", "\f": "f", "\v": "v", "\b": "b", "\a": "a"}
_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ESCAPE, _ESCAPES = (
    r"\\{1,8}",
    r"\\{0,8}",
)  # quoted three times over; bounded, or a text of nothing else would take for ever
_RUNS = re.compile(r"\s+|\\+|/(?:\.?/)*|.", re.DOTALL)


class Filled(str):
    """A text whose references were filled in; ``template`` is what the file says."""

    __slots__ = ("template",)
    template: str


def is_secret(name: str) -> bool:
    """Whether an option or a variable of this name holds something that must not be shown.

    Parameters
    ----------
    name
        Of an option or variable.

    Examples
    --------
    >>> from streamrnn.config_secrets import is_secret
    >>> is_secret("sasl_password"), is_secret("path")
    (True, False)
    """
    return _SECRET.search(name) is not None


def _spelled(character: str) -> str:
    """Return a pattern of a character as it is, and as Python, JSON, URLs and HTML write it."""
    if character.isascii() and character.isalnum():
        return character
    code, utf8 = ord(character), character.encode(errors="surrogatepass")
    units = memoryview(character.encode("utf-16-be", errors="surrogatepass")).cast("B").hex(" ", 2).split()
    ways = [
        "".join(rf"{_ESCAPE}u{unit}" for unit in units),
        rf"{_ESCAPE}U{code:08x}",
        rf"{_ESCAPE}x{code:02x}",
        "".join(rf"{_ESCAPE}x{byte:02x}" for byte in utf8),
        "".join(f"%{byte:02x}" for byte in utf8),
        f"&#0*{code};",
        f"&#x0*{code:x};",
    ]
    if character in _NAMED:
        ways.append(rf"{_ESCAPE}{_NAMED[character]}")
    if character in _HTML:
        ways.append(f"&{_HTML[character]};")
    return rf"(?:{_ESCAPES}{re.escape(character)}|(?i:{'|'.join(ways)}))"


def _pattern(secret: str) -> str:
    """Return what finds a secret in any spelling: runs of blanks, of backslashes, and the slashes of a path, may have other lengths."""
    if len(secret) > LONG:
        import json  # noqa: PLC0415

        spelled = {
            secret,
            repr(secret)[1:-1],
            *(json.dumps(secret, ensure_ascii=escaped)[1:-1] for escaped in (True, False)),
        }
        return "|".join(map(re.escape, sorted(spelled)))
    parts = []
    for run in _RUNS.findall(secret):
        if run.isspace():
            parts.append(rf"(?:\s|\+|{'|'.join(_spelled(one) for one in sorted(set(run)))}){{1,64}}")
        elif run[0] == "\\":
            parts.append(r"(?:\\|%5[Cc]){1,64}")
        elif run[0] == "/":
            parts.append(rf"(?:{_spelled('/')}(?:\.(?=/))?){{1,64}}")
        else:
            parts.append(_spelled(run))
    return "".join(parts)


def remember(secret: str) -> None:
    """Have :func:`redact` hide ``secret`` from now on.

    Parameters
    ----------
    secret
        The text; an empty one is passed over.
    """
    global _every  # noqa: PLW0603  (what is known changes here alone)
    core = secret.strip().rstrip("/")  # blanks and slashes at an end are what a message or a path may leave out
    searched = core if len(core) >= SHORTEST else secret
    if len(searched) < SHORTEST or searched in _known:
        return
    _known[searched] = _pattern(searched)
    longest_first = sorted(_known, key=len, reverse=True)  # one may be part of another
    _every = re.compile("|".join(_known[one] for one in longest_first))


def redact(text: str) -> str:
    r"""Return ``text`` with every known secret replaced, however it is spelled.

    Parameters
    ----------
    text
        What is about to be shown.

    Examples
    --------
    >>> from streamrnn.config_secrets import redact, remember
    >>> remember("tr0ub4dor \t&3")
    >>> redact("cannot log in with tr0ub4dor \t&3")
    'cannot log in with ***'
    >>> redact(repr("tr0ub4dor \t&3"))
    "'***'"
    """
    return text if _every is None else _every.sub(HIDDEN, text)


def redact_all(value: Any) -> Any:
    """Return lists, tuples and tables with every known secret replaced in all their texts, names included.

    Parameters
    ----------
    value
        What is about to be shown.

    Examples
    --------
    >>> from streamrnn.config_secrets import redact_all, remember
    >>> remember("tr0ub4dor")
    >>> redact_all({"trouble": ["tr0ub4dor/out.jsonl", 3]})
    {'trouble': ['***/out.jsonl', 3]}
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact_all(name): redact_all(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(one) for one in value]
    return value


def plain(value: object) -> Any:
    """Return ``value`` with each filled-in text as an ordinary one.

    Parameters
    ----------
    value
        A parsed configuration, or a part of one.
    """
    if isinstance(value, Filled):
        return str.__str__(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return value


def shown(name: str, value: object) -> object:
    """Return what a message may show of the option ``name``: references as written, no secrets.

    Parameters
    ----------
    name
        Of the option.
    value
        Its value.
    """
    if isinstance(value, Filled):
        return value.template
    if is_secret(name) and isinstance(value, str):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [shown(name, one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): shown(str(key), one) for key, one in value.items()}
    return value


def _from_file(path: str, base: Path) -> str:
    place = base / path
    try:
        with place.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"the file of '${{file:{path}}}' cannot be read: {why}. Create it, or mount it") from None
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"the file of '${{file:{path}}}' is larger than {MOST_BYTES} bytes. Name a file with one secret"
        )
    try:
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"the file of '${{file:{path}}}' is not UTF-8 text. Name a file with one secret") from None
    remember(text)
    return text


def _from_environment(name: str, default: str | None, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if not value and default is not None:
        return default
    if name not in environment:
        raise ValueError(f"the environment variable {name!r} is not set. Set it, or write '${{{name}:-default}}'")
    if is_secret(name):
        remember(value)
    return value


def _fill_text(text: str, base: Path, environment: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        inside = found[1]
        if found[2] and inside.startswith("file:") and len(inside) > 5:
            return _from_file(inside.removeprefix("file:"), base)
        name = _NAME.fullmatch(inside)
        if not found[2] or name is None:
            raise ValueError(
                f"{found[0]!r} is no reference. Write '${{NAME}}', '${{NAME:-default}}' or '${{file:/path}}', and '$${{' "
                "for the characters themselves"
            )
        return _from_environment(name[1], name[2], environment)

    filled = Filled(_REFERENCE.sub(one, text))
    filled.template = text
    return filled


def fill(
    value: object, base: Path, where: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
) -> tuple[Any, list[tuple[tuple[str, ...], str]]]:
    """Fill in the references of a parsed configuration.

    Parameters
    ----------
    value
        Tables, lists and scalars. Not changed.
    base
        Directory that the files of secrets are relative to.
    where
        Names of the tables around ``value``.
    environment
        Variables by name; those of the process by default.

    Returns
    -------
    tuple
        The same with references filled in, as :class:`Filled`; and for each reference that could not be, its place and
        why. There the text stays as it is.

    Examples
    --------
    >>> from pathlib import Path
    >>> from streamrnn.config_secrets import fill
    >>> fill({"path": "${DIR:-/tmp}/a.csv", "n": 3}, Path(), environment={})
    ({'path': '/tmp/a.csv', 'n': 3}, [])
    """
    environment = os.environ if environment is None else environment
    if isinstance(value, Mapping):
        problems: list[tuple[tuple[str, ...], str]] = []
        table: dict[str, Any] = {}
        for name, one in value.items():
            table[name], found = fill(one, base, (*where, str(name)), environment)
            problems += found
            if isinstance(one, str) and is_secret(str(name)):
                remember(str(table[name]))
        return table, problems
    if isinstance(value, list):
        filled = [fill(one, base, (*where, str(i)), environment) for i, one in enumerate(value)]
        return [one for one, _ in filled], [problem for _, found in filled for problem in found]
    if isinstance(value, str) and "${" in value:
        try:
            return _fill_text(value, base, environment), []
        except ValueError as error:
            return value, [(where, str(error))]
    return value, []
