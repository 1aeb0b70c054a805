"""Commands on a local system that may be stopped: its PostgreSQL is started for them.

Unlike `ketav_local.command`, this module needs the packages of the extra `local`, which no image has.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from ketav_common import logging
from ketav_local.data_directory import DataDirectory
from ketav_local.pid_file import PidFile, running_processes
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import Supervisor
from ketav_local.system import System
from ketav_registry.cli import app

START_S = 60
"""Seconds in which PostgreSQL must start."""


def is_running(folder: Path) -> bool:
    """Return whether a process of the local system in a folder runs."""
    return bool(running_processes(folder / "processes.json"))


@contextlib.asynccontextmanager
async def stores_started(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Start PostgreSQL on the folder of a stopped system, or on a new folder; yields the stores' URLs.

    Raises DataDirectoryInUseError and StartError.
    """
    data = DataDirectory(folder)
    with data.lock():
        system = System.plan(LocalSettings.apart(folder, port=1), data)
        await asyncio.to_thread(system.postgres.create)
        specs = [spec for spec in system.specs() if spec.name in {"postgres", "database"}]
        with PidFile(folder / "processes.json") as pid_file:
            async with Supervisor(specs, data.logs, pid_file, lambda _: None, START_S):
                yield system.store_env()


async def run_with_own_stores(folder: Path, arguments: Sequence[str]) -> int:
    """Run a command while the stores of a stopped local system are started for it; return the exit status."""
    logging.configure("admin", "WARNING")
    async with stores_started(folder) as urls:
        os.environ.update(urls)
        try:
            status = await asyncio.to_thread(app, arguments, standalone_mode=False)
        except Exception as error:
            if not hasattr(error, "format_message"):  # not one of click's errors about arguments
                raise
            print(f"ketav: {error.format_message()}", file=sys.stderr)
            return 2
    return int(status or 0)
