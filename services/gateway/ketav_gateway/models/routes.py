"""The caller's model versions: listed, shown, activated, and the errors that they made."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ketav.registry.v1 import models_pb2
from ketav_gateway.convert import script_to_proto
from ketav_gateway.http.dependencies import BaseHandQuery, Cursor, Gateway, HandQuery, ListLimit, Version
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.problem_codes import IDEMPOTENT, LIST
from ketav_gateway.http.problems import responses
from ketav_gateway.models import convert, schemas
from ketav_gateway.schemas import Script
from ketav_gateway.services import call

router = APIRouter(prefix="/models", tags=["models"])

_NEVER_SERVES = {"model-retired": 422, "model-tainted": 422}


@router.get("/", responses=responses(*LIST), summary="List your model versions")
async def list_models(gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20) -> schemas.ModelList:
    """List your model versions and the base models, newest first."""
    request = models_pb2.ListModelsRequest(cursor=cursor, limit=limit)
    response = await call(gateway.services.models.ListModels, request, gateway.services.deadlines.short_s)
    return schemas.ModelList(
        models=[convert.model_version(version) for version in response.versions],
        next_cursor=response.next_cursor or None,
    )


@router.get(
    "/progress",
    responses=responses(*LIST, "unknown-hand"),
    summary="Compare first readings with your corrections",
)
async def list_progress(
    gateway: Gateway,
    script: Annotated[Script | None, Query(description="Only this script; without it all scripts.")] = None,
    hand: HandQuery = None,
    cursor: Cursor = "",
    limit: ListLimit = 20,
) -> schemas.ModelProgress:
    """Compare first readings with your corrections: the errors of each page, and of each model version."""
    request = models_pb2.ListModelProgressRequest(
        script=script_to_proto(script), hand=hand, cursor=cursor, limit=limit
    )
    response = await call(
        gateway.services.models.ListModelProgress, request, gateway.services.deadlines.short_s
    )
    return convert.model_progress(response, with_versions=not cursor)


@router.get("/{version}", responses=responses("not-found"), summary="Show a model version")
async def get_model(gateway: Gateway, version: Version) -> schemas.ModelRecord:
    """Return a model version with its lineage and its model card."""
    request = models_pb2.GetModelRequest(version=version)
    response = await call(gateway.services.models.GetModel, request, gateway.services.deadlines.short_s)
    return convert.model_record(response)


@router.post(
    "/{version}/activate",
    responses=responses(
        "invalid-input",
        "not-found",
        "model-retired",
        "model-tainted",
        "unknown-hand",
        "hand-mismatch",
        *IDEMPOTENT,
        statuses=_NEVER_SERVES,
    ),
    summary="Activate a model version",
)
async def activate_model(
    request: Request, gateway: Gateway, version: Version, key: IdempotencyKey, hand: BaseHandQuery = None
) -> schemas.ModelVersion:
    """Make a version the active model of its hand: for a rollback, or to return to the base model.

    A base becomes the active model of `hand`, without it of your own hand.
    """
    message = models_pb2.ActivateModelRequest(
        version=version, hand=hand, request_id=key, request_sha256=fingerprint(request, {"hand": hand})
    )
    response = await call(gateway.services.models.ActivateModel, message, gateway.services.deadlines.short_s)
    return convert.model_version(response.version)
