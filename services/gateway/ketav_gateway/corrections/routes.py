"""POST /feedback/, and the correction of a line: its history and its withdrawal."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from ketav.registry.v1 import corrections_pb2, pages_pb2
from ketav_common.errors import InvalidInput
from ketav_gateway.corrections import convert, schemas
from ketav_gateway.corrections.texts import LINE_TEXTS, SentTexts
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway, ImageId, LineId, LinePath, ProjectId
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.problem_codes import IDEMPOTENT, JSON_BODY, TEXT
from ketav_gateway.http.problems import responses
from ketav_gateway.services import call

router = APIRouter(tags=["corrections"])
_TAG = re.compile(r'"(none|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
_LINE = "/projects/{project_id}/images/{image_id}/lines/{line_id}"


@router.post(
    "/feedback/",
    status_code=201,
    responses=responses(
        *JSON_BODY,
        *IDEMPOTENT,
        *TEXT,
        "not-found",
        "insufficient-role",
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
    body: Annotated[
        schemas.SubmitCorrectionsRequest, Depends(json_body(schemas.SubmitCorrectionsRequest, LINE_TEXTS))
    ],
) -> schemas.SubmitCorrectionsResponse:
    """Correct the latest transcription of a page: single lines by their ids, or the whole text.

    A line whose text may not be stored is listed in `refused`, the others are stored; 422 when none is left.
    """
    message = convert.submit_corrections_request(body, key, fingerprint(request, body.model_dump()))
    sent = SentTexts(body)
    try:
        response = await call(
            gateway.services.corrections.SubmitCorrections, message, gateway.services.deadlines.short_s
        )
    except InvalidInput as error:
        raise sent.error(error) from error
    return convert.submit_corrections_response(response, sent)


@router.get(
    _LINE + "/corrections", responses=responses("not-found"), summary="List the corrections of a line"
)
async def list_corrections(
    gateway: Gateway, project_id: ProjectId, image_id: ImageId, line_id: LineId
) -> schemas.ListCorrectionsResponse:
    """Return the corrections of a line, on any transcription of its image, newest first."""
    message = corrections_pb2.ListCorrectionsRequest(project_id=project_id, page_id=image_id, line_id=line_id)
    response = await call(
        gateway.services.corrections.ListCorrections, message, gateway.services.deadlines.short_s
    )
    return convert.list_corrections_response(response)


def _seen_correction(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='`"CORRECTION_ID"` of the line as you have seen it, `"none"` for a line without a '
            "correction: a line that was corrected since is not changed. Without it, any.",
        ),
    ] = None,
) -> str | None:
    """Return the correction that the client has seen, empty for none; None: the client does not say."""
    if if_match in {None, "*"}:
        return None
    match = _TAG.fullmatch(if_match or "")
    if match is None:
        raise InvalidInput(
            'The header If-Match is not the ETag of a line. Send one correction_id in quotes, or "none".',
            code="malformed-etag",
            details={"pointer": "If-Match"},
        )
    return "" if match[1] == "none" else match[1]


@router.put(
    _LINE + "/correction",
    responses=responses(
        *JSON_BODY,
        *IDEMPOTENT,
        *TEXT,
        "not-found",
        "insufficient-role",
        "page-not-read",
        "unknown-line",
        "line-changed",
        "malformed-etag",
    ),
    openapi_extra=body_description(schemas.NewCorrection),
    summary="Correct a line",
)
async def put_correction(
    request: Request,
    response: Response,
    gateway: Gateway,
    line: Annotated[LinePath, Depends()],
    key: IdempotencyKey,
    seen: Annotated[str | None, Depends(_seen_correction)],
    body: Annotated[schemas.NewCorrection, Depends(json_body(schemas.NewCorrection))],
) -> schemas.CorrectLineResponse:
    """Correct one line of the latest transcription; with `If-Match` only if it has not changed since.

    The ETag of the response is the `If-Match` of the next correction.
    """
    services = gateway.services
    message = convert.correct_line_request(line, body, seen, key, fingerprint(request, body.model_dump()))
    try:
        stored = await call(services.corrections.SubmitCorrections, message, services.deadlines.short_s)
    except InvalidInput as error:
        raise convert.one_line_error(error) from error
    page = await call(
        services.pages.GetPage,
        pages_pb2.GetPageRequest(project_id=line.project_id, page_id=line.image_id),
        services.deadlines.short_s,
    )
    corrected = convert.correct_line_response(line.line_id, page.page, stored)
    response.headers["ETag"] = f'"{corrected.line.correction_id}"'
    return corrected


@router.delete(
    _LINE + "/correction",
    responses=responses("not-found", "insufficient-role", "nothing-to-withdraw"),
    summary="Withdraw the correction of a line",
)
async def withdraw_correction(
    gateway: Gateway, project_id: ProjectId, image_id: ImageId, line_id: LineId
) -> schemas.WithdrawCorrectionResponse:
    """Withdraw the correction of a line, which counts as uncorrected again.

    Model versions that were trained on the line stop serving, as after a deletion; those that were only
    compared by it, because it is held out, serve on. The history has the text.
    """
    message = corrections_pb2.WithdrawCorrectionRequest(
        project_id=project_id, page_id=image_id, line_id=line_id
    )
    response = await call(
        gateway.services.corrections.WithdrawCorrection, message, gateway.services.deadlines.store_s
    )
    return convert.withdraw_correction_response(line_id, response)
