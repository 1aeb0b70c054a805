"""Deletions: their consequences in the response, the confirmation of an account's, and foreign ids."""

from uuid import uuid4

import pytest

from ketav.registry.v1 import erasure_pb2
from tests.parts.gateway import Gateway, upload, without_trace

CONFIRMED = {"X-Confirm": "delete-everything"}


async def test_a_deleted_image_is_reported_with_its_consequences_and_404_afterwards(gateway: Gateway) -> None:
    """One call; counts, versions that stop serving, the run that was cancelled."""
    run_id = str(uuid4())
    gateway.state.erasure = erasure_pb2.Erasure(
        tainted_versions=["version-1"], cancelled_run_id=run_id, retraining=True
    )
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}"
    gateway.state.calls.clear()
    response = await gateway.client.delete(path)
    assert (response.status_code, gateway.state.calls) == (200, ["DeletePage"])
    assert response.json() == {
        "images": 1,
        "lines": 2,
        "corrections": 0,
        "tainted_versions": ["version-1"],
        "cancelled_run_id": run_id,
        "retraining": True,
    }
    again = await gateway.client.delete(path)
    unknown = await gateway.client.delete(f"/projects/{uuid4()}/images/{uuid4()}")
    assert (again.status_code, without_trace(again)) == (404, without_trace(unknown))
    assert (await gateway.client.get(path)).status_code == 404


async def test_a_deleted_project_is_404_afterwards(gateway: Gateway) -> None:
    """With all its images; null without a cancelled run."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}"
    erasure = (await gateway.client.delete(path)).json()
    assert (erasure["images"], erasure["cancelled_run_id"], erasure["retraining"]) == (1, None, False)
    assert (await gateway.client.delete(path)).status_code == 404
    assert (await gateway.client.get(f"{path}/images/{read['image_id']}")).status_code == 404


async def test_a_foreign_deletion_is_404_byte_for_byte_like_an_unknown_one(gateway: Gateway) -> None:
    """Images and projects, malformed ids too; nothing is deleted."""
    read = (await upload(gateway.client)).json()
    project = f"/projects/{read['project_id']}"
    contents = {
        without_trace(await gateway.other.delete(path))
        for path in (
            *(project, f"{project}/images/{read['image_id']}", f"/projects/{uuid4()}", "/projects/7"),
            *(f"{project}/images/x", f"{project}/images/{read['image_id'].upper()}"),
        )
    }
    assert len(contents) == 1
    assert (await gateway.client.get(f"{project}/images/{read['image_id']}")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"X-Confirm": ""}, {"X-Confirm": "yes"}, {"X-Confirm": "DELETE-EVERYTHING"}]
)
async def test_an_account_is_deleted_only_with_its_confirmation(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    """Without the exact header: 422, and no service is called."""
    response = await gateway.client.delete("/me", headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "confirmation-missing")
    assert "DeleteAccount" not in gateway.state.calls


async def test_the_key_of_a_deleted_account_is_unknown_at_once(gateway: Gateway) -> None:
    """It is removed from the cache of this gateway; the other user's key works."""
    await upload(gateway.client)
    await gateway.other.get("/projects/")
    response = await gateway.client.delete("/me", headers=CONFIRMED)
    assert (response.status_code, response.json()["images"]) == (200, 1)
    assert (await gateway.client.get("/projects/")).status_code == 401
    assert (await gateway.client.delete("/me", headers=CONFIRMED)).status_code == 401
    assert (await gateway.other.get("/projects/")).status_code == 200
