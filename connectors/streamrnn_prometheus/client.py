"""Questions to a server by its HTTP API, over one connection that is kept, and what its errors mean."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from streamrnn.errors import AccessError, ConfigError, RetriableSourceError, SourceError, UnavailableError
from streamrnn_prometheus.options import ConnectionOptions

__all__ = ["Client", "Series", "TooMuchError", "Unanswered", "in_seconds"]

LATER = (408, 425, 429)
"""Refusals of HTTP that are about the moment, as all 5xx are."""

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

TOO_MUCH = "too many samples", "maximum resolution", "too many points"

Unanswered = (RetriableSourceError, UnavailableError)
"""What may pass: the server is away, or has no time."""


class TooMuchError(SourceError):
    """The server would answer a question about fewer steps."""


class Series(msgspec.Struct):
    """A series of an answer.

    Parameters
    ----------
    metric
        Its labels, the name of the metric among them.
    values
        Seconds since 1970, and the value as a text.
    histograms
        Samples that are histograms, and no numbers.
    """

    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    histograms: list[msgspec.Raw] = []


class _Data(msgspec.Struct):
    result: list[Series]


class _Answer(msgspec.Struct):
    data: _Data


class _Refusal(msgspec.Struct):
    error: str = ""


_decoder = msgspec.json.Decoder(_Answer)


def in_seconds(ms: int) -> str:
    """Return milliseconds as the API takes times, exactly.

    Parameters
    ----------
    ms
        At least 0.

    Examples
    --------
    >>> from streamrnn_prometheus.client import in_seconds
    >>> in_seconds(1704067200050)
    '1704067200.050'
    """
    return f"{ms // 1000}.{ms % 1000:03}"


class Client:
    """Asks one server.

    Parameters
    ----------
    table
        The table of the configuration, for messages.
    options
        How to reach it.

    Raises
    ------
    ConfigError
        When the file of authorities is none.
    """

    def __init__(self, table: str, options: ConnectionOptions) -> None:
        parts = urlsplit(options.url)
        self.name = f"{parts.scheme}://{parts.netloc}"
        self._options = options
        self._path = parts.path.rstrip("/")
        self._host, self._tls = parts.netloc, parts.scheme == "https"
        self._context: ssl.SSLContext | None = None
        if self._tls:
            try:
                self._context = ssl.create_default_context(cafile=options.tls_ca_file)
            except OSError as error:
                raise ConfigError(f"[{table}] tls_ca_file: {options.tls_ca_file!r} cannot be used: {error}.") from error
        self._headers = {"User-Agent": "streamrnn"}
        if options.token is not None:
            self._headers["Authorization"] = f"Bearer {options.token}"
        elif options.user is not None:
            both = base64.b64encode(f"{options.user}:{options.password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {both}"
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection, where there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def series(self, query: str, first: int, last: int, step: int) -> list[Series]:
        """Return what a query gives at each step, those with no sample left out.

        Parameters
        ----------
        query
            PromQL.
        first, last
            The first and the last step, milliseconds since 1970.
        step
            Milliseconds from one to the next.

        Raises
        ------
        TooMuchError
            When it must be asked for fewer steps.
        RetriableSourceError, UnavailableError
            When there is no answer for now.
        AccessError
            When the server refuses who asks.
        SourceError
            When it refuses the query, or its answer is none.
        """
        asked = {"query": query, "start": in_seconds(first), "end": in_seconds(last), "step": in_seconds(step)}
        code, body = self.post("/api/v1/query_range", urlencode(asked).encode(), FORM)
        if code != 200:
            raise self._refused(code, body, query)
        try:
            return _decoder.decode(body).data.result
        except msgspec.MsgspecError as error:
            raise SourceError(f"{self.name} does not answer as Prometheus does: {error}.") from error

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return the code and the body of an answer.

        Parameters
        ----------
        path
            Behind that of the server's address.
        body, headers
            What is sent.

        Raises
        ------
        UnavailableError
            When there is none.
        """
        kept = self._connection is not None
        while True:
            try:
                return self._once(path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not kept or isinstance(error, TimeoutError):
                    why = " ".join(str(error).split()).rstrip(".") or type(error).__name__
                    raise UnavailableError(f"{self.name} cannot be reached: {why}.") from error
                kept = False  # a connection that was kept may have been closed meanwhile

    def _once(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            timeout = self._options.timeout_s
            self._connection = (
                http.client.HTTPSConnection(self._host, timeout=timeout, context=self._context)
                if self._tls
                else http.client.HTTPConnection(self._host, timeout=timeout)
            )
        self._connection.request("POST", self._path + path, body, {**self._headers, **headers})
        with self._connection.getresponse() as response:
            return response.status, response.read()

    def _refused(self, code: int, body: bytes, query: str) -> Exception:
        try:
            why = msgspec.json.decode(body, type=_Refusal).error or f"HTTP {code}"
        except msgspec.MsgspecError:
            why = f"HTTP {code}"
        why = " ".join(why.split()).rstrip(".")
        if code in (401, 403):
            return AccessError(f"{self.name} refuses the log-in: {why}.")
        if any(words in why for words in TOO_MUCH):
            return TooMuchError(f"{self.name} does not answer {query!r}: {why}.")
        if code >= 500 or code in LATER:
            return RetriableSourceError(f"{self.name} does not answer now: {why}.")
        return SourceError(f"{self.name} does not answer {query!r}: {why}.")
