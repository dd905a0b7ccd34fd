"""One real server for all tests that need one: started when the first asks, ended with the session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from postgres_rig import Database, PostgresRig

from streamrnn_postgres.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real PostgreSQL, reached through its socket alone. It is never skipped: pip brings all it needs."""
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
