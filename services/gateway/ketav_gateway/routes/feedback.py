"""POST /feedback/."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ketav_gateway import convert, schemas
from ketav_gateway.bodies import described, json_body
from ketav_gateway.idempotency import RequestKey, fingerprint
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses

router = APIRouter(tags=["feedback"])


@router.post(
    "/feedback/",
    status_code=201,
    responses=responses(404, 409, 413, 415, 422),
    openapi_extra=described(schemas.FeedbackRequest),
)
async def save_feedback(
    request: Request,
    gateway: Gateway,
    key: RequestKey,
    body: Annotated[schemas.FeedbackRequest, Depends(json_body(schemas.FeedbackRequest))],
) -> schemas.FeedbackAnswer:
    """Correct a page: single lines by their ids, or its whole text."""
    sha256 = fingerprint(request, body.model_dump())
    corrections = convert.corrections(body, key, sha256)
    return convert.feedback(await gateway.registry.submit_corrections(corrections))
