"""Webhooks: allowed URLs, the bodies of deliveries, and the delays between attempts."""

import ipaddress
import json
import re
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
_LOCAL_DOMAINS = ("arpa", "internal", "invalid", "local", "localhost", "onion", "test")
"""Top-level domains without public names: RFC 2606, 6761, 6762, 7686, 8375, and ICANN's `internal`."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes a host an IPv4 address (https://url.spec.whatwg.org, "ends in a number"): resolvers
read `127.1`, `2130706433` and `0x7f000001` as 127.0.0.1."""
_HOST_NAME = re.compile(r"(?!.{254})[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
"""A name of DNS, or an IPv4 address."""
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
    host = (parts.hostname or "").removesuffix(".")
    local = host in _LOCAL_NAMES or _is_loopback(host)
    if parts.scheme != "https" and not (private and parts.scheme == "http" and local):
        raise _invalid_url("The URL of the webhook does not begin with https://. Send an https URL.")
    if not host:
        raise _invalid_url("The URL has no host. Send an https URL such as https://example.org/hook.")
    if parts.username is not None or parts.password is not None:
        raise _invalid_url(
            "The URL has a user or a password. Remove them; the signature protects the webhook."
        )
    if parts.fragment:
        raise _invalid_url("The URL has a fragment. Remove the part that begins with #.")
    if not _is_host(host, in_brackets="[" in parts.netloc):
        raise _invalid_url("The host of the URL is neither a name nor an address. Correct it.")
    if not private and (local or not _may_be_public(host)):
        raise _invalid_url(
            "The host of the webhook is not a public address. Send the URL of a server on the internet."
        )


def _invalid_url(sentences: str) -> InvalidInput:
    """Return the error for a URL to which no webhook is sent."""
    return InvalidInput(sentences, code="invalid-url", details={"pointer": "/url"})


def _split(url: str) -> SplitResult:
    """Parse a URL of 1 to 2,000 visible ASCII characters; raises InvalidInput invalid-url."""
    if not 0 < len(url) <= MAX_WEBHOOK_URL_CHARACTERS:
        raise _invalid_url(
            f"The URL has {len(url):,} characters. Send 1 to {MAX_WEBHOOK_URL_CHARACTERS:,} characters."
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise _invalid_url(
            "The URL has a character that is not visible ASCII. Send it percent-encoded, a host in punycode."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid_url(_NOT_A_URL) from error
    if port == 0 or "\\" in url:
        raise _invalid_url(_NOT_A_URL)
    return parts


def _is_host(host: str, *, in_brackets: bool) -> bool:
    """Return whether a host is a name of DNS (RFC 1035, section 2.3.4; `_` is in use) or an IP address.

    An IPv4 address has four decimal numbers without leading zeros: no other spelling is one.
    """
    if not in_brackets and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _HOST_NAME.fullmatch(host) is not None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Return whether a host is an address of this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may_be_public(host: str) -> bool:
    """Return whether a host is a public address, or a name of the public DNS, which may have one."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        _, dot, domain = host.rpartition(".")
        return bool(dot) and domain not in _LOCAL_DOMAINS


def delivery_body(event: str, when: datetime, data: dict[str, Any] | None) -> str:
    """Return the JSON body of a delivery (https://www.standardwebhooks.com, "Payload structure")."""
    payload = {"type": event, "timestamp": when.isoformat(), "data": data or {}}
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)
