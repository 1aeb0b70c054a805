"""The runs that workers have claimed: without a claim, a worker gets no model of a user."""

from uuid import UUID

from ketav_common.errors import Forbidden
from ketav_common.identity import Work
from ketav_registry.domain.training import FencedRun
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import require_held_run


async def require_owner(work: Work | None, *, stores: Stores) -> UUID:
    """Return the user of the run that a worker has claimed.

    Forbidden: the call is bound to no run. Stale stale-fence: another worker has claimed the run. Stale
    run-ended: the run has ended.
    """
    if work is None or work.position is not None:
        raise Forbidden(
            "The call is bound to no run. Sign an identity with the run and the fence of its claim."
        )
    async with stores.database.system() as transaction:
        run = await require_held_run(transaction, FencedRun(work.id, work.fence))
    return run.user_id
