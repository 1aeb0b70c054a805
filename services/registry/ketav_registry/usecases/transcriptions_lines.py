"""Edited lines of a page: merged, split, deleted, added and moved ones, as a new transcription of the page.

A correction belongs to the geometry of its line, so lines that stay keep theirs. Corrections of lines that an
edit leaves out are withdrawn: the text of two lines in one box trains nothing. Each edit names the
transcription that it changed, so it can be undone. A request that is repeated with its key edits once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile, zip_longest
from uuid import UUID

from ketav_common.errors import Changed, InvalidInput, Precondition
from ketav_common.logging import get_logger
from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import Correction, StoredCorrection
from ketav_registry.domain.corrections_quarantine import Quarantine, QuarantineCode, QuarantineLimits
from ketav_registry.domain.erasure import Erasure
from ketav_registry.domain.members import Role
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import (
    EditedLine,
    EditRequest,
    Line,
    LineEdit,
    LineKey,
    Transcription,
    geometry_digests,
)
from ketav_registry.repository import corrections, corrections_history, erasure, requests, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.corrections import known_alphabet, with_quarantines
from ketav_registry.usecases.corrections_withdrawal import withdrawal_of
from ketav_registry.usecases.erasure import taint_and_fall_back
from ketav_registry.usecases.jobs_exports import end_exports
from ketav_registry.usecases.pages import require_page
from ketav_registry.usecases.projects import require_project
from ketav_registry.usecases.transcriptions import check_lines

log = get_logger()

_NOT_READ = "The page has no lines yet. Read it first with POST /projects/PROJECT_ID/images/IMAGE_ID/ocr."
_EDITED = Quarantine(
    QuarantineCode.EMPTY_TEXT,
    "The line was replaced or deleted when the lines were edited. Undo the edit, or correct the new lines.",
)
"""The reason of a withdrawal by an edit."""
_NOTHING_DELETED = Erasure(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The page, its lines with their digests before an edit, and the transcription after it."""

    page: Page
    before: dict[bytes, Line]
    after: Transcription

    def removed(self) -> dict[bytes, Line]:
        """Return the lines that the edit leaves out, by digest."""
        remaining = set(geometry_digests(self.after.lines))
        return {digest: line for digest, line in self.before.items() if digest not in remaining}


async def edit_lines(user_id: UUID, edit: LineEdit, *, limits: QuarantineLimits, stores: Stores) -> Erasure:
    """Store edited lines as the latest transcription; return the consequences of deleted ones.

    NotFound: no such page. Precondition page-not-read: it has no transcription. Changed lines-changed: it has
    another one than the user has seen. InvalidInput: unknown-line, duplicate-line, invalid-transcription.
    A repeated request stores nothing and has no consequences. Conflict: its key belongs to another request.
    """
    async with stores.database.project(
        user_id, edit.request.project_id, Role.EDITOR, exclusive=True
    ) as scope:
        transaction, owner_id, key = scope.transaction, scope.owner_id, scope.key(edit.request.key)
        if await _is_repeated(transaction, owner_id, edit.request, key):
            return _NOTHING_DELETED
        page, known = await _latest(transaction, owner_id, edit.request)
        if known.transcription_id != edit.transcription_id:
            raise Changed(
                "The lines of the image have changed after you have read them. Get the image again and "
                "repeat the change.",
                code="lines-changed",
            )
        lines = _edited(known.lines, edit.lines)
        check_lines(lines)
        changes = await _store(
            transaction, owner_id, page, known, lines, edited_from=known.transcription_id, key=key
        )
        texts = {
            index: item.corrected_text
            for index, item in enumerate(edit.lines)
            if item.corrected_text is not None
        }
        await _correct(transaction, owner_id, changes, texts, limits)
        async with scope.as_owner():
            consequences = await _taint_deleted(transaction, owner_id, changes)
    log.info("lines_edited", lines=len(lines), tainted=len(consequences.tainted_versions))
    return consequences


async def undo_line_edit(user_id: UUID, request: EditRequest, *, stores: Stores) -> None:
    """Store the lines before the latest edit as the latest transcription, with their corrections.

    NotFound: no such page. Precondition: page-not-read, or nothing-to-undo. A repeated request stores
    nothing. Conflict: its key belongs to another request.
    """
    async with stores.database.project(user_id, request.project_id, Role.EDITOR, exclusive=True) as scope:
        transaction, owner_id, key = scope.transaction, scope.owner_id, scope.key(request.key)
        if await _is_repeated(transaction, owner_id, request, key):
            return
        page, known = await _latest(transaction, owner_id, request)
        earlier = (
            None
            if known.edited_from is None
            else await transcriptions.find_earlier(transaction, owner_id, page.page_id, known.edited_from)
        )
        if earlier is None:
            raise Precondition(
                "The lines of the image have no edit that could be undone. Edit them with POST .../lines.",
                code="nothing-to-undo",
            )
        changes = await _store(
            transaction, owner_id, page, known, earlier.lines, edited_from=earlier.edited_from, key=key
        )
        await _restore(transaction, owner_id, changes)


async def find_line_edit(user_id: UUID, request: EditRequest, *, stores: Stores) -> bool:
    """Return whether a request has edited the lines of its page, or recorded a reading of it.

    NotFound: no such page. Conflict: its key belongs to another request.
    """
    async with stores.database.project(user_id, request.project_id, Role.EDITOR) as scope:
        key = scope.key(request.key)
        edited = await _is_repeated(scope.transaction, scope.owner_id, request, key)
        return edited or await requests.is_done(scope.transaction, scope.owner_id, key)


async def _is_repeated(
    transaction: Transaction, user_id: UUID, request: EditRequest, key: RequestKey
) -> bool:
    """Return whether a request for a page of the user has edited already."""
    await require_page(transaction, user_id, request.project_id, request.page_id)
    return await transcriptions.is_requested(transaction, user_id, key)


async def _latest(
    transaction: Transaction, user_id: UUID, request: EditRequest
) -> tuple[Page, Transcription]:
    """Lock a page and return it with its latest transcription."""
    page = await require_page(transaction, user_id, request.project_id, request.page_id, lock=True)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    if page.transcription is None:
        raise Precondition(_NOT_READ, code="page-not-read")
    return page, page.transcription


def _edited(known: Sequence[Line], edited: Sequence[EditedLine]) -> list[Line]:
    """Return the lines of an edited page with what they replace."""
    digests = dict(zip([line.line_id for line in known], geometry_digests(known), strict=True))
    by_id = {line.line_id: line for line in known}
    used: set[UUID] = set()
    lines = []
    for index, item in enumerate(edited):
        replaced = [_known(by_id, line_id, index) for line_id in item.replaced_line_ids]
        if item.line_id is not None:
            if item.line_id in used:
                raise InvalidInput(
                    f"/lines/{index} is in the request twice. Send each line once.",
                    code="duplicate-line",
                    details={"pointer": f"/lines/{index}/line_id"},
                )
            used.add(item.line_id)
            lines.append(replace(_known(by_id, item.line_id, index), order=index))
        elif item.new_line is not None:
            origins = [digests[line.line_id] for line in replaced]
            origins += [digest for line in replaced for digest in line.replaces]
            lines.append(replace(item.new_line, order=index, replaces=tuple(dict.fromkeys(origins))))
    return lines


def _known(by_id: dict[UUID | None, Line], line_id: UUID, index: int) -> Line:
    """Return a line of the page by its id. InvalidInput unknown-line: it has none with it."""
    if line_id not in by_id:
        raise InvalidInput(
            f"/lines/{index} of the request is not a line of the page's latest transcription. "
            "Get the page again and send the ids of its lines.",
            code="unknown-line",
            details={"pointer": f"/lines/{index}/line_id", "line_id": str(line_id)},
        )
    return by_id[line_id]


async def _store(
    transaction: Transaction,
    user_id: UUID,
    page: Page,
    known: Transcription,
    lines: Sequence[Line],
    *,
    edited_from: UUID | None,
    key: RequestKey,
) -> _Changes:
    """Insert lines as the latest transcription of a page, by the model of the one before."""
    after = await transcriptions.insert_transcription(
        transaction, user_id, page.page_id, known.model, lines, edited_from=edited_from, request=key
    )
    return _Changes(page, dict(zip(geometry_digests(known.lines), known.lines, strict=True)), after)


async def _correct(
    transaction: Transaction,
    user_id: UUID,
    changes: _Changes,
    texts: dict[int, str],
    limits: QuarantineLimits,
) -> None:
    """Withdraw the corrections of lines that were left out; correct lines, by their positions, with texts."""
    new = [
        Correction(line_id, texts[index], confirmed=True)
        for index, line in enumerate(changes.after.lines)
        if index in texts and (line_id := line.line_id) is not None
    ]
    project = await require_project(transaction, user_id, changes.page.project_id)
    alphabet = await known_alphabet(transaction, user_id, project.hand)
    checked = with_quarantines(new, changes.after.lines, alphabet, limits)
    await _insert(transaction, user_id, changes, [*_withdrawals(changes), *checked])


async def _taint_deleted(transaction: Transaction, user_id: UUID, changes: _Changes) -> Erasure:
    """Taint the versions that were trained on lines that no line replaces any more."""
    replaced = {digest for line in changes.after.lines for digest in line.replaces}
    deleted = {digest: line for digest, line in changes.removed().items() if digest not in replaced}
    if not deleted:
        return _NOTHING_DELETED
    digests = [*deleted, *(digest for line in deleted.values() for digest in line.replaces)]
    await end_exports(transaction, user_id, changes.page.project_id)
    lines = erasure.deleted_lines(user_id, changes.page.page_id, digests)
    return await taint_and_fall_back(transaction, user_id, lines)


async def _insert(
    transaction: Transaction, user_id: UUID, changes: _Changes, new: Sequence[Correction]
) -> None:
    """Insert corrections, at most one of each line."""
    if new:
        await corrections.insert_feedback(transaction, user_id, changes.page, new, (), RequestKey("", b""))


def _withdrawals(changes: _Changes) -> list[Correction]:
    """Return the withdrawals of the corrections of lines that were left out."""
    return [
        withdrawal_of(line.line_id, _EDITED, withdrawn_by_edit=True)
        for line in changes.removed().values()
        if line.line_id is not None and line.corrected_text is not None
    ]


async def _restore(transaction: Transaction, user_id: UUID, changes: _Changes) -> None:
    """Withdraw the corrections of lines that an undone edit has made, and restore those that it withdrew.

    A restored correction is as it was: a quarantined one that its user has not confirmed trains nothing.
    """
    await _insert(transaction, user_id, changes, _withdrawals(changes))
    restored = []
    for line, digest in zip(changes.after.lines, geometry_digests(changes.after.lines), strict=True):
        if digest in changes.before or line.line_id is None:
            continue
        key = LineKey(changes.page.page_id, digest)
        history = await corrections_history.list_corrections(transaction, user_id, key)
        restored.append([_copy(line.line_id, former) for former in _withdrawn_by_edit(history)])
    for corrections_of_lines in zip_longest(*restored):
        await _insert(transaction, user_id, changes, [new for new in corrections_of_lines if new is not None])


def _withdrawn_by_edit(history: Sequence[StoredCorrection]) -> list[StoredCorrection]:
    """Return what an edit has withdrawn of a line's corrections, which are newest first: the oldest first.

    That is the latest correction, and the one that decides the text where the latest one does not.
    """
    if not history or not history[0].withdrawn_by_edit:
        return []
    withdrawn = list(takewhile(lambda former: not former.withdrawn, history[1:]))
    deciding = [former for former in withdrawn if former.decides][:1]
    return deciding + [former for former in withdrawn[:1] if not former.decides]


def _copy(line_id: UUID, former: StoredCorrection) -> Correction:
    """Return a former correction as a new one of the same line, by the author of the former one."""
    return Correction(
        line_id,
        former.text,
        former.confirmed,
        former.quarantine,
        former.origin,
        author_feedback_id=former.author_feedback_id,
    )
