"""Certificates, users and listeners for the broker of the tests, by the keytool that comes with its Java."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from streamrnn_kafka.broker import java_command

USER, PASSWORD = "watcher", "w4tch-the-flow"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def _keytool(*arguments: str) -> None:
    tool = Path(java_command()[0]).with_name("keytool")
    subprocess.run([tool, *arguments], check=True, capture_output=True)


def _pair(folder: Path, name: str, *more: str) -> Path:
    """Make a key with a certificate of its own; return the key store. The certificate is beside it, PEM."""
    store = folder / f"{name}.p12"
    at = ["-keystore", str(store), "-storepass", "changeit", "-alias", name]
    kind = ["-keyalg", "EC", "-groupname", "secp256r1", "-dname", f"CN={name}", "-storetype", "PKCS12"]
    _keytool("-genkeypair", *at, *kind, *more)
    _keytool("-exportcert", "-rfc", *at, "-file", str(folder / f"{name}.pem"))
    return store


def certificates(folder: Path) -> Path:
    """Make the broker's certificate, one that has expired, and one of somebody else."""
    names = ["-ext", "SAN=DNS:localhost,IP:127.0.0.1"]
    _pair(folder, "broker", *names, "-validity", "30")
    _pair(folder, "expired", *names, "-startdate", "-10d", "-validity", "5")
    _pair(folder, "stranger", *names, "-validity", "30")
    key = pkcs12.load_pkcs12(_pair(folder, "client", "-validity", "30").read_bytes(), b"changeit").key
    (folder / "client.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


@dataclass(frozen=True)
class Listeners:
    """Ports of the listeners besides the plain one."""

    tls: int
    expired: int
    mutual: int
    behind_proxy: int
    proxy: int
    folder: Path

    def properties(self) -> dict[str, str]:
        """Return what the broker's configuration needs besides."""
        secure = f"SECURE://127.0.0.1:{self.tls},EXPIRED://127.0.0.1:{self.expired},MUTUAL://127.0.0.1:{self.mutual}"
        found = {
            "listeners": f"{secure},BEHIND://127.0.0.1:{self.behind_proxy}",
            "advertised.listeners": f"{secure},BEHIND://127.0.0.1:{self.proxy}",
            "listener.security.protocol.map": "SECURE:SASL_SSL,EXPIRED:SSL,MUTUAL:SSL,BEHIND:PLAINTEXT",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            # the broker's own check of tokens without a signature: who, from when, until when
            "listener.name.secure.oauthbearer.sasl.jaas.config": f"{OAUTH} required;",
            "listener.name.secure.oauthbearer.connections.max.reauth.ms": "60000",
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.truststore.type": "PEM",
            "listener.name.mutual.ssl.truststore.location": str(self.folder / "client.pem"),
            "listener.name.secure.plain.sasl.jaas.config": f'{PLAIN} required user_{USER}="{PASSWORD}";',
            "listener.name.secure.scram-sha-256.sasl.jaas.config": f"{SCRAM} required;",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:CN=client",
        }
        for name, store in (("secure", "broker"), ("expired", "expired"), ("mutual", "broker")):
            found[f"listener.name.{name}.ssl.keystore.type"] = "PKCS12"
            found[f"listener.name.{name}.ssl.keystore.location"] = str(self.folder / f"{store}.p12")
            found[f"listener.name.{name}.ssl.keystore.password"] = "changeit"
        return found

    @staticmethod
    def users() -> list[str]:
        """Return what makes the SCRAM users when the storage is formatted."""
        return [
            part
            for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for part in ("--add-scram", f"{kind}=[name={USER},password={PASSWORD}]")
        ]

    def options(self, **changes: Any) -> dict[str, Any]:
        """Return options of a connection that works; ``changes`` spoil it."""
        good: dict[str, Any] = {
            "servers": f"127.0.0.1:{self.tls}",
            "tls": True,
            "tls_ca_file": str(self.folder / "broker.pem"),
            "sasl": "SCRAM-SHA-512",
            "username": USER,
            "password": PASSWORD,
            "connect_timeout_s": 10.0,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}


@dataclass
class TokenServer:
    """Gives tokens as RFC 6749 says; what it says, and for how long, may be changed at any time."""

    life_s: float = 3600.0
    ago_s: float = 0.0
    status: int = 200
    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    def token(self) -> str:
        """Return a JSON Web Token without a signature."""
        now = time.time() - self.ago_s
        claims = {"sub": USER, "iat": now, "exp": now + self.life_s}
        parts = [
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, claims)
        ]
        return ".".join([*parts, ""])

    def answer(self, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        user, _, secret = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        self.asked.append({**form, "user": user})
        if (user, secret) != (USER, PASSWORD):
            return 401, {"error": "invalid_client", "error_description": "no such client"}
        if self.status != 200:
            return self.status, {}
        return 200, {"access_token": self.token(), "token_type": "Bearer", "expires_in": self.life_s}


@contextlib.contextmanager
def token_server(**settings: Any) -> Iterator[TokenServer]:
    """Serve tokens on a free port."""
    one = TokenServer(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, said = one.answer(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield one
        finally:
            server.shutdown()
            thread.join()
