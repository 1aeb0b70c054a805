"""The part of a model card that users may read."""

import re
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 8
"""Nesting of a card that is returned; the cards that the trainer writes have 3 levels."""
_PRIVATE_NAME = re.compile(
    r"(?:^|[^a-z0-9])(?:sha(?:256)?|digest|keys?|secret|token|user|ur[li]|object|blob|bytes|paths?|files?|folder|"
    r"directory|checkpoint)(?:$|[^a-z0-9])"
)
"""Names of members that locate a file, identify its content or its owner."""
_PRIVATE_TEXT = re.compile(r"[0-9a-fA-F]{32,}|\.safetensors|^/|^[A-Za-z]:\\|://|models/")
"""Texts that look like digests, paths, keys or addresses."""


def public_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model card without members that name a file, a key, an address or a digest.

    A member is left out because of its name or its text, at any depth; nesting beyond 8 levels is cut off.
    """
    public = _public(card, 0)
    return public if isinstance(public, dict) else {}


def _public(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value of a card without its private members; None if the value itself is private."""
    if depth > _MAX_DEPTH or (isinstance(value, str) and _PRIVATE_TEXT.search(value)):
        return None
    if isinstance(value, Mapping):
        names = [name for name in value if not _PRIVATE_NAME.search(name.lower())]
        return {name: _public(value[name], depth + 1) for name in names}
    if isinstance(value, list):
        return [_public(member, depth + 1) for member in value]
    return value
