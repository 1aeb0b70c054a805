"""Corrections on the wire."""

from uuid import UUID

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.corrections import Correction, Feedback
from ketav_registry.domain.corrections_quarantine import Quarantine


def quarantine(found: Quarantine | None) -> page_pb2.Quarantine | None:
    """Write why a correction is not trained on; None when nothing speaks against it."""
    return None if found is None else page_pb2.Quarantine(code=found.doubt, reason=found.reason)


def correction(sent: corrections_pb2.SubmitCorrectionsRequest) -> str | list[Correction]:
    """Read a page's corrected text, or corrections line by line (InvalidInput: neither)."""
    if sent.WhichOneof("correction") == "corrected_text":
        return sent.corrected_text
    if sent.WhichOneof("correction") == "lines":
        return [
            Correction(common.uuid(each.line_id, "line"), each.text, each.confirm)
            for each in sent.lines.lines
        ]
    raise InvalidInput("corrections are lines or a text", code="no-corrections")


def feedback(found: Feedback) -> corrections_pb2.SubmitCorrectionsResponse:
    """Write what became of corrections."""
    return corrections_pb2.SubmitCorrectionsResponse(
        feedback_id=str(found.feedback_id),
        accepted_lines=found.accepted_lines,
        unaligned=[
            corrections_pb2.UnalignedLine(text=each.text, line_id=_id(each.line_id), reason=each.reason)
            for each in found.unaligned
        ],
        ground_truth_lines=found.ground_truth_lines,
        quarantined=[
            corrections_pb2.QuarantinedLine(line_id=str(each.line_id), quarantine=quarantine(each.quarantine))
            for each in found.quarantined
        ],
    )


def _id(value: UUID | None) -> str:
    """Write an id that may be missing."""
    return "" if value is None else str(value)
