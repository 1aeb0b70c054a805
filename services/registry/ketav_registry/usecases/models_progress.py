"""Progress of a user's models: the errors of first transcriptions, by page and by version."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ketav_registry.domain.models_progress import FirstReading, PageProgress, VersionProgress, count_errors
from ketav_registry.domain.projects_hands import Hand, HandFilter
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository import models_progress
from ketav_registry.repository.models_progress import ComparedLine
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects_hands import require_hand

_MAX_LINES = 20_000
"""Lines that the totals by version compare, the newest ones first."""
_MAX_CODE_POINTS = 2_000_000
"""Code points of verified texts and readings that a response compares: 0.06 s of a core for lines of 50 code
points, 0.6 s for lines of 4,000."""


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """Pages with their errors, newest first, and the position at which the list continues, if it does.

    `versions` has the totals by version and hand, oldest version first, in the first part of the list only;
    `versions_complete`: the totals include all lines.
    """

    pages: list[PageProgress]
    next_position: ListPosition[UUID] | None
    versions: Sequence[VersionProgress] = ()
    versions_complete: bool = False


async def list_model_progress(
    user_id: UUID,
    hands: HandFilter,
    after: ListPosition[UUID] | None,
    limit: int,
    *,
    stores: Stores,
) -> ModelProgress:
    """Return the errors of the first transcriptions of at most `limit` pages of the user, newest first.

    The list is shorter when two million code points are compared. Without `after`, the totals are included.
    InvalidInput unknown-hand: no page is of a hand with the name, and there is no such hand.
    """
    progress = await _list_pages(user_id, hands, after, limit, stores)
    if after is not None:
        return progress
    async with stores.database.user(user_id) as transaction:
        compared = await models_progress.list_compared_lines(
            transaction, user_id, hands, max_lines=_MAX_LINES, max_code_points=_MAX_CODE_POINTS
        )
    versions = await asyncio.to_thread(_by_version, compared.lines)
    return replace(progress, versions=versions, versions_complete=compared.complete)


async def _list_pages(
    user_id: UUID, hands: HandFilter, after: ListPosition[UUID] | None, limit: int, stores: Stores
) -> ModelProgress:
    """Return pages with their errors, without totals."""
    pages: list[PageProgress] = []
    compared = 0
    async with stores.database.user(user_id) as transaction:
        readings = await models_progress.list_first_readings(transaction, user_id, hands, after, limit + 1)
        if not readings and hands.name:
            await require_hand(transaction, user_id, hands.name)
        for reading in readings[:limit]:
            pairs = await models_progress.list_pairs(transaction, user_id, reading.page_id)
            pages.append(PageProgress(reading, await asyncio.to_thread(count_errors, pairs)))
            compared += sum(len(verified) + len(read) for verified, read in pairs)
            if compared > _MAX_CODE_POINTS:
                break
    if len(pages) == len(readings):
        return ModelProgress(pages, None)
    last = pages[-1].reading
    return ModelProgress(pages, ListPosition(last.create_time, last.page_id))


def _by_version(lines: Sequence[ComparedLine]) -> list[VersionProgress]:
    """Return the totals by version and hand, in the order of their first readings."""
    groups: defaultdict[tuple[str, Hand], list[ComparedLine]] = defaultdict(list)
    for line in lines:
        groups[line.reading.model.version, line.reading.hand].append(line)
    totals = [_total(group) for group in groups.values()]
    return sorted(totals, key=lambda total: (total.first_read_time, total.model.version))


def _total(lines: Sequence[ComparedLine]) -> VersionProgress:
    """Return the totals of the lines of one version and hand."""
    readings: dict[UUID, FirstReading] = {line.reading.page_id: line.reading for line in lines}
    times = [reading.read_time for reading in readings.values()]
    return VersionProgress(
        model=lines[0].reading.model,
        hand=lines[0].reading.hand,
        pages=len(readings),
        errors=count_errors([line.pair for line in lines]),
        first_read_time=min(times),
        last_read_time=max(times),
    )
