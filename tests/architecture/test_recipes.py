"""The recipes of docs/howto work: applied to a copy of the repository, their tests pass there."""

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import recipes
from tools.check import environment
from tools.hygiene import ROOT

HOWTO = ROOT / "docs" / "howto"
MAX_FIELD_FILES = 8
"""Hand-written production files that a new field of Line may touch."""


@dataclass(frozen=True)
class Copy:
    """A copy of the repository with all recipes applied, and the files that each of them edits."""

    folder: Path
    edited: dict[str, list[Path]]

    def run(self, *command: str) -> None:
        """Run a module in the copy, with the packages of the copy; fails with its output."""
        sources = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"][
            "mypy_path"
        ]
        path = os.pathsep.join(str(self.folder / source) for source in sources)
        ran = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env={**environment(), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Copy the repository and apply all recipes."""
    folder = tmp_path_factory.mktemp("recipes")
    recipes.copy_repository(folder)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # checks ask git for the files
    return Copy(folder, {path.stem: recipes.apply(path, folder) for path in sorted(HOWTO.glob("add-*.md"))})


def test_a_field_of_line_touches_few_files(copy: Copy) -> None:
    """Contract, producer, migration, and one file in each layer; stubs are generated."""
    production = [
        path for path in copy.edited["add-a-field"] if path.parts[0] in {"protos", "services", "libs"}
    ]
    assert len(production) <= MAX_FIELD_FILES, production


@pytest.mark.timeout(600)
def test_the_code_of_the_recipes_passes_the_checks(copy: Copy) -> None:
    """Format, lint, types, contracts, stubs, and the migration compared with the tables."""
    edited = [str(path) for paths in copy.edited.values() for path in paths if path.suffix == ".py"]
    copy.run("ruff", "format", "--check", *edited)
    copy.run("ruff", "check", *edited)
    copy.run("tools.check", "types", "contracts", "stubs", "migrations")
    copy.run("tools.prose", *edited)


@pytest.mark.timeout(600)
def test_the_tests_of_the_recipes_pass(copy: Copy) -> None:
    """On a whole system and on a registry with a real PostgreSQL."""
    tests = [str(path) for paths in copy.edited.values() for path in paths if path.parts[0] == "tests"]
    assert len({path for path in tests if not (ROOT / path).exists()}) == len(copy.edited)
    copy.run("pytest", "-q", "-p", "no:cacheprovider", *tests, "tests/unit/test_gateway_http_openapi.py")
