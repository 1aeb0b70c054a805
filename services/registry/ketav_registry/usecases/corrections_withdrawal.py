"""Withdrawal of a line's correction, and the history of a line's corrections."""

from uuid import UUID

from ketav_common.errors import NotFound, Precondition
from ketav_common.logging import get_logger
from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import Correction, StoredCorrection, Withdrawal
from ketav_registry.domain.corrections_quarantine import Quarantine, QuarantineCode
from ketav_registry.domain.members import Role
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import LineKey
from ketav_registry.repository import corrections, corrections_history, erasure
from ketav_registry.stores import Stores
from ketav_registry.usecases.erasure import taint_and_fall_back
from ketav_registry.usecases.jobs_exports import end_exports
from ketav_registry.usecases.pages import require_page

log = get_logger()

_WITHDRAWN = Quarantine(
    QuarantineCode.EMPTY_TEXT, "The correction was withdrawn. Send the line again with its text."
)


async def withdraw_correction(
    user_id: UUID, project_id: UUID, page_id: UUID, line_id: UUID, *, stores: Stores
) -> Withdrawal:
    """Append a withdrawal: the line counts as uncorrected, and versions that were trained on it stop serving.

    NotFound: there is no such line. Precondition nothing-to-withdraw: it has no correction.
    """
    async with stores.database.project(user_id, project_id, Role.EDITOR, exclusive=True) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        page = await require_page(transaction, owner_id, project_id, page_id, lock=True)
        key = await _require_line(transaction, owner_id, page_id, line_id)
        history = await corrections_history.list_corrections(transaction, owner_id, key)
        if not history or history[0].withdrawn:
            raise Precondition(
                "The line has no correction that could be withdrawn. Correct it with POST /feedback/.",
                code="nothing-to-withdraw",
            )
        withdrawal = withdrawal_of(line_id)
        feedback = await corrections.insert_feedback(
            transaction, owner_id, page, [withdrawal], (), RequestKey("", b"")
        )
        lines = erasure.trained_line(owner_id, key)
        async with scope.as_owner():
            consequences = await taint_and_fall_back(transaction, owner_id, lines)
            await end_exports(transaction, owner_id, project_id)
    log.info("correction_withdrawn", tainted=len(consequences.tainted_versions))
    count = feedback.ground_truth_lines if feedback else 0
    return Withdrawal(line_id, count, consequences)


def withdrawal_of(
    line_id: UUID, reason: Quarantine = _WITHDRAWN, *, withdrawn_by_edit: bool = False
) -> Correction:
    """Return the row that ends the corrections of a line."""
    return Correction(
        line_id, "", confirmed=True, quarantine=reason, withdrawn=True, withdrawn_by_edit=withdrawn_by_edit
    )


async def list_corrections(
    user_id: UUID, project_id: UUID, page_id: UUID, line_id: UUID, *, stores: Stores
) -> list[StoredCorrection]:
    """Return the corrections of a line, newest first, at most 100. NotFound: there is no such line."""
    async with stores.database.project(user_id, project_id) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        await require_page(transaction, owner_id, project_id, page_id)
        key = await _require_line(transaction, owner_id, page_id, line_id)
        return await corrections_history.list_corrections(transaction, owner_id, key)


async def _require_line(transaction: Transaction, user_id: UUID, page_id: UUID, line_id: UUID) -> LineKey:
    """Return the key of a line of any transcription of a page. NotFound: there is no such line."""
    key = await corrections_history.find_line(transaction, user_id, page_id, line_id)
    if key is None:
        raise NotFound(
            "This page has no line with this id. Get the page and send the id of one of its lines."
        )
    return key
