"""Transcriptions between protobuf and JSON: Line is converted here, for all features that return lines."""

from typing import TypeVar, cast

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import jobs_pb2, pages_pb2, transcriptions_pb2
from ketav_common.images import NormalisedImage
from ketav_gateway.convert import (
    enum_name,
    image,
    image_to_proto,
    image_warnings,
    layout_to_proto,
    model,
    script_to_proto,
    timestamp,
)
from ketav_gateway.http.idempotency import RequestKey
from ketav_gateway.transcriptions import schemas, words
from ketav_gateway.transcriptions.words import confidence

LineT = TypeVar("LineT", bound=schemas.Line)


def create_page_header(
    form: schemas.OcrForm, image: NormalisedImage, idempotency_key: str, fingerprint: bytes
) -> pages_pb2.CreatePageHeader:
    """Return the first message of an upload."""
    return pages_pb2.CreatePageHeader(
        project_id=form.project_id or "",
        project_name=form.name or "",
        script=script_to_proto(form.script if "script" in form.model_fields_set else None),
        hand=form.hand or "",
        layout=layout_to_proto(form.layout),
        image=image_to_proto(image),
        request_id=idempotency_key,
        request_sha256=fingerprint,
        model_version=form.model or "",
        fixed_rotation=form.rotate != "auto",
    )


def turn(form: schemas.OcrForm) -> int:
    """Return the degrees by which an image is turned clockwise before it is stored."""
    return 0 if form.rotate == "auto" else int(form.rotate)


def _line(shape: type[LineT], message: page_pb2.Line, **corrections: object) -> LineT:
    """Return a line, with or without its correction."""
    return shape(
        line_id=message.line_id,
        order=message.order,
        text=message.text,
        confidence=confidence(message.confidence),
        baseline=[(point.x, point.y) for point in message.baseline],
        boundary=[(point.x, point.y) for point in message.boundary],
        words=words.read_words(message),
        region=region(message.region),
        **corrections,
    )


def region(value: page_pb2.RegionType.ValueType) -> schemas.RegionType:
    """Return a region type as JSON and PAGE XML write it; an unspecified one is a paragraph."""
    if value == page_pb2.REGION_TYPE_UNSPECIFIED:
        return "paragraph"
    name: str = enum_name(page_pb2.RegionType, value, "REGION_TYPE_")
    return cast("schemas.RegionType", name.replace("_", "-"))


def corrected_line(message: page_pb2.Line) -> schemas.CorrectedLine:
    """Return a line with its correction."""
    return _line(
        schemas.CorrectedLine,
        message,
        corrected_text=message.corrected_text if message.HasField("corrected_text") else None,
        verified_text=message.verified_text if message.HasField("verified_text") else None,
        verified_words=words.verified_words(message) if message.HasField("verified_text") else None,
        quarantine=quarantine(message.quarantine) if message.HasField("quarantine") else None,
        correction_id=message.correction_id or None,
        author=message.author or None,
    )


def quarantine(message: page_pb2.Quarantine) -> schemas.Quarantine:
    """Return why a correction does not train."""
    return schemas.Quarantine.model_validate({"code": message.code, "reason": message.reason})


def _page_text(message: transcriptions_pb2.Transcription) -> str:
    """Return the text of a page as it was read."""
    return "\n".join(line.text for line in message.lines)


def _page_confidence(message: transcriptions_pb2.Transcription) -> float | None:
    """Return the mean confidence of the characters of a page; None without any character."""
    characters = sum(len(line.text) for line in message.lines)
    if not characters:
        return None
    return confidence(sum(line.confidence * len(line.text) for line in message.lines) / characters)


def ocr_response(
    page: pages_pb2.Page, transcription: transcriptions_pb2.Transcription
) -> schemas.OcrResponse:
    """Return a page with the transcription that was just recorded."""
    return schemas.OcrResponse(
        project_id=page.project_id,
        image_id=page.page_id,
        transcription_id=transcription.transcription_id,
        model=model(transcription.model),
        image=image(page.image),
        text=_page_text(transcription),
        confidence=_page_confidence(transcription),
        lines=[_line(schemas.Line, line) for line in transcription.lines],
        warnings=image_warnings(page.image),
    )


def document_job_header(
    form: schemas.OcrForm, page_count: int, size_bytes: int, idempotency_key: str, fingerprint: bytes
) -> jobs_pb2.CreateJobHeader:
    """Return the first message of a job that stores and reads the pages of a document."""
    return jobs_pb2.CreateJobHeader(
        project_id=form.project_id or "",
        project_name=form.name or "",
        script=script_to_proto(form.script if "script" in form.model_fields_set else None),
        hand=form.hand or "",
        layout=layout_to_proto(form.layout),
        model_version=form.model or "",
        turn=turn(form),
        detect_turn=form.rotate == "auto",
        page_count=page_count,
        size_bytes=size_bytes,
        request_id=idempotency_key,
        request_sha256=fingerprint,
    )


def page_job_header(
    form: schemas.OcrForm, page: pages_pb2.Page, idempotency_key: str, fingerprint: bytes
) -> jobs_pb2.CreateJobHeader:
    """Return the message of a job that reads one stored page."""
    return jobs_pb2.CreateJobHeader(
        project_id=page.project_id,
        model_version=form.model or "",
        detect_turn=form.rotate == "auto",
        page_ids=[page.page_id],
        request_id=idempotency_key,
        request_sha256=fingerprint,
    )


def rereading_job_header(
    project_id: str, image_id: str, model: str, key: RequestKey
) -> jobs_pb2.CreateJobHeader:
    """Return the message of a job that reads one stored page again; an empty model is the active one."""
    return jobs_pb2.CreateJobHeader(
        project_id=project_id,
        model_version=model,
        detect_turn=True,
        page_ids=[image_id],
        request_id=key.request_id,
        request_sha256=key.sha256,
    )


def ocr_accepted_response(page: pages_pb2.Page, job_id: str) -> schemas.OcrAcceptedResponse:
    """Return a page that a job will read."""
    return schemas.OcrAcceptedResponse(
        job_id=job_id,
        project_id=page.project_id,
        image_id=page.page_id,
        state=enum_name(pages_pb2.PageState, page.state, "PAGE_STATE_"),
        image=image(page.image),
    )


def transcription(message: transcriptions_pb2.Transcription) -> schemas.Transcription:
    """Return a transcription with its corrections."""
    return schemas.Transcription(
        transcription_id=message.transcription_id,
        model=model(message.model) if message.HasField("model") else None,
        created_at=timestamp(message.create_time),
        text=_page_text(message),
        confidence=_page_confidence(message),
        lines=[corrected_line(line) for line in message.lines],
        edited=message.edited,
    )
