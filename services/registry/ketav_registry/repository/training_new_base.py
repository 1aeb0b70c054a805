"""Hands whose model descends from an older base than the present one."""

from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import ACTIVE_STATES, RunState
from ketav_registry.domain.training_new_base import MAX_CANDIDATES, REPEAT_FACTOR, REPLACED, OutdatedHand
from ketav_registry.domain.training_policy import TrainingPolicy
from ketav_registry.repository.projects_hands import is_same
from ketav_registry.repository.training import NEXT_REVISION
from ketav_registry.tables import (
    account,
    active_hand_model,
    active_model,
    dataset,
    model_version,
    training_policy,
    training_run,
)

_version, _run, _dataset = model_version.c, training_run.c, dataset.c


async def count_unfinished(transaction: Transaction) -> int:
    """Count the unfinished runs from a new base, of all users."""
    query = sa.select(sa.func.count()).where(_run.new_base.is_not(None), _run.state.in_(ACTIVE_STATES))
    return int(await transaction.scalar(query) or 0)


async def list_outdated_hands(transaction: Transaction, script: Script, base: str) -> list[OutdatedHand]:
    """Return hands in a script that may be trained from its base now, in random order.

    Their users have no active run, are enabled and allow automatic runs, and the minimum gap since their last
    run has passed.
    """
    user_id = _version.user_id
    active = sa.exists().where(_run.user_id == user_id, _run.state.in_(ACTIVE_STATES))
    disabled = sa.exists().where(account.c.id == user_id, account.c.disabled_at.is_not(None))
    gap = sa.select(training_policy.c.minimum_gap).where(training_policy.c.user_id == user_id)
    gap = gap.correlate(model_version)
    earliest = sa.func.clock_timestamp() - sa.func.coalesce(
        gap.scalar_subquery(), sa.literal(TrainingPolicy().minimum_gap)
    )
    recent = sa.exists().where(_run.user_id == user_id, _run.created_at > earliest)
    off = sa.exists().where(training_policy.c.user_id == user_id, ~training_policy.c.automatic)
    query = sa.select(user_id, _version.hand_id).where(_is_outdated(script, base))
    query = query.where(~active, ~disabled, ~off, ~recent)
    rows = await transaction.execute(query.order_by(sa.func.random()).limit(MAX_CANDIDATES))
    return [OutdatedHand(row.user_id, Hand(script, row.hand_id), base) for row in rows]


async def is_outdated(transaction: Transaction, user_id: UUID, owner: Hand, base: str) -> bool:
    """Return whether a user's hand is still to be trained from this base of its script."""
    same = sa.and_(_version.user_id == user_id, is_same(_version.hand_id, owner.hand_id))
    query = sa.select(sa.exists().where(_is_outdated(owner.script, base), same))
    return bool(await transaction.scalar(query))


def _is_outdated(script: Script, base: str) -> sa.ColumnElement[bool]:
    """Return whether a version is its hand's active one, descends from another base, and is due for a run.

    A run from the base is not repeated, whatever its outcome, until the hand's dataset has doubled. It does
    not count if lines that it uses were deleted since.
    """
    is_active = sa.or_(
        sa.exists().where(active_model.c.version == _version.version),
        sa.exists().where(
            active_hand_model.c.version == _version.version, active_hand_model.c.hand_id == _version.hand_id
        ),
    )
    lines = sa.func.max(_dataset.training_lines + _dataset.holdout_lines)
    runs = (
        sa.select(lines)
        .join_from(training_run, dataset, _dataset.id == _run.dataset_id)
        .where(_run.user_id == _version.user_id, _run.script == script, ~_dataset.tainted)
        .where(is_same(_run.hand_id, _version.hand_id))
    )
    attempted = runs.where(_run.new_base == base).scalar_subquery()
    return sa.and_(
        _version.script == script,
        _version.state == ModelState.AVAILABLE,
        _version.base_version.is_distinct_from(base),
        is_active,
        sa.or_(attempted.is_(None), runs.scalar_subquery() >= REPEAT_FACTOR * attempted),
    )


async def replace_queued(transaction: Transaction, user_id: UUID) -> None:
    """Cancel the user's queued run from a new base, if there is one; it does not count as attempted."""
    query = training_run.update().where(
        _run.user_id == user_id, _run.state == RunState.QUEUED, _run.new_base.is_not(None)
    )
    await transaction.execute(
        query.values(state=RunState.CANCELLED, verdict=REPLACED, new_base=None, **NEXT_REVISION)
    )
