"""Verified lines of users, and the datasets frozen from them."""

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
    Split,
    VerifiedLine,
    manifest_sha256,
    split_lines,
    text_sha256,
)
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.transcriptions import LineKey
from ketav_registry.repository.corrections import latest_corrections
from ketav_registry.repository.pages import page_of
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of
from ketav_registry.repository.transcriptions import line_of
from ketav_registry.tables import (
    correction,
    dataset,
    dataset_line,
    hand,
    line,
    model_version,
    page,
    project,
    training_run,
)

_correction, _dataset_line = correction.c, dataset_line.c


async def verified_lines(transaction: Transaction, user_id: UUID) -> dict[Hand, list[VerifiedLine]]:
    """Return the verified lines of the user's pages by hand."""
    latest = latest_corrections(user_id)
    query = (
        sa.select(latest, project.c.script, project.c.hand_id, HAND_NAME, page.c.sha256, line.c.replaces)
        .join(project, project.c.id == latest.c.project_id)
        .outerjoin(hand, hand.c.id == project.c.hand_id)
        .join(page, page.c.id == latest.c.page_id)
        .join(line, line.c.id == latest.c.line_id)
        .where(latest.c.quarantine.is_(None))
        .order_by(latest.c.page_id, latest.c.geometry_sha256)
    )
    lines: defaultdict[Hand, list[VerifiedLine]] = defaultdict(list)
    for row in await transaction.execute(query):
        key = LineKey(row.page_id, row.geometry_sha256)
        verified = VerifiedLine(row.line_id, key, row.id, row.text, row.sha256, tuple(row.replaces))
        lines[hand_of(row)].append(verified)
    return dict(lines)


async def count_verified(transaction: Transaction, user_id: UUID) -> dict[Hand, int]:
    """Count a user's verified lines by hand, without reading their texts."""
    return await _count(transaction, user_id, quarantined=False)


async def _count(transaction: Transaction, user_id: UUID, *, quarantined: bool) -> dict[Hand, int]:
    """Count the user's lines whose latest correction is quarantined, or is not, by hand."""
    latest = latest_corrections(user_id, deciding=not quarantined)
    is_counted = (
        sa.and_(latest.c.quarantine.is_not(None), ~latest.c.withdrawn)
        if quarantined
        else latest.c.quarantine.is_(None)
    )
    query = (
        sa.select(project.c.script, project.c.hand_id, HAND_NAME, sa.func.count().label("lines"))
        .join(latest, latest.c.project_id == project.c.id)
        .outerjoin(hand, hand.c.id == project.c.hand_id)
        .where(is_counted)
        .group_by(project.c.script, project.c.hand_id, hand.c.name)
    )
    return {hand_of(row): row.lines for row in await transaction.execute(query)}


async def count_lines(transaction: Transaction, user_id: UUID) -> dict[Hand, LineCounts]:
    """Count a user's verified, quarantined and held-out lines by hand, as a run would split them now."""
    quarantined = await _count(transaction, user_id, quarantined=True)
    verified = await verified_lines(transaction, user_id)
    previous = await previous_sides(transaction, user_id)
    counts = {}
    for owner in verified.keys() | quarantined.keys():
        lines = verified.get(owner, [])
        sides = split_lines(lines, previous)
        holdout = sum(side is Split.HOLDOUT for side in sides.values())
        counts[owner] = LineCounts(len(lines), quarantined.get(owner, 0), holdout)
    return counts


async def previous_sides(transaction: Transaction, user_id: UUID) -> dict[LineKey, Split]:
    """Return the side of each line in the user's earlier datasets; a line that has trained never measures."""
    query = (
        sa.select(
            _dataset_line.page_id,
            _dataset_line.geometry_sha256,
            sa.func.bool_or(has_trained()).label("trained"),
        )
        .join(dataset, dataset.c.id == _dataset_line.dataset_id)
        .where(_dataset_line.user_id == user_id)
        .group_by(_dataset_line.page_id, _dataset_line.geometry_sha256)
    )
    return {
        LineKey(row.page_id, row.geometry_sha256): Split.TRAIN if row.trained else Split.HOLDOUT
        for row in await transaction.execute(query)
    }


def has_trained(
    lines: sa.FromClause = dataset_line, datasets: sa.FromClause = dataset
) -> sa.ColumnElement[bool]:
    """Return whether a line has trained: on its side of its dataset, or to complete the version."""
    return sa.or_(lines.c.split == Split.TRAIN, datasets.c.completed)


async def mark_completed(transaction: Transaction, run_id: UUID) -> None:
    """Record that the version of a run learnt the held-out lines of the run's dataset."""
    of_run = sa.select(training_run.c.dataset_id).where(training_run.c.id == run_id).scalar_subquery()
    await transaction.execute(dataset.update().where(dataset.c.id == of_run).values(completed=True))


async def insert_dataset(
    transaction: Transaction,
    user_id: UUID,
    owner: Hand,
    lines: Sequence[VerifiedLine],
    sides: Mapping[LineKey, Split],
) -> UUID:
    """Insert verified lines of a hand with their sides as a dataset and return its id."""
    dataset_id = uuid4()
    rows = [
        {
            "dataset_id": dataset_id,
            "line_id": verified.line_id,
            "user_id": user_id,
            "page_id": verified.key.page_id,
            "geometry_sha256": verified.key.geometry_sha256,
            "correction_id": verified.correction_id,
            "text_sha256": text_sha256(verified.text),
            "image_sha256": verified.image_sha256,
            "split": sides[verified.key],
        }
        for verified in lines
    ]
    holdout = sum(sides[verified.key] is Split.HOLDOUT for verified in lines)
    values = {
        "id": dataset_id,
        "user_id": user_id,
        "script": owner.script,
        "hand_id": owner.hand_id,
        "manifest_sha256": manifest_sha256(lines, sides),
        "training_lines": len(rows) - holdout,
        "holdout_lines": holdout,
    }
    await transaction.execute(dataset.insert().values(**values))
    await transaction.execute(dataset_line.insert(), rows)
    return dataset_id


async def dataset_pages(
    transaction: Transaction, dataset_id: UUID, versions: Sequence[str]
) -> list[GroundTruthPage]:
    """Return the pages of a dataset with the texts that were frozen; later corrections do not change them.

    A line counts as trained if it has trained one of `versions` or one of their ancestors.
    """
    query = (
        sa.select(
            page,
            *(column.label(f"line_{column.name}") for column in line.c),
            _correction.text.label("verified"),
            _dataset_line.split,
            _trained_by_ancestors(versions).label("trained"),
        )
        .join(dataset_line, _dataset_line.page_id == page.c.id)
        .join(line, line.c.id == _dataset_line.line_id)
        .join(correction, _correction.id == _dataset_line.correction_id)
        .where(_dataset_line.dataset_id == dataset_id)
        .order_by(page.c.created_at, page.c.id, line.c.order, line.c.id)
    )
    rows = list(await transaction.execute(query))
    pages = []
    for _, group in groupby(rows, key=lambda row: row.id):
        rows_of_page = list(group)
        stored = page_of(rows_of_page[0])
        lines = tuple(
            GroundTruthLine(line_of(_LineRow(row)), row.verified, row.split, row.trained)
            for row in rows_of_page
        )
        pages.append(GroundTruthPage(stored.page_id, stored.image, stored.layout, lines))
    return pages


def _trained_by_ancestors(versions: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return whether a dataset's line has trained one of these versions or of their ancestors."""
    ancestors = (
        sa.select(model_version.c.parent_version, model_version.c.run_id)
        .where(model_version.c.version.in_(versions))
        .cte("ancestors", recursive=True)
    )
    older = model_version.alias("older")
    ancestors = ancestors.union_all(
        sa.select(older.c.parent_version, older.c.run_id).join(
            ancestors, older.c.version == ancestors.c.parent_version
        )
    )
    earlier, earlier_dataset = dataset_line.alias("earlier"), dataset.alias("earlier_dataset")
    return sa.exists(
        sa.select(earlier.c.line_id)
        .join(earlier_dataset, earlier_dataset.c.id == earlier.c.dataset_id)
        .join(training_run, training_run.c.dataset_id == earlier.c.dataset_id)
        .join(ancestors, ancestors.c.run_id == training_run.c.id)
        .where(
            earlier.c.page_id == _dataset_line.page_id,
            earlier.c.geometry_sha256 == _dataset_line.geometry_sha256,
            has_trained(earlier, earlier_dataset),
        )
    )


class _LineRow:
    """A joined row whose columns line_… are read as the columns of its line."""

    def __init__(self, row: Any) -> None:  # noqa: ANN401 - a row with columns called line_...
        """Read from this row."""
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any column
        """Return a column of the line."""
        return getattr(self._row, f"line_{name}")


async def training_texts(transaction: Transaction, user_id: UUID, dataset_id: UUID) -> list[tuple[UUID, str]]:
    """Return the ids and the frozen texts of the training lines of a dataset, ordered by id."""
    query = (
        sa.select(_dataset_line.line_id, _correction.text)
        .join(correction, _correction.id == _dataset_line.correction_id)
        .where(_dataset_line.user_id == user_id, _dataset_line.dataset_id == dataset_id)
        .where(_dataset_line.split == Split.TRAIN)
        .order_by(_dataset_line.line_id)
    )
    return [(row.line_id, row.text) for row in await transaction.execute(query)]
