"""Real parts shared by all tests: each is started once a session, when a test first asks for it."""

from collections.abc import Iterator

import pytest

from tests.parts.postgres import PostgresServer, postgres_server
from tests.parts.s3 import S3Server, s3_server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run a real PostgreSQL server."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run a real S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server
