"""Pages in memory."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import erasure_pb2, members_pb2, models_pb2, pages_pb2, pages_pb2_grpc, projects_pb2
from ketav_common.errors import Conflict, InvalidInput, NotFound
from tests.parts.in_memory.state import BASE, TIME, State, StoredPage, User

_CHUNK_BYTES = 1 << 20


def count(pages: Sequence[StoredPage], consequences: erasure_pb2.Erasure) -> erasure_pb2.Erasure:
    """Return the deletion of pages with its consequences."""
    erasure = erasure_pb2.Erasure(
        pages=len(pages),
        lines=sum(stored.recorded_lines for stored in pages),
        corrections=sum(stored.corrections for stored in pages),
    )
    erasure.MergeFrom(consequences)
    return erasure


def check_hand(project: projects_pb2.Project, hand: str) -> None:
    """Raise InvalidInput if a request names another hand than the project has."""
    if hand and hand != project.hand:
        raise InvalidInput(
            "The project belongs to another hand. Leave the field out.",
            code="hand-mismatch",
            details={"pointer": "/hand"},
        )


def reading_model(user: User, version: str) -> page_pb2.Model:
    """Return the model to read with; raises NotFound, or Conflict for a version that never serves."""
    if version in {"", BASE.version}:
        return BASE
    if version not in user.versions:
        raise NotFound("This account has no model version with this name. List the versions.")
    states = {
        models_pb2.MODEL_STATE_RETIRED: "model-retired",
        models_pb2.MODEL_STATE_TAINTED: "model-tainted",
    }
    if code := states.get(user.versions[version].state):
        raise Conflict("This version never serves. Choose another one.", code=code)
    return user.versions[version].model


async def received(request_iterator: Any) -> tuple[Any, bytes]:
    """Return the header and the bytes of an upload; raises InvalidInput when the length differs."""
    parts = [part async for part in request_iterator]
    header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
    if len(data) != header.image.size_bytes:
        raise InvalidInput("The image has another length than its header says.", code="size-mismatch")
    header.image.sha256 = hashlib.sha256(data).digest()
    return header, data


def insert_page(user: User, project_id: str, header: Any, data: bytes) -> StoredPage:
    """Insert a page without a transcription."""
    page = pages_pb2.Page(
        page_id=str(uuid4()),
        project_id=project_id,
        image=header.image,
        layout=header.layout,
        state=pages_pb2.PAGE_STATE_STORED,
        create_time=TIME,
    )
    user.pages[page.page_id] = StoredPage(page, data)
    return user.pages[page.page_id]


def check_same_image(stored: StoredPage, expected: bytes) -> None:
    """Raise Conflict if the image of a page is not the expected one."""
    if expected and stored.message.image.sha256 != expected:
        raise Conflict("Another request has turned the image. Read the page again.", code="image-changed")


class Pages(pages_pb2_grpc.PageServiceServicer):
    """Stores, returns and deletes pages."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def CreatePage(self, request_iterator: Any, context: Any) -> Any:
        """Store an image, in a new project if none is named."""
        header, data = await received(request_iterator)
        self.state.enter("CreatePage", header)
        user = self.state.scope(header.project_id, members_pb2.ROLE_EDITOR)
        known = user.repeated("CreatePage", header.request_id, header.request_sha256)
        if known is not None and known.message.HasField("transcription"):
            return pages_pb2.CreatePageResponse(page=known.message, model=known.message.transcription.model)
        model = reading_model(user, header.model_version)
        stored = known or insert_page(user, self._project_id(user, header), header, data)
        stored.message.fixed_rotation = header.fixed_rotation
        user.remember("CreatePage", header.request_id, header.request_sha256, stored)
        return pages_pb2.CreatePageResponse(page=stored.message, model=model)

    @staticmethod
    def _project_id(user: User, header: Any) -> str:
        """Return the id of the named project, or of a new one."""
        if header.project_id:
            project = user.project(header.project_id)
            check_hand(project, header.hand)
            return project.project_id
        user.check_script(header.hand, header.script)
        project = projects_pb2.Project(
            project_id=str(uuid4()),
            name=header.project_name or "2026-01-01",
            script=header.script or user.script_of(header.hand),
            hand=header.hand,
            create_time=TIME,
        )
        user.projects[project.project_id] = project
        return project.project_id

    async def ReplaceImage(self, request_iterator: Any, context: Any) -> Any:
        """Replace the image of a page."""
        header, data = await received(request_iterator)
        self.state.enter("ReplaceImage", header)
        stored = self.state.page(header.page_id)
        check_same_image(stored, header.former_sha256)
        stored.message.image.CopyFrom(header.image)
        stored.image = data
        return pages_pb2.ReplaceImageResponse(page=stored.message)

    async def GetPage(self, request: Any, context: Any) -> Any:
        """Return a page."""
        self.state.enter("GetPage", request)
        stored = self.state.scope(request.project_id).page(request.project_id, request.page_id)
        return pages_pb2.GetPageResponse(page=stored.message, role=self.state.role(request.project_id))

    async def DownloadImage(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream a page without its transcription, then its image."""
        self.state.enter("DownloadImage", request)
        user = self.state.scope(request.project_id, request.role)
        stored = user.page(request.project_id, request.page_id)
        header = pages_pb2.DownloadImageHeader(
            page=stored.message, model=reading_model(user, request.model_version)
        )
        header.page.ClearField("transcription")
        yield pages_pb2.DownloadImageResponse(header=header)
        if request.without_image:
            return
        for start in range(0, len(stored.image), _CHUNK_BYTES):
            chunk = stored.image[start : start + _CHUNK_BYTES]
            self.state.sent_image_bytes += len(chunk)
            yield pages_pb2.DownloadImageResponse(chunk=chunk)

    async def DeletePage(self, request: Any, context: Any) -> Any:
        """Delete a page."""
        self.state.enter("DeletePage", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_OWNER)
        stored = user.page(request.project_id, request.page_id)
        del user.pages[request.page_id]
        return pages_pb2.DeletePageResponse(erasure=count([stored], self.state.erasure))
