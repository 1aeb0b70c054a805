"""Ground-truth imports between protobuf and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2
from ketav_common.images import NormalisedImage
from ketav_gateway.convert import image_to_proto, layout_to_proto
from ketav_gateway.ground_truth import schemas
from ketav_gateway.ground_truth.documents import GroundTruthLine, LineRefusal, Point
from ketav_gateway.schemas import Layout
from ketav_gateway.transcriptions.schemas import UntrainedLine

_MAX_LISTED_LINES = 100
"""Skipped and quarantined lines that the response lists for each file."""


@dataclass(frozen=True)
class ImportRequest:
    """The parameters of an import: `key` is the Idempotency-Key, empty without one."""

    project_id: str
    confirm: bool
    key: str
    fingerprint: bytes
    hand: str = ""


def _points(points: Sequence[Point]) -> list[page_pb2.Point]:
    """Return points as messages."""
    return [page_pb2.Point(x=x, y=y) for x, y in points]


def import_header(
    request: ImportRequest,
    layout: Layout,
    image: NormalisedImage,
    lines: Sequence[GroundTruthLine],
    request_id: str,
) -> ground_truth_pb2.ImportGroundTruthHeader:
    """Return the first message of an import of one image."""
    return ground_truth_pb2.ImportGroundTruthHeader(
        project_id=request.project_id,
        layout=layout_to_proto(layout),
        image=image_to_proto(image),
        lines=[
            ground_truth_pb2.KnownLine(
                baseline=_points(line.baseline),
                boundary=_points(line.boundary),
                text=line.text,
                words=[
                    page_pb2.ImportedWord(text=word.text, boundary=_points(word.boundary))
                    for word in line.words
                ],
            )
            for line in lines
        ],
        confirm=request.confirm,
        request_id=request_id,
        request_sha256=request.fingerprint,
        hand=request.hand,
    )


def imported_file(
    name: str,
    lines: Sequence[GroundTruthLine],
    refusals: Sequence[LineRefusal],
    stored: ground_truth_pb2.ImportGroundTruthResponse,
) -> schemas.ImportedFile:
    """Return the result for a text file, whose `lines` were sent to the registry."""
    skipped = [
        schemas.ImportedLine(line=refusal.number, state="skipped", code=refusal.code, reason=refusal.reason)
        for refusal in refusals
    ]
    quarantined = [
        schemas.ImportedLine(
            line=lines[line.line].number,
            state="quarantined",
            code=line.quarantine.code,
            reason=line.quarantine.reason,
        )
        for line in stored.quarantined
    ]
    return schemas.ImportedFile(
        name=name,
        state="imported" if stored.imported_lines else "unchanged",
        image_id=stored.page_id,
        imported_lines=stored.imported_lines,
        unchanged_lines=len(lines) - stored.imported_lines,
        quarantined_lines=len(quarantined),
        skipped_lines=len(skipped),
        lines=[*skipped, *quarantined][:_MAX_LISTED_LINES],
        untrained=[
            UntrainedLine(line_id=line.untrained.line_id, reason=line.untrained.reason)
            for line in stored.untrained[:_MAX_LISTED_LINES]
        ],
    )


def import_response(
    project_id: str, files: Sequence[schemas.ImportedFile], ground_truth_lines: int | None
) -> schemas.ImportGroundTruthResponse:
    """Return the result of an import with the sums over its files."""
    return schemas.ImportGroundTruthResponse(
        project_id=project_id,
        imported_lines=sum(file.imported_lines for file in files),
        unchanged_lines=sum(file.unchanged_lines for file in files),
        quarantined_lines=sum(file.quarantined_lines for file in files),
        skipped_files=sum(file.state == "skipped" for file in files),
        ground_truth_lines=ground_truth_lines,
        files=list(files),
    )
