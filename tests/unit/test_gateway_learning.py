"""The routes of the learning: what is sent on, what comes back, what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav_common.errors import Conflict, NotFound
from tests.parts.gateway import Gateway, scripted_gateway, upload

UNKNOWN = str(uuid4())


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway before scripted services."""
    async with scripted_gateway(tmp_path) as running:
        yield running


async def test_readiness_says_how_near_the_next_run_is(gateway: Gateway) -> None:
    """One call; every field of the contract; what is not known is null."""
    await gateway.client.get("/projects/")
    gateway.script.calls.clear()
    body = (await gateway.client.get("/models/readiness?script=rashi")).json()
    assert gateway.script.calls == ["GetReadiness"]
    assert gateway.script.requests[-1].script == page_pb2.SCRIPT_RASHI
    assert set(body) == {"policy", "policy_text", "active_run_id", "scripts"}
    assert body["policy"] == {"automatic": True, "minimum_gap_seconds": 300}
    assert body["active_run_id"] is None
    near = body["scripts"][0]
    assert (near["script"], near["missing_lines"], near["waits_for"]) == ("rashi", 11, "too_few_lines")
    assert near["not_before"] is None
    assert near["expected_gain"] == {
        "estimate": True,
        "relative_gain": 0.25,
        "cer_now": None,
        "cer_expected": None,
        "basis": "published_curve",
        "own_runs": 0,
        "source": "a curve",
    }


async def test_a_policy_is_set_and_read_back(gateway: Gateway) -> None:
    """What is not said takes its default; the registry hears both fields."""
    answer = await gateway.client.put("/models/policy", json={"automatic": False})
    assert (answer.status_code, answer.json()) == (200, {"automatic": False, "minimum_gap_seconds": 300})
    await gateway.client.put("/models/policy", json={"automatic": True, "minimum_gap_seconds": 0})
    kept = (await gateway.client.get("/models/policy")).json()
    assert kept == {"automatic": True, "minimum_gap_seconds": 0}


POLICIES: dict[str, Any] = {
    "nothing": {},
    "a number for a truth": {"automatic": 1},
    "a text for a number": {"automatic": True, "minimum_gap_seconds": "300"},
    "less than nothing": {"automatic": True, "minimum_gap_seconds": -1},
    "over a week": {"automatic": True, "minimum_gap_seconds": 604_801},
    "a fraction": {"automatic": True, "minimum_gap_seconds": 1.5},
    "an unknown field": {"automatic": True, "lines": 3},
}


@pytest.mark.parametrize("body", POLICIES.values(), ids=POLICIES)
async def test_a_doubtful_policy_is_refused(gateway: Gateway, body: dict[str, Any]) -> None:
    """422, and what was set stays."""
    answer = await gateway.client.put("/models/policy", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert "SetTrainingPolicy" not in gateway.script.calls


@pytest.mark.parametrize("query", ["script=latin", "script=", "script=SQUARE"])
async def test_an_unknown_script_is_refused(gateway: Gateway, query: str) -> None:
    """422 before any service is asked."""
    answer = await gateway.client.get(f"/models/readiness?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert "GetReadiness" not in gateway.script.calls


async def test_a_page_is_read_with_a_pinned_version(gateway: Gateway) -> None:
    """The form field and the query go to the registry as they are; without them nothing is asked for."""
    read = (await upload(gateway.client, model="hebrew_base-1")).json()
    where = f"/projects/{read['project_id']}/images/{read['image_id']}/ocr"
    assert (await gateway.client.post(f"{where}?model=mine-2")).status_code == 201
    assert (await gateway.client.post(where)).status_code == 201
    asked = [
        request.model_version
        for request in gateway.script.requests
        if hasattr(request, "model_version") and request.DESCRIPTOR.name != "RecordTranscriptionRequest"
    ]
    assert asked == ["hebrew_base-1", "mine-2", ""]


async def test_a_pinned_version_belongs_to_what_an_idempotency_key_stands_for(gateway: Gateway) -> None:
    """Another version under the same key is another request."""
    for version in ("a-1", "a-2"):
        await upload(gateway.client, model=version)
    made = [request for request in gateway.script.requests if hasattr(request, "request_sha256")]
    assert made[0].request_sha256 != made[1].request_sha256


@pytest.mark.parametrize("version", ["", "a" * 65, "../x", "a/b", "a b", "א", "a%00", "-a"])
async def test_a_doubtful_version_is_refused(gateway: Gateway, version: str) -> None:
    """422 in the form and in the query, 404 in the path; no service is asked."""
    read = (await upload(gateway.client)).json()
    gateway.script.calls.clear()
    where = f"/projects/{read['project_id']}/images/{read['image_id']}/ocr"
    answers = [await upload(gateway.client, model=version)]
    answers.append(await gateway.client.post(where, params={"model": version}))
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    if version:
        answer = await gateway.client.get(f"/models/{quote(version)}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert gateway.script.calls == []


async def test_an_unknown_or_retired_version_is_told_apart_from_nothing_else(gateway: Gateway) -> None:
    """404 like any unknown thing, 409 for one that never serves."""
    gateway.script.failures["CreatePage"] = NotFound("no such model")
    answer = await upload(gateway.client, model="a-1")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    gateway.script.failures["CreatePage"] = Conflict("it was refused", code="model-retired")
    answer = await upload(gateway.client, model="a-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "model-retired")


async def test_a_version_is_told_with_its_lineage_and_card(gateway: Gateway) -> None:
    """One call; no digest, no length, no key."""
    answer = await gateway.client.get("/models/hebrew_base-1")
    body = answer.json()
    assert (body["version"], body["state"], body["card"]) == ("hebrew_base-1", "active", {"epochs": 3})
    assert [each["version"] for each in body["lineage"]] == ["hebrew_base-1"]
    assert "5a5a" not in answer.text
    assert "size_bytes" not in answer.text
    assert (await gateway.client.get("/models/nobody-1")).status_code == 404


async def test_a_training_shows_the_time_that_remains(gateway: Gateway) -> None:
    """Absent is null, nought is nought."""
    where = f"/train/{gateway.script.run.run_id}"
    assert (await gateway.client.get(where)).json()["remaining_seconds"] is None
    gateway.script.run.remaining_seconds = 0
    assert (await gateway.client.get(where)).json()["remaining_seconds"] == 0


async def test_progress_shows_pages_and_in_the_first_answer_versions(gateway: Gateway) -> None:
    """Edits by length; the versions are added up once, not with every part of the list."""
    first = (await gateway.client.get("/models/progress?limit=1")).json()
    assert set(first) == {"images", "next_cursor", "versions", "versions_complete"}
    [page], [version] = first["images"], first["versions"]
    assert (page["lines"], page["edits"], page["length"], page["cer"]) == (1, 2, 16, 0.125)
    assert page["model"] == {"version": "hebrew_base-1", "kind": "base"}
    assert (version["pages"], version["script"], version["cer"]) == (1, "square", 0.125)
    assert first["versions_complete"] is True
    rest = (await gateway.client.get("/models/progress", params={"cursor": first["next_cursor"]})).json()
    assert (rest["next_cursor"], rest["versions"], rest["versions_complete"]) == (None, None, None)


async def test_next_lines_show_what_to_correct_and_why(gateway: Gateway) -> None:
    """One call for a project of the caller's; the same 404 for a foreign and an unknown one."""
    mine = (await upload(gateway.client)).json()["project_id"]
    gateway.script.calls.clear()
    body = (await gateway.client.get(f"/projects/{mine}/next-lines?limit=5")).json()
    assert gateway.script.calls == ["ListNextLines"]
    assert gateway.script.requests[-1].limit == 5
    assert body["candidates"] == 7
    [line] = body["lines"]
    assert set(line) == {"line_id", "image_id", "order", "text", "uncertainty", "novelty", "reason"}
    foreign = await gateway.other.get(f"/projects/{mine}/next-lines")
    unknown = await gateway.other.get(f"/projects/{UNKNOWN}/next-lines")
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


@pytest.mark.parametrize(
    "path",
    [
        "/models/progress?limit=0",
        "/models/progress?limit=101",
        "/models/progress?limit=x",
        "/models/progress?script=latin",
        "/models/progress?cursor=%00",
        f"/projects/{UNKNOWN}/next-lines?limit=0",
        f"/projects/{UNKNOWN}/next-lines?limit=101",
        f"/projects/{UNKNOWN}/next-lines?limit=1e2",
    ],
)
async def test_doubtful_queries_are_refused_before_any_service_is_asked(gateway: Gateway, path: str) -> None:
    """422."""
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert not {"ListProgress", "ListNextLines"} & set(gateway.script.calls)


async def test_a_forged_cursor_of_the_progress_is_refused(gateway: Gateway) -> None:
    """The registry judges it."""
    answer = await gateway.client.get("/models/progress?cursor=forged")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor")
