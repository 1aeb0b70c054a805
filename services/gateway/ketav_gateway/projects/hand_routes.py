"""Hands: the people who wrote the pages of projects."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from ketav.registry.v1 import projects_pb2
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.problem_codes import JSON_BODY, TEXT
from ketav_gateway.http.problems import responses
from ketav_gateway.projects import schemas
from ketav_gateway.services import call

router = APIRouter(prefix="/hands", tags=["projects"])


@router.patch(
    "/{name:path}",
    responses=responses(*JSON_BODY, *TEXT, "not-found", "hand-name-taken"),
    openapi_extra=body_description(schemas.HandChange),
    summary="Rename a hand",
)
async def rename_hand(
    gateway: Gateway,
    name: Annotated[str, Path(description="Name of one of your hands.", max_length=MAX_NAME_CODE_POINTS)],
    body: Annotated[schemas.HandChange, Depends(json_body(schemas.HandChange))],
) -> schemas.RenamedHand:
    """Rename one of your hands in all its projects, training runs and models, which stay as they are."""
    request = projects_pb2.RenameHandRequest(name=name, new_name=body.name)
    response = await call(gateway.services.projects.RenameHand, request, gateway.services.deadlines.short_s)
    return schemas.RenamedHand(name=response.name)
