"""The common part of the synchronous and the asynchronous client: settings, repetitions, errors."""

import uuid
from dataclasses import dataclass
from http import HTTPMethod
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
from httpx_retries import Retry

from ketav_client.call import Call
from ketav_client.errors import ConnectionFailedError, problem_of
from ketav_client.settings import ClientSettings

T = TypeVar("T")
MAX_RETRIES = 9
MAX_WAIT_S = 120.0
"""Longest wait before a repetition; the server's Retry-After is at most a minute."""
MAX_TOTAL_WAIT_S = 600.0
"""Sum of the waits of one request."""
_BACKOFF_S = 0.5
_CONNECT_TIMEOUT_S = 10.0
_KEY_HEADER = "Idempotency-Key"
_WITH_KEY = {"post", "patch", "delete"}
"""Methods whose requests have a key: a repeated PUT stores the same again, and GET changes nothing."""


@dataclass(frozen=True)
class Limits:
    """Time and repetitions of a request.

    `timeout_s` is the time between two parts of a response: reading a page can take some of it.
    """

    retries: int = MAX_RETRIES
    timeout_s: float = 180.0


def retry(limits: Limits) -> Retry:
    """Return the policy of repetitions: 429, 502, 503, 504 and lost connections, after Retry-After.

    Every request can be repeated, because each one that adds or changes something has an Idempotency-Key.
    """
    return Retry(
        total=limits.retries,
        allowed_methods=list(HTTPMethod),
        backoff_factor=_BACKOFF_S,
        max_backoff_wait=MAX_WAIT_S,
        total_timeout=MAX_TOTAL_WAIT_S,
    )


def http_options(settings: ClientSettings, limits: Limits) -> dict[str, Any]:
    """Return the arguments of the client of httpx, without its transport."""
    return {
        "base_url": settings.url,
        "headers": {
            "Authorization": f"Bearer {settings.api_key}",
            "User-Agent": f"ketav-client/{version('ketav-client')}",
        },
        "timeout": httpx.Timeout(limits.timeout_s, connect=_CONNECT_TIMEOUT_S),
    }


def request_options(call: Call[Any]) -> dict[str, Any]:
    """Return the arguments of a request; a request that changes something gets a key if it has none."""
    headers = {name: value for name, value in call.options.get("headers", {}).items() if value is not None}
    if call.method in _WITH_KEY:
        headers.setdefault(_KEY_HEADER, uuid.uuid4().hex)
    return {**call.options, "headers": headers}


def result(call: Call[T], response: httpx.Response) -> T:
    """Return what a response says; raises ProblemError for an error."""
    if not response.is_success:
        raise problem_of(response)
    return call.parse(response)


def connection_failed(url: str, error: httpx.TransportError) -> ConnectionFailedError:
    """Return the error of a server that did not answer."""
    reason = str(error) or type(error).__name__
    return ConnectionFailedError(
        f"The server at {url} did not answer: {reason}. Check that it runs and that KETAV_URL is its address."
    )
