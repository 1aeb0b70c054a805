"""Verified lines and the datasets frozen from them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.ground_truth import (
    GroundTruthLine,
    GroundTruthPage,
    LineCounts,
    Place,
    Split,
    VerifiedLine,
    manifest_sha256,
    split_lines,
    text_sha256,
)
from ketav_registry.domain.models import Script
from ketav_registry.repository.corrections import latest_corrections
from ketav_registry.repository.pages import page_of
from ketav_registry.repository.transcriptions import line_of
from ketav_registry.tables import (
    correction,
    dataset,
    dataset_line,
    line,
    page,
    project,
)

_c, _dl = correction.c, dataset_line.c


async def verified_lines(transaction: Transaction, user_id: UUID) -> dict[Script, list[VerifiedLine]]:
    """Return the latest correction of every place on the user's pages, by script; not those in quarantine."""
    latest = latest_corrections(user_id)
    query = (
        sa.select(latest, project.c.script, page.c.sha256)
        .join(project, project.c.id == latest.c.project_id)
        .join(page, page.c.id == latest.c.page_id)
        .where(latest.c.quarantine.is_(None))
        .order_by(latest.c.page_id, latest.c.place)
    )
    found: defaultdict[Script, list[VerifiedLine]] = defaultdict(list)
    for row in await transaction.execute(query):
        verified = VerifiedLine(row.line_id, row.page_id, row.place, row.id, row.text, row.sha256)
        found[row.script].append(verified)
    return dict(found)


async def count_verified(transaction: Transaction, user_id: UUID) -> dict[Script, int]:
    """Count a user's verified lines by script, without their texts."""
    return await _count(transaction, user_id, quarantined=False)


async def _count(transaction: Transaction, user_id: UUID, *, quarantined: bool) -> dict[Script, int]:
    """Count the latest corrections of a user's places by script, those in quarantine or the others."""
    latest = latest_corrections(user_id)
    query = (
        sa.select(project.c.script, sa.func.count().label("lines"))
        .join(latest, latest.c.project_id == project.c.id)
        .where(latest.c.quarantine.is_not(None) if quarantined else latest.c.quarantine.is_(None))
        .group_by(project.c.script)
    )
    return {row.script: row.lines for row in await transaction.execute(query)}


async def count_lines(transaction: Transaction, user_id: UUID) -> dict[Script, LineCounts]:
    """Count a user's verified, quarantined and held-out lines by script, as a run would find them now."""
    doubted = await _count(transaction, user_id, quarantined=True)
    verified = await verified_lines(transaction, user_id)
    before = await sides_before(transaction, user_id)
    counts = {}
    for script in verified.keys() | doubted.keys():
        lines = verified.get(script, [])
        sides = split_lines(lines, before)
        held_out = sum(side is Split.HOLDOUT for side in sides.values())
        counts[script] = LineCounts(len(lines), doubted.get(script, 0), held_out)
    return counts


async def sides_before(transaction: Transaction, user_id: UUID) -> dict[Place, Split]:
    """Return on which side each place was in the user's earlier datasets; it never changes."""
    query = sa.select(_dl.page_id, _dl.place, _dl.split).where(_dl.user_id == user_id).distinct()
    return {(row.page_id, row.place): row.split for row in await transaction.execute(query)}


async def insert_dataset(
    transaction: Transaction,
    user_id: UUID,
    script: Script,
    lines: Sequence[VerifiedLine],
    sides: Mapping[Place, Split],
) -> UUID:
    """Freeze verified lines with their sides of the split as a dataset and return its id."""
    dataset_id = uuid4()
    rows = [
        {
            "dataset_id": dataset_id,
            "line_id": each.line_id,
            "user_id": user_id,
            "page_id": each.page_id,
            "place": each.place,
            "correction_id": each.correction_id,
            "text_sha256": text_sha256(each.text),
            "image_sha256": each.image_sha256,
            "split": sides[each.page_id, each.place],
        }
        for each in lines
    ]
    held_out = sum(sides[each.page_id, each.place] is Split.HOLDOUT for each in lines)
    values = {
        "id": dataset_id,
        "user_id": user_id,
        "script": script,
        "manifest_sha256": manifest_sha256(lines, sides),
        "training_lines": len(rows) - held_out,
        "holdout_lines": held_out,
    }
    await transaction.execute(dataset.insert().values(**values))
    await transaction.execute(dataset_line.insert(), rows)
    return dataset_id


async def dataset_pages(transaction: Transaction, dataset_id: UUID) -> list[GroundTruthPage]:
    """Return a dataset page by page, as it was frozen: later corrections do not change it."""
    query = (
        sa.select(
            page,
            *(column.label(f"line_{column.name}") for column in line.c),
            _c.text.label("verified"),
            _dl.split,
        )
        .join(dataset_line, _dl.page_id == page.c.id)
        .join(line, line.c.id == _dl.line_id)
        .join(correction, _c.id == _dl.correction_id)
        .where(_dl.dataset_id == dataset_id)
        .order_by(page.c.created_at, page.c.id, line.c.order, line.c.id)
    )
    rows = list(await transaction.execute(query))
    pages = []
    for _, group in groupby(rows, key=lambda row: row.id):
        on_page = list(group)
        shown = page_of(on_page[0])
        lines = tuple(GroundTruthLine(line_of(_Prefixed(row)), row.verified, row.split) for row in on_page)
        pages.append(GroundTruthPage(shown.page_id, shown.image, shown.layout, lines))
    return pages


class _Prefixed:
    """A joined row seen as the row of its line."""

    def __init__(self, row: Any) -> None:  # noqa: ANN401 - a row with columns called line_...
        """Take the joined row."""
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any column
        """Return a column of the line."""
        return getattr(self._row, f"line_{name}")
