"""Pages: stored images and their latest transcription."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import UUID, uuid4

from ketav_common import text
from ketav_common.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    KetavError,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_NAME_CODE_POINTS
from ketav_common.logging import get_logger
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore, Chunks
from ketav_registry.database import Transaction, UniqueConflictError
from ketav_registry.domain.members import Role
from ketav_registry.domain.pages import (
    MEDIA_TYPES,
    Image,
    NewPage,
    Page,
    PageState,
    StoredPage,
    image_key,
)
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.repository import object_removal, pages, projects, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import reading_model
from ketav_registry.usecases.projects import require_project
from ketav_registry.usecases.projects_hands import check_hand, project_hand

log = get_logger()

_MAX_CODES = 8
_CODE = re.compile("[a-z0-9-]{1,32}")


async def require_page(
    transaction: Transaction, user_id: UUID, project_id: UUID, page_id: UUID, *, lock: bool = False
) -> Page:
    """Return a page of the user's project. NotFound: there is no such page."""
    page = await pages.find_page(transaction, user_id, page_id, project_id, lock=lock)
    if page is None:
        raise NotFound("This project has no page with this id. List its pages with GET /projects/PROJECT_ID.")
    return page


async def upload_image(image: Chunks, *, user_id: UUID, new: NewPage, stores: Stores) -> StoredPage:
    """Store an image as a page: first the object, then the rows. Creates the project and hand that it names.

    A repeated request stores nothing and gets the page as it is now, with the model that reads it now.
    NotFound: no such project or model version. Conflict: the Idempotency-Key belongs to a different request,
    or model-retired, model-tainted. InvalidInput: hand-mismatch, hand-script, or as TooLarge and
    UnsupportedMedia: the header breaks a limit, or the stream differs from it. Unavailable: no-base-model,
    or a store does not answer.
    """
    new = _checked(new)
    if (known := await _find_repeated(user_id, new, stores)) is not None:
        return known
    page_id = uuid4()
    key = image_key(page_id)
    blob = await objects.store(
        stores.blobs, image, lambda _: key, max_bytes=MAX_IMAGE_BYTES, size_bytes=new.image.size_bytes
    )
    new = replace(new, image=replace(new.image, sha256=blob.sha256, key=key))
    try:
        return await _insert(user_id, page_id, new, stores)
    except (NotFound, Conflict, InvalidInput, Forbidden):
        await discard_object(stores.blobs, key)
        raise
    except UniqueConflictError:
        await discard_object(stores.blobs, key)
        if (known := await _find_repeated(user_id, new, stores)) is None:
            raise
        return known


async def replace_image(
    image_bytes: Chunks,
    *,
    user_id: UUID,
    project_id: UUID | None,
    page_id: UUID,
    image: Image,
    former_sha256: bytes = b"",
    stores: Stores,
) -> Page:
    """Replace the image of a page that has no transcription; the object of the former one is removed later.

    NotFound: no such page. Conflict page-is-read: it has a transcription; image-changed: its image is not the
    one with `former_sha256`, which the new one was made from (empty: any). TooLarge, InvalidInput,
    UnsupportedMedia: as for an upload.
    """
    check_image(image)
    key = image_key(uuid4())
    blob = await objects.store(
        stores.blobs, image_bytes, lambda _: key, max_bytes=MAX_IMAGE_BYTES, size_bytes=image.size_bytes
    )
    image = replace(image, sha256=blob.sha256, key=key)
    try:
        async with stores.database.project(user_id, project_id, Role.EDITOR) as scope:
            transaction, owner_id = scope.transaction, scope.owner_id
            former = await _require_unread_page(transaction, owner_id, page_id)
            check_same_image(former.image.sha256, former_sha256)
            page = await pages.replace_image(transaction, owner_id, page_id, image)
            await object_removal.enqueue(transaction, owner_id, [former.image.key])
    except (NotFound, Conflict, Forbidden):
        await discard_object(stores.blobs, key)
        raise
    return page


def check_same_image(sha256: bytes, expected: bytes) -> None:
    """Raise Conflict image-changed if a page's image is not the expected one; empty: any is expected."""
    if expected and sha256 != expected:
        raise Conflict(
            "Another request has turned the image of the page in the meantime. Read the page again with "
            "POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
            code="image-changed",
        )


async def _require_unread_page(transaction: Transaction, user_id: UUID, page_id: UUID) -> Page:
    """Return a page without a transcription, locked. NotFound: no such page; Conflict: it is read."""
    page = await pages.lock_page(transaction, user_id, page_id)
    if page is None:
        raise NotFound("This account has no page with this id. Upload the image with POST /ocr/.")
    if page.state is not PageState.STORED:
        raise Conflict(
            "Another request has read the page in the meantime. Get it with GET /projects/PROJECT_ID.",
            code="page-is-read",
        )
    return page


async def discard_object(blobs: BlobStore, key: str) -> None:
    """Remove an object without a row. If that fails, the search for orphans removes it later."""
    try:
        await blobs.remove(key)
    except KetavError as error:
        log.warning("object_not_removed", code=error.code)


def _checked(new: NewPage) -> NewPage:
    """Check the header of an upload and return it with a clean project name."""
    check_image(new.image)
    name = text.clean(new.project_name, max_length=MAX_NAME_CODE_POINTS).strip()
    return replace(new, project_name=name)


def check_image(image: Image) -> None:
    """Raise UnsupportedMedia, InvalidInput or TooLarge for an image that breaks a limit."""
    if image.media_type not in MEDIA_TYPES:
        raise UnsupportedMedia("The image is neither PNG nor JPEG. Send it as image/png or image/jpeg.")
    if image.width < 1 or image.height < 1 or image.size_bytes < 1:
        raise InvalidInput(
            "The image has no width, height or length. Send the size of the decoded image.",
            code="empty-image",
        )
    codes = [*image.normalised, *image.warnings]
    if max(len(image.normalised), len(image.warnings)) > _MAX_CODES or not all(map(_CODE.fullmatch, codes)):
        raise InvalidInput(
            f"The image has a code that is malformed, or more than {_MAX_CODES} of a kind. Send short codes.",
            code="malformed-image-codes",
        )
    pixels = image.width * image.height
    if pixels > MAX_IMAGE_PIXELS:
        raise TooLarge(
            f"The image has {pixels:,} pixels. Send an image of at most {MAX_IMAGE_PIXELS:,} pixels.",
            code="too-many-pixels",
        )
    if image.size_bytes > MAX_IMAGE_BYTES:
        raise TooLarge(
            f"The image has {image.size_bytes:,} bytes. Send an image of at most {MAX_IMAGE_BYTES:,} bytes."
        )


async def _find_repeated(user_id: UUID, new: NewPage, stores: Stores) -> StoredPage | None:
    """Return the response to the same request, if it was sent before; NotFound: no such project."""
    async with stores.database.project(user_id, new.project_id, Role.EDITOR) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        page = await pages.find_requested_page(transaction, owner_id, scope.key(new.request))
        if page is not None:
            project = await require_project(transaction, owner_id, page.project_id)
            [page] = await transcriptions.with_transcriptions(transaction, owner_id, [page])
            if page.transcription is not None and page.transcription.model is not None:
                return StoredPage(page, page.transcription.model)
            model = await reading_model(transaction, owner_id, project.hand, new.model_version)
            return StoredPage(page, model)
        # Fails before the image is received if there is no such project, hand or model.
        hand = await _hand_of(transaction, owner_id, new, insert=False)
        await reading_model(transaction, owner_id, hand, new.model_version)
    return None


async def _hand_of(transaction: Transaction, user_id: UUID, new: NewPage, *, insert: bool) -> Hand:
    """Return the hand of the project of an upload; with `insert`, a new name makes a hand.

    NotFound: no such project. InvalidInput: hand-mismatch, hand-script, or a name that may not be stored.
    """
    if new.project_id is None:
        return await project_hand(transaction, user_id, new.hand, new.script, insert=insert)
    project = await require_project(transaction, user_id, new.project_id)
    check_hand(project, new.hand)
    return project.hand


async def _insert(user_id: UUID, page_id: UUID, new: NewPage, stores: Stores) -> StoredPage:
    """Insert the rows of a page whose object is stored, in one transaction."""
    async with stores.database.project(user_id, new.project_id, Role.EDITOR) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        hand, project_id = await _hand_of(transaction, owner_id, new, insert=True), new.project_id
        if project_id is None:
            project_id = await projects.insert_project(transaction, owner_id, new.project_name, hand)
        new = replace(new, request=scope.key(new.request))
        page = await pages.insert_page(transaction, owner_id, page_id, project_id, new)
        if page is None:
            raise UniqueConflictError
        return StoredPage(page, await reading_model(transaction, owner_id, hand, new.model_version))


async def get_page(user_id: UUID, project_id: UUID, page_id: UUID, *, stores: Stores) -> tuple[Page, Role]:
    """Return a page with its latest transcription, and the role of the user. NotFound: no such page."""
    async with stores.database.project(user_id, project_id) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        page = await require_page(transaction, owner_id, project_id, page_id)
        [page] = await transcriptions.with_transcriptions(transaction, owner_id, [page])
    return page, scope.role


async def download_image(
    user_id: UUID,
    project_id: UUID,
    page_id: UUID,
    model_version: str = "",
    *,
    needed: Role = Role.VIEWER,
    stores: Stores,
) -> AsyncGenerator[StoredPage | bytes, None]:
    """Yield a page with the model to read it with (`model_version`, or the serving one), then its image.

    NotFound: no such page or version. Conflict model-retired, model-tainted: the version never serves.
    DataLoss: the object does not match its digest; the last chunk is not sent.
    """
    async with stores.database.project(user_id, project_id, needed) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        page = await require_page(transaction, owner_id, project_id, page_id)
        project = await require_project(transaction, owner_id, project_id)
        model = await reading_model(transaction, owner_id, project.hand, model_version)
    yield StoredPage(page, model)
    image = page.image
    async for chunk in objects.read(
        stores.blobs, image.key, sha256=image.sha256, size_bytes=image.size_bytes
    ):
        yield chunk
