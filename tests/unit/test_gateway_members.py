"""Members of projects: the matrix of roles and operations, invitations, and the end of a membership."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ketav_gateway.http.openapi import operations
from ketav_gateway.main import build
from ketav_gateway.settings import GatewaySettings
from tests.parts.exported_pages import written
from tests.parts.gateway import OTHER_KEY, Gateway, png, upload, without_trace
from tests.parts.identities import gateway_keys

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def pairs() -> bytes:
    """Return a zip with the image of a line and its text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", png(300, 40))
        archive.writestr("a.gt.txt", "שלום")
    return buffer.getvalue()


@dataclass(frozen=True)
class Shared:
    """A project of the first user with a read page and a job; ids by the names of parameters."""

    gateway: Gateway
    ids: dict[str, str]

    async def request(self, client: httpx.AsyncClient, operation: str, **changed: str) -> httpx.Response:
        """Send the request of an operation of the matrix with the ids of the project, or changed ones."""
        method, path = operation.split(" ")
        ids = self.ids | changed
        if path == "/jobs/{job_id}/export" and "job_id" not in changed:
            ids["job_id"] = ids["export_id"]
        fields: Any = REQUESTS[operation][1](ids)
        return await client.request(method, path.format(**ids), **fields)

    async def invite(self, role: str) -> httpx.Response:
        """Make the second user a member."""
        path = "/projects/{project_id}/members/{name}".format(**self.ids)
        return await self.gateway.client.put(path, json={"role": role})


@pytest.fixture
async def shared(gateway: Gateway) -> Shared:
    """Read a page of two lines, correct one, and create a job."""
    read = (await upload(gateway.client)).json()
    ids = {
        "project_id": read["project_id"],
        "image_id": read["image_id"],
        "line_id": read["lines"][0]["line_id"],
        "name": gateway.state.user_of(OTHER_KEY).name,
    }
    path = "/projects/{project_id}/images/{image_id}/lines/{line_id}/correction".format(**ids)
    assert (await gateway.client.put(path, json={"text": "שלום"})).is_success
    job = await gateway.client.post(
        "/jobs/", json={"project_id": ids["project_id"], "image_ids": [ids["image_id"]]}
    )
    exported = await gateway.client.get(
        f"/projects/{ids['project_id']}/export", headers={"Prefer": "respond-async"}
    )
    await written(gateway.client, exported.json()["job_id"])
    return Shared(gateway, ids | {"job_id": job.json()["job_id"], "export_id": exported.json()["job_id"]})


def nothing(_ids: dict[str, str]) -> dict[str, Any]:
    """Return the arguments of a request without a body."""
    return {}


POINTS = [[10, 10], [60, 10], [60, 30], [10, 30]]
VIEW, EDIT, OWN = 1, 2, 3
_IMAGE = "/projects/{project_id}/images/{image_id}"
_LINE = _IMAGE + "/lines/{line_id}"
# Operation, the least role that it needs (viewer 1, editor 2, owner 3), and the arguments of its request.
REQUESTS: dict[str, tuple[int, Any]] = {
    "GET /projects/{project_id}": (VIEW, nothing),
    "GET /projects/{project_id}/export": (VIEW, nothing),
    "GET /projects/{project_id}/members": (VIEW, nothing),
    "GET /projects/{project_id}/next-lines": (VIEW, nothing),
    f"GET {_IMAGE}": (VIEW, nothing),
    f"GET {_IMAGE}/file": (VIEW, nothing),
    f"GET {_IMAGE}/export": (VIEW, nothing),
    f"GET {_LINE}/image": (VIEW, nothing),
    f"GET {_LINE}/corrections": (VIEW, nothing),
    "GET /search": (VIEW, lambda ids: {"params": {"q": "שלום", "project_id": ids["project_id"]}}),
    "GET /jobs/{job_id}": (VIEW, nothing),
    "GET /jobs/{job_id}/export": (VIEW, nothing),
    "POST /ocr/": (
        EDIT,
        lambda ids: {"files": {"file": ("a.png", png())}, "data": {"project_id": ids["project_id"]}},
    ),
    f"POST {_IMAGE}/ocr": (EDIT, nothing),
    "POST /jobs/": (
        EDIT,
        lambda ids: {"json": {"project_id": ids["project_id"], "image_ids": [ids["image_id"]]}},
    ),
    "POST /feedback/": (
        EDIT,
        lambda ids: {
            "json": {
                "project_id": ids["project_id"],
                "image_id": ids["image_id"],
                "lines": [{"line_id": ids["line_id"], "text": "שלום"}],
            }
        },
    ),
    "POST /projects/{project_id}/ground-truth": (EDIT, lambda _: {"files": {"file": ("a.zip", pairs())}}),
    f"PUT {_LINE}/correction": (EDIT, lambda _: {"json": {"text": "שלום"}}),
    f"DELETE {_LINE}/correction": (EDIT, nothing),
    f"POST {_IMAGE}/lines": (EDIT, lambda _: {"json": {"boundary": POINTS}}),
    f"POST {_IMAGE}/lines/undo": (EDIT, nothing),
    f"PATCH {_LINE}": (EDIT, lambda _: {"json": {"boundary": POINTS}}),
    f"DELETE {_LINE}": (EDIT, nothing),
    f"POST {_LINE}/split": (EDIT, lambda _: {"json": {"x": 50, "texts": ["א", "ב"]}}),
    f"POST {_IMAGE}/lines/merge": (EDIT, lambda ids: {"json": {"line_ids": [ids["line_id"], UNKNOWN]}}),
    "POST /jobs/{job_id}/cancel": (EDIT, nothing),
    "POST /projects/{project_id}/iiif-link": (VIEW, lambda _: {"json": {}}),
    "DELETE /projects/{project_id}/iiif-link": (OWN, nothing),
    "PATCH /projects/{project_id}": (OWN, lambda _: {"json": {"name": "אחר"}}),
    "PUT /projects/{project_id}/members/{name}": (OWN, lambda _: {"json": {"role": "editor"}}),
    f"DELETE {_IMAGE}": (OWN, nothing),
    "DELETE /projects/{project_id}": (OWN, nothing),
}
ELSEWHERE = {
    "GET /jobs/{job_id}/events": "tested below",
    "DELETE /projects/{project_id}/members/{name}": "tested below: a member may remove their own membership",
}


def test_the_matrix_has_every_operation_of_a_project_or_a_job() -> None:
    """A new operation fails this test until the matrix says which role it needs."""
    described = operations(build(GatewaySettings(**gateway_keys()), CollectorRegistry()).openapi())
    of_projects = {
        f"{method.upper()} {path}"
        for path, method, operation in described
        if "{project_id}" in path or "{job_id}" in path
    }
    bodies = {"GET /search", "POST /ocr/", "POST /jobs/", "POST /feedback/"}
    assert {*REQUESTS, *ELSEWHERE} == of_projects | bodies


@pytest.mark.parametrize("operation", REQUESTS)
@pytest.mark.parametrize("role", ["none", "viewer", "editor"])
async def test_a_role_permits_exactly_its_operations(shared: Shared, operation: str, role: str) -> None:
    """403 for a role that does not suffice; without one, the answer is that for an unknown project."""
    member = shared.gateway.other
    if role == "none":
        unknown = dict.fromkeys(("project_id", "job_id"), UNKNOWN)
        answers = [
            await shared.request(member, operation), await shared.request(member, operation, **unknown)
        ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [404, 404]
        assert without_trace(answers[0]) == without_trace(answers[1])
        return
    assert (await shared.invite(role)).is_success
    answer = await shared.request(member, operation)
    permitted = REQUESTS[operation][0] <= {"viewer": VIEW, "editor": EDIT}[role]
    assert (answer.status_code != 403) is permitted, answer.text
    if permitted and not operation.endswith(("/undo", "/merge")):  # there is no edit, and one line
        assert answer.is_success, answer.text
    if not permitted:
        assert (answer.json()["code"], answer.json()["role"]) == ("insufficient-role", role)


async def test_a_shared_project_is_listed_with_its_owner_and_the_role(shared: Shared) -> None:
    """For the member and for the owner; the correction names its author."""
    await shared.invite("editor")
    client, other, ids = shared.gateway.client, shared.gateway.other, shared.ids
    await other.put("/projects/{project_id}/images/{image_id}/lines/{line_id}/correction".format(**ids),
                    json={"text": "שלום רב"})  # fmt: skip
    names = [(await one.get("/me")).json()["name"] for one in (client, other)]
    for reader, role in ((client, "owner"), (other, "editor")):
        [project] = (await reader.get("/projects/")).json()["projects"]
        assert (project["owner"], project["role"]) == (names[0], role)
        page = (await reader.get("/projects/{project_id}/images/{image_id}".format(**ids))).json()
        assert page["transcription"]["lines"][0]["author"] == names[1]
        assert page["transcription"]["lines"][1]["author"] is None


async def test_members_are_invited_listed_and_removed_by_name(shared: Shared) -> None:
    """The role of a member changes; a removed one, and one who left, is no member any more."""
    client, other, ids = shared.gateway.client, shared.gateway.other, shared.ids
    path = f"/projects/{ids['project_id']}/members"
    assert (await client.get(path)).json() == {"members": []}
    for role in ("viewer", "editor"):
        assert (await shared.invite(role)).json()["role"] == role
        listed = (await other.get(path)).json()["members"]
        assert [(member["name"], member["role"]) for member in listed] == [(ids["name"], role)]
    own_name = (await client.get("/me")).json()["name"]
    assert (await other.delete(f"{path}/{own_name}")).json()["code"] == "insufficient-role"
    assert (await other.delete(f"{path}/{ids['name']}")).status_code == 204
    assert (await other.get(path)).status_code == 404
    missing = await client.delete(f"{path}/{ids['name']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    assert "no member with this name" in missing.json()["detail"]


@pytest.mark.parametrize(
    ("name", "body", "code", "field"),
    [
        ("nobody", {"role": "viewer"}, "unknown-account", "/name"),
        ("no/body", {"role": "viewer"}, "unknown-account", "/name"),
        ("{owner}", {"role": "viewer"}, "member-is-owner", "/name"),
        ("{name}", {"role": "owner"}, "invalid-input", "/role"),
        ("x" * 201, {"role": "viewer"}, "invalid-input", "name"),
    ],
)
async def test_a_wrong_invitation_names_its_mistake(
    shared: Shared, name: str, body: dict[str, str], code: str, field: str
) -> None:
    """The field, and what to send."""
    owner = (await shared.gateway.client.get("/me")).json()["name"]
    name = name.format(owner=owner, **shared.ids)
    path = f"/projects/{shared.ids['project_id']}/members/{name.replace('/', '%2F')}"
    answer = (await shared.gateway.client.put(path, json=body)).json()
    assert (answer["code"], [error["field"] for error in answer["errors"]]) == (code, [field])


async def test_a_removed_member_gets_no_picture_that_was_cached_for_them(shared: Shared) -> None:
    """The lines of a page are cached for ten seconds; the membership is looked up for each picture."""
    client, other = shared.gateway.client, shared.gateway.other
    await shared.invite("viewer")
    picture = f"GET {_LINE}/image"
    for reader in (client, other, client, other):
        assert (await shared.request(reader, picture)).status_code == 200
    path = "/projects/{project_id}/members/{name}".format(**shared.ids)
    assert (await client.delete(path)).status_code == 204
    assert (await shared.request(other, picture)).status_code == 404
    assert (await shared.request(client, picture)).status_code == 200


async def test_the_events_of_a_job_end_for_a_removed_member(shared: Shared) -> None:
    """A member sees them; a stranger gets 404 as for an unknown job."""
    path = f"/jobs/{shared.ids['job_id']}/events"
    other = shared.gateway.other
    assert (await other.get(path)).status_code == 404
    await shared.invite("viewer")
    await shared.gateway.client.post(f"/jobs/{shared.ids['job_id']}/cancel")
    events = await other.get(path)
    assert events.status_code == 200
    assert "cancelled" in events.text
