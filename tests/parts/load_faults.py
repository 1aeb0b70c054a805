"""The faults that are injected while users upload and correct pages; each lasts as long as its context."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from tests.parts.load_system import LoadedSystem, fill
from tests.parts.processes import suspended
from tests.parts.tcp_proxy import NetworkFault

Injection = Callable[[LoadedSystem], AbstractAsyncContextManager[None]]
TERMINATIONS_S = 0.2
"""Seconds between two terminations of a backend: five a second."""
MAX_CONNECTIONS = 60
"""What PostgreSQL of the tests admits."""


@dataclass(frozen=True)
class LoadFault:
    """A fault of one or several kinds, which are injected in turn.

    Recovery counts from its end, or from its begin where a restart belongs to it.
    """

    name: str
    kinds: tuple[Injection, ...]
    hold_s: float = 3.0
    from_begin: bool = False
    needs_disks: bool = False


def network_fault(store: str, fault: NetworkFault) -> Injection:
    """Return the injection of one kind of bad network between the services and a store."""

    @asynccontextmanager
    async def inject(system: LoadedSystem) -> AsyncIterator[None]:
        """Set the fault, and end it."""
        system.proxies[store].set(fault)
        try:
            yield
        finally:
            system.proxies[store].set(NetworkFault())

    return inject


def resets(store: str) -> Injection:
    """Return the injection that resets all connections to a store every 0.3 seconds."""

    @asynccontextmanager
    async def inject(system: LoadedSystem) -> AsyncIterator[None]:
        """Reset again and again."""
        async with _repeated(system.proxies[store].reset, 0.3):
            yield

    return inject


@asynccontextmanager
async def _repeated(action: Callable[[], object], pause_s: float) -> AsyncIterator[None]:
    """Do something every few moments while in the context."""

    async def repeat() -> None:
        """Do it until cancelled."""
        while True:
            result = action()
            if asyncio.iscoroutine(result):
                await result
            await asyncio.sleep(pause_s)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def backends_terminated(system: LoadedSystem) -> AsyncIterator[None]:
    """Terminate five connections of the registry a second."""
    connection = await system.connect()

    async def terminate() -> None:
        """End one connection of the registry, chosen at random."""
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'ketav-registry' ORDER BY random() LIMIT 1"
        )

    try:
        async with _repeated(terminate, TERMINATIONS_S):
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def connections_exhausted(system: LoadedSystem) -> AsyncIterator[None]:
    """End the registry's connections and take each free one, so that it gets none."""
    owner = await system.connect()
    connections: list[asyncpg.Connection] = []

    async def take() -> None:
        """End the registry's connections, and take connections until there is none."""
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ketav-registry'"
        )
        with contextlib.suppress(asyncpg.TooManyConnectionsError, OSError):
            while len(connections) < MAX_CONNECTIONS:
                connections.append(await system.connect("ketav_service"))

    try:
        await take()
        async with _repeated(take, 0.5):
            yield
    finally:
        for connection in [*connections, owner]:
            await connection.close()


@asynccontextmanager
async def table_locked(system: LoadedSystem) -> AsyncIterator[None]:
    """Lock the tables of pages and corrections."""
    connection = await system.connect()
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE page, correction IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def database_stopped(system: LoadedSystem) -> AsyncIterator[None]:
    """Stop PostgreSQL as a crash does, and start it again."""
    await asyncio.to_thread(system.stop_database)
    yield
    await system.restart_database()


@asynccontextmanager
async def database_disk_full(system: LoadedSystem) -> AsyncIterator[None]:
    """Fill the disk of PostgreSQL; start it again if it has stopped."""
    filler = await asyncio.to_thread(fill, system.database_folder)
    yield
    filler.unlink()
    await system.restart_database()


@asynccontextmanager
async def spool_full(system: LoadedSystem) -> AsyncIterator[None]:
    """Fill the disk of uploads in progress, again and again: those that end free some."""
    fillers = []

    async def fill_again() -> None:
        """Fill what is free."""
        fillers.append(await asyncio.to_thread(fill, system.spool))

    try:
        async with _repeated(fill_again, 0.2):
            yield
    finally:
        for filler in fillers:
            filler.unlink()


@asynccontextmanager
async def store_killed_mid_put(system: LoadedSystem) -> AsyncIterator[None]:
    """Slow the puts down, kill the object store while they are under way, and start it again."""
    system.proxies["s3"].set(NetworkFault(latency_s=0.3))
    await asyncio.sleep(1)
    await asyncio.to_thread(system.kill_objects)
    system.proxies["s3"].set(NetworkFault())
    yield
    await system.restart_objects()


@asynccontextmanager
async def store_hanging(system: LoadedSystem) -> AsyncIterator[None]:
    """Stop the object store with SIGSTOP, and continue it."""
    system.objects.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        system.objects.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def queue_restarted(system: LoadedSystem) -> AsyncIterator[None]:
    """Kill Valkey, and start it empty."""
    system.world.queue.stop()
    yield
    await asyncio.to_thread(system.world.queue.start)


def killed(name: str) -> Injection:
    """Return the injection that kills a service and starts it again, as a supervisor does."""

    @asynccontextmanager
    async def inject(system: LoadedSystem) -> AsyncIterator[None]:
        """Kill, start."""
        system.world.programs[name].kill()
        yield
        await system.serve(name)

    return inject


def terminated(name: str) -> Injection:
    """Return the injection that ends a service by SIGTERM, which must drain, and starts it again."""

    @asynccontextmanager
    async def inject(system: LoadedSystem) -> AsyncIterator[None]:
        """Terminate, start."""
        status = await system.terminate(name)
        assert status == 0, f"the {name} ended with status {status} after SIGTERM"
        yield
        await system.serve(name)

    return inject


def stopped(name: str) -> Injection:
    """Return the injection that stops a service and its children with SIGSTOP, and continues them."""

    @asynccontextmanager
    async def inject(system: LoadedSystem) -> AsyncIterator[None]:
        """Stop, continue."""
        with suspended(system.world.programs[name].pid):
            yield

    return inject


@asynccontextmanager
async def workers_killed(system: LoadedSystem) -> AsyncIterator[None]:
    """Kill all workers, and start as many of each kind."""
    killed_workers = list(system.world.workers)
    for worker in killed_workers:
        system.world.remove_worker(worker)
    yield
    system.world.add_worker()
    system.world.add_job_worker()


@asynccontextmanager
async def workers_stopped(system: LoadedSystem) -> AsyncIterator[None]:
    """Stop all workers for longer than a lease, and continue them."""
    for worker in system.world.workers:
        worker.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in system.world.workers:
            worker.send(signal.SIGCONT)


def network(store: str) -> tuple[Injection, ...]:
    """Return the kinds of bad network between the services and a store."""
    return (
        network_fault(store, NetworkFault(latency_s=0.2)),
        network_fault(store, NetworkFault(sliced=True)),
        network_fault(store, NetworkFault(half_open=True)),
        resets(store),
    )


KINDS = "200 ms latency, bytes one by one, half-open, resets"
SERVICES = ("registry", "recognizer", "gateway")
FAULTS = [
    LoadFault("none", (network_fault("valkey", NetworkFault()),), 0),
    LoadFault(f"network to PostgreSQL: {KINDS}", network("postgres")),
    LoadFault(f"network to S3: {KINDS}", network("s3")),
    LoadFault(f"network to Valkey: {KINDS}", network("valkey")),
    LoadFault("PostgreSQL: five backends a second terminated", (backends_terminated,)),
    LoadFault("PostgreSQL: connections exhausted", (connections_exhausted,)),
    LoadFault(
        "PostgreSQL: commit outcome unknown", (network_fault("postgres", NetworkFault(cut_commits=0.1)),)
    ),
    LoadFault("PostgreSQL: two tables locked for 12 s", (table_locked,), hold_s=12),
    LoadFault("PostgreSQL: stopped at once, started again", (database_stopped,), hold_s=1),
    LoadFault("PostgreSQL: disk full", (database_disk_full,), needs_disks=True),
    LoadFault("S3: killed mid-put, started again", (store_killed_mid_put,), hold_s=1),
    LoadFault("S3: hanging", (store_hanging,), hold_s=6),
    LoadFault(
        "S3: bits flipped on the way to it, and from it",
        (
            network_fault("s3", NetworkFault(flip_to_store=0.5)),
            network_fault("s3", NetworkFault(flip_from_store=0.5)),
        ),
    ),
    LoadFault("Valkey: killed, started empty", (queue_restarted,)),
    LoadFault("gateway and registry: disk of uploads full", (spool_full,), needs_disks=True),
    LoadFault("SIGKILL of the gateway", (killed("gateway"),), 0, from_begin=True),
    LoadFault("SIGKILL of the registry", (killed("registry"),), 0, from_begin=True),
    LoadFault(
        "SIGKILL of recognizer, trainer, workers",
        (killed("recognizer"), killed("trainer"), workers_killed),
        0,
        from_begin=True,
    ),
    LoadFault(
        "SIGTERM of registry, recognizer, gateway", tuple(map(terminated, SERVICES)), 0, from_begin=True
    ),
    LoadFault("SIGSTOP of registry, recognizer, gateway for 10 s", tuple(map(stopped, SERVICES)), 10),
    LoadFault("SIGSTOP of the workers past their lease", (workers_stopped,), 6),
]
