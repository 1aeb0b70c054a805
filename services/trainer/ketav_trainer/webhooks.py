"""Sending webhooks, signed as https://www.standardwebhooks.com has it, to public addresses only."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ketav.registry.v1 import webhooks_pb2
from ketav_common.addresses import Address, is_public
from ketav_common.errors import KetavError, Stale
from ketav_common.logging import get_logger
from ketav_trainer.registry import Registry

log = get_logger()

_AT_ONCE: Final = 20
"""Deliveries claimed and sent at the same time; the registry gives at most `MAX_CLAIMED_DELIVERIES`."""
_GONE: Final = 410
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")
_MAX_LINE: Final = 4096


class DeliveryError(Exception):
    """The receiver was not reached or did not accept, in words its user understands."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        """Take the reason, and whether the receiver said that it is gone for good."""
        super().__init__(reason)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Sender:
    """How deliveries are sent."""

    seconds: float = 10
    """Longest time of a try, from the look-up of the name to the answer."""
    private: bool = False
    """Whether private addresses are allowed, and http to this machine."""
    trust: ssl.SSLContext | None = None
    """Whose certificates are believed; None: the system's."""

    async def send(self, delivery: webhooks_pb2.ClaimedDelivery) -> None:
        """Try a delivery once. DeliveryError: it was not accepted; no redirect is followed, no body read."""
        try:
            async with asyncio.timeout(self.seconds):
                status = await self._exchange(urlsplit(delivery.url), _request(delivery))
        except TimeoutError as error:
            raise DeliveryError(f"no answer within {self.seconds:g} seconds") from error
        except (OSError, ValueError) as error:
            raise DeliveryError(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
            raise DeliveryError(f"the receiver answered {status}", gone=status == _GONE)

    async def _exchange(self, url: SplitResult, request: bytes) -> int:
        """Send a request to the checked address of a URL's host; return the status of the answer."""
        host, plain = url.hostname or "", url.scheme == "http"
        port = url.port or (80 if plain else 443)
        address = await self._address(host, port)
        if plain and not address.is_loopback:
            raise DeliveryError("http goes to this machine only")
        tls = None if plain else self.trust or ssl.create_default_context()
        reader, writer = await asyncio.open_connection(
            str(address), port, ssl=tls, server_hostname=None if plain else host, limit=_MAX_LINE
        )
        try:
            writer.write(request)
            await writer.drain()
            answer = _STATUS.match(await reader.readline())
        finally:
            writer.transport.abort()
        if answer is None:
            raise DeliveryError("the receiver does not speak HTTP/1.1")
        return int(answer[1])

    async def _address(self, host: str, port: int) -> Address:
        """Look a name up; refuse it when any of its addresses is not public."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise DeliveryError("the receiver's name cannot be found") from error
        addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
        if not addresses or not (self.private or all(is_public(each) for each in addresses)):
            raise DeliveryError("the receiver's address is not a public one")
        return addresses[0]


def signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    """Sign a delivery: HMAC-SHA256 over id, time and body (Standard Webhooks, "Signature scheme", v1)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def _request(delivery: webhooks_pb2.ClaimedDelivery) -> bytes:
    """Write the whole request."""
    url, body, now = urlsplit(delivery.url), delivery.body.encode(), str(int(time.time()))
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {
        "Host": url.netloc,
        "User-Agent": "Ketav",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": now,
        "webhook-signature": signature(delivery.secret, delivery.delivery_id, now, body),
    }
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + body


async def deliver_webhooks(*, registry: Registry, sender: Sender) -> int:
    """Try what is due, side by side, and report each; return how many there were."""
    due = await registry.claim_deliveries(_AT_ONCE)
    await asyncio.gather(*(_deliver(each, registry, sender) for each in due))
    return len(due)


async def _deliver(delivery: webhooks_pb2.ClaimedDelivery, registry: Registry, sender: Sender) -> None:
    """Try one; a report that gets lost lets the lease end, and the delivery is tried again."""
    error, gone = "", False
    try:
        await sender.send(delivery)
    except DeliveryError as failure:
        error, gone = str(failure), failure.gone
    log.info("webhook_tried", delivery_id=delivery.delivery_id, attempt=delivery.attempt, error=error)
    try:
        await registry.report_delivery(delivery, error, gone=gone)
    except Stale:
        log.info("webhook_taken_over", delivery_id=delivery.delivery_id)


async def keep_delivering(*, registry: Registry, sender: Sender, every_s: float) -> None:
    """Deliver what is due, again and again with a pause, until cancelled."""
    while True:
        try:
            if await deliver_webhooks(registry=registry, sender=sender) == _AT_ONCE:
                continue
        except KetavError as error:
            log.warning("webhooks_not_delivered", code=error.code)
        await asyncio.sleep(every_s)
