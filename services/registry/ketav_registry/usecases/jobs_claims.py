"""Claims of pages of jobs: without one, a worker reads and stores nothing of a user."""

from uuid import UUID

from ketav_common.errors import Forbidden
from ketav_common.identity import Work
from ketav_registry.domain.jobs import FencedPage
from ketav_registry.repository import jobs_pages
from ketav_registry.stores import Stores
from ketav_registry.usecases.jobs_pages import stale_fence


async def require_claim(
    user_id: UUID,
    work: Work | None,
    *,
    project_id: UUID | None = None,
    job_id: UUID | None = None,
    stores: Stores,
) -> None:
    """Check that a worker has claimed this page of a job of the user: of the project and job, if named.

    Forbidden: the call is bound to no page of a job, or to another job. Stale stale-fence: the user has no
    such job in this project, another worker has claimed the page, or it has an outcome.
    """
    if work is None or work.position is None or job_id not in {None, work.id}:
        raise Forbidden(
            "The call is bound to no page of this job. Sign an identity with the job, the position and the "
            "fence of the claimed page."
        )
    claimed = FencedPage(work.id, work.position, work.fence)
    async with stores.database.user(user_id) as transaction:
        if not await jobs_pages.is_claimed(transaction, claimed, user_id, project_id):
            raise stale_fence()
