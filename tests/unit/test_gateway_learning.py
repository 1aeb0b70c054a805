"""The routes of the learning: what is sent on, what comes back, what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav.page.v1 import page_pb2
from tests.parts.gateway import Gateway, scripted_gateway


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
