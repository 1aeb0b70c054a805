"""Start the whole system on one machine and keep it running until told to stop."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ketav_common.errors import Precondition
from ketav_local.datadir import DataDir, DataDirInUseError
from ketav_local.ledger import Ledger, end_leftovers
from ketav_local.ports import is_free
from ketav_local.prepare import read_key
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import StartError, Supervisor
from ketav_local.system import System


@dataclass(frozen=True)
class Running:
    """A started system: where it answers, the first user's key, and its supervisor."""

    system: System
    supervisor: Supervisor
    api_key: str

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return self.system.url


def say(text: str) -> None:
    """Print one status line at once."""
    print(f"ketav: {text}", flush=True)


@contextlib.asynccontextmanager
async def running(settings: LocalSettings) -> AsyncIterator[Running]:
    """Run the system inside the context.

    Raises DataDirInUseError, and StartError when the port is taken or a process cannot start.
    """
    data = DataDir(settings.data_dir)
    with data.lock():
        if not is_free(settings.port):
            raise StartError(f"port {settings.port} is taken; set KETAV_PORT to another")
        ledger_path = data.root / "processes.json"
        for name in await asyncio.to_thread(end_leftovers, ledger_path):
            say(f"ended {name}, left by a system that was killed")
        system = System.plan(settings, data)
        if settings.database_url is None:
            await asyncio.to_thread(system.postgres.create)
        data.write_env(system.store_env())
        with Ledger(ledger_path) as ledger:
            supervisor = Supervisor(system.specs(), data.logs, ledger, say, settings.start_timeout_s)
            async with supervisor:
                yield Running(system, supervisor, read_key(data))


def greeting(run: Running, seconds: float) -> str:
    """Say where the system answers and how to ask it."""
    return (
        f"ready after {seconds:.1f} s\n\n"
        f"  URL      {run.url}   (documentation: {run.url}/docs)\n"
        f"  API key  {run.api_key}\n"
        f"  data     {run.system.data.root}\n\n"
        f"  curl -H 'Authorization: Bearer {run.api_key}' -F file=@page.jpg {run.url}/ocr/\n\n"
        "Ctrl-C stops everything."
    )


async def serve(settings: LocalSettings) -> None:
    """Run the system until SIGINT, SIGTERM or SIGHUP; a second signal does not cut the stopping short."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    keeping = asyncio.create_task(keep(settings))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([keeping, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        say("stopping")
        keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    stopping.cancel()


async def keep(settings: LocalSettings) -> None:
    """Start the system, greet, and keep it until cancelled."""
    began = time.monotonic()
    async with running(settings) as run:
        say(greeting(run, time.monotonic() - began))
        await asyncio.Event().wait()


def main() -> int:
    """Run `python -m ketav_local`; exit status 1 when the system could not start."""
    try:
        asyncio.run(serve(LocalSettings()))
    except (DataDirInUseError, StartError, Precondition) as error:
        say(str(error))
        return 1
    say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
