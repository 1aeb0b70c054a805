"""Deleting over REST: what the caller is told, what asks for a confirmation, what stays invisible."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.parts.gateway import Gateway, scripted_gateway, upload

CONFIRMED = {"X-Confirm": "delete-everything"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway before scripted services."""
    async with scripted_gateway(tmp_path) as running:
        yield running


async def test_a_deleted_image_is_told_with_what_followed_and_is_404_afterwards(gateway: Gateway) -> None:
    """One call; the counts, the models that stop serving, the training that was cancelled."""
    read = (await upload(gateway.client)).json()
    where = f"/projects/{read['project_id']}/images/{read['image_id']}"
    gateway.script.calls.clear()
    answer = await gateway.client.delete(where)
    assert (answer.status_code, gateway.script.calls) == (200, ["DeletePage"])
    assert answer.json() == {
        "images": 1,
        "lines": 2,
        "corrections": 0,
        "tainted_versions": ["version-1"],
        "cancelled_run_id": gateway.script.run.run_id,
        "retraining": True,
    }
    again = await gateway.client.delete(where)
    unknown = await gateway.client.delete(f"/projects/{uuid4()}/images/{uuid4()}")
    assert (again.status_code, again.content) == (404, unknown.content)
    assert (await gateway.client.get(where)).status_code == 404


async def test_a_deleted_project_is_404_afterwards(gateway: Gateway) -> None:
    """With all its images."""
    read = (await upload(gateway.client)).json()
    where = f"/projects/{read['project_id']}"
    assert (await gateway.client.delete(where)).json()["images"] == 1
    assert (await gateway.client.delete(where)).status_code == 404
    assert (await gateway.client.get(f"{where}/images/{read['image_id']}")).status_code == 404


async def test_a_foreign_deletion_is_404_byte_for_byte_like_an_unknown_one(gateway: Gateway) -> None:
    """Images and projects; malformed ids, too; nothing is deleted."""
    read = (await upload(gateway.client)).json()
    mine = f"/projects/{read['project_id']}"
    answers = {
        (await gateway.other.delete(path)).content
        for path in (
            *(mine, f"{mine}/images/{read['image_id']}", f"/projects/{uuid4()}", "/projects/7"),
            *(f"{mine}/images/x", f"{mine.upper()}/images/{read['image_id']}"),
        )
    }
    assert len(answers) == 1
    assert (await gateway.client.get(f"{mine}/images/{read['image_id']}")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"X-Confirm": ""}, {"X-Confirm": "yes"}, {"X-Confirm": "DELETE-EVERYTHING"}]
)
async def test_an_account_is_not_deleted_by_accident(gateway: Gateway, headers: dict[str, str]) -> None:
    """Without the exact confirmation: 422, and no service hears of it."""
    answer = await gateway.client.delete("/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "confirmation-missing")
    assert "DeleteAccount" not in gateway.script.calls


async def test_a_deleted_account_s_key_is_unknown_at_once_where_it_was_deleted(gateway: Gateway) -> None:
    """The remembered key is forgotten; the other user is not touched."""
    await upload(gateway.client)
    await gateway.other.get("/projects/")
    answer = await gateway.client.delete("/me", headers=CONFIRMED)
    assert (answer.status_code, answer.json()["images"]) == (200, 1)
    assert (await gateway.client.get("/projects/")).status_code == 401
    assert (await gateway.client.delete("/me", headers=CONFIRMED)).status_code == 401
    assert (await gateway.other.get("/projects/")).status_code == 200
