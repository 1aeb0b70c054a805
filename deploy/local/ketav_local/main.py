"""Starts the whole system on one machine and runs it until a signal stops it."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ketav_common.errors import Precondition
from ketav_common.settings import load
from ketav_local.data_directory import DataDirectory, DataDirectoryInUseError
from ketav_local.errors import StartError
from ketav_local.pid_file import PidFile, end_left_processes
from ketav_local.ports import is_free
from ketav_local.prepare import read_key
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import Supervisor
from ketav_local.system import System


@dataclass(frozen=True)
class Running:
    """A started system with its supervisor and the first user's key."""

    system: System
    supervisor: Supervisor
    api_key: str

    @property
    def url(self) -> str:
        """Return the gateway's URL."""
        return self.system.url


def say(text: str) -> None:
    """Print one status line at once."""
    print(f"ketav: {text}", flush=True)


@contextlib.asynccontextmanager
async def running(settings: LocalSettings) -> AsyncIterator[Running]:
    """Run the system inside the context.

    Raises DataDirectoryInUseError, and StartError when the port is taken or a process cannot start.
    """
    data = DataDirectory(settings.data_dir)
    with data.lock():
        if not is_free(settings.port):
            raise StartError(
                f"Port {settings.port} is in use. "
                "Stop the program that uses it, or set KETAV_PORT to another port."
            )
        pid_file_path = data.root / "processes.json"
        for name in await asyncio.to_thread(end_left_processes, pid_file_path):
            say(f"ended {name}, a process of a system that was killed")
        system = System.plan(settings, data)
        if settings.database_url is None:
            await asyncio.to_thread(system.postgres.create)
        data.write_env(system.command_env())
        with PidFile(pid_file_path) as pid_file:
            supervisor = Supervisor(system.specs(), data.logs, pid_file, say, settings.start_timeout_s)
            async with supervisor:
                yield Running(system, supervisor, read_key(data))


def ready_message(run: Running, seconds: float) -> str:
    """Return the gateway's URL, the API key and an example request."""
    return (
        f"ready after {seconds:.1f} s\n\n"
        f"  URL      {run.url}   (documentation: {run.url}/docs)\n"
        f"  API key  {run.api_key}\n"
        f"  data     {run.system.data.root}\n\n"
        f"  curl -H 'Authorization: Bearer {run.api_key}' -F file=@page.jpg {run.url}/ocr/\n\n"
        "Ctrl-C stops everything."
    )


async def serve(settings: LocalSettings) -> None:
    """Run the system until SIGINT, SIGTERM or SIGHUP; a second signal does not interrupt the stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    system = asyncio.create_task(run_until_cancelled(settings))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([system, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        say("stopping")
        system.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await system
    stopping.cancel()


async def run_until_cancelled(settings: LocalSettings) -> None:
    """Start the system, print where it answers, and run it until cancelled."""
    began = time.monotonic()
    async with running(settings) as run:
        say(ready_message(run, time.monotonic() - began))
        await asyncio.Event().wait()


def main() -> int:
    """Run `python -m ketav_local`; exit status 1 when the system could not start."""
    try:
        asyncio.run(serve(load(LocalSettings)))
    except (DataDirectoryInUseError, StartError, Precondition) as error:
        say(str(error))
        return 1
    say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
