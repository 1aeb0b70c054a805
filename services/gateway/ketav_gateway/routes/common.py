"""What the routes share: who calls, how often, and the form of ids and cursors."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from ketav_common import context
from ketav_common.errors import NotFound, Unauthenticated
from ketav_gateway.parts import Gateway
from ketav_gateway.schemas import UUID_PATTERN, VERSION_PATTERN
from ketav_gateway.security import presented_key

_UUID = re.compile(UUID_PATTERN)
_VERSION = re.compile(VERSION_PATTERN)

# For OpenAPI only: `identify` reads the headers itself.
_bearer = HTTPBearer(auto_error=False, description="API key: ktv_…")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key: ktv_…")


async def identify(request: Request, gateway: Gateway) -> str:
    """Make the key's user the caller of everything that follows; return the user's id."""
    address = request.client.host if request.client else ""
    await gateway.rates.check("failed_key", address)
    try:
        identity = await gateway.authenticator.identify(presented_key(request.headers))
    except Unauthenticated:
        await gateway.rates.spend("failed_key", address)
        raise
    context.adopt(identity, context.request_id())
    user_id = str(identity.user_id)
    await gateway.rates.spend("all", user_id)
    return user_id


User = Annotated[str, Depends(identify)]
KEYS = [Depends(_bearer), Depends(_header)]


async def spend_reading(user_id: User, gateway: Gateway) -> None:
    """Count a request that makes a service work."""
    await gateway.rates.spend("reading", user_id)


def canonical(value: str) -> str:
    """Return a UUID in its one form; any other form names nothing."""
    if not _UUID.fullmatch(value):
        raise NotFound
    return value


def _project_id(project_id: Annotated[str, Path(description="UUID of the project.")]) -> str:
    """Read a project's id."""
    return canonical(project_id)


def _image_id(image_id: Annotated[str, Path(description="UUID of the image.")]) -> str:
    """Read an image's id."""
    return canonical(image_id)


def _run_id(run_id: Annotated[str, Path(description="UUID of the training run.")]) -> str:
    """Read a training run's id."""
    return canonical(run_id)


def _version(version: Annotated[str, Path(description="Name of a model version.")]) -> str:
    """Read a version's name."""
    if not _VERSION.fullmatch(version):
        raise NotFound
    return version


ProjectId = Annotated[str, Depends(_project_id)]
ImageId = Annotated[str, Depends(_image_id)]
RunId = Annotated[str, Depends(_run_id)]
Version = Annotated[str, Depends(_version)]
Cursor = Annotated[
    str, Query(description="next_cursor of the previous answer.", max_length=512, pattern=r"^[\x21-\x7e]*$")
]
