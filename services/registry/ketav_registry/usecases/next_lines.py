"""The lines of a project that are most useful to correct next."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from ketav_registry.domain.next_lines import NextLine, rank_lines
from ketav_registry.repository import next_lines
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects import require_project

_MAX_LINES = 2_000
"""Lines that are ranked, and verified texts that they are compared with: with 40 characters each, ranking 100
lines takes a second of a core."""
_MAX_CODE_POINTS = 400
"""Code points of a line that is ranked: longer ones are several lines that were not separated."""


@dataclass(frozen=True, slots=True)
class NextLines:
    """Ranked lines, best first, and the number of all uncorrected lines of the project."""

    lines: list[NextLine]
    uncorrected_lines: int


async def list_next_lines(user_id: UUID, project_id: UUID, limit: int, *, stores: Stores) -> NextLines:
    """Return the uncorrected lines of a project whose correction improves the model most.

    Ranks the 2,000 least confident lines, compared with the 2,000 latest verified texts of its hand.
    NotFound: no such project.
    """
    async with stores.database.project(user_id, project_id) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        project = await require_project(transaction, owner_id, project_id)
        uncorrected = await next_lines.uncorrected_lines(
            transaction, owner_id, project_id, max_lines=_MAX_LINES, max_code_points=_MAX_CODE_POINTS
        )
        verified = await next_lines.verified_texts(
            transaction, owner_id, project.hand, max_lines=_MAX_LINES, max_code_points=_MAX_CODE_POINTS
        )
    lines = await asyncio.to_thread(rank_lines, uncorrected.candidates, verified, limit)
    return NextLines(lines, uncorrected.total)
