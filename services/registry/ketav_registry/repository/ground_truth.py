"""The ground truth of a user, the datasets frozen from it, and what was on which side before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain import training as rules
from ketav_registry.domain.models import ModelState, Script
from ketav_registry.domain.policy import wants_run
from ketav_registry.domain.training import (
    ACTIVE,
    GroundTruthLine,
    GroundTruthPage,
    LineCounts,
    Place,
    Split,
    VerifiedLine,
)
from ketav_registry.repository.corrections import latest_corrections
from ketav_registry.repository.projects import page_of
from ketav_registry.repository.transcriptions import line_of
from ketav_registry.tables import (
    correction,
    dataset,
    dataset_line,
    feedback,
    line,
    model_version,
    page,
    project,
    training_policy,
    training_run,
)

_c, _d, _dl, _r = correction.c, dataset.c, dataset_line.c, training_run.c


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
        sides = rules.split_lines(lines, before)
        held_out = sum(side is Split.HOLDOUT for side in sides.values())
        counts[script] = LineCounts(len(lines), doubted.get(script, 0), held_out)
    return counts


async def tried(transaction: Transaction, user_id: UUID) -> dict[Script, tuple[int, timedelta]]:
    """Return how many lines the user's last run of each script had, and how old that run is.

    A run has tried nothing when lines it had, or lines its parent had learnt from, were deleted since.
    """
    query = (
        sa.select(
            _r.script, _lines().label("lines"), (sa.func.clock_timestamp() - _r.created_at).label("age")
        )
        .join(dataset, _d.id == _r.dataset_id)
        .where(_r.user_id == user_id)
        .order_by(_r.script, _r.created_at.desc())
        .ext(pg.distinct_on(_r.script))
    )
    return {row.script: (row.lines, row.age) for row in await transaction.execute(query)}


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
            "text_sha256": rules.text_sha256(each.text),
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
        "manifest_sha256": rules.manifest_sha256(lines, sides),
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


async def users_with_news(transaction: Transaction) -> list[UUID]:
    """Return the users who may be due, in random order.

    They have no active run, and news of a script since its last run; all lines they ever sent, never fewer
    than the verified ones, would be enough. A feedback's count of ground truth would not do: it does not
    know of what was stored on other pages at the same moment.
    """
    mine = sa.and_(_r.user_id == feedback.c.user_id, _r.script == project.c.script)
    latest = sa.select(_r.created_at).join(dataset, _d.id == _r.dataset_id).where(mine)
    latest = latest.order_by(_r.created_at.desc()).limit(1)
    lines = latest.with_only_columns(_lines()).scalar_subquery()
    age = latest.with_only_columns(sa.func.clock_timestamp() - _r.created_at).scalar_subquery()
    last = sa.select(sa.func.max(_r.created_at) - timedelta(minutes=1)).where(mine).scalar_subquery()
    active = sa.exists().where(_r.user_id == feedback.c.user_id, _r.state.in_(ACTIVE))
    off = sa.exists().where(training_policy.c.user_id == feedback.c.user_id, ~training_policy.c.automatic)
    query = (
        sa.select(feedback.c.user_id, sa.func.sum(feedback.c.accepted_lines).label("sent"))
        .add_columns(lines.label("tried"), age.label("age"))
        .join(project, project.c.id == feedback.c.project_id)
        .where(~active, ~off)
        .group_by(feedback.c.user_id, project.c.script)
        .having(
            sa.or_(
                sa.func.max(feedback.c.created_at) > sa.func.coalesce(last, sa.text("'-infinity'")),
                _spoilt(feedback.c.user_id, project.c.script),
            )
        )
        .order_by(sa.func.random())
    )
    rows = await transaction.execute(query)
    asking = [
        row.user_id
        for row in rows
        if wants_run(row.sent, None if row.tried is None else (row.tried, row.age))
    ]
    return list(dict.fromkeys(asking))


def _lines() -> sa.ColumnElement[int]:
    """Return how many lines a run (joined with its dataset) has tried; none when it is worth nothing now."""
    return sa.case((_void(), 0), else_=_d.training_lines + _d.holdout_lines)


def _void() -> sa.ColumnElement[bool]:
    """Say whether what a run (joined with its dataset) has learnt or would learn rests on deleted lines."""
    parent = model_version.alias("parent")
    spoilt = sa.exists().where(parent.c.version == _r.parent_version, parent.c.state == ModelState.TAINTED)
    return sa.or_(_d.tainted, spoilt)


def _spoilt(user_id: sa.ColumnElement[UUID], script: sa.ColumnElement[Script]) -> sa.ColumnElement[bool]:
    """Say whether a user's last run of a script is worth nothing any more."""
    later = training_run.alias()
    newer = sa.exists().where(
        later.c.user_id == user_id, later.c.script == script, later.c.created_at > _r.created_at
    )
    mine = sa.and_(_r.user_id == user_id, _r.script == script, ~newer)
    return sa.exists().where(mine, _d.id == _r.dataset_id, _void())
