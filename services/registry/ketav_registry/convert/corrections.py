"""Conversion of corrections."""

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.convert.erasure import erasure
from ketav_registry.domain.corrections import (
    Correction,
    Feedback,
    Origin,
    StoredCorrection,
    UntrainedLine,
    Withdrawal,
)
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
            Correction(
                common.uuid(line.line_id, f"lines/{index}/line_id"),
                line.text,
                line.confirm,
                seen_correction_id=line.seen_correction_id if line.HasField("seen_correction_id") else None,
            )
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
        refused=[
            corrections_pb2.RefusedLine(
                line_id=str(line.line_id or ""), line=line.number, code=line.code, detail=line.detail
            )
            for line in feedback.refused
        ],
        untrained=[untrained_message(line) for line in feedback.untrained],
    )


def untrained_message(line: UntrainedLine) -> page_pb2.UntrainedLine:
    """Return the message of a line that does not train."""
    return page_pb2.UntrainedLine(line_id=str(line.line_id), reason=line.reason)


def withdrawal_message(withdrawal: Withdrawal) -> corrections_pb2.WithdrawCorrectionResponse:
    """Return the message of a withdrawn correction."""
    return corrections_pb2.WithdrawCorrectionResponse(
        ground_truth_lines=withdrawal.ground_truth_lines, consequences=erasure(withdrawal.consequences)
    )


def stored_message(correction: StoredCorrection) -> corrections_pb2.StoredCorrection:
    """Return the message of a correction of a line's history."""
    return corrections_pb2.StoredCorrection(
        text=correction.text,
        confirmed=correction.confirmed,
        quarantine=None if correction.withdrawn else quarantine_message(correction.quarantine),
        imported=correction.origin is Origin.IMPORTED,
        withdrawn=correction.withdrawn,
        create_time=common.timestamp(correction.create_time),
        author=correction.author,
        restored_by=correction.restored_by,
    )
