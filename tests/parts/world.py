"""The system as processes, for fault tests: registry, trainer, workers and recognizer over real stores.

Every process may be killed, stopped and started again; the database records the history of runs and models.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import httpx
import psutil

from ketav.registry.v1 import (
    corrections_pb2_grpc,
    ground_truth_pb2_grpc,
    models_pb2_grpc,
    pages_pb2_grpc,
    projects_pb2_grpc,
    training_pb2_grpc,
    transcriptions_pb2_grpc,
)
from ketav.trainer.v1 import trainer_pb2_grpc
from ketav_common import rpc
from ketav_common.faults import DIRECTORY
from ketav_common.identity import Signer
from ketav_registry.main import open_stores
from ketav_registry.settings import StoreSettings
from ketav_registry.usecases import accounts, models
from ketav_testing import tiny
from tests.parts import history
from tests.parts.identities import SIGNER, identity_keys
from tests.parts.postgres import PostgresServer
from tests.parts.valkey import Valkey, valkey

CHILD = "ketav_trainer.fit_process"
"""Module of a training process."""


@dataclass(frozen=True)
class Pace:
    """Seconds of a lease, between heartbeats, and between sweeps."""

    lease: int = 2
    heartbeat: float = 0.4
    sweep: float = 0.7


@dataclass
class Program:
    """A program of the system; started again it is another process with the same settings."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Program":
        """Start it."""
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", self.module, *self.arguments]
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=self.log.parent, stdout=output, stderr=output
            )
        return self

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Return whether it runs or is stopped by a signal."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, also when it is stopped; what it has started is not touched."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def events(self, run_id: str) -> list[str]:
        """Return the events that the program has logged about a run."""
        return [
            str(entry["event"])
            for line in self.log.read_text("utf-8").splitlines()
            if run_id in line and line.startswith("{") and (entry := json.loads(line))
        ]

    def children(self) -> list[psutil.Process]:
        """Return the training processes it has."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child for child in psutil.Process(self.pid).children() if is_training(child)]
        return []


def stopped_process(order: Path) -> tuple[str, str] | None:
    """Return the process id and the run of a process that stopped as requested, None before that."""
    if not order.exists() or not (text := order.read_text("utf-8")).endswith("\n"):
        return None
    pid, run_id = text.rstrip("\n").split(" ", 1)
    # It reports just before it stops; a SIGCONT in between would be lost.
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(int(pid)).status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}:
            return None
    return pid, run_id


def is_training(process: psutil.Process) -> bool:
    """Return whether a process is a training process that has not ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE and CHILD in process.cmdline()
    return False


@dataclass
class World:
    """The running system, its stores, and clients of its services."""

    folder: Path
    postgres: PostgresServer
    database: str
    queue: Valkey
    pace: Pace
    owner: asyncpg.Pool
    """Connections as the database's owner."""
    signer: Signer = SIGNER
    workers: list[Program] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)
    started: int = 0
    """Workers so far."""
    settings: dict[str, str] = field(default_factory=dict)
    """Settings of all programs that replace those of this system, such as the URLs of other stores."""

    @property
    def faults(self) -> Path:
        """Return the directory of the requested stops."""
        return self.folder / "faults"

    @property
    def blobs(self) -> Path:
        """Return the directory of the stored objects."""
        return self.folder / "blobs"

    @property
    def training(self) -> Any:
        """Return a client of the registry's training runs."""
        return training_pb2_grpc.TrainingServiceStub(self.channels["registry"])

    @property
    def models(self) -> Any:
        """Return a client of the registry's models."""
        return models_pb2_grpc.ModelServiceStub(self.channels["registry"])

    @property
    def projects(self) -> Any:
        """Return a client of the registry's projects."""
        return projects_pb2_grpc.ProjectServiceStub(self.channels["registry"])

    @property
    def pages(self) -> Any:
        """Return a client of the registry's PageService."""
        return pages_pb2_grpc.PageServiceStub(self.channels["registry"])

    @property
    def transcriptions(self) -> Any:
        """Return a client of the registry's TranscriptionService."""
        return transcriptions_pb2_grpc.TranscriptionServiceStub(self.channels["registry"])

    @property
    def corrections(self) -> Any:
        """Return a client of the registry's CorrectionService."""
        return corrections_pb2_grpc.CorrectionServiceStub(self.channels["registry"])

    @property
    def ground_truth(self) -> Any:
        """Return a client of the registry's GroundTruthService."""
        return ground_truth_pb2_grpc.GroundTruthServiceStub(self.channels["registry"])

    @property
    def trainer(self) -> Any:
        """Return a client of the trainer's front."""
        return trainer_pb2_grpc.TrainerServiceStub(self.channels["trainer"])

    def address(self, name: str) -> str:
        """Return where a service listens."""
        return f"unix:{self.folder}/{name}.sock"

    def program(self, name: str, module: str, *arguments: str, **settings: str) -> Program:
        """Describe a program with the system's settings; `settings` replace some of them."""
        base = f"postgresql://ketav_service@127.0.0.1:{self.postgres.port}/{self.database}"
        own = {
            **identity_keys(module.split(".", maxsplit=1)[0].removeprefix("ketav_")),
            "KETAV_DATABASE_URL": base,
            "KETAV_BLOB_URL": f"file://{self.blobs}",
            "KETAV_REGISTRY_ADDRESS": self.address("registry"),
            "KETAV_RECOGNIZER_ADDRESS": self.address("recognizer"),
            "KETAV_TRAINER_ADDRESS": self.address("trainer"),
            "KETAV_REDIS_URL": self.queue.url,
            "KETAV_BIND": self.address(name),
            "KETAV_DATA_DIR": str(self.folder),
            "KETAV_ENGINE": "tiny",
            "KETAV_TRAINING_STANDBY": "false",  # each training process that the tests see trains a run
            "KETAV_TRAINING_EPOCHS": "6",
            "KETAV_LEASE_SECONDS": str(self.pace.lease),
            "KETAV_HEARTBEAT_SECONDS": str(self.pace.heartbeat),
            "KETAV_SWEEP_SECONDS": str(self.pace.sweep),
            "KETAV_JOB_SWEEP_SECONDS": str(self.pace.sweep),
            DIRECTORY: str(self.faults),
        }
        return Program(
            module, arguments, {**os.environ, **own, **self.settings, **settings}, self.folder / f"{name}.log"
        )

    async def serve(self, name: str) -> None:
        """Start a service, or start it again, and wait until it answers."""
        if name not in self.programs:
            self.programs[name] = self.program(name, f"ketav_{name}.main")
        self.programs[name].start()
        if name in self.channels:  # it may not have noticed yet that its service was killed
            await self.channels.pop(name).close()
        self.channels[name] = rpc.channel(self.address(name), self.signer)
        async with asyncio.timeout(90):
            await self.channels[name].channel_ready()

    def add_worker(self, **settings: str) -> Program:
        """Start one more worker."""
        self.started += 1
        name = f"worker-{self.started}"
        worker = self.program(name, "ketav_trainer.worker", "--beat", **settings).start()
        self.workers.append(worker)
        return worker

    def add_job_worker(self, **settings: str) -> Program:
        """Start one more worker that reads the pages of jobs."""
        self.started += 1
        name = f"recognizer-worker-{self.started}"
        worker = self.program(name, "ketav_recognizer.worker", **settings).start()
        self.workers.append(worker)
        return worker

    async def serve_gateway(self, port: int) -> str:
        """Start the gateway, or start it again, wait until it serves, and return its URL."""
        if "gateway" not in self.programs:
            settings = {"KETAV_PORT": str(port), "KETAV_OCR_RATE_LIMIT": "10000/minute"}
            self.programs["gateway"] = self.program("gateway", "ketav_gateway.main", **settings)
        self.programs["gateway"].start()
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(60):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/readyz")).status_code == httpx.codes.OK:
                        return url
                await asyncio.sleep(0.1)

    async def new_key(self, name: str) -> str:
        """Add a user and return their API key."""
        async with open_stores(self._stores()) as stores:
            _, key = await accounts.add_user(f"{name} {uuid4().hex[:8]}", stores=stores)
        return key

    def remove_worker(self, worker: Program) -> None:
        """Kill a worker for good."""
        worker.kill()
        self.workers.remove(worker)

    def worker_of(self, pid: int) -> Program | None:
        """Return the worker with a process id."""
        return next((worker for worker in self.workers if worker.pid == pid), None)

    async def new_user(self, name: str) -> UUID:
        """Add a user, whose name begins with this text, and return their id."""
        async with open_stores(self._stores()) as stores:
            user_id, _ = await accounts.add_user(f"{name} {uuid4().hex[:8]}", stores=stores)
        return user_id

    async def import_base(self, content: bytes) -> None:
        """Import a file as the base model of every script."""
        file = self.folder / "hebrew_base.safetensors"
        file.write_bytes(content)
        async with open_stores(self._stores()) as stores:
            await stores.blobs.create()
            await models.import_base(file, "hebrew_base", None, stores=stores)

    def _stores(self) -> StoreSettings:
        """Return the settings of the registry's stores."""
        url = self.postgres.url(self.database, "ketav_service")
        blob_url = self.settings.get("KETAV_BLOB_URL", f"file://{self.blobs}")
        return StoreSettings(database_url=url, blob_url=blob_url, spool_dir=None)

    async def changes(self, after: int = 0) -> list[history.Change]:
        """Return the changes of runs and models after a number."""
        return await history.read(self.owner, after)

    async def run(self, run_id: str) -> dict[str, Any]:
        """Return a run's row."""
        row = await self.owner.fetchrow("SELECT * FROM training_run WHERE id = $1", UUID(run_id))
        assert row is not None
        return dict(row)

    async def until(
        self, done: Callable[[], Awaitable[bool]], what: str, seconds: float = 250, pause: float = 0.05
    ) -> None:
        """Wait until `done` returns True; raises TimeoutError with `what` when it never does."""
        try:
            async with asyncio.timeout(seconds):
                while not await done():  # noqa: ASYNC110 - other processes change the result
                    await asyncio.sleep(pause)
        except TimeoutError as error:
            raise TimeoutError(f"not within {seconds} s: {what}") from error

    async def ended(self, run_id: str, seconds: float = 250) -> dict[str, Any]:
        """Wait for a run's end and return its row."""

        async def over() -> bool:
            """Look at the run."""
            return (await self.run(run_id))["state"] in history.ENDED

        await self.until(over, f"the end of run {run_id}", seconds)
        return await self.run(run_id)

    def request_stop(self, point: str) -> Path:
        """Request a stop at a point; return the file in which the stopped process reports."""
        folder = self.faults / point
        folder.mkdir(parents=True, exist_ok=True)
        order = folder / f"{uuid4().hex}.armed"
        order.touch()
        return order.with_suffix(".taken")

    async def stopped(self, order: Path, seconds: float = 250) -> int:
        """Wait until a process has stopped as requested; return its id."""

        async def has_stopped() -> bool:
            """Read the report."""
            return stopped_process(order) is not None

        await self.until(has_stopped, f"a stop at {order.parent.name}", seconds)
        return int((stopped_process(order) or ("0", ""))[0])

    async def orphans(self, seconds: float = 20) -> list[int]:
        """Return the training processes without a running worker, after a time in which they may end."""
        pids_without_worker: list[int] = []

        async def none() -> bool:
            """Look for training processes of this system without a worker."""
            pids = {worker.pid for worker in self.workers if worker.alive}
            pids_without_worker[:] = [
                process.pid
                for process in psutil.process_iter()
                if is_training(process) and self._is_ours(process) and process.ppid() not in pids
            ]
            return not pids_without_worker

        with contextlib.suppress(TimeoutError):
            await self.until(none, "no orphan", seconds)
        return pids_without_worker

    def _is_ours(self, process: psutil.Process) -> bool:
        """Return whether a training process works in this system's directory."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return process.environ().get("TMPDIR", "").startswith(str(self.folder))
        return False

    async def close(self) -> None:
        """End every process."""
        for channel in self.channels.values():
            await channel.close()
        for program in [*self.workers, *self.programs.values()]:
            for child in program.children():
                child.kill()
            program.kill()


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    postgres: PostgresServer,
    *,
    workers: int = 3,
    pace: Pace | None = None,
    settings: Callable[[str, Valkey], dict[str, str]] = lambda _database, _queue: {},
) -> AsyncIterator[World]:
    """Run the system with some workers over a fresh database whose history is recorded.

    `settings` returns those of all programs, from the name of the database and the queue.
    """
    database = postgres.migrated_database()
    owner = await asyncpg.create_pool(postgres.url(database), min_size=1, max_size=4, timeout=30)
    try:
        await history.record(owner)
        with valkey() as queue:
            running = World(
                folder, postgres, database, queue, pace or Pace(), owner, settings=settings(database, queue)
            )
            try:
                await running.import_base(tiny.save())
                await running.serve("registry")
                await running.serve("trainer")
                for _ in range(workers):
                    running.add_worker()
                yield running
            finally:
                await running.close()
    finally:
        await owner.close()
