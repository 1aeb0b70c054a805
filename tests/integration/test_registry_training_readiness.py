"""Readiness and the policy of automatic training, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, models_pb2, next_lines_pb2, projects_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import Forbidden, InvalidInput
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
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


async def readiness(
    registry: Registry, user_id: UUID, requested: Any = 0
) -> training_pb2.GetReadinessResponse:
    """Return the readiness of a user's scripts."""
    request = training_pb2.GetReadinessRequest(script=requested)
    with acting(user_id), rpc.raise_ketav_errors():
        return await registry.training.GetReadiness(request)


async def set_policy(
    registry: Registry, user_id: UUID, automatic: bool, gap_s: int
) -> training_pb2.TrainingPolicy:
    """Set a user's policy."""
    policy = training_pb2.TrainingPolicy(automatic=automatic, minimum_gap_seconds=gap_s)
    with acting(user_id), rpc.raise_ketav_errors():
        answer = await registry.training.SetTrainingPolicy(
            training_pb2.SetTrainingPolicyRequest(policy=policy)
        )
    return answer.policy


async def get_policy(registry: Registry, user_id: UUID) -> training_pb2.TrainingPolicy:
    """Return a user's policy."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.training.GetTrainingPolicy(training_pb2.GetTrainingPolicyRequest())).policy


async def swept(registry: Registry, user_id: UUID) -> str:
    """Sweep as the trainer; return the user's active run, if any."""
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())
    return (await readiness(registry, user_id)).active_run_id


async def age_run(postgres: PostgresServer, database: str, run_id: str, time: timedelta) -> None:
    """Move the start of a run into the past."""
    query = "UPDATE training_run SET created_at = created_at - $2::interval WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id), time)


async def test_a_new_user_gets_the_number_of_lines_that_the_first_run_needs(registry: Registry) -> None:
    """16 lines of modern cursive, an estimate with its source, and no CER, because none was measured."""
    answer = await readiness(registry, await registry.new_user())
    [script] = answer.scripts
    assert script.script == page_pb2.SCRIPT_MODERN_CURSIVE
    assert (script.verified_lines, script.next_run_lines, script.missing_lines) == (0, 16, 16)
    assert script.wait_reason == training_pb2.WAIT_REASON_TOO_FEW_LINES
    assert not script.HasField("not_before")
    assert not script.expected_gain.HasField("cer_now")
    assert script.expected_gain.basis == training_pb2.GAIN_BASIS_PUBLISHED_CURVE
    assert answer.active_run_id == ""
    assert answer.policy == training_pb2.TrainingPolicy(automatic=True, minimum_gap_seconds=300)


async def test_the_counted_lines_are_those_of_the_next_run(registry: Registry) -> None:
    """Verified lines and held-out lines are those of the run that is queued next."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 7, pages=3, script=page_pb2.SCRIPT_RASHI)
        await correct(registry, 2, pages=1)
    scripts = (await readiness(registry, user_id)).scripts
    assert [script.script for script in scripts] == [page_pb2.SCRIPT_RASHI, page_pb2.SCRIPT_MODERN_CURSIVE]
    run = await queue(registry, user_id)
    assert scripts[0].verified_lines == run.training_lines + run.holdout_lines == 21
    assert scripts[0].holdout_lines == run.holdout_lines
    answer = await readiness(registry, user_id, page_pb2.SCRIPT_RASHI)
    [script] = answer.scripts
    assert answer.active_run_id == run.run_id
    assert script.wait_reason == training_pb2.WAIT_REASON_RUN_ACTIVE
    assert (script.last_run_lines, script.next_run_lines, script.missing_lines) == (21, 32, 11)


async def test_quarantined_lines_are_counted_separately(registry: Registry) -> None:
    """A line with an empty correction is missing until it has a text."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = (await create(registry)).page
        [line] = (await record(registry, page, "שלום לכולם")).lines
    counts = []
    for text in ("", "שלום לכם"):
        correction = corrections_pb2.LineCorrection(line_id=line.line_id, text=text)
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            lines=corrections_pb2.LineCorrections(lines=[correction]),
        )
        with acting(user_id), rpc.raise_ketav_errors():
            await registry.corrections.SubmitCorrections(request)
        [script] = (await readiness(registry, user_id)).scripts
        counts.append((script.verified_lines, script.quarantined_lines, script.missing_lines))
    assert counts == [(0, 1, 16), (1, 0, 15)]


async def test_after_a_run_the_expected_gain_is_based_on_it(registry: Registry) -> None:
    """The estimate starts from the CER that the run has measured of the serving model."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence, cer_before=0.2, cer_after=0.1)
    gain = (await readiness(registry, user_id)).scripts[0].expected_gain
    assert (gain.basis, gain.own_runs, gain.cer_now) == (training_pb2.GAIN_BASIS_OWN_RUNS, 1, 0.1)
    assert 0 < gain.cer_expected < 0.1


async def test_the_minimum_gap_delays_the_next_run(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """With enough lines, readiness has the time; after the gap the sweep queues the run."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    with acting(user_id):
        await correct(registry, 8)
    assert await swept(registry, user_id) == ""
    [script] = (await readiness(registry, user_id)).scripts
    assert script.wait_reason == training_pb2.WAIT_REASON_MINIMUM_GAP
    assert script.HasField("not_before")
    await age_run(postgres, database, run_id, timedelta(minutes=5))
    [script] = (await readiness(registry, user_id)).scripts
    assert script.wait_reason == training_pb2.WAIT_REASON_UNSPECIFIED
    assert await swept(registry, user_id)


async def test_a_user_sets_the_gap_and_switches_automatic_training_off(registry: Registry) -> None:
    """Off: no sweep queues a run, but the user can. On, without a gap: the next sweep queues one."""
    user_id = await registry.new_user()
    other = await registry.new_user()
    assert await set_policy(registry, user_id, automatic=False, gap_s=0) == await get_policy(
        registry, user_id
    )
    with acting(user_id):
        await correct(registry, 8)
    assert await swept(registry, user_id) == ""
    answer = await readiness(registry, user_id)
    assert answer.scripts[0].wait_reason == training_pb2.WAIT_REASON_AUTOMATIC_OFF
    assert "off" in answer.policy_text
    run = await queue(registry, user_id)
    await publish(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    with acting(user_id):
        await correct(registry, 8)
    await set_policy(registry, user_id, automatic=True, gap_s=0)
    assert await swept(registry, user_id)
    assert await get_policy(registry, other) == training_pb2.TrainingPolicy(
        automatic=True, minimum_gap_seconds=300
    )


async def test_two_scripts_that_are_due_get_one_run_each(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The second one, too, although no line was corrected since the run of the first one."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8, script=page_pb2.SCRIPT_RASHI)
        await correct(registry, 9, script=page_pb2.SCRIPT_SQUARE)
    trained = []
    for _ in range(2):
        run_id = await swept(registry, user_id)
        lease = await claim(registry, run_id)
        trained.append(lease.run.script)
        await publish(registry, run_id, lease.fence)
        await age_run(postgres, database, run_id, timedelta(minutes=6))
    assert trained == [page_pb2.SCRIPT_SQUARE, page_pb2.SCRIPT_RASHI]


@pytest.mark.parametrize("hand", ["", "Uncle"])
async def test_a_project_that_gets_another_hand_makes_a_run_of_it_due(
    registry: Registry, postgres: PostgresServer, database: str, hand: str
) -> None:
    """Its lines were corrected long before the last run of that hand."""
    user_id = await registry.new_user()
    with acting(user_id):
        moved = (await create(registry, hand="Aunt")).page.project_id
        await correct(registry, 7, project_id=moved)
        trained = (await create(registry, hand=hand)).page.project_id
        await correct(registry, 10, project_id=trained)
    long_ago = "UPDATE feedback SET created_at = created_at - interval '1 hour' WHERE user_id = $1"
    await asyncio.to_thread(postgres.execute, long_ago, database, user_id)
    await set_policy(registry, user_id, automatic=True, gap_s=0)
    run_id = await swept(registry, user_id)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    assert await swept(registry, user_id) == ""
    with acting(user_id), rpc.raise_ketav_errors():
        change = projects_pb2.UpdateProjectRequest(project_id=moved, hand=hand)
        await registry.projects.UpdateProject(change)
    due = (await claim(registry, await swept(registry, user_id))).run
    assert (due.hand, due.training_lines + due.holdout_lines) == (hand, 34)


@pytest.mark.parametrize("gap_s", [-1, 604_801])
async def test_a_gap_out_of_bounds_is_refused_and_not_stored(registry: Registry, gap_s: int) -> None:
    """The minimum gap is 0 to 604,800 seconds."""
    user_id = await registry.new_user()
    with pytest.raises(InvalidInput) as caught:
        await set_policy(registry, user_id, automatic=False, gap_s=gap_s)
    assert caught.value.code == "invalid-gap"
    assert (await get_policy(registry, user_id)).automatic


async def test_readiness_and_policy_are_those_of_the_caller(registry: Registry) -> None:
    """Another user's lines, runs and policy are not visible; a call without a user is refused."""
    user_id, _ = await queued_run(registry)
    await set_policy(registry, user_id, automatic=False, gap_s=7)
    answer = await readiness(registry, await registry.new_user())
    assert (answer.scripts[0].verified_lines, answer.active_run_id) == (0, "")
    assert answer.policy.automatic
    calls: list[tuple[Any, Any]] = [
        (registry.training.GetReadiness, training_pb2.GetReadinessRequest()),
        (registry.training.GetTrainingPolicy, training_pb2.GetTrainingPolicyRequest()),
        (registry.models.ListModelProgress, models_pb2.ListModelProgressRequest()),
        (registry.next_lines.ListNextLines, next_lines_pb2.ListNextLinesRequest(project_id=str(uuid4()))),
        (registry.training.SetTrainingPolicy, training_pb2.SetTrainingPolicyRequest()),
    ]
    for call, request in calls:
        with acting(None, "trainer"), pytest.raises(Forbidden), rpc.raise_ketav_errors():
            await call(request)
