"""What a user sees of the learning, against a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, models_pb2, next_lines_pb2, pages_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import Forbidden, InvalidInput, NotFound
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


async def readiness(registry: Registry, user_id: UUID, script: Any = 0) -> training_pb2.GetReadinessResponse:
    """Return how near a user's runs are."""
    request = training_pb2.GetReadinessRequest(script=script)
    with acting(user_id), rpc.translated():
        return await registry.training.GetReadiness(request)


async def set_policy(
    registry: Registry, user_id: UUID, automatic: bool, gap_s: int
) -> training_pb2.TrainingPolicy:
    """Set a user's policy."""
    wanted = training_pb2.TrainingPolicy(automatic=automatic, minimum_gap_seconds=gap_s)
    with acting(user_id), rpc.translated():
        answer = await registry.training.SetTrainingPolicy(
            training_pb2.SetTrainingPolicyRequest(policy=wanted)
        )
    return answer.policy


async def get_policy(registry: Registry, user_id: UUID) -> training_pb2.TrainingPolicy:
    """Return a user's policy."""
    with acting(user_id), rpc.translated():
        return (await registry.training.GetTrainingPolicy(training_pb2.GetTrainingPolicyRequest())).policy


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
    assert near.wait_reason == training_pb2.WAIT_REASON_TOO_FEW_LINES
    assert not near.HasField("not_before")
    assert not near.expected_gain.HasField("cer_now")
    assert near.expected_gain.basis == training_pb2.GAIN_BASIS_PUBLISHED_CURVE
    assert answer.active_run_id == ""
    assert answer.policy == training_pb2.TrainingPolicy(automatic=True, minimum_gap_seconds=300)


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
    assert near.wait_reason == training_pb2.WAIT_REASON_RUN_ACTIVE
    assert (near.last_run_lines, near.next_run_lines, near.missing_lines) == (21, 32, 11)


async def test_quarantined_lines_are_counted_apart_and_bring_no_run_nearer(registry: Registry) -> None:
    """A line that was given no text waits for one."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = (await create(registry)).page
        [line] = (await record(registry, page, "שלום לכולם")).lines
    told = []
    for text in ("", "שלום לכם"):
        sent = corrections_pb2.LineCorrection(line_id=line.line_id, text=text)
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            lines=corrections_pb2.LineCorrections(lines=[sent]),
        )
        with acting(user_id), rpc.translated():
            await registry.corrections.SubmitCorrections(request)
        [near] = (await readiness(registry, user_id)).scripts
        told.append((near.verified_lines, near.quarantined_lines, near.missing_lines))
    assert told == [(0, 1, 16), (1, 0, 15)]


async def test_after_a_run_the_expected_gain_rests_on_it(registry: Registry) -> None:
    """The CER it measured is the one that serves, and the estimate starts there."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence, cer_before=0.2, cer_after=0.1)
    gain = (await readiness(registry, user_id)).scripts[0].expected_gain
    assert (gain.basis, gain.own_runs, gain.cer_now) == (training_pb2.GAIN_BASIS_OWN_RUNS, 1, 0.1)
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
    assert near.wait_reason == training_pb2.WAIT_REASON_MINIMUM_GAP
    assert near.HasField("not_before")
    await let_pass(postgres, database, run_id, timedelta(minutes=5))
    [near] = (await readiness(registry, user_id)).scripts
    assert near.wait_reason == training_pb2.WAIT_REASON_UNSPECIFIED
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
        (registry.training.GetReadiness, training_pb2.GetReadinessRequest()),
        (registry.training.GetTrainingPolicy, training_pb2.GetTrainingPolicyRequest()),
        (registry.models.ListModelProgress, models_pb2.ListModelProgressRequest()),
        (registry.next_lines.ListNextLines, next_lines_pb2.ListNextLinesRequest(project_id=str(uuid4()))),
        (registry.training.SetTrainingPolicy, training_pb2.SetTrainingPolicyRequest()),
    ]
    for call, request in calls:
        with acting(None, "trainer"), pytest.raises(Forbidden), rpc.translated():
            await call(request)


async def read_and_correct(
    registry: Registry, read: list[str], corrected: dict[int, str], **header: Any
) -> pages_pb2.Page:
    """Upload a page as the current user, read it, and correct lines by their order."""
    version = header.pop("version", "hebrew_base-1")
    page = (await create(registry, **header)).page
    lines = (await record(registry, page, *read, version=version)).lines
    await correct_lines(registry, page, {lines[order].line_id: text for order, text in corrected.items()})
    return page


async def correct_lines(registry: Registry, page: pages_pb2.Page, texts: dict[str, str]) -> None:
    """Correct lines of a page by their ids as the current user."""
    lines = [corrections_pb2.LineCorrection(line_id=line_id, text=text) for line_id, text in texts.items()]
    request = corrections_pb2.SubmitCorrectionsRequest(
        project_id=page.project_id, page_id=page.page_id, lines=corrections_pb2.LineCorrections(lines=lines)
    )
    with rpc.translated():
        await registry.corrections.SubmitCorrections(request)


async def progress(registry: Registry, user_id: UUID, **asked: Any) -> models_pb2.ListModelProgressResponse:
    """Return a user's progress."""
    with acting(user_id), rpc.translated():
        return await registry.models.ListModelProgress(models_pb2.ListModelProgressRequest(**asked))


async def next_lines(
    registry: Registry, user_id: UUID, project_id: str, limit: int = 0
) -> next_lines_pb2.ListNextLinesResponse:
    """Return the lines of a project that a user should correct next."""
    request = next_lines_pb2.ListNextLinesRequest(project_id=project_id, limit=limit)
    with acting(user_id), rpc.translated():
        return await registry.next_lines.ListNextLines(request)


def counted(errors: models_pb2.ReadingErrors) -> tuple[int, int, int]:
    """Return lines, edits and length."""
    return errors.lines, errors.edits, errors.length


async def test_progress_compares_the_first_reading_with_the_last_correction(registry: Registry) -> None:
    """A later reading changes nothing, a later correction does; uncorrected lines do not count."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "הוזח", "טיכל"], {0: "אבגר", 1: "הוזח"})
        again = (await record(registry, page, "שגוי", "שגוי", "שגוי")).lines
        await correct_lines(registry, page, {again[1].line_id: "הוזחט"})
    answer = await progress(registry, user_id)
    [found] = answer.pages
    assert (found.page_id, found.project_id) == (page.page_id, page.project_id)
    assert counted(found.errors) == (2, 2, 9)
    assert found.model.version == "hebrew_base-1"
    [version] = answer.versions
    assert (version.pages, counted(version.errors)) == (1, (2, 2, 9))
    assert answer.versions_complete


async def test_progress_is_added_up_by_version_and_script(registry: Registry) -> None:
    """What the base read at first and what the user's own model read at first, apart."""
    user_id, run_id = await queued_run(registry)
    made = await publish(registry, run_id, (await claim(registry, run_id)).fence)
    mine = made.model.version
    with acting(user_id):
        await read_and_correct(registry, ["אבגדה"], {0: "אבגדו"}, version=mine)
        await read_and_correct(registry, ["שלום"], {0: "שלום"}, version=mine, script=page_pb2.SCRIPT_RASHI)
    answer = await progress(registry, user_id)
    told = [(each.model.version, each.script, counted(each.errors)[:2]) for each in answer.versions]
    assert told == [
        ("hebrew_base-1", page_pb2.SCRIPT_MODERN_CURSIVE, (16, 0)),
        (mine, page_pb2.SCRIPT_MODERN_CURSIVE, (1, 1)),
        (mine, page_pb2.SCRIPT_RASHI, (1, 0)),
    ]
    rashi = await progress(registry, user_id, script=page_pb2.SCRIPT_RASHI)
    assert [counted(page.errors) for page in rashi.pages] == [(1, 0, 4)]
    assert len(rashi.versions) == 1


async def test_progress_comes_in_parts_newest_first(registry: Registry) -> None:
    """Each page once; versions only in the first part; a forged cursor is refused."""
    user_id = await registry.new_user()
    with acting(user_id):
        made = await correct(registry, 2, pages=5)
        await create(registry)
    listed, cursor, parts = [], "", 0
    while parts == 0 or cursor:
        answer = await progress(registry, user_id, limit=2, cursor=cursor)
        listed += [page.page_id for page in answer.pages]
        assert bool(answer.versions) is (parts == 0)
        cursor, parts = answer.next_cursor, parts + 1
    assert listed == made[::-1]
    assert parts == 3
    with pytest.raises(InvalidInput):
        await progress(registry, user_id, cursor="forged")


async def test_quarantined_lines_are_no_progress(registry: Registry) -> None:
    """A page whose only correction is doubted is not listed, nor one whose latest correction is."""
    user_id = await registry.new_user()
    with acting(user_id):
        await read_and_correct(registry, ["אבגד"], {0: ""})
        page = await read_and_correct(registry, ["הוזח"], {0: "הוזח"})
        assert len((await progress(registry, user_id)).pages) == 1
        again = (await record(registry, page, "הוזח")).lines
        await correct_lines(registry, page, {again[0].line_id: ""})
    answer = await progress(registry, user_id)
    assert (list(answer.pages), list(answer.versions)) == ([], [])


async def test_next_lines_are_uncorrected_lines_of_the_latest_readings(registry: Registry) -> None:
    """Not corrected ones, not those without text, not those of an older reading; the same each time."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "", "הוזח", "טיכל"], {0: "אבגד"})
        await record(registry, page, "אבגד", "", "הוזחט", "טיכל")
    answer = await next_lines(registry, user_id, page.project_id)
    assert {line.text for line in answer.lines} == {"הוזחט", "טיכל"}
    assert answer.candidates == 2
    assert all(line.reason and line.page_id == page.page_id for line in answer.lines)
    assert {line.order for line in answer.lines} == {2, 3}
    assert await next_lines(registry, user_id, page.project_id) == answer
    best = await next_lines(registry, user_id, page.project_id, limit=1)
    assert (best.lines[0], best.candidates) == (answer.lines[0], 2)
    with acting(user_id):
        await correct_lines(registry, page, {answer.lines[0].line_id: "אחר"})
    assert (await next_lines(registry, user_id, page.project_id)).candidates == 1


@pytest.mark.parametrize("limit", [-1, 101])
async def test_a_limit_out_of_bounds_is_refused(registry: Registry, limit: int) -> None:
    """One to a hundred."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = (await create(registry)).page.project_id
    with pytest.raises(InvalidInput):
        await next_lines(registry, user_id, project_id, limit)
    with pytest.raises(InvalidInput):
        await progress(registry, user_id, limit=limit)


async def test_another_users_pages_and_lines_are_not_seen(registry: Registry) -> None:
    """Their progress is empty for a stranger, their project like an unknown one."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "הוזח"], {0: "אבגד"})
    seen = await progress(registry, stranger)
    assert (list(seen.pages), list(seen.versions)) == ([], [])
    answers = []
    for project_id in (page.project_id, str(uuid4())):
        with pytest.raises(NotFound) as caught:
            await next_lines(registry, stranger, project_id)
        answers.append((caught.value.code, caught.value.detail))
    assert answers[0] == answers[1]
