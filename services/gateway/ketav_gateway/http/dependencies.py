"""FastAPI dependencies: the gateway's components, the calling user, rates, and ids in paths."""

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer

from ketav_common import context
from ketav_common.errors import NotFound, Unauthenticated
from ketav_common.images import ImageNormaliser
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_gateway.http.authentication import Authenticator
from ketav_gateway.http.health import HealthProbe
from ketav_gateway.http.limits import ConcurrencyLimit
from ketav_gateway.http.line_images import LineImages
from ketav_gateway.http.links import Links
from ketav_gateway.http.rates import RateLimits
from ketav_gateway.http.sessions import COOKIE, Sessions, presented_credential
from ketav_gateway.http.spool import Spool
from ketav_gateway.schemas import UUID_PATTERN, VERSION_PATTERN
from ketav_gateway.services import Services
from ketav_gateway.settings import GatewaySettings

_UUID = re.compile(UUID_PATTERN)
_VERSION = re.compile(VERSION_PATTERN)


@dataclass(frozen=True)
class Components:
    """The objects that routes use; `main` builds them once."""

    settings: GatewaySettings
    services: Services
    images: ImageNormaliser
    line_images: LineImages
    authenticator: Authenticator
    sessions: Sessions
    links: Links
    rates: RateLimits
    uploads: ConcurrencyLimit
    imports: ConcurrencyLimit
    exports: ConcurrencyLimit
    export_created: asyncio.Event
    """Set when an export was created: this gateway claims it at once."""
    spool: Spool
    health: HealthProbe


def components_of(request: Request) -> Components:
    """Return the components of the application that handles a request."""
    components: Components = request.app.state.components
    return components


Gateway = Annotated[Components, Depends(components_of)]

# These only describe headers and cookie in OpenAPI: `identify` reads them itself.
_bearer = HTTPBearer(auto_error=False, description="Your API key: `ktv_…`.")
_api_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="Your API key: `ktv_…`.")
_session_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description="The session of a browser, from `POST /session`. Requests that change something also send "
    "the header `X-CSRF-Token`.",
)
API_KEY_SCHEMES = [Depends(_bearer), Depends(_api_key_header), Depends(_session_cookie)]


async def identify(request: Request, gateway: Gateway) -> str:
    """Make the user of the API key or session the caller for the rest of the request; return the user's UUID.

    Raises Unauthenticated without a valid key or session, Forbidden without the session's token, RateLimited
    when the user sent too many requests, or the address too many unknown keys: that refuses no known key,
    because many users share the address of a proxy. A session that has ended is no unknown key: a page in a
    browser may request a hundred pictures with it.
    """
    credential = presented_credential(request, gateway.sessions)
    try:
        identity = await gateway.authenticator.identify(credential)
    except Unauthenticated:
        if not credential.session_id:
            await gateway.rates.count("failed_key", request.client.host if request.client else "")
        raise
    context.set_for_task(identity, context.request_id())
    user_id = str(identity.user_id)
    await gateway.rates.count("all", user_id)
    return user_id


UserId = Annotated[str, Depends(identify)]


async def count_compute_request(user_id: UserId, gateway: Gateway) -> None:
    """Count a request that makes a service compute; raises RateLimited above the user's rate."""
    await gateway.rates.count("reading", user_id)


def canonical_uuid(value: str) -> str:
    """Return a UUID in lower case with hyphens; raises NotFound for any other form, which no row has."""
    if not _UUID.fullmatch(value):
        raise NotFound
    return value


def _project_id(project_id: Annotated[str, Path(description="UUID of the project.")]) -> str:
    """Return the project's id from the path."""
    return canonical_uuid(project_id)


def _image_id(image_id: Annotated[str, Path(description="UUID of the image.")]) -> str:
    """Return the page's id from the path."""
    return canonical_uuid(image_id)


def _line_id(line_id: Annotated[str, Path(description="UUID of a line of the image.")]) -> str:
    """Return the line's id from the path."""
    return canonical_uuid(line_id)


def _run_id(run_id: Annotated[str, Path(description="UUID of the training run.")]) -> str:
    """Return the training run's id from the path."""
    return canonical_uuid(run_id)


def _version(version: Annotated[str, Path(description="Name of the model version.")]) -> str:
    """Return the model version's name from the path; raises NotFound for a name that no version has."""
    if not _VERSION.fullmatch(version):
        raise NotFound
    return version


ProjectId = Annotated[str, Depends(_project_id)]
ImageId = Annotated[str, Depends(_image_id)]
LineId = Annotated[str, Depends(_line_id)]
RunId = Annotated[str, Depends(_run_id)]
Version = Annotated[str, Depends(_version)]


@dataclass(frozen=True)
class LinePath:
    """A line by the ids of the path."""

    project_id: ProjectId
    image_id: ImageId
    line_id: LineId


Cursor = Annotated[
    str,
    Query(
        description="`next_cursor` of the previous response; the first part of the list without it.",
        max_length=512,
        pattern=r"^[\x21-\x7e]*$",
    ),
]
ListLimit = Annotated[int, Query(description="Maximum number of elements in the response.", ge=1, le=100)]


def _hand_query(description: str) -> Any:  # noqa: ANN401 - FastAPI types a parameter so
    """Return the query parameter for the name of a hand."""
    return Query(
        alias="hand",
        description=description,
        max_length=MAX_NAME_CODE_POINTS,
        pattern=r"^[^\x00-\x1f]*$",
    )


HandQuery = Annotated[
    str | None, _hand_query("Only the hand with this name; empty: your own; without it all hands.")
]
BaseHandQuery = Annotated[
    str | None,
    _hand_query(
        "Name of the hand that a base model becomes the active model of; empty, or without it: your own. A "
        "version that you have trained belongs to a hand already: only the name of that hand is accepted."
    ),
]
