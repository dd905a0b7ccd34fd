"""Connects to the brokers, and says the true reason where that fails: the client itself only logs it."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import (
    AuthorizationError,
    KafkaConfigurationError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedVersionError,
)
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from streamrnn.errors import AccessError, ConfigError, StreamrnnError, UnavailableError
from streamrnn_kafka.oauth import tokens_of
from streamrnn_kafka.options import ConnectionOptions

__all__ = ["causes", "connect", "connection_settings", "translated"]

REQUEST_S = 10.0
"""How long one answer may take. The client's 30 s would outlast every session."""

# Where nobody has set up logging, Python prints warnings of libraries to standard error. The client warns of what it then
# mends itself; what it cannot mend, we say.
logging.getLogger("kafka").addHandler(logging.NullHandler())


def _hear_last_words(kind: Any) -> None:
    """Let a transport of the client hand on what came right before the end of a connection: the client drops it where both come at once.

    A broker says that it refuses the credentials, and closes; who misses that tries on until the time is over.
    """
    receive = kind._sock_recv  # noqa: SLF001

    def received(of: Any) -> tuple[bytes, Exception | None]:
        data, error = receive(of)
        return data, None if data else error  # the end is there at the next look, too

    kind._sock_recv = received  # noqa: SLF001


for _kind in (KafkaTCPTransport, KafkaSSLTransport):
    _hear_last_words(_kind)

# What the client logs once a broker has refused us for good: trying on would change nothing.
REFUSALS = (
    ("SaslAuthenticationFailed", AccessError, "the credentials are refused"),
    ("UnsupportedSaslMechanism", ConfigError, "the broker does not know this SASL mechanism"),
    ("CERTIFICATE_VERIFY_FAILED", AccessError, "the broker's certificate is not trusted"),
    ("Hostname mismatch", AccessError, "the broker's certificate is for another host"),
    ("WRONG_VERSION_NUMBER", ConfigError, "the broker does not speak TLS on this port"),
    ("certificate required", AccessError, "the broker asks for a client certificate"),
    ("certificate unknown", AccessError, "the broker does not trust our certificate"),
    ("unknown ca", AccessError, "the broker does not trust our certificate"),
)

NO_REASON = ("Bootstrap failed", "not ready; waiting")
"""What the client says after each failure: true, and no help."""

HINTS = {
    "UNEXPECTED_EOF": "It closes the connection while TLS is set up: does it speak TLS on this port?",
    "refused": "Nobody listens there.",
    "ECONNREFUSED": "Nobody listens there.",
    "Name or service not known": "There is no host of this name.",
}


class _Listener(logging.Handler):
    """Hears what a client that is made now logs while it connects, and not what earlier ones still say."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._others = {thread.ident for thread in threading.enumerate()}
        self.last = ""
        self.refused = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            said = f"{said}: {record.exc_info[1]}"
        if self.refused.is_set() or record.thread in self._others:
            return
        if not any(mark in said for mark in NO_REASON):
            self.last = said
        if any(mark in said for mark, _, _ in REFUSALS):
            self.refused.set()


@contextmanager
def _listening() -> Iterator[_Listener]:
    logger, listener = logging.getLogger("kafka.net"), _Listener()
    logger.addHandler(listener)
    try:
        yield listener
    finally:
        logger.removeHandler(listener)


def connection_settings(options: ConnectionOptions) -> dict[str, Any]:
    """Return what consumers, producers and admin clients take alike.

    Parameters
    ----------
    options
        How to reach the brokers.
    """
    return {
        "bootstrap_servers": [one.strip() for one in (options.servers or "").split(",") if one.strip()],
        "bootstrap_timeout_ms": int(1000 * options.connect_timeout_s),
        "request_timeout_ms": int(1000 * REQUEST_S),
        "reconnect_backoff_max_ms": 1000,
        "security_protocol": f"{'SASL_' if options.sasl else ''}{'SSL' if options.tls else 'PLAINTEXT'}",
        "ssl_cafile": options.tls_ca_file,
        "ssl_certfile": options.tls_certificate_file,
        "ssl_keyfile": options.tls_key_file,
        "ssl_password": options.tls_key_password,
        "sasl_mechanism": options.sasl,
        "sasl_plain_username": options.username,
        "sasl_plain_password": options.password,
        "sasl_oauth_token_provider": None if options.sasl != "OAUTHBEARER" else tokens_of(
            str(options.oauth_url), str(options.username), str(options.password), options.oauth_scope, options.oauth_ca_file
        ),
    }  # fmt: skip


def _check_files(options: ConnectionOptions) -> None:
    """Raise where a certificate or key cannot be used: the client would take that for a broker that is away, and try on."""
    try:
        context = ssl.create_default_context(cafile=options.tls_ca_file)
        if options.tls_certificate_file is not None:
            # Never None: then OpenSSL would ask on the terminal.
            context.load_cert_chain(options.tls_certificate_file, options.tls_key_file, options.tls_key_password or "")
    except OSError as error:  # ssl.SSLError is one
        names = ("tls_ca_file", "tls_certificate_file", "tls_key_file")
        given = ", ".join(
            f"{name} = {getattr(options, name)!r}" for name in names if getattr(options, name) is not None
        )
        raise ConfigError(f"The files of certificates cannot be used: {error}. Given: {given}.") from error


def connect(make: Callable[..., Any], options: ConnectionOptions, **settings: Any) -> Any:
    """Return ``make(**settings)``, a client of Kafka that has reached a broker.

    Parameters
    ----------
    make
        A client's class.
    options
        How to reach the brokers.
    **settings
        Settings of the client besides those of the connection.

    Raises
    ------
    AccessError
        As soon as a broker refuses the credentials, or is not trusted.
    UnavailableError
        When no broker answers in time.
    ConfigError
        When the client refuses the settings.
    """
    settings |= connection_settings(options)
    if options.tls:
        _check_files(options)
    if (tokens := settings["sasl_oauth_token_provider"]) is not None:
        tokens.token()  # what is wrong there is said here: the client would only try on
    made: list[Any] = []
    failed: list[Exception] = []
    ended = threading.Event()

    def run() -> None:
        try:
            made.append(make(**settings))
        except Exception as error:  # noqa: BLE001  (handed to the caller below)
            failed.append(error)
        ended.set()
        listener.refused.set()

    # In a thread of its own, so that a refusal ends the wait at once; the client would try on to its time-out.
    with _listening() as listener:
        threading.Thread(target=run, name="streamrnn-kafka-connect", daemon=True).start()
        listener.refused.wait()
        said = listener.last
    if ended.is_set() and made:
        return made[0]
    for mark, error, reason in REFUSALS:
        if mark in said:
            raise error(f"Kafka at {options.servers}: {reason}. ({said})")
    cause = failed[0] if failed else None
    if isinstance(cause, KafkaConfigurationError | ValueError | TypeError | OSError):
        raise ConfigError(f"Kafka at {options.servers}: {cause}") from cause
    hint = next((hint for mark, hint in HINTS.items() if mark in said), "Does it run, and is that its address?")
    why = f" ({said})" if said else ""
    raise UnavailableError(
        f"Kafka at {options.servers} does not answer within {options.connect_timeout_s:g} s. {hint}{why}"
    ) from cause


def causes(error: BaseException) -> list[BaseException]:
    """Return an error and those that it was made from: the client hands some on as causes, some as arguments.

    Parameters
    ----------
    error
        The error as it was caught.
    """
    within = [one for one in (error.__cause__, *error.args) if isinstance(one, BaseException)]
    return [error, *(found for one in within for found in causes(one))]


def translated(error: KafkaError, doing: str) -> StreamrnnError:
    """Return the error of our tree that a refusal for good is; what may pass is :class:`UnavailableError`.

    Parameters
    ----------
    error
        What the client raised.
    doing
        What was being done, as part of the message: ``"reading"``.
    """
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, AuthorizationError | SaslAuthenticationFailedError):
        return AccessError(f"Kafka does not permit {doing}: {said}")
    if isinstance(error, UnsupportedVersionError):
        return ConfigError(f"The broker is too old for {doing}: {said}")
    return UnavailableError(f"Kafka failed while {doing}: {said}")
