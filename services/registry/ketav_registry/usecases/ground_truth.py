"""Ground truth: pages imported with their texts, and datasets exported to a training."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from ketav_common.errors import Conflict, Forbidden, InvalidInput, NotFound
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_PAGE_LINES
from ketav_registry import blobs as objects
from ketav_registry.blobs import Chunks
from ketav_registry.database import Transaction, UniqueConflictError, restrict_to_user
from ketav_registry.domain.corrections import Correction, Feedback, Origin
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.domain.ground_truth import GroundTruthPage
from ketav_registry.domain.ground_truth_import import (
    ImportResult,
    NewGroundTruthLine,
    PageImport,
    QuarantinedImport,
    as_transcription,
    content_key,
    geometry_problem,
    has_lines,
)
from ketav_registry.domain.members import Role
from ketav_registry.domain.pages import NewPage, Page, image_key
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.training import FencedRun
from ketav_registry.domain.transcriptions import Line
from ketav_registry.repository import corrections, ground_truth, pages, training, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.corrections import DEFAULT_LIMITS, known_alphabet, with_quarantines
from ketav_registry.usecases.corrections_texts import untrained_lines
from ketav_registry.usecases.pages import check_image, discard_object
from ketav_registry.usecases.projects import require_project
from ketav_registry.usecases.projects_hands import check_hand
from ketav_registry.usecases.requests import stored_field
from ketav_registry.usecases.training import require_held_run


async def import_ground_truth(
    image: Chunks,
    *,
    user_id: UUID,
    page_import: PageImport,
    stores: Stores,
    limits: QuarantineLimits = DEFAULT_LIMITS,
) -> ImportResult:
    """Store an image with lines whose texts are known: first the object, then the rows, in one transaction.

    An image that the project has already is the same page; only lines that are new or have another text are
    stored. A repeated request gets the first response. NotFound: no such project. Conflict: the key belongs
    to a different request. InvalidInput, TooLarge, UnsupportedMedia: image, line or text break a limit.
    """
    page_import = _checked(page_import)
    async with stores.database.project(user_id, page_import.project_id, Role.EDITOR) as scope:
        project = await require_project(scope.transaction, scope.owner_id, page_import.project_id)
    check_hand(project, page_import.hand)
    page_id = uuid4()
    key = image_key(page_id)
    size_bytes = page_import.image.size_bytes
    blob = await objects.store(
        stores.blobs, image, lambda _: key, max_bytes=MAX_IMAGE_BYTES, size_bytes=size_bytes
    )
    page_import = replace(page_import, image=replace(page_import.image, sha256=blob.sha256, key=key))
    try:
        result = await _import(user_id, page_id, page_import, limits, stores)
    except UniqueConflictError:
        result = await _import(user_id, page_id, page_import, limits, stores)
    except (NotFound, InvalidInput, Conflict, Forbidden):
        await discard_object(stores.blobs, key)
        raise
    if result.page_id != page_id:
        await discard_object(stores.blobs, key)
    return result


def _checked(page_import: PageImport) -> PageImport:
    """Return the header of an import with clean texts.

    InvalidInput: the image breaks a limit, the number of lines is outside 1 to MAX_PAGE_LINES (line-count),
    or a line has invalid coordinates (invalid-line) or a text that may not be stored.
    """
    check_image(page_import.image)
    lines = page_import.lines
    if not 1 <= len(lines) <= MAX_PAGE_LINES:
        raise InvalidInput(
            f"The page has {len(lines):,} lines. Import 1 to {MAX_PAGE_LINES:,} lines with a page.",
            code="line-count",
        )
    for number, line in enumerate(lines, start=1):
        if problem := geometry_problem(line, page_import.image):
            raise InvalidInput(
                f"Line {number} of the page {problem}. Correct its coordinates.",
                code="invalid-line",
                details={"line": str(number)},
            )
    return replace(
        page_import, lines=tuple(_clean(line, number) for number, line in enumerate(lines, start=1))
    )


def _clean(line: NewGroundTruthLine, number: int) -> NewGroundTruthLine:
    """Return a line with its texts in stored form; InvalidInput for one that may not be stored."""
    details = {"line": str(number)}
    words = tuple(replace(word, text=stored_field(word.text, details)) for word in line.words)
    return replace(line, text=stored_field(line.text, details), words=words)


async def _import(
    user_id: UUID, page_id: UUID, page_import: PageImport, limits: QuarantineLimits, stores: Stores
) -> ImportResult:
    """Insert the rows of an import whose object is stored."""
    async with stores.database.project(user_id, page_import.project_id, Role.EDITOR) as scope:
        transaction, owner_id, request = scope.transaction, scope.owner_id, scope.key(page_import.request)
        await corrections.check_request_of_pages(transaction, owner_id, request)
        page = await _find_or_insert_page(transaction, owner_id, page_id, page_import)
        known = await corrections.find_requested_feedback(transaction, owner_id, request)
        if known is not None:
            return await _result(transaction, owner_id, page, known)
        page = await _with_imported_lines(transaction, owner_id, page, page_import)
        lines = page.transcription.lines if page.transcription else ()
        new = _new_corrections(lines, page_import)
        if not new and not request.request_id:
            total = await corrections.count_ground_truth(transaction, owner_id)
            return ImportResult(page.page_id, 0, (), total)
        project = await require_project(transaction, owner_id, page.project_id)
        alphabet = await known_alphabet(transaction, owner_id, project.hand)
        checked = with_quarantines(new, lines, alphabet, limits)
        untrained = untrained_lines(checked, alphabet)
        feedback = await corrections.insert_feedback(
            transaction, owner_id, page, checked, (), request, untrained=untrained
        )
        if feedback is None:
            raise UniqueConflictError
        return await _result(transaction, owner_id, page, feedback)


async def _find_or_insert_page(
    transaction: Transaction, user_id: UUID, page_id: UUID, page_import: PageImport
) -> Page:
    """Return the locked page of an image; insert it with this id if the project does not have it.

    Conflict: the page was deleted meanwhile. UniqueConflictError: another call inserts it now.
    """
    project = await require_project(transaction, user_id, page_import.project_id)
    check_hand(project, page_import.hand)
    image = page_import.image
    request = RequestKey(content_key(page_import, image.sha256), image.sha256)
    page = await pages.find_requested_page(transaction, user_id, request)
    if page is None:
        new = NewPage(project.project_id, "", project.script, page_import.layout, image, request)
        page = await pages.insert_page(transaction, user_id, page_id, project.project_id, new)
    if page is None:
        raise UniqueConflictError
    locked = await pages.find_page(transaction, user_id, page.page_id, project.project_id, lock=True)
    if locked is None:
        raise Conflict("The page was deleted while it was imported. Import it again.")
    return locked


async def _with_imported_lines(
    transaction: Transaction, user_id: UUID, page: Page, page_import: PageImport
) -> Page:
    """Return a page whose latest transcription has exactly the imported lines; insert one if it has not.

    Corrections of lines that are not among them no longer count as ground truth.
    """
    lines = as_transcription(page_import.lines)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    latest = page.transcription.lines if page.transcription else ()
    if has_lines(latest, lines):
        return page
    await transcriptions.insert_transcription(transaction, user_id, page.page_id, None, lines)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    return page


def _new_corrections(lines: Sequence[Line], page_import: PageImport) -> list[Correction]:
    """Return corrections of the lines whose text differs, or is quarantined and now confirmed."""
    return [
        Correction(line.line_id, known.text, page_import.confirmed, origin=Origin.IMPORTED)
        for line, known in zip(lines, page_import.lines, strict=True)
        if line.line_id is not None
        and (line.corrected_text != known.text or (line.quarantine is not None and page_import.confirmed))
    ]


async def _result(transaction: Transaction, user_id: UUID, page: Page, feedback: Feedback) -> ImportResult:
    """Return the result of an import whose corrections are stored as this feedback."""
    line_ids = [correction.line_id for correction in feedback.quarantined]
    line_ids += [line.line_id for line in feedback.untrained]
    order_of = await transcriptions.line_orders(transaction, user_id, line_ids)
    quarantined = [
        QuarantinedImport(order_of[correction.line_id], correction.quarantine)
        for correction in feedback.quarantined
        if correction.quarantine
    ]
    return ImportResult(
        page.page_id,
        feedback.accepted_lines,
        tuple(sorted(quarantined, key=_line_index)),
        feedback.ground_truth_lines,
        tuple((order_of[item.line_id], item) for item in feedback.untrained),
    )


def _line_index(item: QuarantinedImport) -> int:
    """Return the index of the line, by which quarantined lines are sorted."""
    return item.line


async def export_ground_truth(
    claimed: FencedRun, *, stores: Stores
) -> AsyncIterator[GroundTruthPage | bytes]:
    """Yield each page of a run's dataset, followed by the chunks of its image. Stale: the fence is stale."""
    async with stores.database.system() as transaction:
        run = await require_held_run(transaction, claimed)
        await restrict_to_user(transaction, run.user_id)
        versions = await training.compared_versions(transaction, run.run_id)
        dataset_pages = await ground_truth.dataset_pages(transaction, run.dataset_id, versions)
    for page in dataset_pages:
        yield page
        image = page.image
        async for chunk in objects.read(
            stores.blobs, image.key, sha256=image.sha256, size_bytes=image.size_bytes
        ):
            yield chunk
