"""Prepares the stores at each start: `python -m ketav_local.prepare DIRECTORY MODEL`.

Migrations, the base model, and the first user, in one process because imports take most of the time.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from ketav_local.data_directory import DataDirectory

API_KEY = "api_key"
USER = "first"
"""Name of the user whose key is in the data directory."""


def ketav(*arguments: str) -> str:
    """Run a `ketav` command in this process and return its output; ends the process when it fails."""
    from ketav_registry.cli import app

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = app(arguments, standalone_mode=False)
    if status:
        raise SystemExit(f"ketav {arguments[0]} failed with status {status}")
    return printed.getvalue()


def prepare(data: DataDirectory, base_model: Path) -> None:
    """Migrate the database, import the base model and add the first user, each unless it is done.

    The first user's key is written to a private file, never to a log.
    """
    ketav("migrate")
    ketav("models", "import", "--name", "hebrew_base", "--trusted", str(base_model))
    if not (data.root / API_KEY).exists():
        users = [user["name"] for user in json.loads(ketav("admin", "users", "list", "--json"))]
        # A restored system has the user, and no key that could be written to the file.
        command = ("admin", "keys", "add", USER) if USER in users else ("admin", "users", "add", USER)
        key = next(word for word in ketav(*command).split() if word.startswith("ktv_"))
        data.write_private(API_KEY, key + "\n")


def read_key(data: DataDirectory) -> str:
    """Return the first user's API key."""
    return (data.root / API_KEY).read_text().strip()


if __name__ == "__main__":
    prepare(DataDirectory(Path(sys.argv[1])), Path(sys.argv[2]))
