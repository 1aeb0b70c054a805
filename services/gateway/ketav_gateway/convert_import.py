"""Between the contracts and the REST shapes of an import; beside `convert`, which has the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2
from ketav_common.images import NormalisedImage
from ketav_gateway import convert
from ketav_gateway.schemas_import import ImportAnswer, ImportedFile
from ketav_gateway.transcripts import KnownLine, Point


@dataclass(frozen=True)
class Request:
    """What the client asked for: the project, whether every text is vouched for, its key and fingerprint."""

    project_id: str
    confirm: bool
    key: str
    sha256: bytes


def _points(points: Sequence[Point]) -> list[page_pb2.Point]:
    """Return points as the registry takes them."""
    return [page_pb2.Point(x=x, y=y) for x, y in points]


def header(
    request: Request, layout: str, image: NormalisedImage, lines: Sequence[KnownLine], request_id: str
) -> ground_truth_pb2.ImportGroundTruthHeader:
    """Return what is said of an image before its bytes."""
    return ground_truth_pb2.ImportGroundTruthHeader(
        project_id=request.project_id,
        layout=convert.to_layout(layout),
        image=page_pb2.Image(
            width=image.width,
            height=image.height,
            media_type=image.media_type,
            size_bytes=image.size_bytes,
        ),
        lines=[
            ground_truth_pb2.KnownLine(
                baseline=_points(line.baseline), boundary=_points(line.boundary), text=line.text
            )
            for line in lines
        ],
        confirm=request.confirm,
        request_id=request_id,
        request_sha256=request.sha256,
    )


def answer(project_id: str, files: Sequence[ImportedFile], ground_truth_lines: int | None) -> ImportAnswer:
    """Return what became of an archive: the sums over its files, then each."""
    return ImportAnswer(
        project_id=project_id,
        imported_lines=sum(file.imported_lines for file in files),
        unchanged_lines=sum(file.unchanged_lines for file in files),
        quarantined_lines=sum(file.quarantined_lines for file in files),
        skipped_files=sum(file.state == "skipped" for file in files),
        ground_truth_lines=ground_truth_lines,
        files=list(files),
    )
