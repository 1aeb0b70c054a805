"""Training runs. A worker's write requires the fence of its claim: a stale fence changes no row."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.domain.training import (
    ACTIVE_STATES,
    LEASED_STATES,
    MAX_ATTEMPTS,
    EpochTimes,
    FencedRun,
    Progress,
    RunState,
    TrainingRun,
    remaining_time,
)
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import dataset, hand, model_version, training_run

_run = training_run.c
TOO_MANY_ATTEMPTS = (
    f"The training was interrupted {MAX_ATTEMPTS} times and has failed. Start it again with POST /train/."
)
CANCELLED = "You cancelled the training run."
NEXT_REVISION = {"revision": _run.revision + 1, "updated_at": sa.func.clock_timestamp()}
"""Column values of every change of a run that users see."""
_RUNS = (
    sa.select(
        training_run,
        dataset.c.training_lines,
        dataset.c.holdout_lines,
        HAND_NAME,
        model_version.c.version.label("model_version"),
        sa.func.clock_timestamp().label("now"),
    )
    .join(dataset, dataset.c.id == _run.dataset_id)
    .outerjoin(model_version, model_version.c.run_id == _run.id)
    .outerjoin(hand, hand.c.id == _run.hand_id)
)


def _is_held(claimed: FencedRun) -> sa.ColumnElement[bool]:
    """Return the condition of a worker's write: its claim is the latest one, and the run has not ended."""
    return sa.and_(_run.id == claimed.run_id, _run.fence == claimed.fence, _run.state.in_(LEASED_STATES))


def _run_of(row: Any) -> TrainingRun:  # noqa: ANN401 - a row of _RUNS
    """Return the run of a row."""
    times = EpochTimes(row.first_epoch, row.first_epoch_at, row.epoch_at, row.now)
    return TrainingRun(
        run_id=row.id,
        user_id=row.user_id,
        dataset_id=row.dataset_id,
        state=row.state,
        hand=hand_of(row),
        fence=row.fence,
        revision=row.revision,
        epoch=row.epoch,
        epochs=row.epochs,
        loss=row.loss,
        cer_base=row.cer_base,
        cer_candidate=row.cer_candidate,
        verdict=row.verdict,
        model_version=row.model_version,
        training_lines=row.training_lines,
        holdout_lines=row.holdout_lines,
        cancel_requested=row.cancel_requested,
        attempts=row.attempts,
        create_time=row.created_at,
        update_time=row.updated_at,
        remaining=remaining_time(row.state, row.epoch, row.epochs, times),
        new_base=row.new_base,
        traceparent=row.traceparent or "",
    )


async def find_run(transaction: Transaction, run_id: UUID, user_id: UUID | None = None) -> TrainingRun | None:
    """Return a run; with a user_id, only a run of that user."""
    query = _RUNS.where(_run.id == run_id)
    if user_id is not None:
        query = query.where(_run.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _run_of(row)


async def list_runs(
    transaction: Transaction,
    user_id: UUID | None,
    state: RunState | None,
    limit: int,
    after: ListPosition[UUID] | None = None,
) -> list[TrainingRun]:
    """Return at most `limit` runs, newest first; of one user or all, in one state or all."""
    query = _RUNS.order_by(_run.created_at.desc(), _run.id.desc()).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(_run.created_at, _run.id) < after)
    if user_id is not None:
        query = query.where(_run.user_id == user_id)
    if state is not None:
        query = query.where(_run.state == state)
    return [_run_of(row) for row in await transaction.execute(query)]


async def find_requested_run(
    transaction: Transaction, user_id: UUID, request: RequestKey
) -> TrainingRun | None:
    """Return the run that the same request has started. Conflict: a different request had the same key."""
    if not request.request_id:
        return None
    query = _RUNS.where(_run.user_id == user_id, _run.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is not None:
        check_same_request(row, request)
    return None if row is None else _run_of(row)


async def find_active_run(transaction: Transaction, user_id: UUID) -> UUID | None:
    """Return the user's run that has not ended."""
    query = sa.select(_run.id).where(_run.user_id == user_id, _run.state.in_(ACTIVE_STATES))
    run_id: UUID | None = await transaction.scalar(query)
    return run_id


async def insert_run(
    transaction: Transaction,
    user_id: UUID,
    dataset_id: UUID,
    trained: Hand,
    request: RequestKey,
    traceparent: str,
    new_base: str | None = None,
) -> UUID | None:
    """Insert a queued run of a hand; with `new_base`, one that trains from this base.

    None when the user has an active run, or the same request has started one.
    """
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "dataset_id": dataset_id,
        "script": trained.script,
        "hand_id": trained.hand_id,
        "new_base": new_base,
        "state": RunState.QUEUED,
        "request_id": request.request_id or None,
        "request_sha256": request.sha256 or None,
        "traceparent": traceparent or None,
    }
    query = pg.insert(training_run).values(**values).on_conflict_do_nothing().returning(_run.id)
    run_id: UUID | None = (await transaction.execute(query)).scalar()
    return run_id


async def cancel(transaction: Transaction, user_id: UUID, run_id: UUID) -> bool:
    """End a queued run, or set cancel_requested of a running one; False when there is no such active run."""
    queued = _run.state == RunState.QUEUED
    query = (
        training_run.update()
        .where(_run.id == run_id, _run.user_id == user_id, _run.state.in_(ACTIVE_STATES))
        .values(
            cancel_requested=True,
            state=sa.case((queued, RunState.CANCELLED), else_=_run.state),
            verdict=sa.case((queued, CANCELLED), else_=_run.verdict),
            **NEXT_REVISION,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def claim(transaction: Transaction, run_id: UUID, worker: str, lease: timedelta) -> bool:
    """Claim a run that is queued or whose lease has expired.

    Increments fence and attempts, starts a lease, and clears the epoch. False if the run is leased, has
    ended, is being cancelled, or has had MAX_ATTEMPTS claims.
    """
    abandoned = sa.and_(_run.state.in_(LEASED_STATES), _run.lease_until < sa.func.clock_timestamp())
    query = (
        training_run.update()
        .where(_run.id == run_id, sa.or_(_run.state == RunState.QUEUED, abandoned))
        .where(_run.attempts < MAX_ATTEMPTS, ~_run.cancel_requested)
        .values(
            state=RunState.RUNNING,
            fence=_run.fence + 1,
            attempts=_run.attempts + 1,
            lease_until=sa.func.clock_timestamp() + lease,
            worker=worker,
            epoch=0,
            first_epoch=None,
            first_epoch_at=None,
            epoch_at=None,
            **NEXT_REVISION,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def set_models(transaction: Transaction, claimed: FencedRun, parent: str, serving: str) -> None:
    """Set the versions that the run starts from and is compared with."""
    query = training_run.update().where(_is_held(claimed))
    await transaction.execute(query.values(parent_version=parent, serving_version=serving))


async def report(
    transaction: Transaction, claimed: FencedRun, progress: Progress, lease: timedelta
) -> bool | None:
    """Renew the lease and store progress; return cancel_requested.

    Returns None when the fence is stale or the run has ended.

    A report with unchanged figures, a heartbeat, does not increment the revision.
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
    changed = sa.or_(*(_run[name].is_distinct_from(value) for name, value in figures.items()))
    query = (
        training_run.update()
        .where(_is_held(claimed))
        .values(
            lease_until=sa.func.clock_timestamp() + lease,
            revision=sa.case((changed, _run.revision + 1), else_=_run.revision),
            updated_at=sa.case((changed, sa.func.clock_timestamp()), else_=_run.updated_at),
            **figures,
            **(_epoch_times(progress) if progress.epochs else {}),
        )
        .returning(_run.cancel_requested)
    )
    cancel_requested: bool | None = (await transaction.execute(query)).scalar()
    return cancel_requested


def _epoch_times(progress: Progress) -> dict[str, Any]:
    """Return the column values for the attempt's first report and for the end of the latest epoch."""
    time = sa.func.clock_timestamp()
    is_new_epoch = sa.or_(_run.first_epoch_at.is_(None), _run.epoch != progress.epoch)
    return {
        "first_epoch": sa.func.coalesce(_run.first_epoch, progress.epoch),
        "first_epoch_at": sa.func.coalesce(_run.first_epoch_at, time),
        "epoch_at": sa.case((is_new_epoch, time), else_=_run.epoch_at),
    }


async def release(transaction: Transaction, claimed: FencedRun, state: RunState, verdict: str) -> bool:
    """End a run without a model, or return it to the queue; False when the fence is stale or it has ended.

    A run that is returned to the queue after its last attempt fails; one that the user has cancelled ends
    as cancelled.
    """
    cancelled = sa.or_(_run.cancel_requested, sa.literal(state is RunState.CANCELLED))
    exhausted = sa.and_(sa.literal(state is RunState.QUEUED), _run.attempts >= MAX_ATTEMPTS)
    query = (
        training_run.update()
        .where(_is_held(claimed))
        .values(
            state=sa.case((cancelled, RunState.CANCELLED), (exhausted, RunState.FAILED), else_=state),
            verdict=sa.case((exhausted, TOO_MANY_ATTEMPTS), else_=verdict),
            lease_until=None,
            **NEXT_REVISION,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def finish(transaction: Transaction, claimed: FencedRun, values: Mapping[str, Any]) -> bool:
    """End a run with a model; False when the fence is stale, or the run has ended or is being cancelled."""
    query = (
        training_run.update()
        .where(_is_held(claimed), ~_run.cancel_requested)
        .values(lease_until=None, **values, **NEXT_REVISION)
    )
    return (await transaction.execute(query)).rowcount == 1


async def parent_of(transaction: Transaction, run_id: UUID) -> str | None:
    """Return the version that the run started from."""
    version: str | None = await transaction.scalar(sa.select(_run.parent_version).where(_run.id == run_id))
    return version


async def compared_versions(transaction: Transaction, run_id: UUID) -> list[str]:
    """Return the version that a run started from and the one that it is compared with."""
    query = sa.select(_run.parent_version, _run.serving_version).where(_run.id == run_id)
    row = (await transaction.execute(query)).one()
    return [version for version in row if version is not None]
