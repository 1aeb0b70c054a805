"""Import ground truth and export it to a training."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, NotFound, Stale
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_PAGE_LINES
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore, Chunks
from ketav_registry.database import Database, Raced, Transaction, narrow
from ketav_registry.domain.corrections import Correction, Feedback, Origin
from ketav_registry.domain.corrections_quarantine import Limits
from ketav_registry.domain.ground_truth import GroundTruthPage
from ketav_registry.domain.ground_truth_import import Imported, KnownPage, content_key, lies_within, unread
from ketav_registry.domain.pages import Image, NewPage, Page, image_key
from ketav_registry.domain.projects import Project
from ketav_registry.domain.requests import Request
from ketav_registry.domain.training import HELD
from ketav_registry.domain.transcriptions import Line, places
from ketav_registry.repository import corrections, ground_truth, pages, projects, training, transcriptions
from ketav_registry.usecases.corrections import DEFAULTS, judged, writable
from ketav_registry.usecases.pages import check_image, discard
from ketav_registry.usecases.projects import NO_PROJECT


async def import_ground_truth(
    image: Chunks,
    *,
    user_id: UUID,
    known: KnownPage,
    database: Database,
    blobs: BlobStore,
    limits: Limits = DEFAULTS,
) -> Imported:
    """Store an image with lines whose texts are known: object first, then rows, in one transaction.

    The same image is the same page of a project; only lines that are new or have another text are stored.
    A repeated request gives the first answer. NotFound: no such project. Conflict: the request's key was
    used for something else. InvalidInput, TooLarge: image, lines or texts are not what is allowed.
    """
    known = _checked(known)
    async with database.user(user_id) as transaction:
        await _project(transaction, user_id, known)
    size = known.image.size_bytes
    page_id = uuid4()
    key = image_key(page_id)
    blob = await objects.store(blobs, image, lambda _: key, max_bytes=MAX_IMAGE_BYTES, size_bytes=size)
    stored = replace(known.image, sha256=blob.sha256, key=key)
    try:
        imported = await _import(user_id, page_id, known, stored, database, limits)
    except Raced:
        imported = await _import(user_id, page_id, known, stored, database, limits)
    except (NotFound, InvalidInput, Conflict):
        await discard(blobs, key)
        raise
    if imported.page_id != page_id:
        await discard(blobs, key)
    return imported


def _checked(known: KnownPage) -> KnownPage:
    """Check what is known before the bytes; return it with clean texts."""
    check_image(known.image)
    if not 1 <= len(known.lines) <= MAX_PAGE_LINES:
        raise InvalidInput(f"1 to {MAX_PAGE_LINES} lines may be imported with a page", code="line-count")
    if not all(lies_within(line, known.image) for line in known.lines):
        raise InvalidInput("a line does not lie on the image", code="invalid-line")
    lines = tuple(replace(line, text=text.clean(line.text)) for line in known.lines)
    return replace(known, lines=lines)


async def _project(transaction: Transaction, user_id: UUID, known: KnownPage) -> Project:
    """Return the named project of the user."""
    project = await projects.find_project(transaction, user_id, known.project_id)
    if project is None:
        raise NotFound(NO_PROJECT)
    return project


async def _import(
    user_id: UUID, page_id: UUID, known: KnownPage, image: Image, database: Database, limits: Limits
) -> Imported:
    """Store the rows of an import whose object is stored."""
    async with database.user(user_id) as transaction:
        await corrections.refuse_other_requests(transaction, user_id, known.request)
        page = await _page(transaction, user_id, page_id, known, image)
        answered = await corrections.find_requested_feedback(transaction, user_id, known.request)
        if answered is not None:
            return await _imported(transaction, user_id, page, answered)
        page = await _with_lines(transaction, user_id, page, known)
        lines = page.transcription.lines if page.transcription else ()
        new = _new(lines, known)
        if not new and not known.request.request_id:
            return Imported(page.page_id, 0, (), await corrections.count_ground_truth(transaction, user_id))
        accepted = judged(new, lines, await writable(transaction, user_id, page), limits)
        stored = await corrections.insert_feedback(transaction, user_id, page, accepted, (), known.request)
        if stored is None:
            raise Raced
        return await _imported(transaction, user_id, page, stored)


async def _page(
    transaction: Transaction, user_id: UUID, page_id: UUID, known: KnownPage, image: Image
) -> Page:
    """Return the page of an image, locked; store it under an id when it is new."""
    project = await _project(transaction, user_id, known)
    content = Request(content_key(known, image.sha256), image.sha256)
    page = await pages.find_requested_page(transaction, user_id, content)
    if page is None:
        new = NewPage(project.project_id, "", project.script, known.layout, image, content)
        page = await pages.insert_page(transaction, user_id, page_id, project.project_id, new, image)
    if page is None:
        raise Raced
    locked = await pages.find_page(transaction, user_id, page.page_id, project.project_id, lock=True)
    if locked is None:
        raise Conflict("the page was moved while it was imported")
    return locked


async def _with_lines(transaction: Transaction, user_id: UUID, page: Page, known: KnownPage) -> Page:
    """Return a page with exactly the known lines; they become its latest transcription if they are not.

    Corrections at places that are not among them then count no more.
    """
    lines = unread(known.lines)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    shown = page.transcription.lines if page.transcription else ()
    if places(shown) == places(lines):
        return page
    await transcriptions.insert_transcription(transaction, user_id, page.page_id, None, lines)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    return page


def _new(lines: Sequence[Line], known: KnownPage) -> list[Correction]:
    """Return the lines whose text is not known yet, or is in quarantine and vouched for now."""
    return [
        Correction(line.line_id, told.text, known.confirmed, origin=Origin.IMPORTED)
        for line, told in zip(lines, known.lines, strict=True)
        if line.line_id is not None
        and (line.corrected_text != told.text or (line.quarantine is not None and known.confirmed))
    ]


async def _imported(transaction: Transaction, user_id: UUID, page: Page, saved: Feedback) -> Imported:
    """Return what became of an import whose corrections are stored."""
    orders = await transcriptions.orders(transaction, user_id, [each.line_id for each in saved.quarantined])
    doubts = [(orders[each.line_id], each.quarantine) for each in saved.quarantined if each.quarantine]
    return Imported(
        page.page_id, saved.accepted_lines, tuple(sorted(doubts, key=_index)), saved.ground_truth_lines
    )


def _index(doubt: tuple[int, object]) -> int:
    """Return the index of the line that a doubt is about."""
    return doubt[0]


async def export_ground_truth(
    run_id: UUID, fence: int, *, database: Database, blobs: BlobStore
) -> AsyncIterator[GroundTruthPage | bytes]:
    """Yield the frozen ground truth of a held run: a page, its image, the next page. Stale: lost the run."""
    async with database.system() as transaction:
        run = await training.find_run(transaction, run_id)
        if run is None or run.fence != fence or run.state not in HELD:
            raise Stale("the training run is held under another fence", code="stale-fence")
        await narrow(transaction, run.user_id)
        pages = await ground_truth.dataset_pages(transaction, run.dataset_id)
    for page in pages:
        yield page
        image = page.image
        async for chunk in objects.read(blobs, image.key, sha256=image.sha256, size_bytes=image.size_bytes):
            yield chunk
