"""Model versions are listed, shown and activated; their errors are compared."""

from typing import Any
from urllib.parse import quote

import pytest

from ketav.registry.v1 import models_pb2
from tests.parts.gateway import Gateway, upload
from tests.parts.in_memory.models import add_version


async def test_metadata_of_versions_is_returned_and_nothing_else(gateway: Gateway) -> None:
    """No digest, length, key or path of a model."""
    listed = await gateway.client.get("/models/")
    [base] = listed.json()["models"]
    assert (base["version"], base["script"], base["state"]) == ("hebrew_base-1", None, "active")
    activated = await gateway.client.post("/models/hebrew_base-1/activate")
    assert activated.json()["state"] == "active"
    for response in (listed, activated, await upload(gateway.client)):
        assert "5a5a" not in response.text
        assert "sha256" not in response.text
        assert "size_bytes" not in response.text


async def test_a_version_is_shown_with_its_lineage_and_card(gateway: Gateway) -> None:
    """One call; 404 for an unknown version, another user's and a name that no version has."""
    add_version(gateway.user, "mine-1")
    add_version(gateway.user, "mine-2", parent_version="mine-1", cer_before=0.2, cer_after=0.1)
    gateway.state.calls.clear()
    body = (await gateway.client.get("/models/mine-2")).json()
    assert gateway.state.calls[-1] == "GetModel"
    assert (body["version"], body["state"], body["card"]) == ("mine-2", "available", {"epochs": 3})
    assert (body["cer_before"], body["cer_after"], body["script"]) == (0.2, 0.1, "modern_cursive")
    assert [version["version"] for version in body["lineage"]] == ["mine-1", "hebrew_base-1"]
    assert (await gateway.other.get("/models/mine-2")).status_code == 404
    assert (await gateway.client.get("/models/nobody-1")).status_code == 404


@pytest.mark.parametrize("version", ["a" * 65, "../x", "a/b", "a b", "א", "a%00", "-a"])
async def test_a_malformed_version_is_404(gateway: Gateway, version: str) -> None:
    """Like an unknown one; no service is called."""
    await gateway.client.get("/projects/")
    gateway.state.calls.clear()
    response = await gateway.client.get(f"/models/{quote(version)}")
    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert gateway.state.calls == []


async def test_a_version_is_activated_and_the_list_continues_at_its_cursor(gateway: Gateway) -> None:
    """The base is available then; a version that never serves is 422."""
    add_version(gateway.user, "mine-1")
    add_version(gateway.user, "tainted-1", state=models_pb2.MODEL_STATE_TAINTED)
    activated = await gateway.client.post("/models/mine-1/activate")
    assert (activated.status_code, activated.json()["state"]) == (200, "active")
    refused = await gateway.client.post("/models/tainted-1/activate")
    assert (refused.status_code, refused.json()["code"]) == (422, "model-tainted")
    first = (await gateway.client.get("/models/", params={"limit": 2})).json()
    rest = (await gateway.client.get("/models/", params={"cursor": first["next_cursor"]})).json()
    states = {model["version"]: model["state"] for model in [*first["models"], *rest["models"]]}
    assert states == {"tainted-1": "tainted", "mine-1": "active", "hebrew_base-1": "available"}
    assert rest["next_cursor"] is None


async def correct(gateway: Gateway, read: dict[str, Any], text: str) -> None:
    """Correct the first line of a page."""
    line = {"line_id": read["lines"][0]["line_id"], "text": text}
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    assert (await gateway.client.post("/feedback/", json={**ids, "lines": [line]})).status_code == 201


async def test_progress_has_totals_by_version_in_its_first_part_alone(gateway: Gateway) -> None:
    """Edits by length; null for the totals in a response to a cursor."""
    for _ in range(2):
        await correct(gateway, (await upload(gateway.client, script="square")).json(), "שלום עלם")
    first = (await gateway.client.get("/models/progress?limit=1")).json()
    assert set(first) == {"images", "next_cursor", "versions", "versions_complete"}
    [page], [version] = first["images"], first["versions"]
    assert (page["lines"], page["edits"], page["length"], page["cer"]) == (1, 1, 8, 0.125)
    assert page["model"] == {"version": "hebrew_base-1", "kind": "base"}
    assert (version["pages"], version["script"], version["cer"]) == (2, "square", 0.125)
    assert first["versions_complete"] is True
    rest = (await gateway.client.get("/models/progress", params={"cursor": first["next_cursor"]})).json()
    assert (rest["next_cursor"], rest["versions"], rest["versions_complete"]) == (None, None, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "script=latin", "cursor=%00"])
async def test_an_invalid_query_is_refused_before_a_service_is_called(gateway: Gateway, query: str) -> None:
    """422."""
    response = await gateway.client.get(f"/models/progress?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert "ListModelProgress" not in gateway.state.calls


async def test_a_forged_cursor_is_refused_by_the_registry(gateway: Gateway) -> None:
    """422 with a code of its own."""
    response = await gateway.client.get("/models/progress?cursor=forged")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-cursor")


async def test_a_version_is_activated_for_a_hand(gateway: Gateway) -> None:
    """A version of another hand and an unknown name are refused."""
    await upload(gateway.client, hand="Grandmother")
    user = gateway.user
    add_version(user, "hers", hand="Grandmother", base_version="hebrew_base-1")
    add_version(user, "mine")
    activated = await gateway.client.post("/models/hers/activate", params={"hand": "Grandmother"})
    assert activated.json()["state"] == "active"
    assert (activated.json()["hand"], activated.json()["base_version"]) == ("Grandmother", "hebrew_base-1")
    for version, hand, code in (("mine", "Grandmother", "hand-mismatch"), ("hers", "Nobody", "unknown-hand")):
        refused = await gateway.client.post(f"/models/{version}/activate", params={"hand": hand})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
