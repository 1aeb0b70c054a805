"""Repeated requests."""

from typing import Any

from ketav_common.errors import Conflict
from ketav_registry.domain.requests import Request


def same_request(row: Any, request: Request) -> None:  # noqa: ANN401 - a row with request columns
    """Refuse an Idempotency-Key that was used with another request (Conflict)."""
    if row.request_sha256 != request.sha256:
        raise Conflict(
            "the Idempotency-Key was used with another request before", code="idempotency-key-reused"
        )
