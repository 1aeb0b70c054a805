"""Deleting what a user wants deleted, in one transaction each; the objects follow through a queue.

What had learnt from the deleted lines stops serving and a training over them is cancelled at once; the sweep
of training runs then queues one without them.
"""

from dataclasses import replace
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_common.logging import get_logger
from ketav_registry.database import Database, Transaction
from ketav_registry.domain.erasure import ErasedKind, Erasure
from ketav_registry.domain.training_policy import wants_run
from ketav_registry.repository import (
    erasure,
    ground_truth,
    models,
    pages,
    projects,
    training_policy,
    training_readiness,
)
from ketav_registry.usecases.pages import NO_PAGE
from ketav_registry.usecases.projects import NO_PROJECT

log = get_logger()


async def delete_page(user_id: UUID, project_id: UUID, page_id: UUID, *, database: Database) -> Erasure:
    """Delete a page with everything read and corrected on it. NotFound: no such page."""
    async with database.user(user_id, alone=True) as transaction:
        if await pages.find_page(transaction, user_id, page_id, project_id) is None:
            raise NotFound(NO_PAGE)
        which = erasure.pages_of(user_id, project_id, page_id)
        return await _erase(transaction, user_id, ErasedKind.PAGE, which)


async def delete_project(user_id: UUID, project_id: UUID, *, database: Database) -> Erasure:
    """Delete a project with all its pages. NotFound: no such project."""
    async with database.user(user_id, alone=True) as transaction:
        if await projects.find_project(transaction, user_id, project_id) is None:
            raise NotFound(NO_PROJECT)
        which = erasure.pages_of(user_id, project_id)
        done = await _erase(transaction, user_id, ErasedKind.PROJECT, which)
        await erasure.delete_project(transaction, user_id, project_id)
    return done


async def delete_account(user_id: UUID, *, database: Database) -> Erasure:
    """Delete a user with their keys and everything that is theirs. NotFound: no such user.

    Workers that still train for them lose their fence with the run.
    """
    async with database.user(user_id, alone=True) as transaction:
        which = erasure.pages_of(user_id)
        done = await erasure.count(transaction, which)
        await erasure.queue_images(transaction, user_id, which)
        await erasure.queue_models(transaction, user_id)
        await erasure.delete_pages(transaction, which)
        if not await erasure.delete_account(transaction, user_id):
            raise NotFound("no such user")
        await erasure.record(transaction, user_id, ErasedKind.ACCOUNT, done)
    log.info("account_deleted", pages=done.pages)
    return done


async def _erase(transaction: Transaction, user_id: UUID, kind: ErasedKind, which: erasure.Which) -> Erasure:
    """Delete pages; taint, cancel and fall back as far as models and trainings depend on them."""
    done = await erasure.count(transaction, which)
    tainted = await erasure.taint(transaction, user_id, which)
    cancelled = await erasure.cancel_tainted_run(transaction, user_id)
    await _fall_back(transaction, user_id)
    await erasure.queue_images(transaction, user_id, which)
    await erasure.queue_models(transaction, user_id, tainted)
    await erasure.delete_pages(transaction, which)
    done = replace(
        done,
        tainted=tuple(tainted),
        cancelled_run=cancelled,
        retraining=await _trained_anew(transaction, user_id),
    )
    await erasure.record(transaction, user_id, kind, done)
    log.info("pages_deleted", pages=done.pages, tainted=len(tainted), cancelled=cancelled is not None)
    return done


async def _fall_back(transaction: Transaction, user_id: UUID) -> None:
    """Let the nearest untainted ancestor, or whatever is the base, serve where a tainted version did."""
    for script, ancestor in (await erasure.lost_models(transaction, user_id)).items():
        await models.activate(transaction, user_id, script, ancestor)


async def _trained_anew(transaction: Transaction, user_id: UUID) -> bool:
    """Say whether the sweep will queue a run without the deleted lines, after the user's minimum gap."""
    if not (await training_policy.find_policy(transaction, user_id)).automatic:
        return False
    have = await ground_truth.count_verified(transaction, user_id)
    tried = await training_readiness.tried(transaction, user_id)
    return any(last[0] == 0 and wants_run(have.get(script, 0), last) for script, last in tried.items())
