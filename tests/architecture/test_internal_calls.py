"""docs/howto/call-the-registry.md lists the RPCs of every service with the roles that may call them."""

import ast
import re
from collections.abc import Iterator

import pytest

from tools.budget import ROOT

DOCUMENT = ROOT / "docs" / "howto" / "call-the-registry.md"
CONTRACTS = {
    "registry": ROOT / "services" / "registry" / "ketav_registry" / "servicer",
    "recognizer": ROOT / "services" / "recognizer" / "ketav_recognizer",
    "trainer": ROOT / "services" / "trainer" / "ketav_trainer",
}


def roles_of(method: ast.AsyncFunctionDef) -> str:
    """Return the roles that a servicer's method requires.

    `current_user` admits the role `user` and those that it names.
    """
    also: list[str] = []
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require_role":
            return ", ".join(
                str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "current_user":
            also += [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
    return ", ".join(["user", *dict.fromkeys(also)])


def served(service: str) -> Iterator[tuple[str, str]]:
    """Yield the RPCs of a service's servicers with their roles."""
    protos = ROOT / "protos" / "ketav" / service / "v1"
    names = {name for proto in protos.glob("*.proto") for name in re.findall(r"rpc (\w+)", proto.read_text())}
    for path in CONTRACTS[service].glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name in names:
                yield node.name, roles_of(node)


def documented(service: str) -> Iterator[tuple[str, str]]:
    """Yield the RPCs of a service that the document lists, with the roles of their row."""
    for row in re.findall(rf"^\| {service} \| ([^|]+) \| ([^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE):
        roles, methods = row
        yield from ((name, roles) for name in re.findall(r"`(\w+)`", methods))


@pytest.mark.parametrize("service", CONTRACTS)
def test_the_document_lists_each_rpc_with_the_roles_that_its_servicer_requires(service: str) -> None:
    """A new RPC needs an entry; a changed role changes it."""
    assert sorted(documented(service)) == sorted(served(service))
