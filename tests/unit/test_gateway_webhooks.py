"""The webhook: set, shown, tested, deleted; and invalid bodies."""

from typing import Any

import pytest

from ketav.registry.v1 import webhooks_pb2
from tests.parts.gateway import Gateway, without_trace
from tests.parts.in_memory.webhooks import add_delivery

URL = {"url": "https://example.org/hook"}


async def test_only_the_response_that_sets_a_webhook_has_its_secret(gateway: Gateway) -> None:
    """One call each."""
    response = await gateway.client.put("/webhook", json=URL)
    assert (response.status_code, response.json()["deliveries"]) == (200, [])
    assert response.json()["secret"].startswith("whsec_")
    webhook = await gateway.client.get("/webhook")
    assert (webhook.status_code, webhook.json()["url"]) == (200, URL["url"])
    assert "whsec" not in webhook.text
    assert webhook.json()["disabled_reason"] is None
    assert (await gateway.client.delete("/webhook")).status_code == 204


async def test_deliveries_are_shown_newest_first(gateway: Gateway) -> None:
    """A test is one delivery for each Idempotency-Key; a failed one has its error."""
    await gateway.client.put("/webhook", json=URL)
    webhook = gateway.user.webhook
    assert webhook is not None
    add_delivery(webhook, "1", event="training.failed", state=webhooks_pb2.DELIVERY_STATE_FAILED, error="No.")
    key = {"Idempotency-Key": "try"}
    tests = [await gateway.client.post("/webhook/test", headers=key) for _ in range(2)]
    assert tests[0].status_code == 202
    assert tests[0].json() == tests[1].json()
    newest, failed = (await gateway.client.get("/webhook")).json()["deliveries"]
    assert newest["delivery_id"] == tests[0].json()["delivery_id"]
    assert (newest["event"], newest["state"], newest["error"]) == ("webhook.test", "waiting", None)
    assert (failed["event"], failed["state"], failed["error"]) == ("training.failed", "failed", "No.")


async def test_a_user_without_a_webhook_gets_404(gateway: Gateway) -> None:
    """Showing, testing and deleting return the same, whether another user has one or not."""
    await gateway.client.put("/webhook", json=URL)
    calls = (("GET", "/webhook"), ("DELETE", "/webhook"), ("POST", "/webhook/test"))
    responses = [await gateway.other.request(method, path) for method, path in calls]
    assert {response.status_code for response in responses} == {404}
    assert len({without_trace(response) for response in responses}) == 1
    assert responses[0].json()["detail"] == "This account has no webhook. Set one with PUT /webhook."
    assert (await gateway.client.get("/webhook")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"url": ""}, {"url": 7}, {**URL, "secret": "whsec_mine"}, []],
)
async def test_an_invalid_body_is_422(gateway: Gateway, body: Any) -> None:
    """The registry is not called."""
    response = await gateway.client.put("/webhook", json=body)
    code = "unknown-field" if "secret" in body else "invalid-input"
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert "SetWebhook" not in gateway.state.calls


async def test_a_url_that_the_registry_refuses_is_422(gateway: Gateway) -> None:
    """With the registry's code; a body that is no JSON is 415."""
    response = await gateway.client.put("/webhook", json={"url": "http://127.0.0.1/"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-url")
    assert (await gateway.client.put("/webhook", content=b"url")).status_code == 415
