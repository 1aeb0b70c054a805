"""The `ketav` command: the registry's command, by default on the stores of the local system."""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from ketav_local.data_directory import read_env
from ketav_local.pid_file import running_processes

WITHOUT_STORES = frozenset({"--help", "--version", "doctor"})
"""Arguments of commands that work while no store runs; `doctor` reports what does not run."""


def local_folder(environ: MutableMapping[str, str]) -> Path:
    """Return the folder of the local system: KETAV_DATA_DIR, or `.ketav`."""
    return Path(environ.get("KETAV_DATA_DIR", ".ketav"))


def point_at_local_stores(environ: MutableMapping[str, str]) -> bool:
    """Set the addresses of the local system from `$KETAV_DATA_DIR/env`; return whether they were set.

    An environment that has a database's URL, or a directory of secrets, is not changed: a command never mixes
    two systems.
    """
    if {"KETAV_DATABASE_URL", "KETAV_SECRETS_DIR"} & set(environ):
        return False
    local = read_env(local_folder(environ))
    environ.update(local)
    return bool(local)


def is_running(folder: Path) -> bool:
    """Return whether a process of the local system in a folder runs."""
    return bool(running_processes(folder.expanduser() / "processes.json"))


def main() -> None:
    """Run `ketav …`."""
    local = point_at_local_stores(os.environ)
    if local and not WITHOUT_STORES & set(sys.argv) and not is_running(local_folder(os.environ)):
        sys.exit(
            f"ketav: The local system in {local_folder(os.environ)} does not run. Start it with `make run`."
        )
    from ketav_registry.cli import app

    app()


if __name__ == "__main__":
    main()
