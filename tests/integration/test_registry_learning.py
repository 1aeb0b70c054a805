"""What a user sees of the learning, against a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import learning_pb2 as pb
from ketav.registry.v1 import projects_pb2, training_pb2
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


async def readiness(registry: Registry, user_id: UUID, script: Any = 0) -> pb.GetReadinessResponse:
    """Return how near a user's runs are."""
    request = pb.GetReadinessRequest(script=script)
    with acting(user_id), rpc.translated():
        return await registry.learning.GetReadiness(request)


async def set_policy(registry: Registry, user_id: UUID, automatic: bool, gap_s: int) -> pb.TrainingPolicy:
    """Set a user's policy."""
    wanted = pb.TrainingPolicy(automatic=automatic, minimum_gap_seconds=gap_s)
    with acting(user_id), rpc.translated():
        answer = await registry.learning.SetTrainingPolicy(pb.SetTrainingPolicyRequest(policy=wanted))
    return answer.policy


async def get_policy(registry: Registry, user_id: UUID) -> pb.TrainingPolicy:
    """Return a user's policy."""
    with acting(user_id), rpc.translated():
        return (await registry.learning.GetTrainingPolicy(pb.GetTrainingPolicyRequest())).policy


async def swept(registry: Registry, user_id: UUID) -> str:
    """Sweep as the trainer; return the user's active run, if any."""
    with acting(None, "trainer"), rpc.translated():
        await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())
    return (await readiness(registry, user_id)).active_run_id


async def let_pass(postgres: PostgresServer, database: str, run_id: str, time: timedelta) -> None:
    """Put the start of a run into the past."""
    query = "UPDATE training_run SET created_at = created_at - $2::interval WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id), time)


async def test_a_new_user_is_told_what_the_first_run_needs(registry: Registry) -> None:
    """Sixteen lines of modern cursive, an estimate with its source, and no made-up CER."""
    answer = await readiness(registry, await registry.new_user())
    [near] = answer.scripts
    assert near.script == page_pb2.SCRIPT_MODERN_CURSIVE
    assert (near.verified_lines, near.next_run_lines, near.missing_lines) == (0, 16, 16)
    assert near.wait_reason == pb.WAIT_REASON_TOO_FEW_LINES
    assert not near.HasField("not_before")
    assert not near.expected_gain.HasField("cer_now")
    assert near.expected_gain.basis == pb.GAIN_BASIS_PUBLISHED_CURVE
    assert answer.active_run_id == ""
    assert answer.policy == pb.TrainingPolicy(automatic=True, minimum_gap_seconds=300)


async def test_lines_and_the_split_are_those_a_run_would_use(registry: Registry) -> None:
    """What readiness counts before is what the run has after; corrections of a line twice count once."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 7, pages=3, script=page_pb2.SCRIPT_RASHI)
        await correct(registry, 2, pages=1)
    told = (await readiness(registry, user_id)).scripts
    assert [near.script for near in told] == [page_pb2.SCRIPT_RASHI, page_pb2.SCRIPT_MODERN_CURSIVE]
    run = await queue(registry, user_id)
    assert told[0].verified_lines == run.training_lines + run.holdout_lines == 21
    assert told[0].holdout_lines == run.holdout_lines
    answer = await readiness(registry, user_id, page_pb2.SCRIPT_RASHI)
    [near] = answer.scripts
    assert answer.active_run_id == run.run_id
    assert near.wait_reason == pb.WAIT_REASON_RUN_ACTIVE
    assert (near.last_run_lines, near.next_run_lines, near.missing_lines) == (21, 32, 11)


async def test_quarantined_lines_are_counted_apart_and_bring_no_run_nearer(registry: Registry) -> None:
    """A line that was given no text waits for one."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = (await create(registry)).page
        [line] = (await record(registry, page, "שלום לכולם")).lines
    told = []
    for text in ("", "שלום לכם"):
        sent = projects_pb2.LineCorrection(line_id=line.line_id, text=text)
        request = projects_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            lines=projects_pb2.LineCorrections(lines=[sent]),
        )
        with acting(user_id), rpc.translated():
            await registry.projects.SubmitCorrections(request)
        [near] = (await readiness(registry, user_id)).scripts
        told.append((near.verified_lines, near.quarantined_lines, near.missing_lines))
    assert told == [(0, 1, 16), (1, 0, 15)]


async def test_after_a_run_the_expected_gain_rests_on_it(registry: Registry) -> None:
    """The CER it measured is the one that serves, and the estimate starts there."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence, cer_before=0.2, cer_after=0.1)
    gain = (await readiness(registry, user_id)).scripts[0].expected_gain
    assert (gain.basis, gain.own_runs, gain.cer_now) == (pb.GAIN_BASIS_OWN_RUNS, 1, 0.1)
    assert 0 < gain.cer_expected < 0.1


async def test_the_minimum_gap_holds_the_next_run_back(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Enough lines, too early: told so with the time; once the gap is over the sweep queues it."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    with acting(user_id):
        await correct(registry, 8)
    assert await swept(registry, user_id) == ""
    [near] = (await readiness(registry, user_id)).scripts
    assert near.wait_reason == pb.WAIT_REASON_MINIMUM_GAP
    assert near.HasField("not_before")
    await let_pass(postgres, database, run_id, timedelta(minutes=5))
    [near] = (await readiness(registry, user_id)).scripts
    assert near.wait_reason == pb.WAIT_REASON_UNSPECIFIED
    assert await swept(registry, user_id)


async def test_a_user_sets_the_gap_and_switches_automatic_training_off(registry: Registry) -> None:
    """Off: no sweep starts a run, POST /train/ does. On without a gap: the next sweep starts one."""
    user_id = await registry.new_user()
    other = await registry.new_user()
    assert await set_policy(registry, user_id, automatic=False, gap_s=0) == await get_policy(
        registry, user_id
    )
    with acting(user_id):
        await correct(registry, 8)
    assert await swept(registry, user_id) == ""
    answer = await readiness(registry, user_id)
    assert answer.scripts[0].wait_reason == pb.WAIT_REASON_AUTOMATIC_OFF
    assert "off" in answer.policy_text
    run = await queue(registry, user_id)
    await publish(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    with acting(user_id):
        await correct(registry, 8)
    await set_policy(registry, user_id, automatic=True, gap_s=0)
    assert await swept(registry, user_id)
    assert await get_policy(registry, other) == pb.TrainingPolicy(automatic=True, minimum_gap_seconds=300)


async def test_of_two_scripts_that_are_due_both_get_their_run(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The one that came second is not forgotten, although nothing was corrected since the first one's run."""
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
        await let_pass(postgres, database, run_id, timedelta(minutes=6))
    assert trained == [page_pb2.SCRIPT_SQUARE, page_pb2.SCRIPT_RASHI]


@pytest.mark.parametrize("gap_s", [-1, 604_801])
async def test_a_gap_out_of_bounds_is_refused_and_nothing_is_kept(registry: Registry, gap_s: int) -> None:
    """From nothing to a week."""
    user_id = await registry.new_user()
    with pytest.raises(InvalidInput) as caught:
        await set_policy(registry, user_id, automatic=False, gap_s=gap_s)
    assert caught.value.code == "invalid-gap"
    assert (await get_policy(registry, user_id)).automatic


async def test_what_one_user_does_shows_nothing_to_another(registry: Registry) -> None:
    """Lines, runs and policy are the caller's own; without a user there is nothing to see."""
    user_id, _ = await queued_run(registry)
    await set_policy(registry, user_id, automatic=False, gap_s=7)
    answer = await readiness(registry, await registry.new_user())
    assert (answer.scripts[0].verified_lines, answer.active_run_id) == (0, "")
    assert answer.policy.automatic
    calls: list[tuple[Any, Any]] = [
        (registry.learning.GetReadiness, pb.GetReadinessRequest()),
        (registry.learning.GetTrainingPolicy, pb.GetTrainingPolicyRequest()),
        (registry.learning.SetTrainingPolicy, pb.SetTrainingPolicyRequest()),
    ]
    for call, request in calls:
        with acting(None, "trainer"), pytest.raises(Forbidden), rpc.translated():
            await call(request)
