"""What a user sees of the learning: when the next run comes, and what is set about it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from ketav.page.v1 import page_pb2
from ketav_gateway import convert_learning as convert
from ketav_gateway import schemas_learning as schemas
from ketav_gateway.bodies import described, json_body
from ketav_gateway.convert import to_script
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import Cursor
from ketav_gateway.schemas import Script

router = APIRouter(prefix="/models", tags=["models"])

_Script = Annotated[
    Script | None, Query(description="Only this script; otherwise every one with verified lines.")
]


@router.get("/readiness", responses=responses(422))
async def get_readiness(gateway: Gateway, script: _Script = None) -> schemas.ReadinessAnswer:
    """Say when your next training run comes, why not now, and what it may gain (an estimate)."""
    wanted = to_script(script) if script else page_pb2.SCRIPT_UNSPECIFIED
    return convert.readiness(await gateway.registry.get_readiness(wanted))


@router.get("/policy", responses=responses())
async def get_policy(gateway: Gateway) -> schemas.PolicyAnswer:
    """Return when training runs start by themselves."""
    return convert.policy(await gateway.registry.get_training_policy())


@router.put(
    "/policy",
    responses=responses(413, 415, 422),
    openapi_extra=described(schemas.PolicyRequest),
)
async def set_policy(
    gateway: Gateway,
    body: Annotated[schemas.PolicyRequest, Depends(json_body(schemas.PolicyRequest))],
) -> schemas.PolicyAnswer:
    """Set when training runs start by themselves; `POST /train/` starts one whatever is set here."""
    return convert.policy(await gateway.registry.set_training_policy(convert.wanted_policy(body)))


@router.get("/progress", responses=responses(422))
async def list_progress(
    gateway: Gateway,
    script: _Script = None,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> schemas.ProgressAnswer:
    """Say how far what was read at first lay from what you finally wrote: by page, and by version."""
    wanted = to_script(script) if script else page_pb2.SCRIPT_UNSPECIFIED
    found = await gateway.registry.list_progress(wanted, cursor, limit)
    return convert.progress(found, first=not cursor)
