"""Sessions of browsers: a signed cookie replaces the API key, for pictures and event streams send no header.

The cookie is a JSON Web Token with the SHA-256 of the key, so a session ends when its key is revoked; the
registry stores the names of sessions that were ended before their time. The cookie
is HttpOnly and SameSite=Strict; a request that changes something also sends the session's CSRF token in a
header, which a page of another site can neither read nor send (docs/decisions/0014-sessions.md).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Request, Response

from ketav_common.errors import Forbidden, Unauthenticated
from ketav_gateway.http.authentication import SESSION_ENDED, Credential, key_digest, presented_key

COOKIE = "ketav_session"
CSRF_HEADER = "X-CSRF-Token"
_AUDIENCE = "ketav-session"
_ALGORITHM = "HS256"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_MAX_COOKIE_CHARACTERS = 1024
"""A cookie of a session has about 300 characters; a longer one is not decoded."""


@dataclass(frozen=True)
class Session:
    """A session: its random name with the SHA-256 of its API key, its CSRF token, and its end."""

    credential: Credential
    csrf_token: str
    expires_at: datetime


class Sessions:
    """Signs sessions and checks them; a session ends after `lifetime_s` seconds."""

    def __init__(self, secret: str, lifetime_s: int) -> None:
        """Take the gateway's secret, from which the key of the sessions is derived, and the lifetime."""
        self._key = hmac.digest(secret.encode(), _AUDIENCE.encode(), hashlib.sha256)
        self._lifetime = timedelta(seconds=lifetime_s)

    def sign(self, key_sha256: bytes) -> tuple[str, Session]:
        """Return the cookie of a new session, and the session."""
        expires_at = (datetime.now(UTC) + self._lifetime).replace(microsecond=0)
        name = secrets.token_hex(16)
        claims = {"aud": _AUDIENCE, "exp": expires_at, "jti": name, "key": key_sha256.hex()}
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        return token, Session(Credential(key_sha256, bytes.fromhex(name)), self._csrf_token(name), expires_at)

    def verify(self, cookie: str) -> Session:
        """Return the session of a cookie; Unauthenticated: the cookie is invalid, too long or expired.

        Whether its user has ended it or its key was revoked is known when the credential is resolved.
        """
        try:
            if len(cookie) > _MAX_COOKIE_CHARACTERS:
                raise Unauthenticated(SESSION_ENDED)
            claims = jwt.decode(
                cookie,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["aud", "exp", "jti", "key"]},
            )
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            credential = Credential(bytes.fromhex(claims["key"]), bytes.fromhex(claims["jti"]))
            return Session(credential, self._csrf_token(claims["jti"]), expires_at)
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise Unauthenticated(SESSION_ENDED) from error

    def _csrf_token(self, name: str) -> str:
        """Return the CSRF token of a session by the session's random name."""
        return hmac.new(self._key, b"csrf " + name.encode(), hashlib.sha256).hexdigest()


def presented_session(request: Request, sessions: Sessions) -> Session | None:
    """Return the session of a request; None without a cookie, or with a key in a header, which counts.

    Raises Unauthenticated when the session has ended, Forbidden csrf-token when a request that may change
    something lacks the session's token.
    """
    cookie = request.cookies.get(COOKIE)
    if cookie is None or "authorization" in request.headers or "x-api-key" in request.headers:
        return None
    session = sessions.verify(cookie)
    token = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE_METHODS and not hmac.compare_digest(
        token.encode(), session.csrf_token.encode()
    ):
        raise Forbidden(
            f"The header {CSRF_HEADER} is not the token of this session. Send the csrf_token of GET "
            "/session.",
            code="csrf-token",
            details={"pointer": CSRF_HEADER},
        )
    return session


def presented_credential(request: Request, sessions: Sessions) -> Credential:
    """Return the credential of a request, from a header or the session; see `presented_session`."""
    session = presented_session(request, sessions)
    return Credential(key_digest(presented_key(request.headers))) if session is None else session.credential


def set_cookie(response: Response, cookie: str, session: Session, *, secure: bool) -> None:
    """Set the cookie of a session; `secure`: browsers send it over HTTPS alone."""
    response.set_cookie(
        COOKIE, cookie, expires=session.expires_at, httponly=True, samesite="strict", secure=secure
    )


def delete_cookie(response: Response, *, secure: bool) -> None:
    """Delete the cookie of a session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=secure)
