"""A system as an operator has it: a database, an object store, and the settings of `ketav admin`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.parts.ketav_command import ketav, ketav_json
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, registry_server
from tests.parts.s3 import S3Server


@dataclass(frozen=True)
class OperatedSystem:
    """The stores of one system on the servers of the tests."""

    postgres: PostgresServer
    folder: Path
    database: str
    blob_url: str

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of commands."""
        return {
            "KETAV_DATABASE_URL": self.postgres.url(self.database, "ketav_service"),
            "KETAV_MIGRATION_DATABASE_URL": self.postgres.url(self.database),
            "KETAV_BLOB_URL": self.blob_url,
            "KETAV_SPOOL_DIR": str(self.folder / "spool"),
        }

    def renamed(self, database: str) -> "OperatedSystem":
        """Return the system with another database."""
        return replace(self, database=database)

    def ketav(self, *arguments: str, status: int = 0) -> str:
        """Run a command on this system."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return ketav(*arguments, status=status)

    def ketav_json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command on this system with --json."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return ketav_json(*arguments, status=status)

    async def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command, which has an event loop of its own, in a thread."""
        return await asyncio.to_thread(self.ketav, *arguments, status=status)

    def rows(self) -> dict[str, list[str]]:
        """Return the rows of all tables, sorted."""
        names = self.postgres.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "ORDER BY relname",
            self.database,
        )
        return {
            name: sorted(
                str(tuple(row))
                for row in self.postgres.execute(f'SELECT * FROM "{name}"', self.database)  # noqa: S608
            )
            for (name,) in names
        }

    @asynccontextmanager
    async def registry(self) -> AsyncIterator[Registry]:
        """Run a registry on the stores."""
        self.folder.mkdir(exist_ok=True)
        async with registry_server(
            self.postgres, self.folder, self.database, blob_url=self.blob_url
        ) as running:
            yield running


def system_on_folder(postgres: PostgresServer, folder: Path, *, migrated: bool = True) -> OperatedSystem:
    """Return a system whose objects are files."""
    folder.mkdir(exist_ok=True)
    database = postgres.migrated_database() if migrated else postgres.create_database()
    return OperatedSystem(postgres, folder, database, f"file://{folder}/blobs")


def system_on_s3(
    postgres: PostgresServer, s3: S3Server, folder: Path, *, migrated: bool = True
) -> OperatedSystem:
    """Return a system whose objects are in a bucket of its own."""
    return replace(
        system_on_folder(postgres, folder, migrated=migrated), blob_url=s3.url(f"test-{uuid4().hex}")
    )
