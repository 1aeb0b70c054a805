"""Ground truth on the wire."""

from ketav.registry.v1 import ground_truth_pb2
from ketav_registry.convert import common
from ketav_registry.convert.corrections import quarantine
from ketav_registry.convert.pages import image_message
from ketav_registry.convert.transcriptions import line_message, polyline
from ketav_registry.domain.ground_truth import GroundTruthPage, Split
from ketav_registry.domain.ground_truth_import import Imported, KnownLine, KnownPage
from ketav_registry.domain.pages import Image, Layout


def known_page(header: ground_truth_pb2.ImportGroundTruthHeader) -> KnownPage:
    """Read the header of an import."""
    image = header.image
    return KnownPage(
        project_id=common.uuid(header.project_id, "project"),
        layout=common.choice(common.LAYOUTS, header.layout, Layout.PAGE),
        image=Image(image.width, image.height, image.media_type, b"", image.size_bytes),
        lines=tuple(
            KnownLine(polyline(list(each.baseline)), polyline(list(each.boundary)), each.text)
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
            ground_truth_pb2.QuarantinedImport(line=line, quarantine=quarantine(doubt))
            for line, doubt in found.quarantined
        ],
        ground_truth_lines=found.ground_truth_lines,
    )


_SPLITS = {split: ground_truth_pb2.Split.Value(f"SPLIT_{split.name}") for split in Split}


def ground_truth_part(part: GroundTruthPage | bytes) -> ground_truth_pb2.ExportGroundTruthResponse:
    """Write a part of the ground truth."""
    if isinstance(part, bytes):
        return ground_truth_pb2.ExportGroundTruthResponse(chunk=part)
    lines = [
        ground_truth_pb2.GroundTruthLine(
            line=line_message(each.line), text=each.text, split=_SPLITS[each.split]
        )
        for each in part.lines
    ]
    return ground_truth_pb2.ExportGroundTruthResponse(
        page=ground_truth_pb2.GroundTruthPage(
            page_id=str(part.page_id),
            image=image_message(part.image),
            layout=common.LAYOUTS[part.layout],
            lines=lines,
        )
    )
