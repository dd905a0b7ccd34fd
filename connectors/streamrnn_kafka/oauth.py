"""Tokens for the log-in OAUTHBEARER: OAuth 2.0 client credentials (RFC 6749, section 4.4), renewed before they end."""

from __future__ import annotations

import base64
import functools
import http.client
import ssl
import threading
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec
from kafka.net.sasl.oauth import AbstractTokenProvider

from streamrnn.config_secrets import remember
from streamrnn.errors import AccessError, ConfigError, UnavailableError

__all__ = ["Tokens", "tokens_of"]

ANSWER_S = 5.0
"""How long the provider may take. The client asks on its IO thread, where heartbeats wait for the answer too."""

RENEW_AT = 0.8
"""The share of a token's life after which a new one is fetched; what is left is time for the provider to come back."""

LIFE_S = 60.0
"""What a token's life is taken for where the provider does not say (RFC 6749, section 5.1, leaves it open)."""

MOST_BYTES = 1 << 20


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = LIFE_S


class _Refused(msgspec.Struct):
    error: str
    error_description: str = ""


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the secret is for the one address that was configured."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Tokens(AbstractTokenProvider):  # type: ignore[misc]
    """Fetches tokens, and hands out the same one until it nears its end. May be asked from several threads.

    Parameters
    ----------
    url
        The token endpoint.
    client, secret
        Who asks.
    scope
        What for, or None.
    ca_file
        Authorities to trust, PEM, or None for those of the system.

    Raises
    ------
    ConfigError
        When the file of authorities cannot be read.
    """

    def __init__(
        self, url: str, client: str, secret: str, scope: str | None = None, ca_file: str | None = None
    ) -> None:
        super().__init__()
        self._url = url
        fields = {"grant_type": "client_credentials", **({} if scope is None else {"scope": scope})}
        pair = base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()
        self._request = urllib.request.Request(  # noqa: S310  (https, or this machine: the options say so)
            url, urlencode(fields).encode(), {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        )
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"oauth_ca_file: {ca_file!r} cannot be read: {error}.") from error
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _Straight)
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = self._ends_at = 0.0

    def token(self) -> str:
        """Return a token that is valid for a while.

        Raises
        ------
        AccessError
            When the provider refuses us, or is not trusted.
        UnavailableError
            When it does not answer, and the last token has ended.
        """
        with self._lock:
            now = time.monotonic()
            if now >= self._renew_at:
                try:
                    granted = self._fetch()
                except UnavailableError:
                    if now >= self._ends_at:
                        raise
                else:
                    remember(granted.access_token)
                    self._token = granted.access_token
                    self._ends_at = now + granted.expires_in
                    self._renew_at = now + RENEW_AT * granted.expires_in
            return self._token

    def _fetch(self) -> _Granted:
        try:
            with self._opener.open(self._request, timeout=ANSWER_S) as answer:
                return msgspec.json.decode(answer.read(MOST_BYTES), type=_Granted)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from error
        except msgspec.DecodeError as error:
            raise UnavailableError(f"{self._url} answers with no token: {error}.") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise AccessError(f"The certificate of {self._url} is not trusted: {reason.verify_message}.") from error
            raise UnavailableError(f"{self._url}, where tokens come from, does not answer: {reason}.") from error

    def _refused(self, error: urllib.error.HTTPError) -> AccessError | UnavailableError:
        """Return what an answer other than 200 means (RFC 6749, section 5.2: 400 and 401 name the reason)."""
        said = f"HTTP {error.code}"
        try:
            body = msgspec.json.decode(error.read(MOST_BYTES), type=_Refused)
            said = ": ".join(part[:200] for part in (said, body.error, body.error_description) if part)
        except (msgspec.DecodeError, OSError):
            pass
        if 400 <= error.code < 500 and error.code not in (408, 429):
            return AccessError(f"{self._url} gives no token: {said}.")
        return UnavailableError(f"{self._url} gives no token now: {said}.")


@functools.lru_cache(maxsize=16)
def tokens_of(url: str, client: str, secret: str, scope: str | None, ca_file: str | None) -> Tokens:
    """Return the one provider that all clients with these options share."""
    return Tokens(url, client, secret, scope, ca_file)
