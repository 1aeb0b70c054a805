"""The webhook over REST: set, shown, tried, forgotten; and what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav_common.errors import InvalidInput
from tests.parts.gateway import Gateway, scripted_gateway

URL = {"url": "https://example.org/hook"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway before scripted services."""
    async with scripted_gateway(tmp_path) as running:
        yield running


async def test_the_secret_is_shown_once(gateway: Gateway) -> None:
    """In the answer that sets the webhook, never again; one call each."""
    answer = await gateway.client.put("/webhook", json=URL)
    assert (answer.status_code, answer.json()["secret"]) == (200, "whsec_c2VjcmV0")
    shown = await gateway.client.get("/webhook")
    assert (shown.status_code, shown.json()["url"]) == (200, URL["url"])
    assert "whsec" not in shown.text
    assert shown.json()["disabled_reason"] is None
    assert shown.json()["deliveries"][0]["state"] == "delivered"
    tested = await gateway.client.post("/webhook/test", headers={"Idempotency-Key": "try"})
    assert gateway.script.requests[-1].request_id == "try"
    assert (tested.status_code, list(tested.json())) == (202, ["delivery_id"])
    assert (await gateway.client.delete("/webhook")).status_code == 204


async def test_who_has_none_gets_404_whatever_others_have(gateway: Gateway) -> None:
    """Reading, trying and deleting look the same."""
    await gateway.client.put("/webhook", json=URL)
    calls = (("GET", "/webhook"), ("DELETE", "/webhook"), ("POST", "/webhook/test"))
    answers = [await gateway.other.request(method, path) for method, path in calls]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await gateway.client.get("/webhook")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"url": ""}, {"url": 7}, {"url": "https://" + "a" * 2000}, {**URL, "secret": "whsec_mine"}, []],
)
async def test_a_body_of_another_form_is_422(gateway: Gateway, body: Any) -> None:
    """Nothing reaches the registry."""
    answer = await gateway.client.put("/webhook", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert "SetWebhook" not in gateway.script.calls


async def test_the_registry_s_refusal_of_a_url_is_passed_on(gateway: Gateway) -> None:
    """422 with its code; another content type is 415."""
    gateway.script.failures["SetWebhook"] = InvalidInput("not public", code="invalid-url")
    answer = await gateway.client.put("/webhook", json={"url": "https://127.0.0.1/"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-url")
    assert (await gateway.client.put("/webhook", content=b"url")).status_code == 415
