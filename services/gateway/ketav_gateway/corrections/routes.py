"""POST /feedback/."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ketav_gateway.corrections import convert, schemas
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.problem_codes import IDEMPOTENT, JSON_BODY, TEXT
from ketav_gateway.http.problems import responses
from ketav_gateway.services import call

router = APIRouter(tags=["corrections"])


@router.post(
    "/feedback/",
    status_code=201,
    responses=responses(
        *JSON_BODY,
        *IDEMPOTENT,
        *TEXT,
        "not-found",
        "page-not-read",
        "unknown-line",
        "duplicate-line",
        "line-count",
    ),
    openapi_extra=body_description(schemas.SubmitCorrectionsRequest),
    summary="Correct a page",
)
async def save_feedback(
    request: Request,
    gateway: Gateway,
    key: IdempotencyKey,
    body: Annotated[schemas.SubmitCorrectionsRequest, Depends(json_body(schemas.SubmitCorrectionsRequest))],
) -> schemas.SubmitCorrectionsResponse:
    """Correct the latest transcription of a page: single lines by their ids, or the whole text."""
    message = convert.submit_corrections_request(body, key, fingerprint(request, body.model_dump()))
    response = await call(
        gateway.services.corrections.SubmitCorrections, message, gateway.services.deadlines.short_s
    )
    return convert.submit_corrections_response(response)
