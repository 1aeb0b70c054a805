"""Idempotency-Key: the same request twice is one request."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Request

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IDEMPOTENCY_KEY_CHARACTERS

_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_IDEMPOTENCY_KEY_CHARACTERS}}}")


def request_key(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Name of this request: sent twice, it is done once.")
    ] = None,
) -> str:
    """Return the Idempotency-Key, empty when there is none; InvalidInput unless 1 to 255 visible ASCII."""
    keys = request.headers.getlist("idempotency-key")
    if idempotency_key is None or not keys:
        return ""
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidInput(
            f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY_CHARACTERS} visible ASCII characters.",
            code="malformed-idempotency-key",
        )
    return keys[0]


RequestKey = Annotated[str, Depends(request_key)]


def fingerprint(request: Request, content: Mapping[str, object]) -> bytes:
    """Return the SHA-256 of what a request means: method, path and content, not its spelling."""
    meaning = [request.method, request.url.path, dict(content)]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).digest()
