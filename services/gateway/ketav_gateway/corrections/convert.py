"""Corrections between protobuf and JSON."""

from ketav.registry.v1 import corrections_pb2
from ketav_gateway.corrections import schemas
from ketav_gateway.transcriptions.convert import quarantine


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
            corrections_pb2.LineCorrection(line_id=line.line_id, text=line.text, confirm=line.confirm)
            for line in body.lines
        )
    else:
        message.corrected_text = body.corrected_text or ""
    return message


def submit_corrections_response(
    message: corrections_pb2.SubmitCorrectionsResponse,
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
        ground_truth_lines=message.ground_truth_lines,
    )
