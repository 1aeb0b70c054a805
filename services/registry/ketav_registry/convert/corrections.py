"""Conversion of corrections."""

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.corrections import Correction, Feedback
from ketav_registry.domain.corrections_quarantine import Quarantine


def quarantine_message(quarantine: Quarantine | None) -> page_pb2.Quarantine | None:
    """Return the message of a quarantine, if there is one."""
    return None if quarantine is None else page_pb2.Quarantine(code=quarantine.code, reason=quarantine.reason)


def submitted(request: corrections_pb2.SubmitCorrectionsRequest) -> str | list[Correction]:
    """Return a page's corrected text, or the corrections of single lines in the order of the request.

    InvalidInput no-corrections: the request has neither.
    """
    if request.WhichOneof("correction") == "corrected_text":
        return request.corrected_text
    if request.WhichOneof("correction") == "lines":
        return [
            Correction(common.uuid(line.line_id, f"lines/{index}/line_id"), line.text, line.confirm)
            for index, line in enumerate(request.lines.lines)
        ]
    raise InvalidInput("The request has no corrections. Send lines or corrected_text.", code="no-corrections")


def feedback_message(feedback: Feedback) -> corrections_pb2.SubmitCorrectionsResponse:
    """Return the message of stored corrections."""
    return corrections_pb2.SubmitCorrectionsResponse(
        feedback_id=str(feedback.feedback_id),
        accepted_lines=feedback.accepted_lines,
        unaligned=[
            corrections_pb2.UnalignedLine(text=item.text, line_id=str(item.line_id or ""), reason=item.reason)
            for item in feedback.unaligned
        ],
        ground_truth_lines=feedback.ground_truth_lines,
        quarantined=[
            corrections_pb2.QuarantinedLine(
                line_id=str(correction.line_id), quarantine=quarantine_message(correction.quarantine)
            )
            for correction in feedback.quarantined
        ],
    )
