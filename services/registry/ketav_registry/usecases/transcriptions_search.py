"""Search in the lines of a user's pages."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_registry.domain.transcriptions import Line
from ketav_registry.domain.transcriptions_search import Hit, find, query_words
from ketav_registry.repository import members, transcriptions_search
from ketav_registry.repository.transcriptions_search import Candidate
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects import require_project

MAX_HITS: Final = 1_000
"""Lines that are compared in detail, of the user and of each shared project: a tenth of a second."""
MAX_SHARED_PROJECTS: Final = 50
"""Shared projects that one search without a project enters, the latest memberships first."""


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

    Without a project they are lines of the user's projects and of the latest MAX_SHARED_PROJECTS that are
    shared with the user. Lines of equal score are in the order of their pages and in reading order, the
    user's own first. InvalidInput: empty-query, query-too-long. NotFound: no such project.
    """
    words = query_words(query)
    if project_id is not None:
        return await _add_hits([], await _project_candidates(user_id, project_id, words, stores), words)
    async with stores.database.user(user_id) as transaction:
        rows = await transcriptions_search.candidates(transaction, user_id, None, words, MAX_HITS)
        shared = await members.list_shared_projects(transaction, user_id, MAX_SHARED_PROJECTS)
    hits = await _add_hits([], rows, words)
    for shared_id in shared:
        with suppress(NotFound):  # the membership or the project has ended meanwhile
            hits = await _add_hits(hits, await _project_candidates(user_id, shared_id, words, stores), words)
    return hits


async def _project_candidates(
    user_id: UUID, project_id: UUID, words: list[str], stores: Stores
) -> list[Candidate]:
    """Return the candidates in a project that the user owns or is a member of. NotFound: no such project."""
    async with stores.database.project(user_id, project_id) as scope:
        await require_project(scope.transaction, scope.owner_id, project_id)
        return await transcriptions_search.candidates(
            scope.transaction, scope.owner_id, project_id, words, MAX_HITS
        )


async def _add_hits(hits: list[SearchHit], rows: list[Candidate], words: list[str]) -> list[SearchHit]:
    """Return the best MAX_HITS of the hits and of the rows that match, so that no more stay in memory."""
    return sorted([*hits, *await asyncio.to_thread(_matches, rows, words)], key=_rank)[:MAX_HITS]


def _rank(item: SearchHit) -> float:
    """Return the key by which the best hit is the first."""
    return -item.hit.score


def _matches(rows: list[Candidate], words: list[str]) -> list[SearchHit]:
    """Return the lines whose text matches, in the order of the rows."""
    hits = []
    for project_id, page_id, line in rows:
        hit = find(line.text if line.verified_text is None else line.verified_text, words)
        if hit is not None:
            hits.append(SearchHit(project_id, page_id, line, hit))
    return hits
