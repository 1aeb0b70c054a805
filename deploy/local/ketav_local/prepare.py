"""What the stores need before anyone is served: `python -m ketav_local.prepare FOLDER MODEL`, at each start.

Migrations, the base model, and the first user, in one process because importing is most of the work.
"""

import contextlib
import io
import sys
from pathlib import Path

from ketav_local.datadir import DataDir

API_KEY = "api_key"


def ketav(*arguments: str) -> str:
    """Run a `ketav` command in this process and give what it printed; ends the process when it fails."""
    from ketav_registry.cli import app

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = app(arguments, standalone_mode=False)
    if status:
        raise SystemExit(f"ketav {arguments[0]} failed with status {status}")
    return printed.getvalue()


def prepare(data: DataDir, base_model: Path) -> None:
    """Bring the stores up to date; what is already there stays as it is.

    The first user's key goes to a private file, never to a log.
    """
    ketav("migrate")
    ketav("models", "import", "--name", "hebrew_base", "--trusted", str(base_model))
    if not (data.root / API_KEY).exists():
        key = next(word for word in ketav("users", "add", "first").split() if word.startswith("ktv_"))
        data.write_private(API_KEY, key + "\n")


def read_key(data: DataDir) -> str:
    """Give the first user's API key."""
    return (data.root / API_KEY).read_text().strip()


if __name__ == "__main__":
    prepare(DataDir(Path(sys.argv[1])), Path(sys.argv[2]))
