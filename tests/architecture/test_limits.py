"""Limits that several services share are written once, in `ketav_common.limits`."""

import ast
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ketav_common import limits
from ketav_engine import models as engine_models
from ketav_gateway.corrections.schemas import SubmitCorrectionsRequest
from ketav_gateway.settings import GatewaySettings
from ketav_trainer import webhooks
from tests.parts.identities import gateway_keys

ROOT = Path(__file__).parents[2]
LIMITS = {name: value for name, value in vars(limits).items() if name.isupper()}
UNITS = (
    "BYTES",
    "PIXELS",
    "PAGES",
    "LINES",
    "CORRECTIONS",
    "POINTS",
    "CHARACTERS",
    "MODELS",
    "DELIVERIES",
    "SECONDS",
)
# Below this a number is the same as another by chance; the arguments of `Field` are checked from 200.
DISTINCTIVE = 500_000
OPERATORS: dict[type[ast.operator], Any] = {
    ast.Mult: operator.mul,
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
    ast.Add: operator.add,
}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules of the services and libraries, except the limits and generated stubs."""
    for folder in ("libs/common", "libs/engine", "services", "deploy/local"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name != "limits.py" and "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def number(node: ast.AST) -> int | None:
    """Return the value of an expression of integer literals (and MIB), None for any other expression."""
    if isinstance(node, ast.Name) and node.id == "MIB":
        return limits.MIB
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = number(node.left), number(node.right)
        if left is not None and right is not None and right < 2**40:
            return int(OPERATORS[type(node.op)](left, right))
    return None


def test_every_limit_names_its_unit() -> None:
    """The name ends with it; MIB is a unit itself."""
    assert [name for name in LIMITS if not name.endswith(UNITS) and name != "MIB"] == []


def test_no_module_writes_a_shared_limit_again() -> None:
    """Neither as a constant of its own nor in an expression."""
    distinctive = {value: name for name, value in LIMITS.items() if value >= DISTINCTIVE and name != "MIB"}
    # 1 MiB bounds unrelated things too.
    del distinctive[limits.MIB]
    repeated = [
        f"{path}:{node.lineno} repeats {distinctive[value]}"
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.BinOp | ast.Constant) and (value := number(node)) in distinctive
    ]
    assert repeated == []


def test_no_field_of_the_rest_api_writes_a_shared_limit_again() -> None:
    """The longest text and list of a schema come from the limits."""
    values = set(LIMITS.values())
    repeated = [
        f"{path}:{node.value.lineno} {node.arg}={number(node.value)}"
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.keyword) and node.arg in {"max_length", "le"}
        if isinstance(node.value, ast.Constant)
        if number(node.value) in values
    ]
    assert repeated == []


def test_the_gateway_takes_what_the_registry_stores() -> None:
    """The largest upload, the most corrections and the longest texts are the same on both sides."""
    settings = GatewaySettings(**gateway_keys())
    assert settings.max_upload_bytes == limits.MAX_IMAGE_BYTES
    feedback = SubmitCorrectionsRequest.model_json_schema()
    longest = [branch for branch in feedback["properties"]["lines"]["anyOf"] if branch.get("type") == "array"]
    assert longest[0]["maxItems"] == limits.MAX_CORRECTIONS
    assert limits.MAX_CORRECTIONS <= limits.MAX_PAGE_LINES
    # Every character may take four bytes of JSON.
    assert settings.max_json_bytes >= 4 * limits.MAX_PAGE_CODE_POINTS


def test_the_largest_network_that_the_engine_builds_fits_into_a_model_file() -> None:
    """All its weights as float32, and the longest header."""
    weights = 4 * engine_models.MAX_PARAMETERS
    assert weights + limits.MAX_MODEL_HEADER_BYTES <= limits.MAX_MODEL_BYTES


def test_streams_and_claims_fit_into_what_the_other_side_takes() -> None:
    """A chunk fits into a message, and the trainer claims no more deliveries than the registry hands out."""
    assert 2 * limits.CHUNK_BYTES <= limits.MAX_MESSAGE_BYTES
    assert webhooks._AT_ONCE <= limits.MAX_CLAIMED_DELIVERIES
