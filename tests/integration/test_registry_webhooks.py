"""Webhooks on a real PostgreSQL: the outbox that a run's end fills, leases, retries, disabling, walls."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ketav.registry.v1 import training_pb2
from ketav.registry.v1 import webhooks_pb2 as pb
from ketav_common import rpc
from ketav_common.errors import Forbidden, InvalidInput, NotFound, Precondition, Stale
from ketav_registry.domain.webhooks import MAX_WAITING_DELIVERIES
from ketav_trainer.registry import RegistryClient
from ketav_trainer.webhooks import WebhookSender, deliver_on_schedule, deliver_webhooks
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    claiming,
    delete_page,
    pages_of,
    publish,
    queued_run,
    registry_server,
)

URL = "https://example.org/hook"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry without the deliveries of earlier tests."""
    await asyncio.to_thread(postgres.execute, "DELETE FROM webhook", database)
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


@pytest.fixture
def make_due(postgres: PostgresServer, database: str) -> Any:
    """Return a function that makes every waiting delivery due now."""

    async def make() -> None:
        """Move their times into the past."""
        query = "UPDATE webhook_delivery SET due_at = now() - interval '1 second' WHERE state = 'waiting'"
        await asyncio.to_thread(postgres.execute, query, database)

    return make


async def set_webhook(registry: Registry, user_id: UUID, url: str = URL) -> str:
    """Set a user's webhook; return its secret."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.webhooks.SetWebhook(pb.SetWebhookRequest(url=url))).secret


async def get_webhook(registry: Registry, user_id: UUID) -> pb.Webhook:
    """Return a user's webhook."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.webhooks.GetWebhook(pb.GetWebhookRequest())).webhook


async def send_test(registry: Registry, user_id: UUID, key: str = "") -> str:
    """Queue a test; return its id."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.webhooks.TestWebhook(pb.TestWebhookRequest(request_id=key))).delivery_id


def crashed_attempts() -> float:
    """Return how many attempts to deliver a webhook have ended with a defect in this process."""
    return REGISTRY.get_sample_value("ketav_webhook_attempts_total", {"outcome": "crashed"}) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, at most 10 seconds."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the condition does not hold after 10 seconds")


async def claim_due(registry: Registry, limit: int = 50) -> list[pb.ClaimedDelivery]:
    """Claim due deliveries as the trainer."""
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        answer = await registry.webhooks.ClaimDeliveries(pb.ClaimDeliveriesRequest(limit=limit))
    return list(answer.deliveries)


async def report(registry: Registry, claimed: pb.ClaimedDelivery, error: str = "", **fields: Any) -> None:
    """Report the result of an attempt as the trainer."""
    request = pb.ReportDeliveryRequest(
        delivery_id=claimed.delivery_id, error=error, **({"attempt": claimed.attempt} | fields)
    )
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        await registry.webhooks.ReportDelivery(request)


async def test_a_webhook_is_set_returned_without_its_secret_and_deleted(registry: Registry) -> None:
    """A new one replaces the old one and has another secret; a deleted one is NOT_FOUND."""
    user_id = await registry.new_user()
    secrets = [await set_webhook(registry, user_id) for _ in range(2)]
    assert len({*secrets}) == 2
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in secrets)
    webhook = await get_webhook(registry, user_id)
    assert (webhook.url, webhook.disabled_reason, list(webhook.deliveries)) == (URL, "", [])
    assert secrets[1] not in str(webhook)
    with acting(user_id), rpc.raise_ketav_errors():
        await registry.webhooks.DeleteWebhook(pb.DeleteWebhookRequest())
    with acting(user_id), pytest.raises(NotFound), rpc.raise_ketav_errors():
        await registry.webhooks.DeleteWebhook(pb.DeleteWebhookRequest())
    with pytest.raises(NotFound):
        await get_webhook(registry, user_id)


@pytest.mark.parametrize("url", ["", "http://example.org/", "https://user@example.org/", "https://a b/"])
async def test_a_url_that_is_not_allowed_is_refused(registry: Registry, url: str) -> None:
    """And not stored."""
    user_id = await registry.new_user()
    with pytest.raises(InvalidInput):
        await set_webhook(registry, user_id, url)
    with pytest.raises(NotFound):
        await get_webhook(registry, user_id)


@pytest.mark.parametrize("promote", [True, False])
async def test_a_run_with_a_verdict_has_one_delivery(registry: Registry, promote: bool) -> None:
    """It has the event, the run, the verdict, both CERs and the version."""
    user_id, run_id = await queued_run(registry)
    secret = await set_webhook(registry, user_id)
    version = await publish(registry, run_id, (await claim(registry, run_id)).fence, promote=promote)
    [claimed] = await claim_due(registry)
    assert (claimed.url, claimed.secret, claimed.attempt) == (URL, secret, 1)
    body = json.loads(claimed.body)
    assert body["type"] == ("training.succeeded" if promote else "training.rejected")
    assert body["data"] == {
        "run_id": run_id,
        "state": "succeeded" if promote else "rejected",
        "script": "modern_cursive",
        "hand": None,
        "new_base": None,
        "verdict": "promoted" if promote else "rejected",
        "cer_before": 0.2,
        "cer_after": 0.1,
        "model_version": version.model.version,
    }
    assert await claim_due(registry) == []
    await report(registry, claimed)
    [delivery] = (await get_webhook(registry, user_id)).deliveries
    assert (delivery.state, delivery.attempts, delivery.error) == (pb.DELIVERY_STATE_DELIVERED, 1, "")
    with pytest.raises(Stale):
        await report(registry, claimed, "late")


async def test_a_run_that_ends_without_a_verdict_has_a_delivery(registry: Registry) -> None:
    """Failed by its worker or cancelled by a deletion; a run that is returned to the queue has none."""
    events = []
    for state in (training_pb2.TRAINING_RUN_STATE_FAILED, training_pb2.TRAINING_RUN_STATE_QUEUED, None):
        user_id, run_id = await queued_run(registry)
        await set_webhook(registry, user_id)
        claimed_run = await claim(registry, run_id)
        if state is None:
            await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
        else:
            request = training_pb2.EndTrainingRunRequest(
                run_id=run_id, fence=claimed_run.fence, state=state, verdict="The training failed."
            )
            with claiming(request), rpc.raise_ketav_errors():
                await registry.training.EndTrainingRun(request)
        events.append([json.loads(claimed.body)["type"] for claimed in await claim_due(registry)])
    assert events == [["training.failed"], [], ["training.cancelled"]]


async def test_without_a_webhook_nothing_is_queued(registry: Registry) -> None:
    """Nor for the run of another user."""
    await set_webhook(registry, await registry.new_user())
    _, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    assert await claim_due(registry) == []


async def test_a_delivery_is_claimed_again_when_its_lease_expires_and_a_late_report_is_stale(
    registry: Registry, make_due: Any
) -> None:
    """Another sender claims it with the same id and body; the report of the first one is stale."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    delivery_id = await send_test(registry, user_id)
    [first] = await claim_due(registry)
    await make_due()
    [second] = await claim_due(registry)
    assert first.delivery_id == second.delivery_id == delivery_id
    assert (first.attempt, second.attempt, first.body) == (1, 2, second.body)
    with pytest.raises(Stale):
        await report(registry, first)
    await report(registry, second)


async def test_of_concurrent_senders_one_gets_each_delivery(registry: Registry) -> None:
    """Ten deliveries, four senders: none is claimed twice, none is left."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    queued = {await send_test(registry, user_id) for _ in range(10)}
    claimed = [
        item.delivery_id
        for part in await asyncio.gather(*(claim_due(registry, 3) for _ in range(4)))
        for item in part
    ]
    claimed += [item.delivery_id for item in await claim_due(registry)]
    assert len(claimed) == 10
    assert set(claimed) == queued


async def test_a_test_with_the_same_idempotency_key_is_one_delivery(registry: Registry) -> None:
    """Five concurrent requests and a later one get one id; another key, no key and another user do not."""
    user_id, other = await registry.new_user(), await registry.new_user()
    for account in (user_id, other):
        await set_webhook(registry, account)
    first = await asyncio.gather(*(send_test(registry, user_id, "try") for _ in range(5)))
    assert {*first, await send_test(registry, user_id, "try")} == {first[0]}
    assert len((await get_webhook(registry, user_id)).deliveries) == 1
    others = [await send_test(registry, user_id, key) for key in ("", "", "again")]
    assert len({first[0], *others, await send_test(registry, other, "try")}) == 5


async def test_after_eight_failed_attempts_the_webhook_is_disabled_until_it_is_set_again(
    registry: Registry, make_due: Any
) -> None:
    """It has a reason; waiting deliveries fail; tests are refused; setting it again enables it."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    first = await send_test(registry, user_id)
    for attempt in range(1, 9):
        await make_due()
        [claimed] = await claim_due(registry)
        assert (claimed.delivery_id, claimed.attempt) == (first, attempt)
        assert not (await get_webhook(registry, user_id)).disabled_reason
        await report(registry, claimed, "the receiver answered 500")
        assert await claim_due(registry) == []
    webhook = await get_webhook(registry, user_id)
    assert webhook.disabled_reason.startswith("The delivery failed 8 times.")
    assert webhook.disabled_reason.endswith("The last error: the receiver answered 500")
    assert [item.state for item in webhook.deliveries] == [pb.DELIVERY_STATE_FAILED]
    with pytest.raises(Precondition):
        await send_test(registry, user_id)
    await set_webhook(registry, user_id)
    assert not (await get_webhook(registry, user_id)).disabled_reason
    assert await send_test(registry, user_id)


async def test_a_receiver_that_answers_410_gets_no_further_attempt(registry: Registry) -> None:
    """The webhook is disabled at once."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    await send_test(registry, user_id)
    [claimed] = await claim_due(registry)
    await report(registry, claimed, "the receiver answered 410", gone=True)
    assert (await get_webhook(registry, user_id)).disabled_reason.startswith(
        "The receiver answered 410 Gone."
    )


async def test_a_webhook_that_was_set_during_an_attempt_is_not_disabled_by_it(registry: Registry) -> None:
    """The receiver that is gone is the former one; deliveries that wait go to the new one."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    await send_test(registry, user_id)
    [claimed] = await claim_due(registry)
    await set_webhook(registry, user_id, "https://example.net/new")
    await send_test(registry, user_id)
    await report(registry, claimed, "the receiver answered 410", gone=True)
    assert not (await get_webhook(registry, user_id)).disabled_reason
    [second] = await claim_due(registry)
    assert second.url == "https://example.net/new"


async def test_waiting_tests_are_limited_and_calls_of_the_trainer_are_refused_to_users(
    registry: Registry,
) -> None:
    """A user can neither fill the outbox with tests nor claim or report deliveries."""
    user_id = await registry.new_user()
    await set_webhook(registry, user_id)
    for _ in range(MAX_WAITING_DELIVERIES):
        await send_test(registry, user_id)
    with pytest.raises(Precondition):
        await send_test(registry, user_id)
    with acting(user_id):
        for call in (
            registry.webhooks.ClaimDeliveries(pb.ClaimDeliveriesRequest(limit=1)),
            registry.webhooks.ReportDelivery(pb.ReportDeliveryRequest(delivery_id=str(uuid4()))),
        ):
            with pytest.raises(Forbidden), rpc.raise_ketav_errors():
                await call
    with pytest.raises(NotFound):
        await send_test(registry, await registry.new_user())
    with pytest.raises(InvalidInput):
        await claim_due(registry, 0)


async def test_a_receiver_that_fails_twice_gets_the_same_delivery_a_third_time(
    registry: Registry, make_due: Any, tmp_path: Path
) -> None:
    """From the outbox through the sender to a real receiver on this machine: 500, 500, 200, one id."""
    received: list[tuple[str, str]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer 500 twice, then 200."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        received.append((headers["webhook-id"], json.loads(body)["type"]))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if len(received) > 2 else b"HTTP/1.1 500 No\r\n\r\n")
        await writer.drain()
        writer.close()

    user_id = await registry.new_user()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel:
        client, sender = RegistryClient(channel), WebhookSender(5, allow_private=True)
        port = server.sockets[0].getsockname()[1]
        await set_webhook(registry, user_id, f"http://127.0.0.1:{port}/")
        delivery_id = await send_test(registry, user_id)
        for _ in range(3):
            await make_due()
            assert await deliver_webhooks(registry=client, sender=sender) == 1
        assert await deliver_webhooks(registry=client, sender=sender) == 0
    assert received == [(delivery_id, "webhook.test")] * 3
    [delivery] = (await get_webhook(registry, user_id)).deliveries
    assert (delivery.state, delivery.attempts) == (pb.DELIVERY_STATE_DELIVERED, 3)


async def test_a_delivery_that_crashes_the_sender_is_reported_and_the_others_are_sent(
    registry: Registry, postgres: PostgresServer, tmp_path: Path
) -> None:
    """A secret that cannot sign: a traceback in the log, an attempt in the list, and the sender goes on."""
    received: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the delivery and accept it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        received.append(head.partition("webhook-id: ")[2].partition("\r\n")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    broken, sound = await registry.new_user(), await registry.new_user()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server, rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for user_id in (broken, sound):
            await set_webhook(registry, user_id, url)
        damage = "UPDATE webhook SET secret = 'whsec_a' WHERE user_id = $1"
        await asyncio.to_thread(postgres.execute, damage, registry.database, broken)
        await send_test(registry, broken)
        expected = [await send_test(registry, sound)]
        counted = crashed_attempts()
        client, sender = RegistryClient(channel), WebhookSender(5, allow_private=True)
        with capture_logs() as logs:
            task = asyncio.create_task(deliver_on_schedule(registry=client, sender=sender, interval_s=0.05))
            try:
                await until(lambda: received == expected)
                expected.append(await send_test(registry, sound))
                await until(lambda: received == expected)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    [delivery] = (await get_webhook(registry, broken)).deliveries
    assert delivery.error == "The delivery failed because of an internal error. Report it to the operator."
    assert (delivery.state, delivery.attempts) == (pb.DELIVERY_STATE_WAITING, 1)
    [crash] = [event for event in logs if event["event"] == "webhook_crashed"]
    assert crash["exc_info"]
    assert crashed_attempts() == counted + 1


async def test_a_sender_goes_on_when_claiming_fails_in_an_unexpected_way(
    registry: Registry, tmp_path: Path
) -> None:
    """A channel that another owner has closed: a traceback at each attempt to claim, and no end."""
    async with rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel:
        client = RegistryClient(channel)
    with capture_logs() as logs:
        task = asyncio.create_task(
            deliver_on_schedule(registry=client, sender=WebhookSender(5), interval_s=0.02)
        )
        try:
            await until(lambda: len(logs) > 2)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert {event["event"] for event in logs} == {"webhooks_crashed"}


async def test_a_run_that_ends_while_its_webhook_is_being_deleted_has_no_delivery(
    registry: Registry, postgres: PostgresServer
) -> None:
    """The model is published."""
    user_id, run_id = await queued_run(registry)
    await set_webhook(registry, user_id)
    claimed_run = await claim(registry, run_id)
    other = await asyncpg.connect(postgres.url(registry.database))
    try:
        deletion = other.transaction()
        await deletion.start()
        await other.execute("DELETE FROM webhook WHERE user_id = $1", user_id)
        publication = asyncio.ensure_future(publish(registry, run_id, claimed_run.fence))
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
        for _ in range(500):
            if await asyncio.to_thread(postgres.execute, waits, "postgres", registry.database):
                break
            await asyncio.sleep(0.02)
        await deletion.commit()
    finally:
        await other.close()
    assert (await publication).run_id == run_id
    assert await claim_due(registry) == []
