"""The folders of the base-model tool, from the environment; none is outside the repository by default."""

import os
from pathlib import Path
from typing import Final

BENCH_VARIABLE: Final = "KETAV_BENCH_DATA"
"""Environment variable: the folder of the letter collection and of transcribed lines of real writers."""
MATERIAL: Final = Path(os.environ.get("KETAV_BASEMODEL_DATA", "var/data"))
"""Folder of the fetched fonts and texts."""
WORK: Final = Path(os.environ.get("KETAV_BASEMODEL_WORK", "var/basemodel"))
"""Folder of training shards, checkpoints and weights."""


class NoBenchDataError(Exception):
    """KETAV_BENCH_DATA names no folder."""


def bench_data() -> Path:
    """Return the folder that KETAV_BENCH_DATA names.

    Raises NoBenchDataError with a sentence for the user when the variable is not set or names no folder.
    """
    name = os.environ.get(BENCH_VARIABLE)
    if not name:
        raise NoBenchDataError(
            f"{BENCH_VARIABLE} is not set. Set it to the folder of the letters and lines of real writers."
        )
    folder = Path(name)
    if not folder.is_dir():
        raise NoBenchDataError(f"{BENCH_VARIABLE} names no folder: {folder}. Set it to an existing folder.")
    return folder
