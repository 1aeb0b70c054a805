"""Rank the uncorrected lines of a project."""

import asyncio
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_registry.database import Database
from ketav_registry.domain import next_lines as rules
from ketav_registry.domain.next_lines import NextLine
from ketav_registry.repository import next_lines, projects
from ketav_registry.usecases.projects import NO_PROJECT

_MOST_WEIGHED = 2_000
_LONGEST = 400


async def list_next_lines(
    user_id: UUID, project_id: UUID, limit: int, *, database: Database
) -> tuple[list[NextLine], int]:
    """Return the lines of a project whose correction would teach most, and of how many. NotFound: no project.

    At most the 2,000 least confident lines are weighed, against the 2,000 latest verified texts.
    """
    async with database.user(user_id) as transaction:
        if await projects.find_project(transaction, user_id, project_id) is None:
            raise NotFound(NO_PROJECT)
        bounds = (_MOST_WEIGHED, _LONGEST)
        candidates, total = await next_lines.uncorrected_lines(transaction, user_id, project_id, *bounds)
        verified = await next_lines.verified_texts(transaction, user_id, project_id, *bounds)
    return await asyncio.to_thread(rules.next_lines, candidates, verified, limit), total
