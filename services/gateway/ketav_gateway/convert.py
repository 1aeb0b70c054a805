"""The only file of the gateway that sees both the contracts and the REST shapes."""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    corrections_pb2,
    models_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
)
from ketav_gateway import schemas

_TO_SCRIPT = {
    "modern_cursive": page_pb2.SCRIPT_MODERN_CURSIVE,
    "square": page_pb2.SCRIPT_SQUARE,
    "sephardi": page_pb2.SCRIPT_SEPHARDI,
    "ashkenazi": page_pb2.SCRIPT_ASHKENAZI,
    "rashi": page_pb2.SCRIPT_RASHI,
}
_TO_LAYOUT = {"page": page_pb2.LAYOUT_PAGE, "line": page_pb2.LAYOUT_LINE}
_CONFIDENCE_DIGITS = 4

AnyLine = TypeVar("AnyLine", bound=schemas.Line)


def to_script(name: str) -> page_pb2.Script.ValueType:
    """Return the contract's name of a script."""
    return _TO_SCRIPT[name]


def to_layout(name: str) -> page_pb2.Layout.ValueType:
    """Return the contract's name of a layout."""
    return _TO_LAYOUT[name]


def word(enum: Any, value: int, prefix: str) -> Any:  # noqa: ANN401 - enum wrappers have no common type
    """Return an enum value as the API's word: SCRIPT_MODERN_CURSIVE is modern_cursive."""
    return enum.Name(value).removeprefix(prefix).lower()


def moment(stamp: Timestamp) -> datetime:
    """Return a time with its zone."""
    return stamp.ToDatetime(tzinfo=UTC)


def _share(value: float) -> float:
    """Round a confidence: a float32 has no more digits worth reading."""
    return round(value, _CONFIDENCE_DIGITS)


def image(facts: page_pb2.Image) -> schemas.ImageFacts:
    """Return an image's facts; its digest stays inside."""
    return schemas.ImageFacts(width=facts.width, height=facts.height, media_type=facts.media_type)


def model(name: page_pb2.Model) -> schemas.ModelName:
    """Return a model's name; its digest stays inside."""
    return schemas.ModelName(version=name.version, kind=word(page_pb2.ModelKind, name.kind, "MODEL_KIND_"))


def _line(kind: type[AnyLine], found: page_pb2.Line, **more: object) -> AnyLine:
    """Return a line in one of its two shapes."""
    return kind(
        line_id=found.line_id,
        order=found.order,
        text=found.text,
        confidence=_share(found.confidence),
        baseline=[(point.x, point.y) for point in found.baseline],
        boundary=[(point.x, point.y) for point in found.boundary],
        words=[
            schemas.Word(text=word.text, confidence=_share(word.confidence), start=word.start, end=word.end)
            for word in found.words
        ],
        **more,
    )


def _text(read: transcriptions_pb2.Transcription) -> str:
    """Return the text of a page as it was read."""
    return "\n".join(found.text for found in read.lines)


def _confidence(read: transcriptions_pb2.Transcription) -> float | None:
    """Return the mean confidence over the characters of a page."""
    characters = sum(len(found.text) for found in read.lines)
    if not characters:
        return None
    return _share(sum(found.confidence * len(found.text) for found in read.lines) / characters)


def ocr(page: pages_pb2.Page, read: transcriptions_pb2.Transcription) -> schemas.OcrAnswer:
    """Return the answer of a reading."""
    return schemas.OcrAnswer(
        project_id=page.project_id,
        image_id=page.page_id,
        transcription_id=read.transcription_id,
        model=model(read.model),
        image=image(page.image),
        text=_text(read),
        confidence=_confidence(read),
        lines=[_line(schemas.Line, found) for found in read.lines],
    )


def stored(page: pages_pb2.Page) -> schemas.StoredAnswer:
    """Return the answer of a reading that has not happened yet."""
    return schemas.StoredAnswer(
        project_id=page.project_id,
        image_id=page.page_id,
        state=word(pages_pb2.PageState, page.state, "PAGE_STATE_"),
        image=image(page.image),
    )


def quarantine(found: page_pb2.Quarantine) -> schemas.Quarantine:
    """Return why a correction is not trained on."""
    return schemas.Quarantine.model_validate({"code": found.code, "reason": found.reason})


def _transcription(read: transcriptions_pb2.Transcription) -> schemas.Transcription:
    """Return a reading with its corrections."""
    lines = [
        _line(
            schemas.CorrectedLine,
            found,
            corrected_text=found.corrected_text if found.HasField("corrected_text") else None,
            quarantine=quarantine(found.quarantine) if found.HasField("quarantine") else None,
        )
        for found in read.lines
    ]
    return schemas.Transcription(
        transcription_id=read.transcription_id,
        model=model(read.model) if read.HasField("model") else None,
        created_at=moment(read.create_time),
        text=_text(read),
        confidence=_confidence(read),
        lines=lines,
    )


def page(found: pages_pb2.Page) -> schemas.PageAnswer:
    """Return a page."""
    return schemas.PageAnswer(
        image_id=found.page_id,
        project_id=found.project_id,
        state=word(pages_pb2.PageState, found.state, "PAGE_STATE_"),
        layout=word(page_pb2.Layout, found.layout, "LAYOUT_"),
        created_at=moment(found.create_time),
        image=image(found.image),
        transcription=_transcription(found.transcription) if found.HasField("transcription") else None,
    )


def project(found: projects_pb2.Project) -> schemas.ProjectSummary:
    """Return a project without its pages."""
    return schemas.ProjectSummary(
        project_id=found.project_id,
        name=found.name,
        script=word(page_pb2.Script, found.script, "SCRIPT_"),
        created_at=moment(found.create_time),
    )


def corrections(
    request: schemas.FeedbackRequest, request_id: str, request_sha256: bytes
) -> corrections_pb2.SubmitCorrectionsRequest:
    """Return corrections as the registry takes them."""
    message = corrections_pb2.SubmitCorrectionsRequest(
        project_id=request.project_id,
        page_id=request.image_id,
        request_id=request_id,
        request_sha256=request_sha256,
    )
    if request.lines is not None:
        message.lines.lines.extend(
            corrections_pb2.LineCorrection(line_id=line.line_id, text=line.text, confirm=line.confirm)
            for line in request.lines
        )
    else:
        message.corrected_text = request.corrected_text or ""
    return message


def feedback(answer: corrections_pb2.SubmitCorrectionsResponse) -> schemas.FeedbackAnswer:
    """Return what became of corrections."""
    return schemas.FeedbackAnswer(
        feedback_id=answer.feedback_id,
        accepted_lines=answer.accepted_lines,
        unaligned=[
            schemas.Unaligned(text=item.text or None, line_id=item.line_id or None, reason=item.reason)
            for item in answer.unaligned
        ],
        quarantined=[
            schemas.QuarantinedLine(line_id=each.line_id, **quarantine(each.quarantine).model_dump())
            for each in answer.quarantined
        ],
        ground_truth_lines=answer.ground_truth_lines,
    )


def training(run: training_pb2.TrainingRun) -> schemas.TrainingAnswer:
    """Return a training run."""
    return schemas.TrainingAnswer(
        run_id=run.run_id,
        state=word(training_pb2.TrainingRunState, run.state, "TRAINING_RUN_STATE_"),
        script=word(page_pb2.Script, run.script, "SCRIPT_"),
        revision=run.revision,
        epoch=run.epoch,
        epochs=run.epochs or None,
        loss=run.loss if run.HasField("loss") else None,
        cer_base=run.cer_base if run.HasField("cer_base") else None,
        cer_candidate=run.cer_candidate if run.HasField("cer_candidate") else None,
        verdict=run.verdict or None,
        model_version=run.model_version or None,
        training_lines=run.training_lines,
        holdout_lines=run.holdout_lines,
        cancel_requested=run.cancel_requested,
        attempts=run.attempts,
        remaining_seconds=run.remaining_seconds if run.HasField("remaining_seconds") else None,
        created_at=moment(run.create_time),
        updated_at=moment(run.update_time),
    )


def model_version(found: models_pb2.ModelVersion) -> schemas.ModelAnswer:
    """Return a version's record: no digest, no length, no key."""
    return schemas.ModelAnswer(
        version=found.model.version,
        kind=word(page_pb2.ModelKind, found.model.kind, "MODEL_KIND_"),
        script=word(page_pb2.Script, found.script, "SCRIPT_") if found.script else None,
        state=word(models_pb2.ModelState, found.state, "MODEL_STATE_"),
        parent_version=found.parent_version or None,
        run_id=found.run_id or None,
        cer_before=found.cer_before if found.HasField("cer_before") else None,
        cer_after=found.cer_after if found.HasField("cer_after") else None,
        training_lines=found.training_lines,
        created_at=moment(found.create_time),
    )


def model_record(found: models_pb2.GetModelResponse) -> schemas.ModelRecord:
    """Return a version's record with its lineage and card."""
    return schemas.ModelRecord(
        **model_version(found.version).model_dump(),
        lineage=[model_version(each) for each in found.lineage],
        card=json.loads(found.version.card_json or "{}"),
    )
