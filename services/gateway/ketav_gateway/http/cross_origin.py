"""CORS: which web pages may call the API from a browser, and what they may send and see."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "Traceparent",
    "X-API-Key",
    "X-Confirm",
    "X-Request-Id",
)
_EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_PREFLIGHT_MAX_AGE_S = 600
"""Seconds for which a browser remembers what is allowed."""


def allow_origins(app: FastAPI, allowed: list[str]) -> None:
    """Answer the CORS requests of these origins; none: the API is for programs outside of browsers.

    Keys are sent in a header. The cookie of a session is for this server's own page alone, so credentials in
    the sense of CORS are not allowed.
    """
    if allowed:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=allowed,
            allow_methods=_METHODS,
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
            max_age=_PREFLIGHT_MAX_AGE_S,
        )
