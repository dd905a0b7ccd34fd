"""Certificates, users and listeners for the broker of the tests, by the keytool that comes with its Java."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamrnn_kafka.broker import java_command

USER, PASSWORD = "watcher", "w4tch-the-flow"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
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
    return folder


@dataclass(frozen=True)
class Listeners:
    """Ports of the listeners besides the plain one."""

    tls: int
    expired: int
    behind_proxy: int
    proxy: int
    folder: Path

    def properties(self) -> dict[str, str]:
        """Return what the broker's configuration needs besides."""
        secure = f"SECURE://127.0.0.1:{self.tls},EXPIRED://127.0.0.1:{self.expired}"
        found = {
            "listeners": f"{secure},BEHIND://127.0.0.1:{self.behind_proxy}",
            "advertised.listeners": f"{secure},BEHIND://127.0.0.1:{self.proxy}",
            "listener.security.protocol.map": "SECURE:SASL_SSL,EXPIRED:SSL,BEHIND:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.secure.plain.sasl.jaas.config": f'{PLAIN} required user_{USER}="{PASSWORD}";',
            "listener.name.secure.scram-sha-256.sasl.jaas.config": f"{SCRAM} required;",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        for name, store in (("secure", "broker"), ("expired", "expired")):
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
