"""The `ketav` command: the registry's command, by default on the stores of the local system."""

import asyncio
import os
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from ketav_local.data_directory import DataDirectoryInUseError, read_env
from ketav_local.errors import StartError

WITHOUT_STORES = frozenset({"--help", "--version", "doctor"})
"""Arguments of commands that work while no store runs; `doctor` reports what does not run."""
WITH_OWN_STORES = frozenset({"backup", "restore", "fsck"})
"""Commands of `ketav admin` for which the stores of a stopped local system are started."""
OWN_ADDRESSES = frozenset({"KETAV_DATABASE_URL", "KETAV_SECRETS_DIR"})
"""Variables of an environment with addresses of its own. None are added to it: commands never mix systems."""


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
    starts_stores = needs_own_stores(arguments, exists=local)
    if (local or starts_stores) and not own_addresses and not WITHOUT_STORES & set(arguments):
        # The image of the registry has addresses, and not the packages that this module needs.
        from ketav_local.stopped_system import is_running, run_with_own_stores

        folder = local_folder(os.environ)
        if not is_running(folder):
            if starts_stores:
                return asyncio.run(run_with_own_stores(folder, arguments))
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
