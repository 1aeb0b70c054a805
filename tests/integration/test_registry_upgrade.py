"""An upgrade without a stop: code from before the last two migrations works on the newest schema.

The code from before the older one is tested, which is two versions old; with KETAV_UPGRADES=2 (`make faults`)
also that from between the two.
The old code and its own tests come from the history of the repository. Migrations 0008 and 0009 renamed a
state and columns: an upgrade across them needs a stop (docs/howto/upgrade.md). The rule holds from 0010 on.
"""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ketav_registry.database import newest_revision
from tests.parts.postgres import PostgresServer
from tools.budget import ROOT

VERSIONS = ROOT / "services" / "registry" / "migrations" / "versions"
LAST_WITH_STOP = "0009"
"""Newest migration that the code of the version before does not work with."""
MIGRATIONS = sorted(path for path in VERSIONS.glob("[0-9]*.py") if path.name[:4] > LAST_WITH_STOP)[-2:]
RUN = MIGRATIONS[: int(os.environ.get("KETAV_UPGRADES", "1"))]
"""Migrations whose former code is run: a minute each."""
OLD_TESTS = (
    "tests/contract/test_registry_contract.py",
    "tests/contract/test_registry_user_contract.py",
    "tests/integration/test_registry_accounts.py",
    "tests/integration/test_registry_models.py",
)
"""Tests of the old code that call every service of the registry."""
SOURCES = ("libs/contracts", "libs/common", "services/registry", "services/gateway", "services/trainer", ".")
CONTRACTIONS = re.compile(
    r"\bRENAME\b|\bDROP (?:COLUMN|TABLE)\b|\bSET NOT NULL\b|drop_column|drop_table|rename_table"
    r"|new_column_name|alter_column\([^)]*nullable=False"
)
"""Statements after which older code fails."""
REMOVALS: dict[str, str] = {}
"""Migrations that remove something, with the reason why older code does without it."""


def git(*arguments: str) -> str:
    """Run git in the repository and return its output; empty when it fails."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def commit_before(migration: Path) -> str:
    """Return the commit before a migration was added; HEAD for one that is not committed yet."""
    if git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("the history of the repository is not here: the clone is shallow or no clone")
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(migration.relative_to(ROOT)))
    return f"{added.splitlines()[-1]}^" if added else "HEAD"


def old_tree(commit: str, folder: Path) -> Path:
    """Write the code and the tests of a commit to a folder."""
    archive = ["git", "archive", commit, "libs", "services", "deploy", "tests", "tools", "pyproject.toml"]
    with subprocess.Popen(archive, cwd=ROOT, stdout=subprocess.PIPE) as reading:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=reading.stdout, check=True)
    assert reading.returncode == 0
    return folder


def use_server(tree: Path, port: int) -> None:
    """Make the tests of a tree use the running server, whose template has the newest schema."""
    (tree / "tests" / "conftest.py").write_text(
        textwrap.dedent(
            f"""
            import pytest
            import ketav_registry
            from tests.parts.postgres import PostgresServer

            assert ketav_registry.__file__.startswith({str(tree)!r}), ketav_registry.__file__

            @pytest.fixture(scope="session")
            def postgres():
                return PostgresServer({port}, None)
            """
        )
    )


@pytest.mark.parametrize("migration", RUN, ids=lambda path: path.stem)
@pytest.mark.timeout(900)
def test_the_code_from_before_a_migration_works_on_the_newest_schema(
    postgres: PostgresServer, tmp_path: Path, migration: Path
) -> None:
    """Its own tests of all services pass, so that old and new processes can run at the same time."""
    tree = old_tree(commit_before(migration), tmp_path)
    assert not (tree / migration.relative_to(ROOT)).exists()
    database = postgres.migrated_database()
    [row] = postgres.execute("SELECT version_num FROM alembic_version", database)
    assert row["version_num"] == newest_revision()
    use_server(tree, postgres.port)
    path = os.pathsep.join(str(tree / source) for source in SOURCES)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *OLD_TESTS],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) > 50


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_expands_or_says_why_older_code_does_without_what_it_removes(migration: Path) -> None:
    """It adds; a later migration removes what neither of the two versions before uses."""
    upgrade = migration.read_text(encoding="utf-8").partition("def upgrade")[2].partition("def downgrade")[0]
    assert CONTRACTIONS.findall(upgrade) == [] or migration.name[:4] in REMOVALS


@pytest.mark.parametrize("name", ["0008_running_state.py", "0009_geometry_digests.py"])
def test_the_pattern_recognises_a_contraction(name: str) -> None:
    """It matches the renamed columns of 0009; only the old tests notice a renamed state, as in 0008."""
    text = (VERSIONS / name).read_text(encoding="utf-8")
    assert bool(CONTRACTIONS.search(text)) is (name == "0009_geometry_digests.py")
