"""The whole system for faults at load: each store is behind a proxy, and may be stopped and filled."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg

from tests.parts.postgres import PostgresServer, postgres_server
from tests.parts.processes import free_port
from tests.parts.s3 import S3Server, s3_server
from tests.parts.tcp_proxy import TcpProxy, tcp_proxy
from tests.parts.valkey import Valkey
from tests.parts.world import Pace, World, world

DISK_BYTES = 900 * 2**20
"""Size of the disks that are filled: a database of the load, and its uploads in progress, take less."""
SERVICES = ("registry", "recognizer", "trainer", "gateway")


@dataclass
class LoadedSystem:
    """A running system, the proxies of its stores by name, and the servers behind them."""

    world: World
    proxies: dict[str, TcpProxy]
    database: PostgresServer
    database_folder: Path
    objects: S3Server
    objects_folder: Path
    spool: Path
    gateway_port: int
    has_disks: bool
    """Whether the folders of PostgreSQL and of uploads are disks of their own, which may be filled."""
    _servers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def url(self) -> str:
        """Return the address of the gateway."""
        return f"http://127.0.0.1:{self.gateway_port}"

    async def serve(self, name: str) -> None:
        """Start a service, or start it again, and wait until it serves."""
        if name == "gateway":
            await self.world.serve_gateway(self.gateway_port)
        else:
            await self.world.serve(name)

    async def terminate(self, name: str) -> int:
        """Send SIGTERM to a service and wait until it has ended; return its exit status."""
        program = self.world.programs[name]
        program.send(signal.SIGTERM)
        assert program.process is not None
        return await asyncio.to_thread(program.process.wait, 60)

    def stop_database(self) -> None:
        """Stop PostgreSQL at once, as a crash does (SIGQUIT)."""
        self.database.process.send_signal(signal.SIGQUIT)
        self.database.process.wait(30)

    async def restart_database(self) -> None:
        """Start PostgreSQL again if it has stopped, and wait until it answers."""
        if self.database.process.poll() is not None:
            restarted = self.database.restarted(self.database_folder)
            self.database = await asyncio.to_thread(self._servers.enter_context, restarted)

    def kill_objects(self) -> None:
        """Kill the object store."""
        self.objects.process.kill()
        self.objects.process.wait(30)

    async def restart_objects(self) -> None:
        """Start the object store again."""
        restarted = self.objects.restarted(self.objects_folder)
        self.objects = await asyncio.to_thread(self._servers.enter_context, restarted)

    async def connect(self, role: str = "postgres") -> asyncpg.Connection:
        """Connect to the database past the proxy."""
        return await asyncpg.connect(self.database.url(self.world.database, role), timeout=5)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """Make a folder a disk of its own in memory, where the machine allows it; yield whether it is one."""
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(options, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk of a folder to its last byte; return the file that does."""
    filler = folder / f"filler-{uuid4().hex}"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**20))
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    return filler


@contextlib.asynccontextmanager
async def loaded_system(folder: Path, *, workers: int = 1) -> AsyncIterator[LoadedSystem]:
    """Run the system with a gateway, a recognizer and so many workers of each kind."""
    async with contextlib.AsyncExitStack() as stack:
        data, spool = folder / "database", folder / "uploads"
        has_disks = all([stack.enter_context(disk(data)), stack.enter_context(disk(spool))])
        (objects_folder := folder / "objects").mkdir()
        database = stack.enter_context(postgres_server(data))
        objects = stack.enter_context(s3_server(objects_folder))
        targets = {"postgres": database.port, "s3": objects.port, "valkey": 0}
        proxies = {name: await stack.enter_async_context(tcp_proxy(port)) for name, port in targets.items()}

        def settings(name: str, queue: Valkey) -> dict[str, str]:
            """Return the URLs of the stores behind their proxies."""
            proxies["valkey"].target = queue.port
            bucket = objects.url("load").replace(f":{objects.port}/", f":{proxies['s3'].port}/")
            return {
                "KETAV_DATABASE_URL": f"postgresql://ketav_service@127.0.0.1:{proxies['postgres'].port}/{name}",
                "KETAV_BLOB_URL": bucket,
                "KETAV_REDIS_URL": f"redis://127.0.0.1:{proxies['valkey'].port}/0",
                "KETAV_SPOOL_DIR": str(spool),
                "KETAV_RATE_LIMIT": "1000000/minute",
            }

        (system_folder := folder / "system").mkdir()
        running = await stack.enter_async_context(
            world(system_folder, database, workers=workers, pace=Pace(lease=3, sweep=1.0), settings=settings)
        )
        servers = stack.enter_context(contextlib.ExitStack())
        system = LoadedSystem(
            running, proxies, database, data, objects, objects_folder, spool, free_port(), has_disks, servers
        )
        await system.serve("recognizer")
        await system.serve("gateway")
        for _ in range(workers):
            running.add_job_worker()
        yield system
