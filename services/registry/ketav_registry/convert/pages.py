"""Pages on the wire."""

from collections.abc import Callable

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2
from ketav_registry.convert import common
from ketav_registry.convert.transcriptions import transcription
from ketav_registry.domain.pages import Image, Layout, NewPage, Page, PageState, StoredPage

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


def image_message(image: Image) -> page_pb2.Image:
    """Write what is known of an image."""
    return page_pb2.Image(
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        sha256=image.sha256,
        size_bytes=image.size_bytes,
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


def image_part(part: StoredPage | bytes, grant: Grant) -> pages_pb2.DownloadImageResponse:
    """Write a part of a downloaded image."""
    if isinstance(part, bytes):
        return pages_pb2.DownloadImageResponse(chunk=part)
    model = common.model(part.model, grant(part.model.sha256))
    header = pages_pb2.DownloadImageHeader(page=page(part.page), model=model)
    return pages_pb2.DownloadImageResponse(header=header)
