"""The `ketav` command: the registry's command, by default on the stores of the local system."""

import os
from collections.abc import MutableMapping
from pathlib import Path

from ketav_local.data_directory import read_env


def point_at_local_stores(environ: MutableMapping[str, str]) -> None:
    """Set the URLs of the stores from `$KETAV_DATA_DIR/env` (`.ketav` by default).

    An environment that has a database's URL is not changed: a command never mixes two systems.
    """
    if "KETAV_DATABASE_URL" not in environ:
        environ.update(read_env(Path(environ.get("KETAV_DATA_DIR", ".ketav"))))


def main() -> None:
    """Run `ketav …`."""
    point_at_local_stores(os.environ)
    from ketav_registry.cli import app

    app()


if __name__ == "__main__":
    main()
