"""Training runs. What a worker writes is conditional on its fence: a stale one changes 0 rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import (
    ACTIVE,
    HELD,
    MAX_ATTEMPTS,
    Pace,
    Progress,
    RunState,
    TrainingRun,
    remaining,
)
from ketav_registry.tables import dataset, model_version, training_run

_r = training_run.c
_TRIED_TOO_OFTEN = f"The training was interrupted {MAX_ATTEMPTS} times and was given up."
_CANCELLED = "Cancelled at the user's request."
_COMPUTED = {"run_id", "create_time", "update_time", "remaining"}
CHANGED = {"revision": _r.revision + 1, "updated_at": sa.func.clock_timestamp()}
_RUNS = (
    sa.select(
        training_run,
        dataset.c.training_lines,
        dataset.c.holdout_lines,
        model_version.c.version.label("model_version"),
        sa.func.clock_timestamp().label("now"),
    )
    .join(dataset, dataset.c.id == _r.dataset_id)
    .outerjoin(model_version, model_version.c.run_id == _r.id)
)


def _run_of(row: Any) -> TrainingRun:  # noqa: ANN401 - a row of _RUNS
    """Read a run."""
    return TrainingRun(
        run_id=row.id,
        create_time=row.created_at,
        update_time=row.updated_at,
        remaining=remaining(
            row.state, row.epoch, row.epochs, Pace(row.first_epoch, row.first_epoch_at, row.epoch_at, row.now)
        ),
        **{name: getattr(row, name) for name in TrainingRun.__slots__ if name not in _COMPUTED},
    )


async def find_run(transaction: Transaction, run_id: UUID, user_id: UUID | None = None) -> TrainingRun | None:
    """Return a run, of the user when one is named."""
    query = _RUNS.where(_r.id == run_id)
    if user_id is not None:
        query = query.where(_r.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _run_of(row)


async def find_requested_run(transaction: Transaction, user_id: UUID, request_id: str) -> TrainingRun | None:
    """Return the run that a request started before."""
    if not request_id:
        return None
    query = _RUNS.where(_r.user_id == user_id, _r.request_id == request_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _run_of(row)


async def find_active_run(transaction: Transaction, user_id: UUID) -> UUID | None:
    """Return the user's run that has not ended."""
    query = sa.select(_r.id).where(_r.user_id == user_id, _r.state.in_(ACTIVE))
    found: UUID | None = await transaction.scalar(query)
    return found


async def insert_run(
    transaction: Transaction, user_id: UUID, dataset_id: UUID, script: Script, request_id: str
) -> UUID | None:
    """Queue a run; None when the user has an active one, or the same request has started one meanwhile."""
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "dataset_id": dataset_id,
        "script": script,
        "state": RunState.QUEUED,
        "request_id": request_id or None,
    }
    query = pg.insert(training_run).values(**values).on_conflict_do_nothing().returning(_r.id)
    made: UUID | None = (await transaction.execute(query)).scalar()
    return made


async def cancel(transaction: Transaction, user_id: UUID, run_id: UUID) -> bool:
    """End a queued run, ask a running one to end; False when it has ended already."""
    queued = _r.state == RunState.QUEUED
    query = (
        training_run.update()
        .where(_r.id == run_id, _r.user_id == user_id, _r.state.in_(ACTIVE))
        .values(
            cancel_requested=True,
            state=sa.case((queued, RunState.CANCELLED), else_=_r.state),
            verdict=sa.case((queued, _CANCELLED), else_=_r.verdict),
            **CHANGED,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def claim(transaction: Transaction, run_id: UUID, worker: str, lease: timedelta) -> bool:
    """Take a queued or abandoned run: fence + 1, a new lease; False when there is nothing to take."""
    abandoned = sa.and_(_r.state.in_(HELD), _r.lease_until < sa.func.clock_timestamp())
    query = (
        training_run.update()
        .where(_r.id == run_id, sa.or_(_r.state == RunState.QUEUED, abandoned))
        .where(_r.attempts < MAX_ATTEMPTS, ~_r.cancel_requested)
        .values(
            state=RunState.RUNNING,
            fence=_r.fence + 1,
            attempts=_r.attempts + 1,
            lease_until=sa.func.clock_timestamp() + lease,
            worker=worker,
            epoch=0,
            first_epoch=None,
            first_epoch_at=None,
            epoch_at=None,
            **CHANGED,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


def _held(run_id: UUID, fence: int) -> sa.ColumnElement[bool]:
    """Say which row a worker may change: its run, while it holds it."""
    return sa.and_(_r.id == run_id, _r.fence == fence, _r.state.in_(HELD))


async def set_parent(transaction: Transaction, run_id: UUID, fence: int, version: str) -> None:
    """Note which model the run starts from."""
    await transaction.execute(
        training_run.update().where(_held(run_id, fence)).values(parent_version=version)
    )


async def report(
    transaction: Transaction, run_id: UUID, fence: int, progress: Progress, lease: timedelta
) -> bool | None:
    """Renew the lease and note progress; returns whether a cancel was asked for, None when it is stale.

    A heartbeat that says nothing new is no change: the revision stays.
    """
    figures = {
        "state": progress.state,
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        **{
            name: value
            for name in ("loss", "cer_base", "cer_candidate")
            if (value := getattr(progress, name)) is not None
        },
    }
    changed = sa.or_(*(_r[name].is_distinct_from(value) for name, value in figures.items()))
    query = (
        training_run.update()
        .where(_held(run_id, fence))
        .values(
            lease_until=sa.func.clock_timestamp() + lease,
            revision=sa.case((changed, _r.revision + 1), else_=_r.revision),
            updated_at=sa.case((changed, sa.func.clock_timestamp()), else_=_r.updated_at),
            **figures,
            **(_pace(progress) if progress.epochs else {}),
        )
        .returning(_r.cancel_requested)
    )
    asked: bool | None = (await transaction.execute(query)).scalar()
    return asked


def _pace(progress: Progress) -> dict[str, Any]:
    """Note when the first epoch of an attempt was reported, and when a new one is."""
    time = sa.func.clock_timestamp()
    new = sa.or_(_r.first_epoch_at.is_(None), _r.epoch != progress.epoch)
    return {
        "first_epoch": sa.func.coalesce(_r.first_epoch, progress.epoch),
        "first_epoch_at": sa.func.coalesce(_r.first_epoch_at, time),
        "epoch_at": sa.case((new, time), else_=_r.epoch_at),
    }


async def give_up(transaction: Transaction, run_id: UUID, fence: int, state: RunState, verdict: str) -> bool:
    """End a held run without a model or queue it again; False when the fence is stale.

    A run that is given back but was tried too often fails, and one whose end was asked for is cancelled.
    """
    cancelled = sa.or_(_r.cancel_requested, sa.literal(state is RunState.CANCELLED))
    exhausted = sa.and_(sa.literal(state is RunState.QUEUED), _r.attempts >= MAX_ATTEMPTS)
    query = (
        training_run.update()
        .where(_held(run_id, fence))
        .values(
            state=sa.case((cancelled, RunState.CANCELLED), (exhausted, RunState.FAILED), else_=state),
            verdict=sa.case((exhausted, _TRIED_TOO_OFTEN), else_=verdict),
            lease_until=None,
            **CHANGED,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def finish(transaction: Transaction, run_id: UUID, fence: int, values: Mapping[str, Any]) -> bool:
    """End a held run with a model, unless its end was asked for; False: stale or cancelled."""
    query = (
        training_run.update()
        .where(_held(run_id, fence), ~_r.cancel_requested)
        .values(lease_until=None, **values, **CHANGED)
    )
    return (await transaction.execute(query)).rowcount == 1


async def parent_of(transaction: Transaction, run_id: UUID) -> str | None:
    """Return the model the run started from."""
    found: str | None = await transaction.scalar(sa.select(_r.parent_version).where(_r.id == run_id))
    return found


async def expire(transaction: Transaction) -> None:
    """Queue the runs whose lease has ended again; end those that were tried too often or cancelled."""
    exhausted = _r.attempts >= MAX_ATTEMPTS
    query = (
        training_run.update()
        .where(_r.state.in_(HELD), _r.lease_until < sa.func.clock_timestamp())
        .values(
            state=sa.case(
                (_r.cancel_requested, RunState.CANCELLED),
                (exhausted, RunState.FAILED),
                else_=sa.literal(RunState.QUEUED, _r.state.type),
            ),
            verdict=sa.case(
                (_r.cancel_requested, _CANCELLED), (exhausted, _TRIED_TOO_OFTEN), else_=_r.verdict
            ),
            lease_until=None,
            **CHANGED,
        )
    )
    await transaction.execute(query)


async def queued_runs(transaction: Transaction) -> list[UUID]:
    """Return the runs that wait for a worker, oldest first."""
    query = sa.select(_r.id).where(_r.state == RunState.QUEUED).order_by(_r.created_at)
    return list(await transaction.scalars(query))
