"""Ed25519 keys of the services: each has a private key of its own, and all have everyone's public keys.

A key is 32 bytes in base64url without padding. `gateway:KEY,registry:KEY,…` lists public keys; a service may
have two, the old and the new one, while it changes its key.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Service = Literal["gateway", "registry", "recognizer", "trainer"]
KEY_BYTES: Final = 32
"""Bytes of a private or public key (RFC 8032 §5.1)."""
MAX_KEYS_PER_SERVICE: Final = 2
"""Public keys of one service that are valid at a time: the old and the new one."""
_ID_CHARACTERS: Final = 16
"""Hexadecimal characters of a key's id: 64 bits tell a handful of keys apart."""


@dataclass(frozen=True)
class TrustedKey:
    """A public key and the service that has the private one."""

    service: Service
    key: Ed25519PublicKey


def private_key(text: str) -> Ed25519PrivateKey:
    """Return the private key of a text; raises ValueError unless it has 32 bytes in base64url."""
    return Ed25519PrivateKey.from_private_bytes(_decode(text))


def private_text(key: Ed25519PrivateKey) -> str:
    """Return a private key as a text."""
    return _encode(key.private_bytes_raw())


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return a public key, or that of a private one, as a text."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return _encode(public.public_bytes_raw())


def key_id(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return the id of a pair, by which a token names its key: the start of the public key's SHA-256."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:_ID_CHARACTERS]


def trusted_keys(text: str) -> Mapping[str, TrustedKey]:
    """Return the listed public keys by their ids; raises ValueError with what is wrong in the list."""
    trusted: dict[str, TrustedKey] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, encoded = entry.partition(":")
        service = next((known for known in get_args(Service) if known == name), None)
        if service is None:
            raise ValueError(f"names a service that is none of {', '.join(get_args(Service))}")
        try:
            key = Ed25519PublicKey.from_public_bytes(_decode(encoded))
        except ValueError:
            raise ValueError(f"has a malformed key of {name}; it has 43 characters of base64url") from None
        trusted[key_id(key)] = TrustedKey(service, key)
    services = [entry.service for entry in trusted.values()]
    if any(services.count(service) > MAX_KEYS_PER_SERVICE for service in services):
        raise ValueError(f"has more than {MAX_KEYS_PER_SERVICE} keys of one service")
    return trusted


def _encode(raw: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of a key; raises ValueError unless there are 32."""
    try:
        raw = base64.b64decode(text.strip() + "=", altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ValueError("must be a key of 43 characters of base64url")
    return raw
