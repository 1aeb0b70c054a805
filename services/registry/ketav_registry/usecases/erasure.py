"""Deletion of pages, projects and accounts, each in one transaction; the objects are removed later.

Models that were trained on deleted lines stop serving, and a run over them is cancelled in the same
transaction. The sweep of training runs then queues a run without them.
"""

from dataclasses import replace
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_common.logging import get_logger
from ketav_registry.database import Transaction
from ketav_registry.domain.erasure import Erasure, ErasureKind
from ketav_registry.domain.members import Role
from ketav_registry.domain.training_policy import warrants_run
from ketav_registry.repository import (
    erasure,
    ground_truth,
    jobs,
    jobs_exports,
    models,
    projects_hands,
    training_policy,
    training_readiness,
)
from ketav_registry.repository.erasure import LineFilter, PageFilter
from ketav_registry.stores import Stores
from ketav_registry.usecases.jobs_exports import end_exports
from ketav_registry.usecases.pages import require_page
from ketav_registry.usecases.projects import require_project

log = get_logger()


async def delete_page(user_id: UUID, project_id: UUID, page_id: UUID, *, stores: Stores) -> Erasure:
    """Delete a page with its transcriptions and corrections. NotFound: there is no such page."""
    async with stores.database.project(user_id, project_id, Role.OWNER, exclusive=True) as scope:
        transaction = scope.transaction
        await require_page(transaction, user_id, project_id, page_id)
        pages = erasure.pages_of(user_id, project_id, page_id)
        await end_exports(transaction, user_id, project_id)
        return await _erase(transaction, user_id, ErasureKind.PAGE, pages)


async def delete_project(user_id: UUID, project_id: UUID, *, stores: Stores) -> Erasure:
    """Delete a project with all its pages; the last one of a hand deletes the hand's name.

    NotFound: there is no such project.
    """
    async with stores.database.project(user_id, project_id, Role.OWNER, exclusive=True) as scope:
        transaction = scope.transaction
        project = await require_project(transaction, user_id, project_id)
        pages = erasure.pages_of(user_id, project_id)
        done = await _erase(transaction, user_id, ErasureKind.PROJECT, pages)
        await jobs.queue_documents(transaction, user_id, project_id)
        await jobs_exports.remove_results(transaction, user_id, project_id)
        await erasure.delete_project(transaction, user_id, project_id)
        if project.hand.hand_id is not None:
            await projects_hands.rename_unused(transaction, user_id, project.hand.hand_id)
    return done


async def delete_account(user_id: UUID, *, stores: Stores) -> Erasure:
    """Delete a user with all their data. NotFound: there is no such user.

    The fence of a worker that still trains for the user becomes stale, because the run is deleted.
    """
    async with stores.database.user(user_id, exclusive=True) as transaction:
        pages = erasure.pages_of(user_id)
        done = await erasure.count(transaction, pages)
        await erasure.queue_images(transaction, user_id, pages)
        await jobs.queue_documents(transaction, user_id)
        await jobs_exports.remove_results(transaction, user_id)
        await erasure.queue_models(transaction, user_id, await erasure.list_versions(transaction, user_id))
        await erasure.delete_pages(transaction, pages)
        if not await erasure.delete_account(transaction, user_id):
            raise NotFound("This account was deleted already. There is nothing left to delete.")
        await erasure.record(transaction, user_id, ErasureKind.ACCOUNT, done)
    log.info("account_deleted", pages=done.pages)
    return done


async def _erase(transaction: Transaction, user_id: UUID, kind: ErasureKind, pages: PageFilter) -> Erasure:
    """Delete pages; taint the models that were trained on them, cancel the run over them, fall back."""
    counts = await erasure.count(transaction, pages)
    lines = erasure.trained_lines(user_id, pages)
    consequences = await taint_and_fall_back(transaction, user_id, lines)
    await erasure.queue_images(transaction, user_id, pages)
    await erasure.delete_pages(transaction, pages)
    done = replace(
        counts,
        tainted_versions=consequences.tainted_versions,
        cancelled_run=consequences.cancelled_run,
        will_retrain=await _will_retrain(transaction, user_id),
    )
    await erasure.record(transaction, user_id, kind, done)
    log.info(
        "pages_deleted",
        pages=done.pages,
        tainted=len(done.tainted_versions),
        cancelled=done.cancelled_run is not None,
    )
    return done


async def taint_and_fall_back(transaction: Transaction, user_id: UUID, lines: LineFilter) -> Erasure:
    """Taint the versions that were trained on lines, cancel the run over them, fall back; delete the files.

    Returns the consequences, with no deleted rows.
    """
    tainted_versions = await erasure.taint(transaction, user_id, lines)
    cancelled_run = await erasure.cancel_tainted_run(transaction, user_id)
    await _fall_back(transaction, user_id)
    await erasure.queue_models(transaction, user_id, tainted_versions)
    retrain = await _will_retrain(transaction, user_id)
    return Erasure(0, 0, 0, tuple(tainted_versions), cancelled_run, retrain)


async def _fall_back(transaction: Transaction, user_id: UUID) -> None:
    """Replace each tainted active version by its nearest ancestor that can serve, or by the base."""
    for hand, version in (await erasure.fallback_versions(transaction, user_id)).items():
        await models.activate(transaction, user_id, hand, version)


async def _will_retrain(transaction: Transaction, user_id: UUID) -> bool:
    """Return whether the sweep will queue a run without the deleted lines, after the user's minimum gap."""
    if not (await training_policy.find_policy(transaction, user_id)).automatic:
        return False
    counts = await ground_truth.count_verified(transaction, user_id)
    last_runs = await training_readiness.last_runs(transaction, user_id)
    return any(run.lines == 0 and warrants_run(counts.get(hand, 0), run) for hand, run in last_runs.items())
