"""Links to the pages of a project for viewers that send no header: signed, encrypted, of limited time.

A link names the project, the SHA-256 of the API key of the user who made it, the end of its time, and the
state of the links of the project. It ends with the key, with the membership of that user, and when the
owner of the project revokes all links. Who has it reads one project and nothing else.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken

from ketav_common.errors import NotFound

_PURPOSE = b"ketav-iiif-link"
_MAX_CHARACTERS = 1024
"""A token has about 350 characters; a longer one is not decrypted."""


@dataclass(frozen=True)
class Link:
    """A link: the project that it shows, the key of the user who made it, and its state and end."""

    project_id: str
    key_sha256: bytes
    state: str
    expires_at: datetime


class Links:
    """Signs links and checks them."""

    def __init__(self, secret: str) -> None:
        """Take the gateway's secret, from which the key of the links is derived."""
        key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def sign(self, link: Link) -> str:
        """Return the token of a link, which reveals nothing of it."""
        content = {
            "project": link.project_id,
            "key": link.key_sha256.hex(),
            "state": link.state,
            "end": int(link.expires_at.timestamp()),
        }
        return self._fernet.encrypt(json.dumps(content).encode()).decode().rstrip("=")

    def verify(self, token: str) -> Link:
        """Return the link of a token. NotFound: it is forged, or its time is over."""
        if len(token) > _MAX_CHARACTERS:
            raise NotFound
        try:
            content = json.loads(self._fernet.decrypt(token + "=" * (-len(token) % 4)))
        except (InvalidToken, binascii.Error, ValueError) as error:
            raise NotFound from error
        expires_at = datetime.fromtimestamp(content["end"], UTC)
        if expires_at <= datetime.now(UTC):
            raise NotFound
        return Link(content["project"], bytes.fromhex(content["key"]), content["state"], expires_at)


def new_link(project_id: str, key_sha256: bytes, state: str, lifetime: timedelta) -> Link:
    """Return a link that ends after a time."""
    return Link(project_id, key_sha256, state, (datetime.now(UTC) + lifetime).replace(microsecond=0))
