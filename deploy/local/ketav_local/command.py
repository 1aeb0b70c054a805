"""The `ketav` command: the registry's command, by default on the stores of the local system."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, MutableMapping, Sequence
from pathlib import Path

from ketav_local.data_directory import DataDirectory, DataDirectoryInUseError, read_env
from ketav_local.pid_file import PidFile, running_processes
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import StartError, Supervisor
from ketav_local.system import System

WITHOUT_STORES = frozenset({"--help", "--version", "doctor"})
"""Arguments of commands that work while no store runs; `doctor` reports what does not run."""
WITH_OWN_STORES = frozenset({"backup", "restore", "fsck"})
"""Commands of `ketav admin` for which the stores of a stopped local system are started."""
OWN_ADDRESSES = frozenset({"KETAV_DATABASE_URL", "KETAV_SECRETS_DIR"})
"""Variables of an environment with addresses of its own. None are added to it: commands never mix systems."""
START_S = 60
"""Seconds in which PostgreSQL must start."""


def local_folder(environ: MutableMapping[str, str]) -> Path:
    """Return the folder of the local system: KETAV_DATA_DIR, or `.ketav`."""
    return Path(environ.get("KETAV_DATA_DIR", ".ketav")).expanduser()


def point_at_local_stores(environ: MutableMapping[str, str]) -> bool:
    """Set the addresses of the local system from `$KETAV_DATA_DIR/env`; return whether they were set.

    An environment that has addresses of its own is not changed.
    """
    if OWN_ADDRESSES & set(environ):
        return False
    local = read_env(local_folder(environ))
    environ.update(local)
    return bool(local)


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
    from ketav_common import logging
    from ketav_registry.cli import app

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


def needs_own_stores(arguments: Sequence[str], *, exists: bool) -> bool:
    """Return whether a command starts the stores of a stopped system; `restore` makes a new one."""
    commands = WITH_OWN_STORES if exists else {"restore"}
    return arguments[:1] == ["admin"] and bool(commands & set(arguments[1:2]))


def run(arguments: Sequence[str]) -> int:
    """Run `ketav …` on the system of the environment or on the local one; return the exit status.

    Raises StartError when the command needs the local system and it does not run.
    """
    own_addresses = OWN_ADDRESSES & set(os.environ)
    local = point_at_local_stores(os.environ)
    folder = local_folder(os.environ)
    if not own_addresses and not WITHOUT_STORES & set(arguments) and not is_running(folder):
        if needs_own_stores(arguments, exists=local):
            return asyncio.run(run_with_own_stores(folder, arguments))
        if local:
            raise StartError(f"The local system in {folder} does not run. Start it with `make run`.")
    from ketav_registry.cli import run_command

    run_command(arguments)
    return 0


def main() -> None:
    """Run `ketav …`; errors of the local system end it with a sentence."""
    try:
        sys.exit(run(sys.argv[1:]))
    except (DataDirectoryInUseError, StartError) as error:
        sys.exit(f"ketav: {error}")


if __name__ == "__main__":
    main()
