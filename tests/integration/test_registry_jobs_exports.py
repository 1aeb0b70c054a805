"""Exports that jobs write: claimed fairly, stored under a fence, downloaded in parts, ended by deletions."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import accounts_pb2, members_pb2, pages_pb2, projects_pb2, transcriptions_pb2
from ketav.registry.v1 import jobs_pb2 as pb
from ketav_common import context, rpc
from ketav_common.errors import Forbidden, InvalidInput, NotFound, Precondition, RateLimited, Stale
from ketav_common.identity import Identity, Work
from ketav_registry.usecases import accounts, corrections_withdrawal, erasure, members, object_removal
from tests.parts.jobs import get_job, sweep
from tests.parts.jobs_exports import (
    FILE,
    cancel,
    claim,
    create_export,
    download,
    fail,
    finish,
    messages,
    next_export,
    renew,
    writing,
)
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, correct_lines, create, record, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry without jobs of earlier tests."""
    await asyncio.to_thread(postgres.execute, "DELETE FROM account", database)
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def new_project(registry: Registry, pages: int = 2) -> tuple[UUID, str, list[pages_pb2.Page]]:
    """Create a user with a project of pages; return both and the pages."""
    user_id = await registry.new_user()
    with acting(user_id):
        stored = [(await create(registry)).page]
        for number in range(1, pages):
            image = bytes([number]) * 90
            stored.append((await create(registry, image, project_id=stored[0].project_id)).page)
    return user_id, stored[0].project_id, stored


def results(registry: Registry) -> int:
    """Return the number of stored results."""
    return len([path for path in registry.blobs.glob("exports/*/*/*") if path.is_file()])


async def sweep_objects(registry: Registry) -> None:
    """Remove the queued objects."""
    await object_removal.sweep_objects(object_removal.OrphanSearch(), stores=registry.stores)


async def execute(postgres: PostgresServer, database: str, query: str) -> None:
    """Run a statement as the owner of the tables."""
    await asyncio.to_thread(postgres.execute, query, database)


async def expire_leases(postgres: PostgresServer, database: str) -> None:
    """Set the end of the leases of all claimed exports to a time in the past."""
    query = "UPDATE job_export SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL"
    await execute(postgres, database, query)


async def test_an_export_is_claimed_written_and_downloaded_whole_and_in_parts(registry: Registry) -> None:
    """Its progress is shown, its result has a digest and an end, and the audit log has one entry."""
    user_id, project_id, pages = await new_project(registry)
    ids = [page.page_id for page in reversed(pages)]
    job = await create_export(registry, user_id, project_id, page_ids=ids, images=True, base="http://x")
    assert (job.kind, job.state, job.page_count) == (pb.JOB_KIND_EXPORT, pb.JOB_STATE_QUEUED, 2)
    assert (job.export.format, list(job.export.page_ids), job.export.images) == ("pdf", ids, True)
    claimed = await next_export(registry)
    assert (claimed.job_id, claimed.user_id, claimed.creator_id) == (job.job_id, str(user_id), str(user_id))
    assert (list(claimed.page_ids), claimed.base, claimed.fence) == (ids, "http://x", 1)
    assert await claim(registry) is None
    await renew(registry, claimed, 1)
    job_now = await get_job(registry, user_id, job.job_id)
    assert (job_now.state, job_now.pages_read, job_now.export.size_bytes) == (pb.JOB_STATE_RUNNING, 1, 0)
    with pytest.raises(NotFound) as error:
        await download(registry, user_id, job.job_id)
    assert error.value.code == "export-expired"
    await finish(registry, claimed)
    ended = await get_job(registry, user_id, job.job_id)
    assert (ended.state, ended.pages_read) == (pb.JOB_STATE_SUCCEEDED, 2)
    assert ended.export.sha256 == hashlib.sha256(FILE).digest()
    assert 23 * 3600 < ended.export.expire_time.seconds - ended.update_time.seconds <= 24 * 3600
    assert ended.revision > job_now.revision > job.revision
    assert await download(registry, user_id, job.job_id) == FILE
    for offset, length in ((0, 5), (1_048_570, 20), (2_000_000, 0), (len(FILE) - 3, 900)):
        end = offset + length if length else None
        assert await download(registry, user_id, job.job_id, offset, length) == FILE[offset:end]
    with acting(user_id):
        log = (await registry.accounts.ListAuditEntries(accounts_pb2.ListAuditEntriesRequest())).entries
    assert [item.subject for item in log if item.action == "project.exported"] == [f"{project_id} pdf"]


async def test_an_equal_export_is_created_once_while_it_waits_and_three_may_wait(registry: Registry) -> None:
    """Another format is another one; a fourth is refused until one has ended."""
    user_id, project_id, _ = await new_project(registry)
    first = await create_export(registry, user_id, project_id)
    assert (await create_export(registry, user_id, project_id)).job_id == first.job_id
    for name in ("txt", "tei"):
        assert (await create_export(registry, user_id, project_id, format=name)).job_id != first.job_id
    with pytest.raises(RateLimited) as error:
        await create_export(registry, user_id, project_id, format="docx")
    assert error.value.code == "too-many-exports"
    await cancel(registry, user_id, first.job_id)
    again = await create_export(registry, user_id, project_id)
    assert again.job_id != first.job_id


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"page_ids": [str(uuid4())]}, NotFound),
        ({"page_ids": [str(uuid4())] * 101}, InvalidInput),
        ({"format": ""}, InvalidInput),
        ({"base": "x" * 2001}, InvalidInput),
    ],
)
async def test_a_wrong_export_is_refused(
    registry: Registry, fields: dict[str, Any], error: type[Exception]
) -> None:
    """Pages of no project, too many, and fields of a wrong length; nothing is created."""
    user_id, project_id, _ = await new_project(registry, pages=1)
    with pytest.raises(error):
        await create_export(registry, user_id, project_id, **fields)
    assert await claim(registry) is None


async def test_users_take_turns_with_their_exports(registry: Registry) -> None:
    """The second user's export comes before the second one of the first."""
    first, first_project, _ = await new_project(registry, pages=1)
    second, second_project, _ = await new_project(registry, pages=1)
    jobs = [await create_export(registry, first, first_project, format=name) for name in ("txt", "pdf")]
    jobs.insert(1, await create_export(registry, second, second_project))
    assert [(await next_export(registry)).job_id for _ in jobs] == [job.job_id for job in jobs]


async def test_an_abandoned_export_is_claimed_again_and_its_first_writer_is_refused(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """What the first one sends later changes nothing and leaves no object; there is one outcome."""
    user_id, project_id, _ = await new_project(registry)
    job = await create_export(registry, user_id, project_id)
    early = await next_export(registry)
    await renew(registry, early, 1)
    await expire_leases(postgres, database)
    late = await next_export(registry)
    assert (late.job_id, late.fence) == (job.job_id, early.fence + 1)
    assert (await get_job(registry, user_id, job.job_id)).pages_read == 0
    for call in (renew(registry, early, 2), finish(registry, early), fail(registry, early, retry=True)):
        with pytest.raises(Stale) as error:
            await call
        assert error.value.code == "stale-fence"
    await finish(registry, late, b"second")
    with pytest.raises(Stale):
        await finish(registry, early, b"first")
    assert await download(registry, user_id, job.job_id) == b"second"
    assert results(registry) == 1


async def test_an_export_fails_after_five_attempts_or_a_day(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """An attempt that does not count is left out; the reason is shown."""
    user_id, project_id, _ = await new_project(registry)
    job = await create_export(registry, user_id, project_id)
    await fail(registry, await next_export(registry), retry=True, counts=False)
    for _ in range(4):
        assert (await fail(registry, await next_export(registry), retry=True)).state == pb.JOB_STATE_QUEUED
    assert (await fail(registry, await next_export(registry), retry=True)).state == pb.JOB_STATE_FAILED
    assert (await get_job(registry, user_id, job.job_id)).export.error.code == "unavailable"
    killed = await create_export(registry, user_id, project_id)
    for _ in range(5):
        await next_export(registry)
        await expire_leases(postgres, database)
    assert await claim(registry) is None
    waiting = await create_export(registry, user_id, project_id, format="txt")
    await execute(
        postgres, database, "UPDATE job SET expires_at = now() - interval '1s' WHERE state = 'queued'"
    )
    await sweep(registry)
    for ended, code in ((killed, "too-many-attempts"), (waiting, "out-of-time")):
        job_now = await get_job(registry, user_id, ended.job_id)
        assert (job_now.state, job_now.export.error.code) == (pb.JOB_STATE_FAILED, code)


async def test_a_cancelled_export_ends_at_once_and_its_writer_is_refused(registry: Registry) -> None:
    """One that has ended is not cancelled."""
    user_id, project_id, _ = await new_project(registry)
    job = await create_export(registry, user_id, project_id)
    claimed = await next_export(registry)
    cancelled = await cancel(registry, user_id, job.job_id)
    assert (cancelled.state, cancelled.cancel_requested) == (pb.JOB_STATE_CANCELLED, True)
    with pytest.raises(Stale):
        await finish(registry, claimed)
    with pytest.raises(Precondition):
        await cancel(registry, user_id, job.job_id)
    assert results(registry) == 0


async def test_a_result_is_removed_after_a_day_and_at_the_sixth_of_a_project(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The job stays, and says that its file is gone."""
    user_id, project_id, _ = await new_project(registry)
    jobs = []
    for _ in range(6):
        jobs.append(await create_export(registry, user_id, project_id))
        await finish(registry, await next_export(registry))
    await sweep_objects(registry)
    assert results(registry) == 5
    await execute(postgres, database, "UPDATE job_export SET result_expires_at = now() - interval '1 second'")
    await sweep(registry)
    await sweep_objects(registry)
    assert results(registry) == 0
    for job in jobs:
        with pytest.raises(NotFound) as error:
            await download(registry, user_id, job.job_id)
        assert error.value.code == "export-expired"
        assert (await get_job(registry, user_id, job.job_id)).state == pb.JOB_STATE_SUCCEEDED


async def delete_page(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> None:
    """Delete a page."""
    request = pages_pb2.DeletePageRequest(project_id=page.project_id, page_id=page.page_id)
    with acting(user_id):
        await registry.pages.DeletePage(request)


async def delete_line(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> None:
    """Delete the second line of a page."""
    with acting(user_id):
        stored = await record(registry, page, "שלום", "לכולם")
        edit = transcriptions_pb2.EditLinesRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            transcription_id=stored.transcription_id,
            lines=[transcriptions_pb2.EditedLine(line_id=stored.lines[0].line_id)],
        )
        await registry.transcriptions.EditLines(edit)


async def withdraw(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> None:
    """Withdraw a correction."""
    with acting(user_id):
        stored = await record(registry, page, "שלום", "לכולם")
        await correct_lines(registry, page, {stored.lines[0].line_id: "שלום לך"})
    await corrections_withdrawal.withdraw_correction(
        user_id,
        UUID(page.project_id),
        UUID(page.page_id),
        UUID(stored.lines[0].line_id),
        stores=registry.stores,
    )


@pytest.mark.parametrize("delete", [delete_page, delete_line, withdraw])
async def test_a_deletion_in_the_project_ends_its_exports_and_removes_their_results(
    registry: Registry, delete: Any
) -> None:
    """A running export fails and its writer stores nothing; exports of another project stay."""
    user_id, project_id, pages = await new_project(registry)
    with acting(user_id):
        other = (await create(registry, bytes(80))).page.project_id
    done = await create_export(registry, user_id, project_id, format="txt")
    await finish(registry, await next_export(registry))
    unrelated = await create_export(registry, user_id, other)
    await finish(registry, await next_export(registry), b"unrelated")
    running = await create_export(registry, user_id, project_id)
    claimed = await next_export(registry)
    await delete(registry, user_id, pages[1])
    await sweep_objects(registry)
    with pytest.raises(Stale):
        await finish(registry, claimed)
    job_now = await get_job(registry, user_id, running.job_id)
    assert (job_now.state, job_now.export.error.code) == (pb.JOB_STATE_FAILED, "data-deleted")
    for job in (done, running):
        with pytest.raises(NotFound) as error:
            await download(registry, user_id, job.job_id)
        assert error.value.code == "export-expired"
    assert await download(registry, user_id, unrelated.job_id) == b"unrelated"
    assert results(registry) == 1


@pytest.mark.parametrize("whole_account", [False, True])
async def test_a_deleted_project_or_account_leaves_no_export(
    registry: Registry, *, whole_account: bool
) -> None:
    """Neither job nor result; a running export stores nothing."""
    user_id, project_id, _ = await new_project(registry)
    done = await create_export(registry, user_id, project_id, format="txt")
    await finish(registry, await next_export(registry))
    await create_export(registry, user_id, project_id)
    claimed = await next_export(registry)
    if whole_account:
        await erasure.delete_account(user_id, stores=registry.stores)
    else:
        with acting(user_id):
            await registry.projects.DeleteProject(projects_pb2.DeleteProjectRequest(project_id=project_id))
    await sweep_objects(registry)
    with pytest.raises((Stale, NotFound)):
        await finish(registry, claimed)
    assert results(registry) == 0
    with pytest.raises(NotFound):
        await get_job(registry, user_id, done.job_id)


async def test_members_export_and_cancel_their_own_and_lose_all_with_their_membership(
    registry: Registry,
) -> None:
    """A viewer too; they see the project's exports, and cancel none of others. A stranger gets not-found."""
    owner, project_id, _ = await new_project(registry)
    viewer, _ = await accounts.add_user("viewer", stores=registry.stores)
    stranger = await registry.new_user()
    request = members_pb2.SetMemberRequest(project_id=project_id, name="viewer", role=members_pb2.ROLE_VIEWER)
    with acting(owner):
        await registry.members.SetMember(request)
    own = await create_export(registry, viewer, project_id)
    claimed = await next_export(registry)
    assert (claimed.user_id, claimed.creator_id) == (str(owner), str(viewer))
    await finish(registry, claimed)
    for user in (owner, viewer):
        assert await download(registry, user, own.job_id) == FILE
        with acting(user):
            [listed] = (await registry.jobs.ListJobs(pb.ListJobsRequest())).jobs
        assert listed.export.size_bytes == len(FILE)
    of_owner = await create_export(registry, owner, project_id)
    with pytest.raises(Forbidden, match="You are a viewer"):
        await cancel(registry, viewer, of_owner.job_id)
    second = await create_export(registry, viewer, project_id)
    assert second.job_id != of_owner.job_id
    assert (await cancel(registry, viewer, second.job_id)).state == pb.JOB_STATE_CANCELLED
    for call in (
        create_export(registry, stranger, project_id),
        download(registry, stranger, own.job_id),
        cancel(registry, stranger, own.job_id),
    ):
        with pytest.raises(NotFound) as error:
            await call
        assert error.value.code == "not-found"
    await members.remove_member(owner, UUID(project_id), "viewer", stores=registry.stores)
    with pytest.raises(NotFound):
        await download(registry, viewer, own.job_id)


async def test_a_gateway_writes_what_it_has_claimed_alone(registry: Registry) -> None:
    """With another fence or job, without an owner, or as a user, it is refused."""
    user_id, project_id, _ = await new_project(registry)
    await create_export(registry, user_id, project_id)
    claimed = await next_export(registry)
    for changes in ({"fence": 7}, {"id": uuid4()}):
        with writing(claimed, **changes), pytest.raises(Forbidden), rpc.raise_ketav_errors():
            await registry.jobs.EndExport(messages(claimed, FILE))
    work = Work(UUID(claimed.job_id), claimed.fence)
    for identity in (Identity("gateway", None, work), Identity("user", user_id, work)):
        with context.bind(identity=identity), pytest.raises(Forbidden), rpc.raise_ketav_errors():
            await registry.jobs.EndExport(messages(claimed, FILE))


async def test_a_job_that_reads_has_no_file(registry: Registry) -> None:
    """It is answered like an unknown job, and no gateway claims it."""
    user_id, project_id, pages = await new_project(registry)
    header = pb.CreateJobHeader(project_id=project_id, page_ids=[pages[0].page_id])
    with acting(user_id):
        job = (await registry.jobs.CreateJob(iter([pb.CreateJobRequest(header=header)]))).job
    assert job.kind == pb.JOB_KIND_READING
    assert await claim(registry) is None
    with pytest.raises(NotFound) as error:
        await download(registry, user_id, job.job_id)
    assert error.value.code == "not-found"
