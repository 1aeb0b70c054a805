"""Sends webhooks to public addresses, signed as Standard Webhooks (https://www.standardwebhooks.com)."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import httpx
from standardwebhooks import Webhook

from ketav.registry.v1 import webhooks_pb2
from ketav_common.addresses import Address, is_public
from ketav_common.errors import KetavError, Stale
from ketav_common.logging import get_logger
from ketav_trainer import metrics
from ketav_trainer.registry import RegistryClient

log = get_logger()

_AT_ONCE: Final = 20
"""Deliveries claimed and sent at the same time; the registry gives at most `MAX_CLAIMED_DELIVERIES`."""
_NO_ANSWER: Final = "disconnected without sending a response"
"""What httpcore says when a connection ends before the answer's head is complete; it has no error for it."""
_INTERNAL_ERROR: Final = "The delivery failed because of an internal error. Report it to the operator."


class DeliveryError(Exception):
    """The receiver was not reached or did not accept; the text is for the user."""

    def __init__(self, reason: str, *, receiver_gone: bool = False) -> None:
        """Take the reason, and whether the receiver says that it is gone permanently."""
        super().__init__(reason)
        self.receiver_gone = receiver_gone


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends deliveries: it connects to the address that it has checked, and follows no redirect."""

    seconds: float = 10
    """Longest time of an attempt, from the resolution of the name to the answer's status."""
    allow_private: bool = False
    """Whether private addresses are allowed, and http to this machine."""
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """The certificates that are trusted: the system's by default."""

    async def send(self, delivery: webhooks_pb2.ClaimedDelivery) -> None:
        """Send a delivery once; raises DeliveryError unless the receiver accepts it. No body is read."""
        try:
            async with asyncio.timeout(self.seconds):
                status = await self._exchange(delivery)
        except TimeoutError as error:
            raise DeliveryError(
                f"The receiver did not answer within {self.seconds:g} seconds. Answer before the work."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(_reason(error)) from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryError(
                f"The receiver answered with status {status}. Answer with a status from 200 to 299.",
                receiver_gone=status == HTTPStatus.GONE,
            )

    async def _exchange(self, delivery: webhooks_pb2.ClaimedDelivery) -> int:
        """Send the request to a checked address of the URL's host; return the status of the answer.

        Raises DeliveryError for an address that is not allowed, and the errors of httpx.
        """
        url = httpx.URL(delivery.url)
        address = await self._checked_address(url)
        if url.scheme == "http" and not address.is_loopback:
            raise DeliveryError("The URL uses http, which is allowed to this machine only. Use https.")
        # No proxy of the environment: it would resolve the name again.
        async with (
            httpx.AsyncClient(verify=self.trust, trust_env=False, timeout=self.seconds) as client,
            client.stream(
                "POST",
                url.copy_with(host=str(address)),
                content=delivery.body.encode(),
                headers={"Host": url.netloc.decode("ascii"), **_headers(delivery)},
                # TLS names and verifies the host of the URL, not the address.
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as response,
        ):
            return response.status_code

    async def _checked_address(self, url: httpx.URL) -> Address:
        """Resolve the host of a URL; raises DeliveryError when any of its addresses is not public."""
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(url.raw_host.decode("ascii"), url.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DeliveryError("The receiver's name cannot be resolved. Check the URL.") from error
        addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos]
        if not addresses or not (self.allow_private or all(map(is_public, addresses))):
            raise DeliveryError("The receiver's address is not public. Use a host on the public internet.")
        return addresses[0]


def _headers(delivery: webhooks_pb2.ClaimedDelivery) -> dict[str, str]:
    """Return the headers of a delivery with its signature (Standard Webhooks, "Webhook headers")."""
    now = datetime.now(UTC)
    return {
        "User-Agent": "Ketav",
        "Content-Type": "application/json",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(delivery.secret).sign(delivery.delivery_id, now, delivery.body),
    }


def _reason(error: Exception) -> str:
    """Return the sentences for the user about a request that got no answer."""
    if any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
        return "The receiver's certificate is not valid for its name. Install one of a public authority."
    if isinstance(error, httpx.InvalidURL):
        return "The URL cannot be used. Set another one with PUT /webhook."
    if isinstance(error, httpx.ReadError | httpx.WriteError) or _NO_ANSWER in str(error):
        return "The receiver closed the connection without an HTTP answer. Check the port of the URL."
    if isinstance(error, httpx.ProtocolError):
        return "The receiver's answer is not HTTP. Check the port of the URL."
    return "The receiver cannot be reached. Check the URL, and that the receiver accepts connections."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that caused it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


async def deliver_webhooks(*, registry: RegistryClient, sender: WebhookSender) -> int:
    """Send the deliveries that are due, all at the same time, and report each; return their number."""
    deliveries = await registry.claim_deliveries(_AT_ONCE)
    await asyncio.gather(*(_deliver(delivery, registry, sender) for delivery in deliveries))
    return len(deliveries)


async def _deliver(
    delivery: webhooks_pb2.ClaimedDelivery, registry: RegistryClient, sender: WebhookSender
) -> None:
    """Send one delivery and report the outcome; whatever fails, the other deliveries go on.

    A delivery that is not reported is sent again when its lease ends.
    """
    outcome, reason, receiver_gone = "accepted", "", False
    try:
        await sender.send(delivery)
    except DeliveryError as error:
        outcome, reason, receiver_gone = "refused", str(error), error.receiver_gone
    except Exception:
        log.exception("webhook_crashed", delivery_id=delivery.delivery_id)
        outcome, reason = "crashed", _INTERNAL_ERROR
    metrics.WEBHOOK_ATTEMPTS.labels(outcome).inc()
    log.info("webhook_sent", delivery_id=delivery.delivery_id, attempt=delivery.attempt, error=reason)
    try:
        await registry.report_delivery(delivery, reason, receiver_gone=receiver_gone)
    except Stale:
        log.info("webhook_claimed_again", delivery_id=delivery.delivery_id)
    except KetavError as error:
        log.warning("webhook_not_reported", delivery_id=delivery.delivery_id, code=error.code)
    except Exception:
        log.exception("webhook_report_crashed", delivery_id=delivery.delivery_id)


async def deliver_on_schedule(*, registry: RegistryClient, sender: WebhookSender, interval_s: float) -> None:
    """Send the deliveries that are due, every `interval_s` seconds, until cancelled."""
    while True:
        try:
            if await deliver_webhooks(registry=registry, sender=sender) == _AT_ONCE:
                continue
        except KetavError as error:
            log.warning("webhooks_not_delivered", code=error.code, detail=error.detail)
        except Exception:
            log.exception("webhooks_crashed")
        await asyncio.sleep(interval_s)
