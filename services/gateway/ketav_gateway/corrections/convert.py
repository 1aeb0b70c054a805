"""Corrections between protobuf and JSON."""

from ketav.registry.v1 import corrections_pb2, pages_pb2
from ketav_common.errors import InvalidInput, NotFound
from ketav_gateway.convert import timestamp
from ketav_gateway.corrections import schemas
from ketav_gateway.corrections.texts import SentTexts, sendable
from ketav_gateway.http.dependencies import LinePath
from ketav_gateway.transcriptions.convert import corrected_line, quarantine
from ketav_gateway.transcriptions.schemas import UntrainedLine


def submit_corrections_request(
    body: schemas.SubmitCorrectionsRequest, idempotency_key: str, fingerprint: bytes
) -> corrections_pb2.SubmitCorrectionsRequest:
    """Return the registry's request."""
    message = corrections_pb2.SubmitCorrectionsRequest(
        project_id=body.project_id,
        page_id=body.image_id,
        request_id=idempotency_key,
        request_sha256=fingerprint,
    )
    if body.lines is not None:
        message.lines.lines.extend(
            corrections_pb2.LineCorrection(
                line_id=line.line_id, text=sendable(line.text), confirm=line.confirm
            )
            for line in body.lines
        )
    else:
        message.corrected_text = sendable(body.corrected_text or "")
    return message


def correct_line_request(
    line: LinePath, body: schemas.NewCorrection, seen: str | None, idempotency_key: str, fingerprint: bytes
) -> corrections_pb2.SubmitCorrectionsRequest:
    """Return the request for one line; `seen` is its latest correction as the client has seen it."""
    message = corrections_pb2.SubmitCorrectionsRequest(
        project_id=line.project_id,
        page_id=line.image_id,
        request_id=idempotency_key,
        request_sha256=fingerprint,
    )
    message.lines.lines.add(
        line_id=line.line_id, text=body.text, confirm=body.confirm, seen_correction_id=seen
    )
    return message


def one_line_error(error: InvalidInput) -> InvalidInput:
    """Return the registry's error about the only line of a request, in terms of the route of one line."""
    pointer = error.details.get("pointer", "")
    if error.code == "unknown-line":
        return InvalidInput(
            "The line is not one of the page's latest transcription. Get the page again and use the id of "
            "one of its lines.",
            code=error.code,
            details={"pointer": "line_id"},
        )
    details = error.details | {"pointer": pointer.removeprefix("/lines/0")}
    return InvalidInput(error.detail, code=error.code, details=details)


def correct_line_response(
    line_id: str, page: pages_pb2.Page, stored: corrections_pb2.SubmitCorrectionsResponse
) -> schemas.CorrectLineResponse:
    """Return the line as it is after the correction; raises NotFound if it was replaced since."""
    line = next((line for line in page.transcription.lines if line.line_id == line_id), None)
    if line is None:
        raise NotFound
    untrained = next(
        (UntrainedLine(line_id=item.line_id, reason=item.reason) for item in stored.untrained), None
    )
    return schemas.CorrectLineResponse(
        line=corrected_line(line), untrained=untrained, ground_truth_lines=stored.ground_truth_lines
    )


def submit_corrections_response(
    message: corrections_pb2.SubmitCorrectionsResponse, sent: SentTexts
) -> schemas.SubmitCorrectionsResponse:
    """Return the stored corrections."""
    return schemas.SubmitCorrectionsResponse(
        feedback_id=message.feedback_id,
        accepted_lines=message.accepted_lines,
        unaligned=[
            schemas.Unaligned(text=item.text or None, line_id=item.line_id or None, reason=item.reason)
            for item in message.unaligned
        ],
        quarantined=[
            schemas.QuarantinedLine(line_id=line.line_id, **quarantine(line.quarantine).model_dump())
            for line in message.quarantined
        ],
        refused=[
            schemas.RefusedLine(
                line_id=line.line_id or None,
                line=line.line or None,
                code=line.code,
                detail=sent.detail(line.line_id, line.line, line.detail),
            )
            for line in message.refused
        ],
        untrained=[UntrainedLine(line_id=line.line_id, reason=line.reason) for line in message.untrained],
        ground_truth_lines=message.ground_truth_lines,
    )


def withdraw_correction_response(
    line_id: str, message: corrections_pb2.WithdrawCorrectionResponse
) -> schemas.WithdrawCorrectionResponse:
    """Return the consequences of a withdrawal."""
    return schemas.WithdrawCorrectionResponse(
        line_id=line_id,
        ground_truth_lines=message.ground_truth_lines,
        tainted_versions=list(message.consequences.tainted_versions),
        cancelled_run_id=message.consequences.cancelled_run_id or None,
        retraining=message.consequences.retraining,
    )


def list_corrections_response(
    message: corrections_pb2.ListCorrectionsResponse,
) -> schemas.ListCorrectionsResponse:
    """Return the history of a line."""
    return schemas.ListCorrectionsResponse(
        corrections=[
            schemas.StoredCorrection(
                text=correction.text,
                origin="imported" if correction.imported else "user",
                confirmed=correction.confirmed,
                withdrawn=correction.withdrawn,
                quarantine=quarantine(correction.quarantine) if correction.HasField("quarantine") else None,
                created_at=timestamp(correction.create_time),
                author=correction.author or None,
                restored_by=correction.restored_by or None,
            )
            for correction in message.corrections
        ]
    )
