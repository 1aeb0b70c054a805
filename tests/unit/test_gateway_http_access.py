"""The matrix of routes, identities and objects, generated from the OpenAPI description.

A route about an object answers 404 with the same bytes for a foreign, a deleted and an unknown one. The RPCs
behind the routes have a matrix of their own: tests/integration/test_registry_access.py.
"""

import copy
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ketav_common.identity import Identity
from ketav_gateway.http.openapi import operations
from tests.parts.gateway import Gateway, in_process_gateway, png, upload, without_trace
from tests.parts.identities import SIGNER
from tests.parts.in_memory.models import add_version
from tests.parts.in_memory.training import add_run

OPEN = {"/livez", "/readyz"}
SESSIONS = {("post", "/session"), ("get", "/session"), ("delete", "/session")}
NO_OBJECT = SESSIONS | {
    *(("get", path) for path in ("/me", "/projects/", "/jobs/", "/train/", "/models/", "/models/progress")),
    *(("get", path) for path in ("/models/readiness", "/models/policy", "/webhook", "/me/audit")),
    *(("delete", "/me"), ("put", "/models/policy"), ("post", "/train/"), ("post", "/projects/")),
    *(("put", "/webhook"), ("delete", "/webhook"), ("post", "/webhook/test")),
}
"""Routes about all objects of the caller, or none."""


@dataclass(frozen=True)
class Ids:
    """The ids of one user's objects, by their names in paths, queries and bodies."""

    project_id: str
    image_id: str
    line_id: str
    job_id: str
    run_id: str
    version: str
    name: str = "nobody"

    def replaced(self, name: str, value: Any) -> Any:
        """Return a value of a body with these ids in place of those of the example."""
        if isinstance(value, dict):
            return {key: self.replaced(key, member) for key, member in value.items()}
        if isinstance(value, list):
            singular = name.removesuffix("s")
            if singular in {"image_id", "line_id"}:
                return [getattr(self, singular), *value[1:]]
            return [self.replaced(name, item) for item in value]
        return getattr(self, name, value)


_ID = "00000000-0000-4000-8000-000000000001"
UNKNOWN = Ids(_ID, _ID, _ID, _ID, _ID, "u-0123456789ab-1")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway that resolves the key of each request."""
    async with in_process_gateway(tmp_path, key_cache_s=0) as running:
        yield running


async def objects(gateway: Gateway) -> Ids:
    """Create an object of each kind of the first user."""
    page = (await upload(gateway.client)).json()
    body = {"project_id": page["project_id"], "image_ids": [page["image_id"]]}
    job = (await gateway.client.post("/jobs/", json=body)).json()
    name = f"u-{uuid4().hex[:12]}-1"
    add_version(gateway.user, name)
    run = add_run(gateway.user)
    line_id = page["lines"][0]["line_id"]
    return Ids(page["project_id"], page["image_id"], line_id, job["job_id"], run.run_id, name)


def request_of(path: str, operation: dict[str, Any], ids: Ids) -> tuple[str, dict[str, Any]]:
    """Return the address and the arguments of a valid request about these objects."""
    address = re.sub(r"\{(\w+)\}", lambda match: str(getattr(ids, match[1])), path)
    queried = [it for it in operation.get("parameters", []) if it["in"] == "query"]
    params = {it["name"]: getattr(ids, it["name"], "שלום") for it in queried}
    named = {it["name"] for it in queried if it["required"] or hasattr(ids, it["name"])}
    arguments: dict[str, Any] = {"params": {name: params[name] for name in named}}
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        example = copy.deepcopy(content["application/json"]["schema"].get("example", {}))
        arguments["json"] = ids.replaced("", example)
    elif "multipart/form-data" in content:
        arguments["files"] = {"file": ("page.png", png())}
        arguments["data"] = {} if "{" in path else {"project_id": ids.project_id}
    return address, arguments


async def test_each_route_is_refused_to_all_but_users(gateway: Gateway) -> None:
    """401 without a key, with a revoked one, and with the identity token of a service; one RPC is called."""
    revoked = f"ktv_revoked0_{'c' * 43}"
    token = SIGNER.sign(Identity("trainer"), "registry")
    document = (await gateway.anonymous.get("/openapi.json")).json()
    for path, method, operation in operations(document):
        address, arguments = request_of(path, operation, UNKNOWN)
        for key in (None, revoked, token):
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            response = await gateway.anonymous.request(method, address, headers=headers, **arguments)
            assert response.status_code == (200 if path in OPEN else 401), (method, path, key)
    assert set(gateway.state.calls) == {"ResolveApiKey"}


async def test_each_route_about_an_object_answers_404_alike(gateway: Gateway) -> None:
    """For a foreign, an unknown and a deleted object; a route about none is in the list of those."""
    document = (await gateway.anonymous.get("/openapi.json")).json()
    foreign, deleted = await objects(gateway), await objects(gateway)
    assert (await gateway.client.delete(f"/projects/{deleted.project_id}")).is_success
    rows = set()
    for path, method, operation in operations(document):
        if path in OPEN or (method, path) in NO_OBJECT:
            continue
        rows.add((method, path))
        cells = []
        for ids in (UNKNOWN, foreign, deleted):
            address, arguments = request_of(path, operation, ids)
            response = await gateway.other.request(method, address, **arguments)
            cells.append((response.status_code, without_trace(response), _headers(response)))
        assert cells[0][0] == 404, (method, path, cells[0])
        assert cells[1:] == cells[:1] * 2, (method, path, cells)
    assert len(rows) > 25


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return the headers of a response without the id of the request."""
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}
