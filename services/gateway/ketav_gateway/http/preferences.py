"""The header Prefer (RFC 7240): whether a client waits for the result of a request."""

from typing import Annotated

from fastapi import Header, Request

Preferences = Annotated[
    str | None,
    Header(alias="Prefer", description="`respond-async`: respond with 202; a job does the work."),
]


def prefers_async(request: Request) -> bool:
    """Return whether the client prefers not to wait (section 4.1)."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().split(",")
    return any(preference.partition(";")[0].strip() == "respond-async" for preference in preferences)
