"""Repeated requests."""

from typing import Any

from ketav_common.errors import Conflict
from ketav_registry.domain.requests import RequestKey


def check_same_request(row: Any, request: RequestKey) -> None:  # noqa: ANN401 - a row with request columns
    """Raise Conflict if the row was created by a different request with the same Idempotency-Key.

    A row without a digest accepts any request: the client sent none, or the row is older than the column.
    """
    if row.request_sha256 is not None and row.request_sha256 != request.sha256:
        raise Conflict(
            "The Idempotency-Key belongs to a different request. Send a new key with each new request.",
            code="idempotency-key-reused",
            details={"pointer": "Idempotency-Key"},
        )
