"""Search in the lines of a user's pages."""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ketav_registry.domain.transcriptions import Line
from ketav_registry.domain.transcriptions_search import Hit, find, query_words
from ketav_registry.repository import transcriptions_search
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects import require_project

MAX_HITS: Final = 1_000
"""Lines that are compared in detail: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A line with its project, its page, and what matches in it."""

    project_id: UUID
    page_id: UUID
    line: Line
    hit: Hit


async def search_lines(
    user_id: UUID, query: str, project_id: UUID | None, *, stores: Stores
) -> list[SearchHit]:
    """Return the lines that contain the words of a query, best first, at most MAX_HITS.

    Lines of equal score are in the order of their pages and in reading order. InvalidInput: empty-query,
    query-too-long. NotFound: no such project.
    """
    words = query_words(query)
    async with stores.database.project(user_id, project_id) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        if project_id is not None:
            await require_project(transaction, owner_id, project_id)
        rows = await transcriptions_search.candidates(transaction, owner_id, project_id, words, MAX_HITS)
    return await asyncio.to_thread(_ranked, rows, words)


def _ranked(rows: list[tuple[UUID, UUID, Line]], words: list[str]) -> list[SearchHit]:
    """Return the lines whose text matches, best first."""
    hits = []
    for project_id, page_id, line in rows:
        hit = find(line.text if line.verified_text is None else line.verified_text, words)
        if hit is not None:
            hits.append(SearchHit(project_id, page_id, line, hit))
    return sorted(hits, key=lambda item: -item.hit.score)
