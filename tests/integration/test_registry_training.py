"""Training runs, on a real PostgreSQL."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import (
    Conflict,
    DataLoss,
    Forbidden,
    InvalidInput,
    KetavError,
    NotFound,
    Precondition,
    Stale,
)
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    DIGEST,
    IMAGE,
    Registry,
    acting,
    cancel_run,
    claim,
    claiming,
    correct,
    expire_lease,
    get_run,
    publish,
    queue,
    queued_run,
    registry_server,
    report,
    serving,
)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def end(
    registry: Registry, run_id: str, fence: int, state: training_pb2.TrainingRunState.ValueType
) -> Any:
    """End a run as a worker."""
    request = training_pb2.EndTrainingRunRequest(run_id=run_id, fence=fence, state=state, verdict="stopped")
    with claiming(request), rpc.raise_ketav_errors():
        return (await registry.training.EndTrainingRun(request)).run


async def export(
    registry: Registry, run_id: str, fence: int
) -> list[ground_truth_pb2.ExportGroundTruthResponse]:
    """Return the parts of a run's ground truth as a worker."""
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=run_id, fence=fence)
    with claiming(request), rpc.raise_ketav_errors():
        return [part async for part in registry.ground_truth.ExportGroundTruth(request)]


async def test_a_user_with_too_few_lines_gets_the_number_of_missing_lines(registry: Registry) -> None:
    """15 of 16: no run is queued."""
    user_id = await registry.new_user()
    with pytest.raises(Precondition) as caught:
        await queue(registry, user_id)
    assert caught.value.details == {"have": "0", "need": "16", "missing": "16"}
    with acting(user_id):
        await correct(registry, 5, pages=3)
    with pytest.raises(Precondition) as caught:
        await queue(registry, user_id)
    assert (caught.value.code, caught.value.details["missing"]) == ("too-few-lines", "1")


async def test_a_queued_run_has_both_sides_of_the_split_and_a_repeated_request_returns_it(
    registry: Registry,
) -> None:
    """The same key returns the same run; another start while it is active is a conflict with its id."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 10, script=page_pb2.SCRIPT_RASHI)
    run = await queue(registry, user_id, "k")
    assert run.state == training_pb2.TRAINING_RUN_STATE_QUEUED
    assert (run.training_lines, run.holdout_lines) == (10, 10)
    assert run.script == page_pb2.SCRIPT_RASHI
    assert await queue(registry, user_id, "k") == run
    with pytest.raises(Conflict) as caught:
        await queue(registry, user_id)
    assert (caught.value.code, caught.value.details) == ("run-active", {"run_id": run.run_id})


async def test_a_key_of_another_request_starts_nothing(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Not even after the run has ended; a run of an older release has no digest and accepts its key."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    run = await queue(registry, user_id, "k", DIGEST)
    assert await queue(registry, user_id, "k", DIGEST) == run
    await cancel_run(registry, user_id, run.run_id)
    with pytest.raises(Conflict) as caught:
        await queue(registry, user_id, "k", hashlib.sha256(b"another hand").digest())
    assert caught.value.code == "idempotency-key-reused"
    erase = "UPDATE training_run SET request_sha256 = NULL WHERE id = $1"
    await asyncio.to_thread(postgres.execute, erase, database, UUID(run.run_id))
    assert (await queue(registry, user_id, "k", DIGEST)).run_id == run.run_id


async def test_of_concurrent_starts_one_is_queued(registry: Registry) -> None:
    """A user has one active run."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    outcomes = await asyncio.gather(*(queue(registry, user_id) for _ in range(6)), return_exceptions=True)
    types = sorted(type(outcome).__name__ for outcome in outcomes)
    assert types == ["Conflict"] * 5 + ["TrainingRun"]


async def test_of_concurrent_claims_one_wins(registry: Registry) -> None:
    """The others are stale; the fence counts claims."""
    user_id, run_id = await queued_run(registry)
    outcomes = await asyncio.gather(*(claim(registry, run_id) for _ in range(6)), return_exceptions=True)
    claims = [outcome for outcome in outcomes if isinstance(outcome, training_pb2.ClaimTrainingRunResponse)]
    assert len(claims) == 1
    assert all(isinstance(outcome, Stale) for outcome in outcomes if outcome not in claims)
    [claimed] = claims
    assert (claimed.fence, claimed.user_id, claimed.lease_seconds) == (1, str(user_id), 30)
    assert (claimed.parent.version, claimed.base.version) == ("hebrew_base-1", "hebrew_base-1")
    assert claimed.run.state == training_pb2.TRAINING_RUN_STATE_RUNNING


async def test_progress_increments_the_revision_and_a_heartbeat_does_not(registry: Registry) -> None:
    """The revision numbers changes; a renewed lease is not a change."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    await report(registry, run_id, claimed.fence, loss=1.5, cer_candidate=0.3)
    first = await get_run(registry, user_id, run_id)
    assert (first.epoch, first.epochs, first.loss, first.cer_candidate) == (1, 10, 1.5, 0.3)
    assert first.revision == claimed.run.revision + 1
    await report(registry, run_id, claimed.fence)
    assert await get_run(registry, user_id, run_id) == first
    with pytest.raises(InvalidInput):
        await report(registry, run_id, claimed.fence, loss=float("nan"))
    with pytest.raises(InvalidInput):
        await report(registry, run_id, claimed.fence, state=training_pb2.TRAINING_RUN_STATE_SUCCEEDED)


async def test_a_stale_worker_changes_nothing(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """After its lease expired and another worker claimed the run, each of its calls is refused."""
    user_id, run_id = await queued_run(registry)
    stale = await claim(registry, run_id)
    await expire_lease(postgres, database, run_id)
    current = await claim(registry, run_id)
    assert current.fence == stale.fence + 1
    before = await get_run(registry, user_id, run_id)
    for attempt in (
        report(registry, run_id, stale.fence, epoch=9),
        end(registry, run_id, stale.fence, training_pb2.TRAINING_RUN_STATE_FAILED),
        export(registry, run_id, stale.fence),
        publish(registry, run_id, stale.fence),
    ):
        with pytest.raises(Stale):
            await attempt
    assert await get_run(registry, user_id, run_id) == before
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_a_run_that_is_returned_to_the_queue_fails_after_five_attempts(registry: Registry) -> None:
    """A worker that is stopped returns its run; the fifth time the run fails."""
    user_id, run_id = await queued_run(registry)
    for attempt in range(1, 6):
        claimed = await claim(registry, run_id)
        run = await end(registry, run_id, claimed.fence, training_pb2.TRAINING_RUN_STATE_QUEUED)
        ended = attempt == 5
        assert run.state == (
            training_pb2.TRAINING_RUN_STATE_FAILED if ended else training_pb2.TRAINING_RUN_STATE_QUEUED
        )
    with pytest.raises(Stale):
        await claim(registry, run_id)
    with pytest.raises(Precondition) as caught:
        await cancel_run(registry, user_id, run_id)
    assert caught.value.code == "run-ended"


async def test_a_queued_run_is_cancelled_at_once_and_a_running_one_at_its_next_report(
    registry: Registry,
) -> None:
    """The response to the report has cancel_requested."""
    user_id, run_id = await queued_run(registry)
    assert (await cancel_run(registry, user_id, run_id)).state == training_pb2.TRAINING_RUN_STATE_CANCELLED
    run = await queue(registry, user_id)
    claimed = await claim(registry, run.run_id)
    assert not await report(registry, run.run_id, claimed.fence)
    cancelled_run = await cancel_run(registry, user_id, run.run_id)
    assert (cancelled_run.state, cancelled_run.cancel_requested) == (
        training_pb2.TRAINING_RUN_STATE_RUNNING,
        True,
    )
    assert await report(registry, run.run_id, claimed.fence)
    ended = await end(registry, run.run_id, claimed.fence, training_pb2.TRAINING_RUN_STATE_CANCELLED)
    assert ended.state == training_pb2.TRAINING_RUN_STATE_CANCELLED


async def test_the_ground_truth_is_frozen_when_the_run_is_queued(registry: Registry) -> None:
    """Pages with their images and lines; a later correction does not change it."""
    user_id, run_id = await queued_run(registry)
    with acting(user_id):
        await correct(registry, 3, pages=1)
    claimed = await claim(registry, run_id)
    parts = await export(registry, run_id, claimed.fence)
    pages = [part.page for part in parts if part.HasField("page")]
    assert len(pages) == 2
    assert [len(page.lines) for page in pages] == [8, 8]
    assert {line.split for page in pages for line in page.lines} == {
        ground_truth_pb2.SPLIT_TRAIN,
        ground_truth_pb2.SPLIT_HOLDOUT,
    }
    assert pages[0].lines[3].text == "שורה 3"
    assert pages[0].lines[3].line.boundary
    assert hashlib.sha256(parts[1].chunk).digest() == pages[0].image.sha256


async def test_of_a_cancellation_and_a_publication_exactly_one_succeeds(registry: Registry) -> None:
    """Ten times concurrently: the run is cancelled and its model never serves, or succeeds and serves."""
    outcomes = set()
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    for _ in range(10):
        before = await serving(registry, user_id)
        run_id = (await queue(registry, user_id)).run_id
        claimed = await claim(registry, run_id)
        published, cancelled = await asyncio.gather(
            publish(registry, run_id, claimed.fence),
            cancel_run(registry, user_id, run_id),
            return_exceptions=True,
        )
        run = await get_run(registry, user_id, run_id)
        if isinstance(cancelled, KetavError):
            assert cancelled.code == "run-ended"
            assert run.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED
            assert await serving(registry, user_id) == run.model_version
        else:
            assert isinstance(published, Stale)
            assert run.state == training_pb2.TRAINING_RUN_STATE_CANCELLED
            assert await serving(registry, user_id) == before
        outcomes.add(run.state)
    assert outcomes <= {training_pb2.TRAINING_RUN_STATE_SUCCEEDED, training_pb2.TRAINING_RUN_STATE_CANCELLED}


async def test_calls_of_workers_are_refused_to_users(registry: Registry) -> None:
    """Claims, reports, ends, exports, sweeps and publications require the role trainer."""
    run: dict[str, Any] = {"run_id": str(uuid4())}
    with acting(await registry.new_user()):
        for call in (
            registry.training.ClaimTrainingRun(training_pb2.ClaimTrainingRunRequest(**run)),
            registry.training.ReportTrainingProgress(training_pb2.ReportTrainingProgressRequest(**run)),
            registry.training.EndTrainingRun(training_pb2.EndTrainingRunRequest(**run)),
            registry.ground_truth.ExportGroundTruth(ground_truth_pb2.ExportGroundTruthRequest(**run)).read(),
            registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest()),
            registry.models.PublishModel(iter(())),
        ):
            with pytest.raises(Forbidden), rpc.raise_ketav_errors():
                await call


async def test_a_foreign_run_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """Code and detail are the same, when reading and cancelling."""
    _, run_id = await queued_run(registry)
    stranger = await registry.new_user()
    responses = []
    for requested_id in (run_id, str(uuid4())):
        for call in (get_run, cancel_run):
            with pytest.raises(NotFound) as caught:
                await call(registry, stranger, requested_id)
            responses.append((caught.value.code, caught.value.detail))
    assert responses[:2] == responses[2:]


async def test_a_holdout_line_never_trains_in_a_later_run(registry: Registry) -> None:
    """The split of the second run contains that of the first one."""
    user_id, run_id = await queued_run(registry)
    sides = []
    for _ in range(2):
        claimed = await claim(registry, run_id)
        parts = await export(registry, run_id, claimed.fence)
        sides.append(
            {(part.page.page_id, line.line.order): line.split for part in parts for line in part.page.lines}
        )
        await publish(registry, run_id, claimed.fence)
        with acting(user_id):
            await correct(registry, 9, pages=3)
        run_id = (await queue(registry, user_id)).run_id
    assert len(sides[1]) == len(sides[0]) + 27
    assert sides[1].items() >= sides[0].items()


async def test_a_corrupt_image_stops_the_export(registry: Registry) -> None:
    """An image that does not match its digest never trains."""
    _, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    for stored in registry.blobs.glob("images/*/*"):
        stored.write_bytes(IMAGE[:2001])
    with pytest.raises(DataLoss):
        await export(registry, run_id, claimed.fence)


async def age_epochs(postgres: PostgresServer, database: str, run_id: str, seconds: float) -> None:
    """Move the times of a run's epochs into the past."""
    query = (
        "UPDATE training_run SET first_epoch_at = first_epoch_at - $2::interval,"
        " epoch_at = epoch_at - $2::interval WHERE id = $1"
    )
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id), timedelta(seconds=seconds))


async def test_the_remaining_time_is_estimated_from_the_epochs_so_far(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Absent before an epoch has ended. At 1,000 s an epoch, 8,000 s after two of ten epochs."""
    user_id, run_id = await queued_run(registry)
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, epoch=0, epochs=0)
    await report(registry, run_id, fence, epoch=0)
    assert not (await get_run(registry, user_id, run_id)).HasField("remaining_seconds")
    await age_epochs(postgres, database, run_id, 2000)
    await report(registry, run_id, fence, epoch=2)
    assert 7900 <= (await get_run(registry, user_id, run_id)).remaining_seconds <= 8400
    await age_epochs(postgres, database, run_id, 3000)
    await report(registry, run_id, fence, epoch=2)
    assert 4900 <= (await get_run(registry, user_id, run_id)).remaining_seconds <= 5400
    await age_epochs(postgres, database, run_id, 36_000)
    assert (await get_run(registry, user_id, run_id)).remaining_seconds == 0
    await report(registry, run_id, fence, epoch=10, state=training_pb2.TRAINING_RUN_STATE_EVALUATING)
    assert not (await get_run(registry, user_id, run_id)).HasField("remaining_seconds")


async def test_the_remaining_time_of_a_second_attempt_is_estimated_from_its_own_epochs(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The first attempt was slow. In the second, the time is absent until one of its epochs has ended."""
    user_id, run_id = await queued_run(registry)
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, epoch=0)
    await age_epochs(postgres, database, run_id, 3000)
    await report(registry, run_id, fence, epoch=5)
    assert (await get_run(registry, user_id, run_id)).remaining_seconds > 2000
    return_to_queue = training_pb2.EndTrainingRunRequest(
        run_id=run_id, fence=fence, state=training_pb2.TRAINING_RUN_STATE_QUEUED
    )
    with claiming(return_to_queue), rpc.raise_ketav_errors():
        await registry.training.EndTrainingRun(return_to_queue)
    assert not (await get_run(registry, user_id, run_id)).HasField("remaining_seconds")
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, epoch=6)
    assert not (await get_run(registry, user_id, run_id)).HasField("remaining_seconds")
    await age_epochs(postgres, database, run_id, 1000)
    await report(registry, run_id, fence, epoch=7)
    assert 2900 <= (await get_run(registry, user_id, run_id)).remaining_seconds <= 3300
