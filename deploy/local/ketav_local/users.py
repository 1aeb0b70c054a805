"""The first user of the local system: `python -m ketav_local.users FOLDER`, a step of each start."""

import subprocess
import sys
from pathlib import Path

from ketav_local.datadir import DataDir

API_KEY = "api_key"
ADD_USER = (sys.executable, "-m", "ketav_registry", "users", "add", "first")


def make_first_user(data: DataDir) -> None:
    """Make the user unless an earlier start did; the key goes to a private file, never to a log.

    Raises CalledProcessError when the command fails.
    """
    if (data.root / API_KEY).exists():
        return
    printed = subprocess.run(ADD_USER, check=True, stdout=subprocess.PIPE, text=True).stdout
    key = next(word for word in printed.split() if word.startswith("ktv_"))
    data.write_private(API_KEY, key + "\n")


def read_key(data: DataDir) -> str:
    """Give the first user's API key."""
    return (data.root / API_KEY).read_text().strip()


if __name__ == "__main__":
    make_first_user(DataDir(Path(sys.argv[1])))
