"""Store pages and read them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, KetavError, NotFound, TooLarge, UnsupportedMedia
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_NAME_CODE_POINTS
from ketav_common.logging import get_logger
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore, Chunks
from ketav_registry.database import Database, Raced
from ketav_registry.domain.pages import MEDIA_TYPES, Image, NewPage, Page, StoredPage, image_key
from ketav_registry.repository import pages, projects, transcriptions
from ketav_registry.usecases.models import reading_model
from ketav_registry.usecases.projects import NO_PROJECT

log = get_logger()

NO_PAGE = "no such page"


async def upload_image(
    image: Chunks, *, user_id: UUID, new: NewPage, database: Database, blobs: BlobStore
) -> StoredPage:
    """Store an image as a page: object first, then row. A repeated request gives the first answer.

    NotFound: no such project. Conflict: the request's key was used for something else.
    TooLarge, InvalidInput, UnsupportedMedia: header or stream are not what is allowed or was announced.
    """
    new = _checked(new)
    if (known := await _repeated(user_id, new, database)) is not None:
        return known
    announced = new.image
    size, most = announced.size_bytes, MAX_IMAGE_BYTES
    page_id = uuid4()
    key = image_key(page_id)
    blob = await objects.store(blobs, image, lambda _: key, max_bytes=most, size_bytes=size)
    try:
        return await _insert(user_id, page_id, new, replace(announced, sha256=blob.sha256, key=key), database)
    except (NotFound, Conflict):
        await discard(blobs, key)
        raise
    except Raced:
        await discard(blobs, key)
        if (known := await _repeated(user_id, new, database)) is None:
            raise
        return known


async def discard(blobs: BlobStore, key: str) -> None:
    """Remove an object that got no row; what cannot be removed now is found by the search for orphans."""
    try:
        await blobs.remove(key)
    except KetavError as error:
        log.warning("object_left", code=error.code)


def _checked(new: NewPage) -> NewPage:
    """Check what is known before the bytes; return it with a clean project name."""
    check_image(new.image)
    name = text.clean(new.project_name, max_length=MAX_NAME_CODE_POINTS).strip()
    return replace(new, project_name=name)


def check_image(image: Image) -> None:
    """Refuse an image that may not be stored (UnsupportedMedia, InvalidInput, TooLarge)."""
    if image.media_type not in MEDIA_TYPES:
        raise UnsupportedMedia("a stored image is image/png or image/jpeg")
    if image.width < 1 or image.height < 1 or image.size_bytes < 1:
        raise InvalidInput("an image has a width, a height and a length", code="empty-image")
    if image.width * image.height > MAX_IMAGE_PIXELS:
        raise TooLarge(f"at most {MAX_IMAGE_PIXELS} pixels", code="too-many-pixels")
    if image.size_bytes > MAX_IMAGE_BYTES:
        raise TooLarge(f"at most {MAX_IMAGE_BYTES} bytes")


async def _repeated(user_id: UUID, new: NewPage, database: Database) -> StoredPage | None:
    """Return what the same request was answered before; check that the named project is the user's."""
    async with database.user(user_id) as transaction:
        page = await pages.find_requested_page(transaction, user_id, new.request)
        project_id = new.project_id if page is None else page.project_id
        script = new.script
        if project_id is not None:
            project = await projects.find_project(transaction, user_id, project_id)
            if project is None:
                raise NotFound(NO_PROJECT)
            script = project.script
        if page is not None:
            [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
            if page.transcription is not None and page.transcription.model is not None:
                return StoredPage(page, page.transcription.model)
        model = await reading_model(transaction, user_id, script, new.model_version)
    return None if page is None else StoredPage(page, model)


async def _insert(user_id: UUID, page_id: UUID, new: NewPage, image: Image, database: Database) -> StoredPage:
    """Store the rows of a page whose object is stored, in one transaction."""
    async with database.user(user_id) as transaction:
        project_id, script = new.project_id, new.script
        if project_id is None:
            project_id = await projects.insert_project(transaction, user_id, new.project_name, script)
        else:
            project = await projects.find_project(transaction, user_id, project_id)
            if project is None:
                raise NotFound(NO_PROJECT)
            script = project.script
        page = await pages.insert_page(transaction, user_id, page_id, project_id, new, image)
        if page is None:
            raise Raced
        return StoredPage(page, await reading_model(transaction, user_id, script, new.model_version))


async def get_page(user_id: UUID, project_id: UUID, page_id: UUID, *, database: Database) -> Page:
    """Return a page with its latest transcription."""
    async with database.user(user_id) as transaction:
        page = await pages.find_page(transaction, user_id, page_id, project_id)
        if page is None:
            raise NotFound(NO_PAGE)
        [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    return page


async def download_image(
    user_id: UUID,
    project_id: UUID,
    page_id: UUID,
    model_version: str = "",
    *,
    database: Database,
    blobs: BlobStore,
) -> AsyncIterator[StoredPage | bytes]:
    """Yield a page with the model that reads it (the one asked for, or that serves now), then its image.

    DataLoss withholds the end. Conflict model-retired: the version that is asked for never serves.
    """
    async with database.user(user_id) as transaction:
        page = await pages.find_page(transaction, user_id, page_id, project_id)
        project = await projects.find_project(transaction, user_id, project_id)
        if page is None or project is None:
            raise NotFound(NO_PAGE)
        model = await reading_model(transaction, user_id, project.script, model_version)
    yield StoredPage(page, model)
    image = page.image
    async for chunk in objects.read(blobs, image.key, sha256=image.sha256, size_bytes=image.size_bytes):
        yield chunk
