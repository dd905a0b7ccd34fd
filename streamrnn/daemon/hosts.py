"""Which names a status server answers to: a page of somebody else's must not read it under a name of its own (DNS rebinding)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from streamrnn.safe_text import safe_name

__all__ = ["Hosts"]


def _host_of(named: str) -> str | None:
    """Return the host of a ``Host`` header or an address, in small letters; None where it is none."""
    try:
        parts = urlsplit(f"//{named}")
        _ = parts.port  # raises where that is no number
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return (parts.hostname or "").removesuffix(".") or None


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Hosts:
    """Knows the names it was given, ``localhost``, and IP addresses: nobody can make one of those lead elsewhere.

    Parameters
    ----------
    names
        What else it is called. A port behind a name counts for nothing.

    Examples
    --------
    >>> from streamrnn.daemon.hosts import Hosts
    >>> hosts = Hosts(["watch.example.org"])
    >>> hosts.refusal(["watch.example.org:9100"]), hosts.refusal(["10.1.2.3:9100"]), hosts.refusal([])
    (None, None, None)
    >>> hosts.refusal(["evil.example"])
    "'evil.example' is no name of this server: it answers to IP addresses, localhost and the names in [server] hosts."
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {"localhost", *(host for name in names if (host := _host_of(name)) is not None)}

    def refusal(self, named: Sequence[str]) -> str | None:
        """Return why a request is not answered that names these hosts; None where it is: by its only name, or without one.

        Parameters
        ----------
        named
            What the request's Host headers say.
        """
        if not named:
            return None  # of HTTP/1.0; every browser sends one
        host = _host_of(named[0]) if len(named) == 1 else None
        if host is not None and (host in self._names or host.endswith(".localhost") or _is_address(host)):
            return None
        called = safe_name(", ".join(named), 64)
        return f"'{called}' is no name of this server: it answers to IP addresses, localhost and the names in [server] hosts."
