"""Conversion of ground truth, imported and exported."""

from ketav.registry.v1 import ground_truth_pb2
from ketav_registry.convert import common
from ketav_registry.convert.corrections import quarantine_message, untrained_message
from ketav_registry.convert.pages import image_message, layout, new_image
from ketav_registry.convert.transcriptions import imported_words, line_message, polyline
from ketav_registry.domain.ground_truth import GroundTruthPage, Split
from ketav_registry.domain.ground_truth_import import ImportResult, NewGroundTruthLine, PageImport

_SPLITS = {split: ground_truth_pb2.Split.Value(f"SPLIT_{split.name}") for split in Split}


def page_import(header: ground_truth_pb2.ImportGroundTruthHeader) -> PageImport:
    """Convert the header of an import; texts, limits of the image and the hand are checked later.

    InvalidInput: invalid-id for project_id, invalid-choice for the layout, invalid-idempotency-key.
    """
    return PageImport(
        project_id=common.uuid(header.project_id, "project_id"),
        layout=layout(header.layout),
        image=new_image(header.image),
        lines=tuple(
            NewGroundTruthLine(
                polyline(list(line.baseline)),
                polyline(list(line.boundary)),
                line.text,
                imported_words(line.words),
            )
            for line in header.lines
        ),
        confirmed=header.confirm,
        request=common.request_key(header.request_id, header.request_sha256),
        hand=header.hand,
    )


def import_message(result: ImportResult) -> ground_truth_pb2.ImportGroundTruthResponse:
    """Return the message of an import's result."""
    return ground_truth_pb2.ImportGroundTruthResponse(
        page_id=str(result.page_id),
        imported_lines=result.imported_lines,
        quarantined=[
            ground_truth_pb2.QuarantinedImport(line=item.line, quarantine=quarantine_message(item.quarantine))
            for item in result.quarantined
        ],
        ground_truth_lines=result.ground_truth_lines,
        untrained=[
            ground_truth_pb2.UntrainedImport(line=index, untrained=untrained_message(line))
            for index, line in result.untrained
        ],
    )


def export_part(part: GroundTruthPage | bytes) -> ground_truth_pb2.ExportGroundTruthResponse:
    """Return the message of exported ground truth: a page or a chunk of its image."""
    if isinstance(part, bytes):
        return ground_truth_pb2.ExportGroundTruthResponse(chunk=part)
    lines = [
        ground_truth_pb2.GroundTruthLine(
            line=line_message(item.line),
            text=item.text,
            split=_SPLITS[item.split],
            trained=item.trained,
        )
        for item in part.lines
    ]
    return ground_truth_pb2.ExportGroundTruthResponse(
        page=ground_truth_pb2.GroundTruthPage(
            page_id=str(part.page_id),
            image=image_message(part.image),
            layout=common.LAYOUTS[part.layout],
            lines=lines,
        )
    )
