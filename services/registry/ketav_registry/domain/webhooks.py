"""Webhooks: allowed URLs, the bodies of deliveries, and the delays between attempts."""

import ipaddress
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from ketav_common.addresses import is_public
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_WEBHOOK_URL_CHARACTERS

TEST_EVENT = "webhook.test"
"""Event of a delivery that a user requests as a test."""
MAX_WAITING_DELIVERIES = 20
"""Waiting deliveries of a user beyond which no test is queued: tests are the only deliveries that a user can
create without limit."""
LEASE = timedelta(minutes=1)
"""Time that a sender has for an attempt before another sender may claim the delivery."""
_RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 3_600, 10_800, 28_800, 43_200))
"""Delays after the first, second, … attempt: eight attempts within 24.2 hours."""
_LOCAL_NAMES = {"localhost"}
_CODE = "invalid-url"
_FIELD = {"pointer": "/url"}
_NOT_A_URL = "The text is not a URL. Send an https URL such as https://example.org/hook."


class DeliveryState(StrEnum):
    """State of a delivery: waiting for its first or next attempt, delivered, or failed for good."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery with its state; `error` is why the last attempt failed, empty if it did not."""

    delivery_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    error: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """A user's webhook with its latest deliveries; it is enabled while `disabled_reason` is empty."""

    url: str
    disabled_reason: str
    create_time: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that the caller attempts now; `secret` is the key of its signature."""

    delivery_id: UUID
    attempt: int
    url: str
    secret: str
    body: str


def retry_delay(attempt: int) -> timedelta | None:
    """Return the delay after a failed attempt, counted from 1; None after the last one."""
    return _RETRY_DELAYS[attempt - 1] if attempt <= len(_RETRY_DELAYS) else None


def check_url(url: str, *, private: bool) -> None:
    """Raise InvalidInput invalid-url for a URL to which no webhook is sent.

    `private` allows addresses of private networks, and http to this machine. The sender resolves the host and
    checks its address again before each attempt.
    """
    parts = _split(url)
    host = parts.hostname or ""
    local = host in _LOCAL_NAMES or _is_loopback(host)
    if parts.scheme != "https" and not (private and parts.scheme == "http" and local):
        raise InvalidInput(
            "The URL of a webhook must begin with https://. Send an https URL.", code=_CODE, details=_FIELD
        )
    if parts.username is not None or parts.password is not None or parts.fragment or not host:
        raise InvalidInput(
            "The URL of a webhook must have a host and neither a user nor a fragment. Remove these parts.",
            code=_CODE,
            details=_FIELD,
        )
    if not private and (local or not _may_be_public(host)):
        raise InvalidInput(
            "The host of the webhook is not a public address. Send the URL of a server on the internet.",
            code=_CODE,
            details=_FIELD,
        )


def _split(url: str) -> SplitResult:
    """Parse a URL of 1 to 2,000 visible ASCII characters; raises InvalidInput invalid-url."""
    if not 0 < len(url) <= MAX_WEBHOOK_URL_CHARACTERS:
        raise InvalidInput(
            f"The URL has {len(url):,} characters. Send 1 to {MAX_WEBHOOK_URL_CHARACTERS:,} characters.",
            code=_CODE,
            details=_FIELD,
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput(
            "The URL has a character that is not visible ASCII. Send it percent-encoded.",
            code=_CODE,
            details=_FIELD,
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(_NOT_A_URL, code=_CODE, details=_FIELD) from error
    if port == 0 or "\\" in url:
        raise InvalidInput(_NOT_A_URL, code=_CODE, details=_FIELD)
    return parts


def _is_loopback(host: str) -> bool:
    """Return whether a host is an address of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may_be_public(host: str) -> bool:
    """Return whether a host is a public address, or a name, which may have one."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return True


def delivery_body(event: str, when: datetime, run: dict[str, Any] | None) -> str:
    """Return the JSON body of a delivery (https://www.standardwebhooks.com, "Payload structure")."""
    payload = {"type": event, "timestamp": when.isoformat(), "data": run or {}}
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)
