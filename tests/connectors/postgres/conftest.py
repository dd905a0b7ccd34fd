"""One real server for all tests that need one: started when the first asks, ended with the session."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import psycopg
import pytest
from postgres_rig import Database, PostgresRig

from streamrnn.errors import SourceError
from streamrnn_postgres.server import Server


def rootless() -> str | None:
    """Say why a server cannot run here, which pip brings whole; None where it can."""
    if os.geteuid() != 0:
        return None
    try:
        with Server(settings={"listen_addresses": ""}):
            return None
    except SourceError as error:
        if "no namespace of users" not in str(error):
            raise
        return (
            "this user is root, whom PostgreSQL refuses, and this system gives no namespace of users to be another in"
        )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real PostgreSQL, reached through its socket alone. It is skipped for root without namespaces only: pip brings all it needs."""
    if (why := rootless()) is not None:
        pytest.skip(why)
    with Server(settings={"listen_addresses": "", "fsync": "off", "max_prepared_transactions": "2"}) as one:
        access = one.folder / "data" / "pg_hba.conf"
        access.write_text(f"local all watcher scram-sha-256\n{access.read_text()}")
        with contextlib.closing(psycopg.connect(one.url, autocommit=True)) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE ROLE watcher LOGIN PASSWORD 'tr0ub4dor'")
            connection.execute("CREATE ROLE reader LOGIN")
        yield one


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A database that no other test has."""
    with Database(server) as one:
        yield one


@pytest.fixture
def rig(database: Database) -> PostgresRig:
    """What the suite for all connectors asks for."""
    return PostgresRig(database)
