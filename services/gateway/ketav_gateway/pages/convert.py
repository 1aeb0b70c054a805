"""Pages from protobuf to JSON."""

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2
from ketav_gateway.convert import enum_name, image, timestamp
from ketav_gateway.pages import schemas
from ketav_gateway.transcriptions.convert import transcription


def page(message: pages_pb2.Page) -> schemas.Page:
    """Return a page with its latest transcription."""
    return schemas.Page(
        image_id=message.page_id,
        project_id=message.project_id,
        state=enum_name(pages_pb2.PageState, message.state, "PAGE_STATE_"),
        layout=enum_name(page_pb2.Layout, message.layout, "LAYOUT_"),
        created_at=timestamp(message.create_time),
        image=image(message.image),
        transcription=transcription(message.transcription) if message.HasField("transcription") else None,
    )
