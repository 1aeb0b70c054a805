"""Identity keys for tests: a pair for each service, and a signer that has them all."""

from typing import Any, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ketav_common.identity import Identity, Role, Signer
from ketav_common.identity_keys import Service, private_key, private_text, public_text

KEYS: dict[str, str] = {service: private_text(Ed25519PrivateKey.generate()) for service in get_args(Service)}
"""The private keys of the services; other ones in each process of the tests."""
PUBLIC_KEYS = ",".join(f"{service}:{public_text(private_key(key))}" for service, key in KEYS.items())
SESSION_SECRET = "only a test's secret, thirty-two bytes long"
_SERVICES: dict[Role, Service] = {
    "user": "gateway",
    "gateway": "gateway",
    "recognizer": "recognizer",
    "trainer": "trainer",
}
"""The service whose key may sign a role."""


class AnySigner(Signer):
    """Signs identities of every role, each with the key of the service that may claim it, and grants."""

    def __init__(self, public_keys: str = PUBLIC_KEYS, lifetime: int = 60) -> None:
        """Take the public keys that are trusted, and the lifetime of tokens in seconds."""
        super().__init__(KEYS["registry"], public_keys, lifetime)
        self._signers = {
            role: Signer(KEYS[service], public_keys, lifetime) for role, service in _SERVICES.items()
        }

    def sign(self, identity: Identity, audience: str) -> str:
        """Return a token of the identity, signed by its service."""
        return self._signers[identity.role].sign(identity, audience)


SIGNER = AnySigner()
_UNKNOWN_KEY = Ed25519PrivateKey.generate()
STRANGER = Signer(private_text(_UNKNOWN_KEY), f"registry:{public_text(_UNKNOWN_KEY)}")
"""Signs with a key that no service trusts."""


def identity_keys(service: str) -> dict[str, str]:
    """Return the variables with the keys of a service; the gateway also signs sessions."""
    variables = {"KETAV_IDENTITY_KEY": KEYS[service], "KETAV_IDENTITY_PUBLIC_KEYS": PUBLIC_KEYS}
    return variables | ({"KETAV_SESSION_SECRET": SESSION_SECRET} if service == "gateway" else {})


def gateway_keys() -> dict[str, Any]:
    """Return the same for the gateway as fields of its settings."""
    return {name.removeprefix("KETAV_").lower(): value for name, value in identity_keys("gateway").items()}
