"""Webhooks: where they may go, what they say, when they are tried again."""

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
MAX_WAITING = 20
LEASE = timedelta(minutes=1)
# After the first try, the second, …: eight tries within a day.
_PAUSES = tuple(timedelta(seconds=each) for each in (30, 120, 600, 3_600, 10_800, 28_800, 43_200))
_LOCAL_NAMES = {"localhost"}


class DeliveryState(StrEnum):
    """What has become of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as its user sees it."""

    delivery_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    error: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """A user's webhook; an empty reason means that it is enabled."""

    url: str
    disabled_reason: str
    create_time: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to be tried now; `secret` signs it and goes to nobody but the sender."""

    delivery_id: UUID
    attempt: int
    url: str
    secret: str
    body: str


def pause_after(attempt: int) -> timedelta | None:
    """Return how long to wait after a failed try, counted from 1; None: it was the last one."""
    return _PAUSES[attempt - 1] if attempt <= len(_PAUSES) else None


def check_url(url: str, *, private: bool) -> None:
    """Refuse what no webhook is sent to (InvalidInput invalid-url).

    `private` allows addresses of private networks, and http to this machine. The sender checks the address
    that the name stands for again, each time.
    """
    parts = _split(url)
    host = parts.hostname or ""
    local = host in _LOCAL_NAMES or _is_loopback(host)
    if parts.scheme != "https" and not (private and parts.scheme == "http" and local):
        raise InvalidInput("a webhook's URL begins with https://", code="invalid-url")
    if parts.username is not None or parts.password is not None or parts.fragment or not host:
        raise InvalidInput("a webhook's URL has a host, no user and no fragment", code="invalid-url")
    if not private and (local or not _may_be_public(host)):
        raise InvalidInput("a webhook's address is a public one", code="invalid-url")


def _split(url: str) -> SplitResult:
    """Take a URL apart."""
    if not (
        0 < len(url) <= MAX_WEBHOOK_URL_CHARACTERS and url.isascii() and url.isprintable() and " " not in url
    ):
        raise InvalidInput(
            f"a URL has 1 to {MAX_WEBHOOK_URL_CHARACTERS} visible ASCII characters", code="invalid-url"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput("this is no URL", code="invalid-url") from error
    if port == 0 or "\\" in url:
        raise InvalidInput("this is no URL", code="invalid-url")
    return parts


def _is_loopback(host: str) -> bool:
    """Say whether a host is an address of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may_be_public(host: str) -> bool:
    """Say whether a host is a name, or a public address."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return True


def body_of(event: str, when: datetime, run: dict[str, Any] | None) -> str:
    """Write what a delivery says (https://www.standardwebhooks.com, "Payload structure")."""
    payload = {"type": event, "timestamp": when.isoformat(), "data": run or {}}
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)
