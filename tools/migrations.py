"""Check on an empty PostgreSQL that the migrations create the schema that the tables define."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ketav_local.data_directory import DataDirectory
from ketav_local.pid_file import PidFile
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import Supervisor
from ketav_local.system import System

ROOT = Path(__file__).resolve().parent.parent
START_S = 60


async def check(folder: Path) -> int:
    """Migrate an empty database, compare it with the tables by alembic and return the exit status."""
    data = DataDirectory(folder)
    system = System.plan(LocalSettings(data_dir=folder, models_dir=folder), data)
    system.postgres.create()
    specs = [spec for spec in system.specs() if spec.name in {"postgres", "database"}]
    env = {**os.environ, **system.store_env()}
    with PidFile(folder / "processes.json") as pid_file:
        async with Supervisor(specs, data.logs, pid_file, lambda _: None, START_S):
            for command in (["ketav_registry", "migrate"], ["alembic", "check"]):
                ran = subprocess.run(  # noqa: ASYNC221  # nothing else runs here
                    [sys.executable, "-m", *command], cwd=ROOT / "services" / "registry", env=env, check=False
                )
                if ran.returncode:
                    return ran.returncode
    return 0


def main() -> int:
    """Run the check in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="ketav-migrations-") as folder:
        return asyncio.run(check(Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
