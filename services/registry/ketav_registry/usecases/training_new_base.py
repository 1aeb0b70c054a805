"""Queues runs that train hands from a new base model, one after the other, behind all other runs."""

from contextlib import suppress

from ketav_common.errors import Conflict, KetavError
from ketav_common.logging import get_logger
from ketav_registry.database import UniqueConflictError
from ketav_registry.domain.ground_truth import Split
from ketav_registry.domain.models import Script
from ketav_registry.domain.training_new_base import MAX_RUNS, MIN_NEW_LINES, OutdatedHand
from ketav_registry.repository import ground_truth, models, training_new_base, training_sweep
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import NewRun, queue_run

log = get_logger()


async def queue_from_new_base(stores: Stores) -> None:
    """Queue a run of one hand whose model descends from an older base, unless any other run waits.

    At most MAX_RUNS such runs are unfinished at a time, so that runs of users never wait for many of them.
    """
    for outdated in await _outdated_hands(stores):
        if await _new_lines(outdated, stores) < MIN_NEW_LINES:
            continue
        try:
            # A run that the user has started meanwhile is as good.
            with suppress(Conflict, UniqueConflictError):
                run = await queue_run(
                    outdated.user_id, NewRun(hand=outdated.hand, new_base=outdated.base), stores
                )
                log.info("run_from_new_base", run_id=str(run.run_id), base=outdated.base)
                return
        except KetavError as error:  # such as too few lines: the next hand has its turn
            log.info("new_base_not_tried", due_user=str(outdated.user_id), code=error.code)


async def _new_lines(outdated: OutdatedHand, stores: Stores) -> int:
    """Count the verified lines of a hand that have trained no version."""
    async with stores.database.user(outdated.user_id) as transaction:
        lines = await ground_truth.verified_lines(transaction, outdated.user_id)
        sides = await ground_truth.previous_sides(transaction, outdated.user_id)
    return sum(sides.get(line.key) is not Split.TRAIN for line in lines.get(outdated.hand, ()))


async def _outdated_hands(stores: Stores) -> list[OutdatedHand]:
    """Return the hands of which one may get a run now; none while others wait for a worker."""
    async with stores.database.system() as transaction:
        waiting = await training_sweep.queued_runs(transaction)
        if waiting or await training_new_base.count_unfinished(transaction) >= MAX_RUNS:
            return []
        hands: list[OutdatedHand] = []
        for script in Script:
            base = await models.base_model(transaction, script)
            if base is not None:
                hands += await training_new_base.list_outdated_hands(transaction, script, base.version)
    return hands
