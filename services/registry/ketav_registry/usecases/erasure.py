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
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import MIN_LINES
from ketav_registry.repository import erasure, ground_truth, models, policy, projects
from ketav_registry.usecases.models import required_base
from ketav_registry.usecases.projects import NO_PAGE, NO_PROJECT

log = get_logger()


async def delete_page(user_id: UUID, project_id: UUID, page_id: UUID, *, database: Database) -> Erasure:
    """Delete a page with everything read and corrected on it. NotFound: no such page."""
    async with database.user(user_id, alone=True) as transaction:
        if await projects.find_page(transaction, user_id, page_id, project_id) is None:
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
    lost = await _fall_back(transaction, user_id)
    await erasure.queue_images(transaction, user_id, which)
    await erasure.queue_models(transaction, user_id, tainted)
    await erasure.delete_pages(transaction, which)
    if cancelled is not None:
        lost.add(cancelled[1])
    done = replace(
        done,
        tainted=tuple(tainted),
        cancelled_run=None if cancelled is None else cancelled[0],
        retraining=bool(lost & await _trainable(transaction, user_id)),
    )
    await erasure.record(transaction, user_id, kind, done)
    log.info("pages_deleted", pages=done.pages, tainted=len(tainted), cancelled=cancelled is not None)
    return done


async def _fall_back(transaction: Transaction, user_id: UUID) -> set[Script]:
    """Let the nearest untainted ancestor, or the base, serve where a tainted version was active."""
    lost = await erasure.lost_models(transaction, user_id)
    for script, ancestor in lost.items():
        version = ancestor or (await required_base(transaction, script)).version
        await models.activate(transaction, user_id, script, version)
    return set(lost)


async def _trainable(transaction: Transaction, user_id: UUID) -> set[Script]:
    """Return the scripts whose remaining lines suffice for a run, if runs may come by themselves."""
    if not (await policy.find_policy(transaction, user_id)).automatic:
        return set()
    lines = await ground_truth.verified_lines(transaction, user_id)
    return {script for script, found in lines.items() if len(found) >= MIN_LINES}
