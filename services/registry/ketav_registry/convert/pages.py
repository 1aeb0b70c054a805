"""Conversion of pages and images."""

from collections.abc import Callable

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2
from ketav_registry.convert import common
from ketav_registry.convert.transcriptions import transcription_message
from ketav_registry.domain.pages import Image, Layout, NewPage, Page, PageState, StoredPage

_STATES = {state: pages_pb2.PageState.Value(f"PAGE_STATE_{state.name}") for state in PageState}

Grant = Callable[[bytes], str]
"""Signs the authorization to read pages with the model file of a SHA-256."""


def new_page(header: pages_pb2.CreatePageHeader) -> NewPage:
    """Return the header of an upload."""
    return NewPage(
        project_id=common.uuid(header.project_id, "project_id") if header.project_id else None,
        project_name=header.project_name,
        script=common.script(header.script) if header.script else None,
        layout=layout(header.layout),
        image=new_image(header.image),
        request=common.request_key(header.request_id, header.request_sha256),
        model_version=header.model_version,
        hand=header.hand,
        fixed_rotation=header.fixed_rotation,
    )


def layout(number: int) -> Layout:
    """Return a layout; an unspecified one is a page."""
    return common.choice(common.LAYOUTS, number, Layout.PAGE)


def new_image(image: page_pb2.Image) -> Image:
    """Return an image that is being uploaded; its digest is computed while its bytes arrive."""
    return Image(
        image.width,
        image.height,
        image.media_type,
        b"",
        image.size_bytes,
        normalised=tuple(image.normalised),
        warnings=tuple(image.warnings),
    )


def image_message(image: Image) -> page_pb2.Image:
    """Return the message of a stored image."""
    return page_pb2.Image(
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        sha256=image.sha256,
        size_bytes=image.size_bytes,
        normalised=image.normalised,
        warnings=image.warnings,
    )


def page_message(page: Page) -> pages_pb2.Page:
    """Return the message of a page."""
    return pages_pb2.Page(
        page_id=str(page.page_id),
        project_id=str(page.project_id),
        image=image_message(page.image),
        layout=common.LAYOUTS[page.layout],
        state=_STATES[page.state],
        transcription=transcription_message(page.transcription) if page.transcription else None,
        create_time=common.timestamp(page.create_time),
        fixed_rotation=page.fixed_rotation,
    )


def image_part(part: StoredPage | bytes, grant: Grant) -> pages_pb2.DownloadImageResponse:
    """Return the message of a streamed image: the header or a chunk."""
    if isinstance(part, bytes):
        return pages_pb2.DownloadImageResponse(chunk=part)
    model = common.model(part.model, grant(part.model.sha256))
    header = pages_pb2.DownloadImageHeader(page=page_message(part.page), model=model)
    return pages_pb2.DownloadImageResponse(header=header)
