"""Short-lived signed identities that travel between the services as gRPC metadata."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

import jwt

from ketav_common.errors import Forbidden, Unauthenticated, Unavailable

Role = Literal["user", "gateway", "recognizer", "trainer"]
AUDIENCE = "ketav"
GRANT_AUDIENCE = "ketav-model"
GRANT_LIFETIME = timedelta(minutes=10)
ALGORITHM = "HS256"
MAX_LIFETIME_S = 60
"""Seconds between the signing of an identity and its end: a verifier refuses a longer one."""
MIN_SECRET_BYTES = 32
"""Bytes of the shared secret (RFC 7518 §3.2)."""
_INVALID_IDENTITY = "The identity token is forged, expired or malformed. Sign a new one."
_NO_GRANT = "The call has no authorization to read with this model. Use the model that CreatePage returned."


@dataclass(frozen=True)
class Identity:
    """A caller: its role, and the id of the user that it acts for (None: no user)."""

    role: Role
    user_id: UUID | None = None


class Signer:
    """Signs identities as JSON Web Tokens (RFC 7519, HS256) and checks them.

    The secret has at least 32 bytes (RFC 7518 §3.2); a token is valid for `lifetime` seconds.
    """

    def __init__(self, secret: str, lifetime: int = 60) -> None:
        """Take the shared secret and the lifetime in seconds; raises ValueError for a short secret."""
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"the identity secret has fewer than {MIN_SECRET_BYTES} bytes")
        self._secret = secret
        self._lifetime = timedelta(seconds=lifetime)

    def sign(self, identity: Identity) -> str:
        """Return a token of the identity that expires after the signer's lifetime."""
        now = datetime.now(UTC)
        claims: dict[str, object] = {
            "role": identity.role,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._lifetime,
        }
        if identity.user_id is not None:
            claims["sub"] = str(identity.user_id)
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Identity:
        """Return the identity of a token; raises Unauthenticated for one that is not valid.

        It is forged, expired, malformed, or was signed for more than MAX_LIFETIME_S seconds.
        """
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                leeway=5,
                options={"require": ["exp", "iat", "aud", "role"]},
            )
            role = claims["role"]
            if claims["exp"] - claims["iat"] > MAX_LIFETIME_S:
                raise Unauthenticated(_INVALID_IDENTITY)
            if role not in get_args(Role):
                raise Unauthenticated(_INVALID_IDENTITY)
            return Identity(role, UUID(claims["sub"]) if "sub" in claims else None)
        except (jwt.InvalidTokenError, ValueError) as error:
            raise Unauthenticated(_INVALID_IDENTITY) from error

    def grant(self, user_id: UUID, sha256: bytes) -> str:
        """Return a signed authorization, for ten minutes, to read a user's pages with a model file."""
        claims = {
            "sub": str(user_id),
            "sha256": sha256.hex(),
            "aud": GRANT_AUDIENCE,
            "exp": datetime.now(UTC) + GRANT_LIFETIME,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def check_grant(self, grant: str, user_id: UUID | None, sha256: bytes) -> None:
        """Raise Forbidden unless a grant is for this user and file, Unavailable when it has expired."""
        try:
            claims = jwt.decode(
                grant,
                self._secret,
                algorithms=[ALGORITHM],
                audience=GRANT_AUDIENCE,
                options={"require": ["exp", "aud", "sub", "sha256"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unavailable(
                "The authorization to read with this model has expired. Read the image again.",
                code="grant-expired",
            ) from error
        except jwt.InvalidTokenError as error:
            raise Forbidden(_NO_GRANT, code="no-grant") from error
        if (claims["sub"], claims["sha256"]) != (str(user_id), sha256.hex()):
            raise Forbidden(_NO_GRANT, code="no-grant")
