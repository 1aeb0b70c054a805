"""Readiness of a user's hands for their next training runs."""

from uuid import UUID

from ketav_registry.database import Transaction
from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand, HandFilter
from ketav_registry.domain.training import LastRun
from ketav_registry.domain.training_readiness import HandStatus, UserReadiness, UserStatus, readiness
from ketav_registry.repository import ground_truth, models, training, training_policy, training_readiness
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects_hands import require_hand

_NO_LINES = LineCounts(verified=0, quarantined=0, holdout=0)


async def get_readiness(user_id: UUID, selected: HandFilter, *, stores: Stores) -> UserReadiness:
    """Return the readiness of these hands of a user, of the own one where there is none.

    InvalidInput unknown-hand: there is no hand with the name.
    """
    async with stores.database.user(user_id) as transaction:
        counts = await ground_truth.count_lines(transaction, user_id)
        now = await training_readiness.database_time(transaction)
        last_runs = await training_readiness.last_runs(transaction, user_id)
        latest_age = min((run.age for run in last_runs.values()), default=None)
        user = UserStatus(
            now=now,
            policy=await training_policy.find_policy(transaction, user_id),
            active_run=await training.find_active_run(transaction, user_id),
            last_run_time=None if latest_age is None else now - latest_age,
        )
        hands = {hand for hand in counts.keys() | last_runs.keys() if selected.matches(hand)}
        if not hands and selected.name:
            hands = {await require_hand(transaction, user_id, selected.name)}
        hands = hands or {Hand(selected.script or Script.MODERN_CURSIVE)}
        statuses = [
            await _hand_status(transaction, user_id, hand, counts.get(hand, _NO_LINES), last_runs.get(hand))
            for hand in hands
        ]
    statuses.sort(key=lambda status: (-status.counts.verified, status.hand.script, status.hand.name))
    return UserReadiness([readiness(status, user) for status in statuses], user)


async def _hand_status(
    transaction: Transaction, user_id: UUID, hand: Hand, counts: LineCounts, last_run: LastRun | None
) -> HandStatus:
    """Read the other facts about a hand."""
    serving = await models.serving_model(transaction, user_id, hand)
    return HandStatus(
        hand=hand,
        counts=counts,
        last_run=last_run,
        past_runs=await training_readiness.past_runs(transaction, user_id, hand),
        serving_version=serving.version if serving else "",
    )
