"""Showing the benefit: how far first readings lay from what the user finally wrote, by version and date."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from ketav_registry.database import Database
from ketav_registry.domain.models import Script
from ketav_registry.domain.models_progress import PageProgress, ReadPage, VersionProgress, compare
from ketav_registry.domain.requests import After
from ketav_registry.repository import models_progress
from ketav_registry.repository.models_progress import ComparedLine

_MOST_LINES = 20_000
_MOST_TEXT = 2_000_000


async def list_progress(
    user_id: UUID, script: Script | None, after: After | None, limit: int, *, database: Database
) -> tuple[list[PageProgress], After | None]:
    """Return the user's pages, newest first, with what was misread on each at first, and where it goes on.

    The list ends early once two million code points were compared.
    """
    found: list[PageProgress] = []
    compared = 0
    async with database.user(user_id) as transaction:
        pages = await models_progress.read_pages(transaction, user_id, script, after, limit + 1)
        for page in pages[:limit]:
            pairs = await models_progress.pairs_of(transaction, user_id, page.page_id)
            found.append(PageProgress(page, await asyncio.to_thread(compare, pairs)))
            compared += sum(len(verified) + len(read) for verified, read in pairs)
            if compared > _MOST_TEXT:
                break
    last = found[-1].page if found else None
    more = (last.create_time, last.page_id) if last and len(found) < len(pages) else None
    return found, more


async def progress_by_version(
    user_id: UUID, script: Script | None, *, database: Database
) -> tuple[list[VersionProgress], bool]:
    """Return what each version misread on the pages it read first, and whether every line was compared."""
    async with database.user(user_id) as transaction:
        lines, complete = await models_progress.compared_lines(
            transaction, user_id, script, _MOST_LINES, _MOST_TEXT
        )
    return await asyncio.to_thread(_by_version, lines), complete


def _by_version(lines: Sequence[ComparedLine]) -> list[VersionProgress]:
    """Add lines up by version and script, the version that read first at the beginning."""
    groups: defaultdict[tuple[str, Script], list[ComparedLine]] = defaultdict(list)
    for line in lines:
        groups[line.page.model.version, line.page.script].append(line)
    found = [_version(group) for group in groups.values()]
    return sorted(found, key=lambda each: (each.first_read_time, each.model.version))


def _version(lines: Sequence[ComparedLine]) -> VersionProgress:
    """Add up the lines of one version and script."""
    pages: dict[UUID, ReadPage] = {line.page.page_id: line.page for line in lines}
    times = [page.read_time for page in pages.values()]
    return VersionProgress(
        model=lines[0].page.model,
        script=lines[0].page.script,
        pages=len(pages),
        errors=compare([line.pair for line in lines]),
        first_read_time=min(times),
        last_read_time=max(times),
    )
