"""Training runs and their models against a real PostgreSQL: leases, fences, races, promotion."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2, models_pb2, pages_pb2, training_pb2
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
from ketav_registry.domain.models import Script
from ketav_registry.usecases import models
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    claim,
    correct,
    create,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
    safetensors,
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


async def get_run(registry: Registry, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
    """Return a run as its user sees it."""
    with acting(user_id), rpc.translated():
        return (await registry.training.GetTrainingRun(training_pb2.GetTrainingRunRequest(run_id=run_id))).run


async def cancel(registry: Registry, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
    """Cancel a run as its user."""
    with acting(user_id), rpc.translated():
        return (
            await registry.training.CancelTrainingRun(training_pb2.CancelTrainingRunRequest(run_id=run_id))
        ).run


async def report(registry: Registry, run_id: str, fence: int, **figures: Any) -> bool:
    """Report progress as a worker; return the cancel flag."""
    said = {"state": training_pb2.TRAINING_RUN_STATE_RUNNING, "epoch": 1, "epochs": 10} | figures
    with acting(None, "trainer"), rpc.translated():
        answer = await registry.training.ReportTrainingProgress(
            training_pb2.ReportTrainingProgressRequest(run_id=run_id, fence=fence, **said)
        )
    return answer.cancel_requested


async def end(
    registry: Registry, run_id: str, fence: int, state: training_pb2.TrainingRunState.ValueType
) -> Any:
    """End a run as a worker."""
    request = training_pb2.EndTrainingRunRequest(run_id=run_id, fence=fence, state=state, verdict="stopped")
    with acting(None, "trainer"), rpc.translated():
        return (await registry.training.EndTrainingRun(request)).run


async def export(
    registry: Registry, run_id: str, fence: int
) -> list[ground_truth_pb2.ExportGroundTruthResponse]:
    """Return the parts of a run's ground truth as a worker."""
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=run_id, fence=fence)
    with acting(None, "trainer"), rpc.translated():
        return [part async for part in registry.ground_truth.ExportGroundTruth(request)]


async def sweep(registry: Registry) -> set[str]:
    """Sweep as the trainer; return the queued runs."""
    with acting(None, "trainer"), rpc.translated():
        return set(
            (await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())).run_ids
        )


async def serving(registry: Registry, user_id: UUID, script: Any = 0) -> str:
    """Return the version that serves a user."""
    with acting(user_id), rpc.translated():
        answer = await registry.models.GetUserModel(models_pb2.GetUserModelRequest(script=script))
    return answer.model.version


async def let_the_lease_end(postgres: PostgresServer, database: str, run_id: str) -> None:
    """Put the end of a run's lease into the past."""
    query = "UPDATE training_run SET lease_until = now() - interval '1 second' WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id))


async def test_too_few_lines_say_how_many_are_missing(registry: Registry) -> None:
    """Fifteen of sixteen: nothing is queued."""
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
    """The same key gives the same run; another start while it is active is a conflict that names it."""
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


async def test_of_concurrent_starts_one_is_queued(registry: Registry) -> None:
    """One active run per user, whoever is first."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    outcomes = await asyncio.gather(*(queue(registry, user_id) for _ in range(6)), return_exceptions=True)
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["Conflict"] * 5 + ["TrainingRun"]


async def test_of_concurrent_claims_one_wins(registry: Registry) -> None:
    """The others are told that somebody else has it; the fence counts claims."""
    user_id, run_id = await queued_run(registry)
    outcomes = await asyncio.gather(*(claim(registry, run_id) for _ in range(6)), return_exceptions=True)
    won = [each for each in outcomes if isinstance(each, training_pb2.ClaimTrainingRunResponse)]
    assert len(won) == 1
    assert all(isinstance(each, Stale) for each in outcomes if each not in won)
    [lease] = won
    assert (lease.fence, lease.user_id, lease.lease_seconds) == (1, str(user_id), 30)
    assert (lease.parent.version, lease.base.version) == ("hebrew_base-1", "hebrew_base-1")
    assert lease.run.state == training_pb2.TRAINING_RUN_STATE_RUNNING


async def test_progress_raises_the_revision_and_a_heartbeat_does_not(registry: Registry) -> None:
    """Events are numbered by changes; a renewal of the lease is none."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    await report(registry, run_id, lease.fence, loss=1.5, cer_candidate=0.3)
    first = await get_run(registry, user_id, run_id)
    assert (first.epoch, first.epochs, first.loss, first.cer_candidate) == (1, 10, 1.5, 0.3)
    assert first.revision == lease.run.revision + 1
    await report(registry, run_id, lease.fence)
    assert await get_run(registry, user_id, run_id) == first
    with pytest.raises(InvalidInput):
        await report(registry, run_id, lease.fence, loss=float("nan"))
    with pytest.raises(InvalidInput):
        await report(registry, run_id, lease.fence, state=training_pb2.TRAINING_RUN_STATE_SUCCEEDED)


async def test_a_stale_worker_changes_nothing(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """A worker whose lease ended and whose run was taken over is refused everywhere; no row changes."""
    user_id, run_id = await queued_run(registry)
    old = await claim(registry, run_id)
    await let_the_lease_end(postgres, database, run_id)
    new = await claim(registry, run_id)
    assert new.fence == old.fence + 1
    before = await get_run(registry, user_id, run_id)
    for attempt in (
        report(registry, run_id, old.fence, epoch=9),
        end(registry, run_id, old.fence, training_pb2.TRAINING_RUN_STATE_FAILED),
        export(registry, run_id, old.fence),
        publish(registry, run_id, old.fence),
    ):
        with pytest.raises(Stale):
            await attempt
    assert await get_run(registry, user_id, run_id) == before
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_an_abandoned_run_is_queued_again_and_fails_after_five_attempts(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The sweep finds leases that have ended; a run that kills every worker ends."""
    user_id, run_id = await queued_run(registry)
    for _ in range(5):
        assert run_id in await sweep(registry)
        await claim(registry, run_id)
        assert run_id not in await sweep(registry)
        await let_the_lease_end(postgres, database, run_id)
    assert run_id not in await sweep(registry)
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.attempts) == (training_pb2.TRAINING_RUN_STATE_FAILED, 5)
    assert run.verdict


async def test_a_run_given_back_waits_again_but_not_for_ever(registry: Registry) -> None:
    """A worker that stops in order gives its run back; the fifth time the run fails."""
    user_id, run_id = await queued_run(registry)
    for attempt in range(1, 6):
        lease = await claim(registry, run_id)
        run = await end(registry, run_id, lease.fence, training_pb2.TRAINING_RUN_STATE_QUEUED)
        ended = attempt == 5
        assert run.state == (
            training_pb2.TRAINING_RUN_STATE_FAILED if ended else training_pb2.TRAINING_RUN_STATE_QUEUED
        )
    with pytest.raises(Stale):
        await claim(registry, run_id)
    with pytest.raises(Precondition) as caught:
        await cancel(registry, user_id, run_id)
    assert caught.value.code == "run-ended"


async def test_a_queued_run_is_cancelled_at_once_and_a_running_one_at_its_next_report(
    registry: Registry,
) -> None:
    """The worker is told by the answer to its report."""
    user_id, run_id = await queued_run(registry)
    assert (await cancel(registry, user_id, run_id)).state == training_pb2.TRAINING_RUN_STATE_CANCELLED
    run = await queue(registry, user_id)
    lease = await claim(registry, run.run_id)
    assert not await report(registry, run.run_id, lease.fence)
    asked = await cancel(registry, user_id, run.run_id)
    assert (asked.state, asked.cancel_requested) == (training_pb2.TRAINING_RUN_STATE_RUNNING, True)
    assert await report(registry, run.run_id, lease.fence)
    ended = await end(registry, run.run_id, lease.fence, training_pb2.TRAINING_RUN_STATE_CANCELLED)
    assert ended.state == training_pb2.TRAINING_RUN_STATE_CANCELLED


async def test_the_ground_truth_is_frozen_when_the_run_is_queued(registry: Registry) -> None:
    """Pages with their images and lines; a later correction does not reach it."""
    user_id, run_id = await queued_run(registry)
    with acting(user_id):
        await correct(registry, 3, pages=1)
    lease = await claim(registry, run_id)
    parts = await export(registry, run_id, lease.fence)
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


async def test_a_published_model_serves_the_next_page_and_only_its_user_and_script(
    registry: Registry,
) -> None:
    """Promotion ends the run, is in the next CreatePage answer, and concerns nobody else."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    version = await publish(registry, run_id, lease.fence)
    assert version.state == models_pb2.MODEL_STATE_ACTIVE
    assert (version.parent_version, version.run_id) == ("hebrew_base-1", run_id)
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.model_version) == (
        training_pb2.TRAINING_RUN_STATE_SUCCEEDED,
        version.model.version,
    )
    assert (run.cer_base, run.cer_candidate) == (0.2, 0.1)
    with acting(user_id):
        assert (await create(registry)).model.version == version.model.version
    assert await serving(registry, user_id, page_pb2.SCRIPT_RASHI) == "hebrew_base-1"
    assert await serving(registry, await registry.new_user()) == "hebrew_base-1"
    assert (registry.blobs / f"models/{user_id}/{version.model.version}.safetensors").is_file()


async def test_a_repeated_publication_gives_the_first_answer(registry: Registry) -> None:
    """The answer was lost, the worker asks again: no second version, no second promotion."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    first = await publish(registry, run_id, lease.fence)
    assert await publish(registry, run_id, lease.fence) == first
    with acting(user_id), rpc.translated():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    assert [each.model.version for each in listed.versions] == [first.model.version, "hebrew_base-1"]


async def test_versions_are_listed_newest_first_in_parts_and_only_to_their_user(registry: Registry) -> None:
    """The user's own versions and the bases; a stranger sees the bases only."""
    user_id, run_id = await queued_run(registry)
    made = [(await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version]
    run_id = (await queue(registry, user_id)).run_id
    made.append((await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version)
    found, cursor = [], ""
    with acting(user_id), rpc.translated():
        for _ in range(3):
            listed = await registry.models.ListModels(models_pb2.ListModelsRequest(cursor=cursor, limit=1))
            found += [(each.model.version, each.state) for each in listed.versions]
            cursor = listed.next_cursor
    assert not cursor
    assert [version for version, _ in found] == [*made[::-1], "hebrew_base-1"]
    # The base still serves the other scripts.
    active, available = models_pb2.MODEL_STATE_ACTIVE, models_pb2.MODEL_STATE_AVAILABLE
    assert [state for _, state in found] == [active, available, active]
    with acting(await registry.new_user()), rpc.translated():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    assert [each.model.version for each in listed.versions] == ["hebrew_base-1"]


async def test_the_base_of_a_script_serves_it_before_the_base_of_all(
    registry: Registry, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    """A newer base of the script takes over from the older one; the other scripts keep hebrew_base."""
    user_id = await registry.new_user()
    for number in (1, 2):
        file = tmp_path / "sephardi.safetensors"
        file.write_bytes(safetensors(f"sephardi {number}".encode()))
        await models.import_base(
            file,
            "sephardi_base",
            Script.SEPHARDI,
            stores=registry.stores,
        )
        assert await serving(registry, user_id, page_pb2.SCRIPT_SEPHARDI) == f"sephardi_base-{number}"
    assert await serving(registry, user_id, page_pb2.SCRIPT_SQUARE) == "hebrew_base-1"
    retire = "DELETE FROM model_version WHERE name = 'sephardi_base'"
    await asyncio.to_thread(postgres.execute, retire, database)


async def test_a_rejected_model_is_kept_and_never_serves(registry: Registry) -> None:
    """The run ends REJECTED with the gate's words; the version cannot be activated."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    version = await publish(registry, run_id, lease.fence, promote=False)
    assert version.state == models_pb2.MODEL_STATE_RETIRED
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.verdict) == (training_pb2.TRAINING_RUN_STATE_REJECTED, "rejected")
    assert await serving(registry, user_id) == "hebrew_base-1"
    request = models_pb2.ActivateModelRequest(version=version.model.version)
    with acting(user_id), pytest.raises(Precondition) as caught, rpc.translated():
        await registry.models.ActivateModel(request)
    assert caught.value.code == "model-retired"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"sha256": bytes(32)}, "digest-mismatch"),
        ({"file": b"\x80\x04" * 100}, "invalid-file"),
        ({"size_bytes": 5}, "size-mismatch"),
        ({"model_card": "[1]"}, "invalid-model-card"),
        ({"cer_after": float("nan")}, "invalid-cer"),
    ],
)
async def test_a_bad_model_is_refused_and_the_run_goes_on(
    registry: Registry, header: dict[str, Any], code: str
) -> None:
    """Neither a version nor an object is stored, and the worker keeps its lease."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    with pytest.raises(InvalidInput) as caught:
        await publish(registry, run_id, lease.fence, **header)
    assert caught.value.code == code
    assert not (registry.blobs / f"models/{user_id}").exists()
    assert not await report(registry, run_id, lease.fence)


async def test_of_cancel_and_publish_exactly_one_wins(registry: Registry) -> None:
    """Raced ten times: either the run is cancelled and nothing serves, or it has succeeded and serves."""
    outcomes = set()
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    for _ in range(10):
        before = await serving(registry, user_id)
        run_id = (await queue(registry, user_id)).run_id
        lease = await claim(registry, run_id)
        published, cancelled = await asyncio.gather(
            publish(registry, run_id, lease.fence),
            cancel(registry, user_id, run_id),
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


async def test_a_version_is_rolled_back_and_forth(registry: Registry) -> None:
    """The base and an earlier version, with its card, can be made active; a foreign version is unknown."""
    user_id, run_id = await queued_run(registry)
    version = (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version
    for wanted in ("hebrew_base-1", version):
        with acting(user_id), rpc.translated():
            answer = await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=wanted))
        assert answer.version.state == models_pb2.MODEL_STATE_ACTIVE
        assert answer.version.card_json == ("" if wanted == "hebrew_base-1" else '{"lines": 12}')
        assert await serving(registry, user_id) == wanted
    with acting(await registry.new_user()):
        answers = []
        for unknown in (version, str(uuid4())):
            with pytest.raises(NotFound) as caught, rpc.translated():
                await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=unknown))
            answers.append((caught.value.code, caught.value.detail))
        assert answers[0] == answers[1]


async def test_model_bytes_go_to_a_recognizer_for_their_user_and_to_a_trainer(registry: Registry) -> None:
    """A user and a recognizer for somebody else get nothing; a corrupt file is DATA_LOSS."""
    user_id, run_id = await queued_run(registry)
    model = (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model

    async def fetch(who: UUID | None, role: str, sha256: bytes = model.sha256) -> bytes:
        """Download a model."""
        request = models_pb2.DownloadModelRequest(sha256=sha256)
        with acting(who, role), rpc.translated():
            return b"".join([part.chunk async for part in registry.models.DownloadModel(request)])

    whole = safetensors(run_id.encode())
    assert await fetch(user_id, "recognizer") == whole
    assert await fetch(None, "trainer") == whole
    assert await fetch(user_id, "trainer") == whole
    stranger = await registry.new_user()
    assert await fetch(stranger, "recognizer", hashlib.sha256(safetensors(b"hebrew base")).digest())
    for who, role, error in (
        (stranger, "recognizer", NotFound),
        (stranger, "trainer", NotFound),
        (user_id, "user", Forbidden),
        (None, "recognizer", Forbidden),
    ):
        with pytest.raises(error):
            await fetch(who, role)
    stored = registry.blobs / f"models/{user_id}/{model.version}.safetensors"
    stored.write_bytes(whole[:-1] + b"\0")
    with pytest.raises(DataLoss):
        await fetch(user_id, "recognizer")


async def test_calls_of_workers_are_refused_to_users(registry: Registry) -> None:
    """Claiming, reporting, ending, exporting, sweeping and publishing need the role trainer."""
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
            with pytest.raises(Forbidden), rpc.translated():
                await call


async def test_a_foreign_run_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """Reading and cancelling say the same for both."""
    _, run_id = await queued_run(registry)
    stranger = await registry.new_user()
    answers = []
    for wanted in (run_id, str(uuid4())):
        for call in (get_run, cancel):
            with pytest.raises(NotFound) as caught:
                await call(registry, stranger, wanted)
            answers.append((caught.value.code, caught.value.detail))
    assert answers[:2] == answers[2:]


async def test_the_sweep_starts_a_run_of_who_is_due_and_does_not_start_it_again(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Sixteen lines: due. The same lines again after the run: not due. A line and a week later: due."""
    user_id = await registry.new_user()
    with acting(user_id):
        pages = await correct(registry, 8)
    found = [run_id for run_id in await sweep(registry) if await _is_of(registry, user_id, run_id)]
    assert len(found) == 1
    await cancel(registry, user_id, found[0])
    assert not [run_id for run_id in await sweep(registry) if await _is_of(registry, user_id, run_id)]
    query = "UPDATE training_run SET created_at = now() - $2::interval WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(found[0]), timedelta(days=8))
    assert not [run_id for run_id in await sweep(registry) if await _is_of(registry, user_id, run_id)]
    with acting(user_id):
        page = pages_pb2.Page(page_id=pages[0])
        await record(registry, page, "שורה")
        await correct(registry, 1, pages=1)
    assert [run_id for run_id in await sweep(registry) if await _is_of(registry, user_id, run_id)]


async def _is_of(registry: Registry, user_id: UUID, run_id: str) -> bool:
    """Say whether a run is a user's."""
    try:
        await get_run(registry, user_id, run_id)
    except NotFound:
        return False
    return True


async def test_a_holdout_line_never_trains_in_a_later_run(registry: Registry) -> None:
    """The second run's split contains the first one's, line by line."""
    user_id, run_id = await queued_run(registry)
    sides = []
    for _ in range(2):
        lease = await claim(registry, run_id)
        parts = await export(registry, run_id, lease.fence)
        sides.append(
            {(part.page.page_id, line.line.order): line.split for part in parts for line in part.page.lines}
        )
        await publish(registry, run_id, lease.fence)
        with acting(user_id):
            await correct(registry, 9, pages=3)
        run_id = (await queue(registry, user_id)).run_id
    assert len(sides[1]) == len(sides[0]) + 27
    assert sides[1].items() >= sides[0].items()


async def test_the_image_of_a_corrupt_page_stops_the_export(registry: Registry) -> None:
    """Nothing is trained on bytes that do not match their digest."""
    _, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    for stored in registry.blobs.glob("images/*/*"):
        stored.write_bytes(IMAGE[:2001])
    with pytest.raises(DataLoss):
        await export(registry, run_id, lease.fence)
