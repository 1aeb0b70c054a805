"""The caller's model versions: their records, and which one serves."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from ketav_gateway import convert, schemas
from ketav_gateway.idempotency import request_key
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import Cursor, Version

router = APIRouter(prefix="/models", tags=["models"])


@router.get("/", responses=responses(422))
async def list_models(
    gateway: Gateway, cursor: Cursor = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> schemas.ModelList:
    """List your model versions and the base models, newest first."""
    answer = await gateway.registry.list_models(cursor, limit)
    return schemas.ModelList(
        models=[convert.model_version(found) for found in answer.versions],
        next_cursor=answer.next_cursor or None,
    )


@router.get("/{version}", responses=responses(404))
async def get_model(gateway: Gateway, version: Version) -> schemas.ModelRecord:
    """Return a version's record: what it descends from, how it was trained and judged."""
    return convert.model_record(await gateway.registry.get_model(version))


@router.post("/{version}/activate", responses=responses(404, 409, 422), dependencies=[Depends(request_key)])
async def activate_model(gateway: Gateway, version: Version) -> schemas.ModelAnswer:
    """Let a version read your pages from now on: a rollback, or back to the base."""
    return convert.model_version(await gateway.registry.activate_model(version))
