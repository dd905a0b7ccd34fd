"""Every option of the two connectors: type, default, range and text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from streamrnn.config_secrets import remember
from streamrnn.errors import ConfigError

__all__ = ["ConnectionOptions", "SinkOptions", "SourceOptions", "millis"]

HERE = ("localhost", "127.0.0.1", "::1")
"""Names of this machine: what is sent there nobody else reads."""


def millis(when: str | float) -> int:
    """Return a time in milliseconds since 1970.

    Parameters
    ----------
    when
        ISO-8601, in UTC where no zone is written, or seconds since 1970.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> from streamrnn_prometheus.options import millis
    >>> millis("2024-01-01T00:00:00.5Z"), millis("2024-01-01"), millis(1.25)
    (1704067200500, 1704067200000, 1250)
    """
    if isinstance(when, str):
        found = datetime.fromisoformat(when)
        when = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(when) or when < 0:
        raise ValueError
    return round(when * 1000)


class ConnectionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach the server.

    Parameters
    ----------
    url
        Its address, before ``/api/v1``.
    user, password
        For basic authentication.
    token
        A bearer token.
    tls_ca_file
        Authorities to trust, PEM.
    timeout_s
        Seconds that an answer is waited for.
    """

    url: Annotated[
        str,
        Meta(
            pattern="^https?://",
            description="Address of the server, before /api/v1: http://localhost:9090, https://host/prometheus.",
        ),
    ]
    user: Annotated[str | None, Meta(description="For basic authentication.")] = None
    password: Annotated[
        str | None,
        Meta(
            description="The password; better a reference, ${PROMETHEUS_PASSWORD} or ${file:/run/secrets/prometheus}."
        ),
    ] = None
    token: Annotated[
        str | None,
        Meta(description="A bearer token, in place of user and password; better a reference, ${TOKEN} or ${file:/run/secrets/token}."),
    ] = None  # fmt: skip
    tls_ca_file: Annotated[
        str | None, Meta(description="Authorities to trust, PEM. Unset: those that the system trusts.")
    ] = None
    timeout_s: Annotated[float, Meta(gt=0, le=600, description="Seconds that an answer is waited for.")] = 30.0

    def check_connection(self, table: str) -> None:
        """Have no secret shown, and raise where options do not go together.

        Parameters
        ----------
        table
            The table of the configuration, for messages.

        Raises
        ------
        ConfigError
            When they do not, or a secret would be sent unencrypted.
        """
        for secret in (self.password, self.token):
            if secret is not None:
                remember(secret)
        parts = urlsplit(self.url)
        if parts.password is not None:
            remember(parts.password)
            remember(unquote(parts.password))
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError(
                f"[{table}] url: must be an address alone. Log in with 'user' and 'password', or 'token'."
            )
        if (self.user is None) != (self.password is None):
            raise ConfigError(f"[{table}] password: 'user' and 'password' go together; one of them is missing.")
        if self.user is not None and self.token is not None:
            raise ConfigError(f"[{table}] token: there is a 'user' as well; only one of the two can log in.")
        if parts.scheme == "http":
            if self.tls_ca_file is not None:
                raise ConfigError(f"[{table}] tls_ca_file: needs an 'url' that begins with https://.")
            if (self.user or self.token) and parts.hostname not in HERE:
                raise ConfigError(
                    f"[{table}] url: a password or token would be sent unencrypted. It must begin with https://."
                )


class SourceOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[source]`` with ``kind = "prometheus"``.

    Parameters
    ----------
    url, user, password, token, tls_ca_file, timeout_s
        See :class:`ConnectionOptions`.
    query
        What is asked, where an event has one value.
    column
        What that value is called.
    queries
        What is asked, by the names of several values.
    key
        Label that says which series an event belongs to. None: all labels.
    step_s
        Seconds from one event of a series to the next.
    start
        The first step.
    lag_s
        How far behind the clock is read.
    follow
        Whether to wait for new steps.

    Examples
    --------
    >>> from streamrnn_prometheus import PrometheusSource
    >>> PrometheusSource.Options(url="http://localhost:9090", query="up").names
    ('value',)
    """

    query: Annotated[
        str | None,
        Meta(description="PromQL. Each series of the answer is a key, and its value at each step an event."),
    ] = None
    column: Annotated[
        str, Meta(min_length=1, description="What the value of 'query' is called among features and results.")
    ] = "value"
    queries: Annotated[
        Mapping[str, str],
        Meta(description="In place of 'query', where events have several values: PromQL by the name of the value. Series with the same "
             "labels, the name of the metric left out, make one event."),
    ] = {}  # fmt: skip
    key: Annotated[
        str | None, Meta(description="Label whose value is the key. Unset: all labels are, as PromQL writes them.")
    ] = None
    step_s: Annotated[
        float,
        Meta(ge=0.001, le=604800, description="Seconds from one event of a series to the next; best that of scrapes."),
    ] = 15.0
    start: Annotated[
        str | float,
        Meta(description='The first step, where no state says where to go on: ISO-8601 or seconds since 1970; "now": what comes from now on.'),
    ] = "now"  # fmt: skip
    lag_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86400,
            description="A step is read so many seconds behind it. Samples that come later than that are not seen.",
        ),
    ] = 30.0
    follow: Annotated[bool, Meta(description="Go on as time does. Else the run ends with the newest step.")] = True

    def __post_init__(self) -> None:
        self.check_connection("source")
        if self.query is not None and self.queries:
            raise ConfigError("[source] queries: there is a 'query' as well; it can only be one of the two.")
        if round(self.step_s * 1000) != self.step_s * 1000:
            raise ConfigError(f"[source] step_s: must be whole milliseconds. Got {self.step_s} instead.")
        try:
            if self.start != "now":
                millis(self.start)
        except (ValueError, OverflowError):
            raise ConfigError(
                f'[source] start: must be ISO-8601, seconds since 1970 or "now". Got {self.start!r} instead.'
            ) from None

    @property
    def step_ms(self) -> int:
        """Milliseconds from one step to the next."""
        return round(self.step_s * 1000)

    @property
    def names(self) -> tuple[str, ...]:
        """What the values of an event are called."""
        return tuple(self.queries) or (self.column,)

    @property
    def asked(self) -> tuple[str, ...]:
        """The queries, in the order of :attr:`names`."""
        return tuple(self.queries.values()) if self.query is None else (self.query,)


class SinkOptions(ConnectionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sink]`` with ``kind = "prometheus"``.

    Parameters
    ----------
    url, user, password, token, tls_ca_file, timeout_s
        See :class:`ConnectionOptions`.
    endpoint
        Where remote write is taken.
    labels
        Labels that every series gets.

    Examples
    --------
    >>> from streamrnn_prometheus import PrometheusSink
    >>> PrometheusSink.Options(url="http://localhost:9090").endpoint
    '/api/v1/write'
    """

    endpoint: Annotated[
        str,
        Meta(pattern="^/", description="Where the server takes remote write, behind 'url': /api/v1/push for Mimir."),
    ] = "/api/v1/write"
    labels: Annotated[
        Mapping[Annotated[str, Meta(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")], str],
        Meta(description="Labels that every series gets, beside those of its key."),
    ] = {}

    def __post_init__(self) -> None:
        self.check_connection("sink")
