"""Run a folder of cases from practice against a system of its own: one row a case, PASS or FAIL.

    python -m bench.cases FOLDER

A case is a folder with a `case.py`, which sends its inputs to the gateway at KETAV_URL with the key in the
file KETAV_KEY and prints lines that begin with PASS or FAIL. Each case gets a user of its own, because some
train. The folder is copied first, because cases write their inputs next to themselves. The exit status is 1
when a case fails, prints no result or takes too long.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

_CASE_S: Final = 900
"""Seconds that one case may take: the longest train a model of forty lines."""
_MAX_SHOWN: Final = 200
"""Characters of the error of a case that prints no result."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one case."""

    name: str
    lines: tuple[str, ...]
    """Its lines that begin with PASS or FAIL."""
    error: str = ""
    """Why there are none, or why the case ended early."""

    @property
    def passed(self) -> bool:
        """Return whether the case printed results, all of them PASS, and ended normally."""
        return bool(self.lines) and not self.error and all(line.startswith("PASS") for line in self.lines)

    def report(self) -> str:
        """Return a row with the case's name and its counts, and a row for each failure."""
        good = sum(line.startswith("PASS") for line in self.lines)
        rows = [f"{'PASS' if self.passed else 'FAIL'}  {self.name}: {good} of {len(self.lines)}"]
        failures = [line for line in self.lines if not line.startswith("PASS")]
        return "\n      ".join([*rows, *failures, *([self.error] if self.error else [])])


def run_case(script: Path, env: dict[str, str], limit_s: float = _CASE_S) -> Result:
    """Run one case with the settings that it reads from the environment; return its result."""
    name = script.parent.name
    try:
        ran = subprocess.run(
            [sys.executable, str(script)],
            env=env,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(name, (), f"It took more than {limit_s:.0f} s.")
    lines = tuple(line for line in ran.stdout.splitlines() if line.startswith(("PASS", "FAIL")))
    if ran.returncode:
        last = ran.stderr.strip().rpartition("\n")[2]
        return Result(name, lines, f"It ended with status {ran.returncode}: {last[:_MAX_SHOWN]}")
    return Result(name, lines, "" if lines else "It printed no result.")


def add_user(name: str, folder: Path, data_dir: Path) -> Path:
    """Add a user to the running system; return a file in `folder` with the API key."""
    added = subprocess.run(
        [sys.executable, "-m", "ketav_local.command", "users", "add", name],
        env={**os.environ, "KETAV_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    key = folder / f"{name}.key"
    key.write_text(next(word for word in added.stdout.split() if word.startswith("ktv_")))
    return key


def run_all(run: Running, scripts: list[Path], folder: Path) -> bool:
    """Run the cases one after the other, print a row for each, and return whether all passed."""
    results = []
    for number, script in enumerate(scripts):
        key = add_user(f"case{number}", folder, run.system.data.root)
        results.append(run_case(script, {**os.environ, "KETAV_URL": run.url, "KETAV_KEY": str(key)}))
        print(results[-1].report(), flush=True)
    good = sum(result.passed for result in results)
    print(f"{good} of {len(results)} cases pass.")
    return good == len(results)


async def main() -> int:
    """Run the cases of the folder given on the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of cases, such as ../shared/cases")
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of the names of the cases to run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ketav-cases-") as name:
        folder = Path(name)
        copied = shutil.copytree(arguments.folder, folder / "cases")
        copied.chmod(0o700)
        for case in copied.glob("*/"):
            case.chmod(0o700)
        scripts = sorted(copied.glob("*/case.py"))
        if arguments.only:
            scripts = [script for script in scripts if script.parent.name.startswith(tuple(arguments.only))]
        if not scripts:
            parser.error(
                f"There is no case.py in a folder of {arguments.folder}. Give the folder of the cases."
            )
        settings = LocalSettings.apart(folder / "data", free_ports(1)[0])
        async with running(settings) as run:
            return 0 if await asyncio.to_thread(run_all, run, scripts, folder) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
