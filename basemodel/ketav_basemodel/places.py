"""Where the material, the real hands and the work under way lie, by the environment."""

import os
from pathlib import Path

DATA = Path(os.environ.get("KETAV_BASEMODEL_DATA", "var/data"))
BENCH = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
WORK = Path(os.environ.get("KETAV_BASEMODEL_WORK", "var/basemodel"))
