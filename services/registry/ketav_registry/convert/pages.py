"""Projects, pages, lines and corrections on the wire."""

from collections.abc import Callable
from uuid import UUID

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, ground_truth_pb2, pages_pb2, projects_pb2, transcriptions_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.importing import Imported, KnownLine, KnownPage
from ketav_registry.domain.pages import (
    After,
    Correction,
    Feedback,
    Image,
    Layout,
    Line,
    NewPage,
    Page,
    PageState,
    Polyline,
    Project,
    StoredPage,
    Transcription,
    Word,
)
from ketav_registry.domain.quarantine import Quarantine

_STATES = {state: pages_pb2.PageState.Value(f"PAGE_STATE_{state.name}") for state in PageState}


Grant = Callable[[bytes], str]
"""Signs that the caller may read with the file of a SHA-256."""


def new_page(header: pages_pb2.CreatePageHeader) -> NewPage:
    """Read the header of an upload."""
    image = header.image
    return NewPage(
        project_id=common.uuid(header.project_id, "project") if header.project_id else None,
        project_name=header.project_name,
        script=common.script(header.script),
        layout=common.choice(common.LAYOUTS, header.layout, Layout.PAGE),
        image=Image(image.width, image.height, image.media_type, b"", image.size_bytes),
        request=common.request(header.request_id, header.request_sha256),
        model_version=header.model_version,
    )


def known_page(header: ground_truth_pb2.ImportGroundTruthHeader) -> KnownPage:
    """Read the header of an import."""
    image = header.image
    return KnownPage(
        project_id=common.uuid(header.project_id, "project"),
        layout=common.choice(common.LAYOUTS, header.layout, Layout.PAGE),
        image=Image(image.width, image.height, image.media_type, b"", image.size_bytes),
        lines=tuple(
            KnownLine(_polyline(list(each.baseline)), _polyline(list(each.boundary)), each.text)
            for each in header.lines
        ),
        confirmed=header.confirm,
        request=common.request(header.request_id, header.request_sha256),
    )


def imported(found: Imported) -> ground_truth_pb2.ImportGroundTruthResponse:
    """Write what was imported."""
    return ground_truth_pb2.ImportGroundTruthResponse(
        page_id=str(found.page_id),
        imported_lines=found.imported_lines,
        quarantined=[
            ground_truth_pb2.QuarantinedImport(line=line, quarantine=_quarantine(doubt))
            for line, doubt in found.quarantined
        ],
        ground_truth_lines=found.ground_truth_lines,
    )


def _polyline(points: list[page_pb2.Point]) -> Polyline:
    """Read points."""
    return tuple((point.x, point.y) for point in points)


def line(found: page_pb2.Line) -> Line:
    """Read a line without its id."""
    return Line(
        order=found.order,
        baseline=_polyline(list(found.baseline)),
        boundary=_polyline(list(found.boundary)),
        text=found.text,
        confidence=found.confidence,
        character_confidences=tuple(found.character_confidences),
        words=tuple(Word(word.text, word.confidence, word.start, word.end) for word in found.words),
    )


def line_message(found: Line) -> page_pb2.Line:
    """Write a line."""
    return page_pb2.Line(
        line_id=str(found.line_id or ""),
        order=found.order,
        baseline=[page_pb2.Point(x=x, y=y) for x, y in found.baseline],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in found.boundary],
        text=found.text,
        confidence=found.confidence,
        character_confidences=found.character_confidences,
        words=[
            page_pb2.Word(text=word.text, confidence=word.confidence, start=word.start, end=word.end)
            for word in found.words
        ],
        corrected_text=found.corrected_text,
        quarantine=_quarantine(found.quarantine),
    )


def _quarantine(found: Quarantine | None) -> page_pb2.Quarantine | None:
    """Write why a correction is not trained on; None when nothing speaks against it."""
    return None if found is None else page_pb2.Quarantine(code=found.doubt, reason=found.reason)


def image_message(image: Image) -> page_pb2.Image:
    """Write what is known of an image."""
    return page_pb2.Image(
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        sha256=image.sha256,
        size_bytes=image.size_bytes,
    )


def transcription(found: Transcription) -> transcriptions_pb2.Transcription:
    """Write a reading."""
    return transcriptions_pb2.Transcription(
        transcription_id=str(found.transcription_id),
        model=None if found.model is None else common.model(found.model),
        lines=[line_message(each) for each in found.lines],
        create_time=common.timestamp(found.create_time),
    )


def project(found: Project) -> projects_pb2.Project:
    """Write a project."""
    return projects_pb2.Project(
        project_id=str(found.project_id),
        name=found.name,
        script=common.SCRIPTS[found.script],
        create_time=common.timestamp(found.create_time),
    )


def page(found: Page) -> pages_pb2.Page:
    """Write a page."""
    return pages_pb2.Page(
        page_id=str(found.page_id),
        project_id=str(found.project_id),
        image=image_message(found.image),
        layout=common.LAYOUTS[found.layout],
        state=_STATES[found.state],
        transcription=transcription(found.transcription) if found.transcription else None,
        create_time=common.timestamp(found.create_time),
    )


def project_part(part: Project | Page | After) -> projects_pb2.GetProjectResponse:
    """Write a part of a project."""
    if isinstance(part, Project):
        return projects_pb2.GetProjectResponse(project=project(part))
    if isinstance(part, Page):
        return projects_pb2.GetProjectResponse(page=page(part))
    return projects_pb2.GetProjectResponse(next_cursor=common.cursor(part))


def image_part(part: StoredPage | bytes, grant: Grant) -> pages_pb2.DownloadImageResponse:
    """Write a part of a downloaded image."""
    if isinstance(part, bytes):
        return pages_pb2.DownloadImageResponse(chunk=part)
    model = common.model(part.model, grant(part.model.sha256))
    header = pages_pb2.DownloadImageHeader(page=page(part.page), model=model)
    return pages_pb2.DownloadImageResponse(header=header)


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
            corrections_pb2.QuarantinedLine(
                line_id=str(each.line_id), quarantine=_quarantine(each.quarantine)
            )
            for each in found.quarantined
        ],
    )


def _id(value: UUID | None) -> str:
    """Write an id that may be missing."""
    return "" if value is None else str(value)
