"""Idempotency-Key: a request that is sent twice is done once."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IDEMPOTENCY_KEY_CHARACTERS

_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_IDEMPOTENCY_KEY_CHARACTERS}}}")


def idempotency_key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A name for this request: the same request sent again with it is done once.",
        ),
    ] = None,
) -> str:
    """Return the Idempotency-Key, empty without one; raises InvalidInput for a malformed one."""
    keys = request.headers.getlist("idempotency-key")
    if idempotency_key is None or not keys:
        return ""
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidInput(
            "The header Idempotency-Key is not valid. Send one key of 1 to "
            f"{MAX_IDEMPOTENCY_KEY_CHARACTERS} visible ASCII characters.",
            code="malformed-idempotency-key",
            details={"pointer": "Idempotency-Key"},
        )
    return keys[0]


@dataclass(frozen=True)
class RequestKey:
    """A client's Idempotency-Key and the fingerprint of its request; an empty key identifies no request."""

    request_id: str = ""
    sha256: bytes = b""


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


def fingerprint(request: Request, content: Mapping[str, object]) -> bytes:
    """Return the SHA-256 of a request's method, path and parsed content.

    Two spellings of the same JSON or form have the same fingerprint; the registry compares it for a repeated
    key.
    """
    meaning = [request.method, request.url.path, dict(content)]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).digest()
