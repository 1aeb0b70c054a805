"""Training runs are started, followed and cancelled; their policy and readiness are shown."""

from typing import Any
from uuid import uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import projects_pb2, training_pb2
from ketav_common.errors import Precondition
from tests.parts.gateway import Gateway, upload, without_trace
from tests.parts.in_memory.training import add_run


async def test_a_run_is_started_and_its_changes_are_streamed(gateway: Gateway) -> None:
    """202 with Location; an event has the revision as its id, and the stream continues after the last one."""
    started = await gateway.client.post("/train/")
    assert started.status_code == 202
    [run_id] = gateway.user.runs
    assert started.headers["location"] == f"/train/{run_id}"
    assert started.json() == {"run_id": run_id, "state": "queued"}
    assert (await gateway.client.get(f"/train/{run_id}")).json()["state"] == "queued"
    events = (await gateway.client.get(f"/train/{run_id}/events")).text
    assert [line for line in events.splitlines() if line.startswith("id")] == ["id: 1", "id: 2"]
    rest = (await gateway.client.get(f"/train/{run_id}/events", headers={"Last-Event-ID": "1"})).text
    assert "id: 1" not in rest
    assert "event: succeeded" in rest


async def test_the_stream_of_a_run_that_has_ended_is_not_opened_again(gateway: Gateway) -> None:
    """204 after the last event, so that an EventSource does not reconnect."""
    run = add_run(gateway.user, state=training_pb2.TRAINING_RUN_STATE_SUCCEEDED, revision=9)
    path = f"/train/{run.run_id}/events"
    assert (await gateway.client.get(path, headers={"Last-Event-ID": "9"})).status_code == 204
    assert (await gateway.client.get(path, headers={"Last-Event-ID": "8"})).status_code == 200


async def test_a_claimed_run_is_shown_as_running(gateway: Gateway) -> None:
    """With what is known of its progress; what is unknown is null."""
    run = add_run(gateway.user, state=training_pb2.TRAINING_RUN_STATE_RUNNING, epoch=2, attempts=1)
    body = (await gateway.client.get(f"/train/{run.run_id}")).json()
    assert (body["state"], body["epoch"], body["attempts"]) == ("running", 2, 1)
    unknown = ("epochs", "loss", "cer_base", "cer_candidate", "verdict", "model_version")
    assert {body[name] for name in unknown} == {None}


async def test_a_queued_run_is_cancelled_at_once(gateway: Gateway) -> None:
    """A second time it has ended: 422."""
    run_id = (await gateway.client.post("/train/")).json()["run_id"]
    cancelled = (await gateway.client.post(f"/train/{run_id}/cancel")).json()
    assert (cancelled["state"], cancelled["cancel_requested"]) == ("cancelled", True)
    again = await gateway.client.post(f"/train/{run_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (422, "run-ended")


async def test_a_second_run_is_409_with_the_id_of_the_active_one(gateway: Gateway) -> None:
    """Another user may start one."""
    run_id = (await gateway.client.post("/train/")).json()["run_id"]
    response = await gateway.client.post("/train/")
    assert (response.status_code, response.json()["code"]) == (409, "run-active")
    assert response.json()["run_id"] == run_id
    assert (await gateway.other.post("/train/")).status_code == 202


async def test_a_repeated_key_returns_its_run_and_refuses_another_body(gateway: Gateway) -> None:
    """Two spellings of one body are the same request; a key without a hand is not one with the own hand."""
    gateway.user.projects["p"] = projects_pb2.Project(project_id="p", hand="דודה")
    key = {"Idempotency-Key": "first"}
    first = await gateway.client.post("/train/", json={"hand": "דודה"}, headers=key)
    again = await gateway.client.post(
        "/train/", content=b'{ "hand" : "\\u05d3\\u05d5\\u05d3\\u05d4" }', headers=key
    )
    assert (again.status_code, again.json()) == (202, first.json())
    for body in ({}, {"hand": None}, {"hand": "דוד"}):
        other = await gateway.client.post("/train/", json=body, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert len(gateway.user.runs) == 1


async def test_too_few_lines_are_422_with_their_number(gateway: Gateway) -> None:
    """As numbers, not as strings."""
    details = {"have": "7", "need": "16", "missing": "9"}
    gateway.state.failures["StartTraining"] = Precondition(code="too-few-lines", details=details)
    response = await gateway.client.post("/train/")
    assert (response.status_code, response.json()["code"]) == (422, "too-few-lines")
    assert [response.json()[name] for name in details] == [7, 16, 9]


async def test_a_run_of_another_user_is_404(gateway: Gateway) -> None:
    """Like an unknown one, byte for byte."""
    run_id = (await gateway.client.post("/train/")).json()["run_id"]
    for end in ("", "/events"):
        foreign = await gateway.other.get(f"/train/{run_id}{end}")
        unknown = await gateway.other.get(f"/train/{uuid4()}{end}")
        assert (foreign.status_code, without_trace(foreign)) == (404, without_trace(unknown))


async def test_the_remaining_time_may_be_unknown(gateway: Gateway) -> None:
    """Absent is null, zero is zero."""
    run = add_run(gateway.user)
    path = f"/train/{run.run_id}"
    assert (await gateway.client.get(path)).json()["remaining_seconds"] is None
    run.remaining_seconds = 0
    assert (await gateway.client.get(path)).json()["remaining_seconds"] == 0


async def test_readiness_counts_the_lines_until_the_next_run(gateway: Gateway) -> None:
    """One call; every field of the contract; what is unknown is null."""
    await gateway.client.get("/projects/")
    gateway.state.calls.clear()
    body = (await gateway.client.get("/models/readiness?script=rashi")).json()
    assert gateway.state.calls == ["GetReadiness"]
    assert gateway.state.requests[-1].script == page_pb2.SCRIPT_RASHI
    assert set(body) == {"policy", "policy_text", "active_run_id", "scripts"}
    assert body["policy"] == {"automatic": True, "minimum_gap_seconds": 300}
    assert body["active_run_id"] is None
    [script] = body["scripts"]
    assert (script["script"], script["missing_lines"], script["waits_for"]) == ("rashi", 16, "too_few_lines")
    assert script["not_before"] is None
    assert script["expected_gain"] == {
        "estimate": True,
        "relative_gain": 0.25,
        "cer_now": None,
        "cer_expected": None,
        "basis": "published_curve",
        "own_runs": 0,
        "source": "An estimate from a published curve.",
    }


async def test_readiness_names_the_active_run_and_the_corrected_lines(gateway: Gateway) -> None:
    """Without a script all scripts with corrected lines are listed."""
    read = (await upload(gateway.client, script="square")).json()
    line = {"line_id": read["lines"][0]["line_id"], "text": "שלום"}
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    await gateway.client.post("/feedback/", json={**ids, "lines": [line]})
    run_id = (await gateway.client.post("/train/")).json()["run_id"]
    body = (await gateway.client.get("/models/readiness")).json()
    assert body["active_run_id"] == run_id
    assert [(item["script"], item["verified_lines"]) for item in body["scripts"]] == [("square", 1)]


async def test_a_policy_is_set_and_read_back(gateway: Gateway) -> None:
    """A field that is not sent has its default."""
    response = await gateway.client.put("/models/policy", json={"automatic": False})
    assert (response.status_code, response.json()) == (200, {"automatic": False, "minimum_gap_seconds": 300})
    await gateway.client.put("/models/policy", json={"automatic": True, "minimum_gap_seconds": 0})
    policy = (await gateway.client.get("/models/policy")).json()
    assert policy == {"automatic": True, "minimum_gap_seconds": 0}


POLICIES: dict[str, Any] = {
    "nothing": {},
    "a number instead of a boolean": {"automatic": 1},
    "a string instead of a number": {"automatic": True, "minimum_gap_seconds": "300"},
    "a negative gap": {"automatic": True, "minimum_gap_seconds": -1},
    "over a week": {"automatic": True, "minimum_gap_seconds": 604_801},
    "a fraction": {"automatic": True, "minimum_gap_seconds": 1.5},
    "an unknown field": {"automatic": True, "lines": 3},
}


@pytest.mark.parametrize("body", POLICIES.values(), ids=POLICIES)
async def test_an_invalid_policy_is_refused(gateway: Gateway, body: dict[str, Any]) -> None:
    """422, and the policy is unchanged."""
    response = await gateway.client.put("/models/policy", json=body)
    code = "unknown-field" if "lines" in body else "invalid-input"
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert "SetTrainingPolicy" not in gateway.state.calls


@pytest.mark.parametrize("query", ["script=latin", "script=", "script=SQUARE"])
async def test_an_unknown_script_is_refused(gateway: Gateway, query: str) -> None:
    """422 before a service is called."""
    response = await gateway.client.get(f"/models/readiness?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert "GetReadiness" not in gateway.state.calls


async def test_a_run_is_started_for_a_hand(gateway: Gateway) -> None:
    """Null is the user's own hand; without the field the registry chooses; an unknown name is refused."""
    await upload(gateway.client, hand="Grandmother")
    for body, sent in (({"hand": "Grandmother"}, "Grandmother"), ({"hand": None}, ""), ({}, None)):
        started = await gateway.client.post("/train/", json=body)
        assert started.status_code == 202
        request = gateway.state.requests[gateway.state.calls.index("StartTraining")]
        assert (request.hand if request.HasField("hand") else None) == sent
        run = (await gateway.client.post(f"/train/{started.json()['run_id']}/cancel")).json()
        assert run["hand"] == (sent or None)
        gateway.state.calls.clear()
        gateway.state.requests.clear()
    refused = await gateway.client.post("/train/", json={"hand": "Nobody"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-hand")
    assert refused.json()["errors"][0]["field"] == "/hand"


async def test_readiness_is_shown_for_one_hand(gateway: Gateway) -> None:
    """With the hand's name in the response; an unknown name is refused."""
    await upload(gateway.client, hand="Grandmother")
    readiness = (await gateway.client.get("/models/readiness", params={"hand": "Grandmother"})).json()
    assert [script["hand"] for script in readiness["scripts"]] == ["Grandmother"]
    refused = await gateway.client.get("/models/readiness", params={"hand": "Nobody"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-hand")
