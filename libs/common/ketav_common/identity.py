"""Short-lived signed identities that travel between the services as gRPC metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import jwt

from ketav_common.errors import Forbidden, Unauthenticated, Unavailable
from ketav_common.identity_keys import Service, TrustedKey, key_id, private_key, trusted_keys

Role = Literal["user", "gateway", "recognizer", "trainer"]
GRANT_AUDIENCE = "model"
GRANT_LIFETIME = timedelta(minutes=10)
ALGORITHM = "EdDSA"
MAX_LIFETIME_S = 60
"""Seconds between the signing of an identity and its end: a verifier refuses a longer one."""
_CLOCK_LEEWAY_S = 5
"""Seconds by which the clocks of two machines may differ."""
_INVALID_IDENTITY = "The identity token is forged, expired or malformed. Sign a new one."
_NO_GRANT = "The call has no authorization to read with this model. Use the model that CreatePage returned."


@dataclass(frozen=True)
class Permission:
    """The roles that the key of a service may sign, and the services to which it may sign calls."""

    roles: frozenset[Role]
    audiences: frozenset[str]


PERMISSIONS: Mapping[Service, Permission] = {
    "gateway": Permission(frozenset({"user", "gateway"}), frozenset({"registry", "recognizer", "trainer"})),
    "recognizer": Permission(frozenset({"recognizer"}), frozenset({"registry", "recognizer"})),
    "trainer": Permission(frozenset({"trainer"}), frozenset({"registry"})),
    "registry": Permission(frozenset(), frozenset({GRANT_AUDIENCE})),
}
"""Permissions of each service. The registry calls no service; it signs grants."""


@dataclass(frozen=True)
class Work:
    """The claim of a worker: a run, an export, or the page of a job at a position, with the claim's fence."""

    id: UUID
    fence: int
    position: int | None = None
    """None: `id` is that of a run or an export."""


@dataclass(frozen=True)
class Identity:
    """A caller: its role, the user that it acts for, and the work that its call is bound to.

    None: no user; no claimed work.
    """

    role: Role
    user_id: UUID | None = None
    work: Work | None = None


def audience_of(method: str) -> str:
    """Return the service that serves a method such as /ketav.registry.v1.PageService/GetPage."""
    package = method.lstrip("/").split(".")
    return package[1] if len(package) > 1 and package[0] == "ketav" else ""


class Signer:
    """Signs identities with a service's own key, as JSON Web Tokens (RFC 7519, EdDSA), and checks all others.

    A token is valid for `lifetime` seconds.
    """

    def __init__(self, key: str, public_keys: str = "", lifetime: int = MAX_LIFETIME_S) -> None:
        """Take the private key, the list of all public keys, and the lifetime of tokens in seconds.

        A program that only signs needs no list. Raises ValueError for a malformed key or list.
        """
        self._key = private_key(key)
        self._key_id = key_id(self._key)
        self._trusted = trusted_keys(public_keys)
        self._lifetime = timedelta(seconds=lifetime)

    @property
    def is_trusted(self) -> bool:
        """Return whether the list has the public key of the own private key."""
        return self._key_id in self._trusted

    def sign(self, identity: Identity, audience: str) -> str:
        """Return a token of the identity for calls to one service; it expires after the signer's lifetime."""
        now = datetime.now(UTC)
        claims: dict[str, object] = {
            "role": identity.role,
            "aud": audience,
            "iat": now,
            "exp": now + self._lifetime,
        }
        if identity.user_id is not None:
            claims["sub"] = str(identity.user_id)
        if (work := identity.work) is not None:
            claims["work"] = {"id": str(work.id), "fence": work.fence, "position": work.position}
        return self._encode(claims)

    def verify(self, token: str, audience: str) -> Identity:
        """Return the identity of a token for this service; raises Unauthenticated for one that is not valid.

        It is forged, expired, malformed, for another service, was signed for more than MAX_LIFETIME_S
        seconds, or claims a role that its key may not.
        """
        try:
            claims, service = self._decode(
                token, audience, leeway=_CLOCK_LEEWAY_S, require=["exp", "iat", "aud", "role"]
            )
            role = claims["role"]
            if claims["exp"] - claims["iat"] > MAX_LIFETIME_S or role not in PERMISSIONS[service].roles:
                raise Unauthenticated(_INVALID_IDENTITY)
            user_id = UUID(claims["sub"]) if "sub" in claims else None
            return Identity(role, user_id, _work(claims.get("work")))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unauthenticated(_INVALID_IDENTITY) from error

    def grant(self, user_id: UUID, sha256: bytes) -> str:
        """Return a signed authorization, for ten minutes, to read a user's pages with a model file."""
        return self._encode(
            {
                "sub": str(user_id),
                "sha256": sha256.hex(),
                "aud": GRANT_AUDIENCE,
                "exp": datetime.now(UTC) + GRANT_LIFETIME,
            }
        )

    def check_grant(self, grant: str, user_id: UUID | None, sha256: bytes) -> None:
        """Raise Forbidden unless a grant is for this user and file, Unavailable when it has expired."""
        try:
            claims, _ = self._decode(grant, GRANT_AUDIENCE, require=["exp", "aud", "sub", "sha256"])
        except jwt.ExpiredSignatureError as error:
            raise Unavailable(
                "The authorization to read with this model has expired. Read the image again.",
                code="grant-expired",
            ) from error
        except jwt.PyJWTError as error:
            raise Forbidden(_NO_GRANT, code="no-grant") from error
        if (claims["sub"], claims["sha256"]) != (str(user_id), sha256.hex()):
            raise Forbidden(_NO_GRANT, code="no-grant")

    def _encode(self, claims: Mapping[str, object]) -> str:
        """Return a token of these claims that names its key."""
        return jwt.encode(dict(claims), self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def _decode(
        self, token: str, audience: str, *, require: list[str], leeway: int = 0
    ) -> tuple[dict[str, Any], Service]:
        """Return the claims of a token and the service that signed it; raises PyJWTError.

        The token names its key, and the key decides which audiences are permitted.
        """
        trusted = self._trusted_key(jwt.get_unverified_header(token).get("kid"))
        if audience not in PERMISSIONS[trusted.service].audiences:
            raise jwt.InvalidAudienceError("the key may not sign for this audience")
        claims = jwt.decode(
            token,
            trusted.key,
            algorithms=[ALGORITHM],
            audience=audience,
            leeway=leeway,
            options={"require": require, "strict_aud": True},
        )
        return claims, trusted.service

    def _trusted_key(self, name: object) -> TrustedKey:
        """Return the public key with this id; raises InvalidKeyError for an unknown one."""
        trusted = self._trusted.get(name) if isinstance(name, str) else None
        if trusted is None:
            raise jwt.InvalidKeyError("no trusted key has this id")
        return trusted


def _work(claim: Any) -> Work | None:  # noqa: ANN401 - what a token says
    """Return the claimed work of a token, None where it names none; raises ValueError for a malformed one."""
    if claim is None:
        return None
    position = claim["position"]
    return Work(UUID(claim["id"]), int(claim["fence"]), None if position is None else int(position))
