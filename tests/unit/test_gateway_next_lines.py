"""The lines to correct next."""

from uuid import uuid4

import pytest

from tests.parts.gateway import Gateway, upload, without_trace

UNKNOWN = str(uuid4())


async def test_uncorrected_lines_are_listed_with_their_reasons(gateway: Gateway) -> None:
    """One call; another user's project is 404 like an unknown one, byte for byte."""
    project_id = (await upload(gateway.client)).json()["project_id"]
    gateway.state.calls.clear()
    body = (await gateway.client.get(f"/projects/{project_id}/next-lines?limit=1")).json()
    assert gateway.state.calls == ["ListNextLines"]
    assert (body["candidates"], gateway.state.requests[-1].limit) == (2, 1)
    [line] = body["lines"]
    assert set(line) == {"line_id", "image_id", "order", "text", "uncertainty", "novelty", "reason"}
    assert (line["uncertainty"], line["novelty"]) == (0.1, 1.0)
    foreign = await gateway.other.get(f"/projects/{project_id}/next-lines")
    unknown = await gateway.other.get(f"/projects/{UNKNOWN}/next-lines")
    assert (foreign.status_code, without_trace(foreign)) == (404, without_trace(unknown))


@pytest.mark.parametrize("limit", ["0", "101", "1e2"])
async def test_an_invalid_limit_is_refused_before_a_service_is_called(gateway: Gateway, limit: str) -> None:
    """422."""
    response = await gateway.client.get(f"/projects/{UNKNOWN}/next-lines?limit={limit}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert "ListNextLines" not in gateway.state.calls
