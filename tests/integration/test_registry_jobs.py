"""Jobs in the registry: created once, claimed fairly, ended under a fence, cancelled, swept and deleted."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import accounts_pb2, pages_pb2, projects_pb2, webhooks_pb2
from ketav.registry.v1 import jobs_pb2 as pb
from ketav_common import rpc
from ketav_common.errors import (
    Conflict,
    DataLoss,
    Forbidden,
    InvalidInput,
    NotFound,
    Precondition,
    RateLimited,
    Stale,
)
from ketav_common.identity import Work
from ketav_registry.domain import jobs as domain
from ketav_registry.repository import jobs
from ketav_registry.usecases import erasure, object_removal
from tests.parts.jobs import (
    DOCUMENT,
    claim,
    create_job,
    document,
    end,
    failure,
    get_job,
    next_page,
    read,
    states,
    sweep,
)
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, claiming, create, get_project, registry_server


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


async def expire_leases(postgres: PostgresServer, database: str) -> None:
    """Set the end of the leases of all claimed pages to a time in the past."""
    query = "UPDATE job_page SET lease_until = now() - interval '1 second' WHERE state = 'running'"
    await asyncio.to_thread(postgres.execute, query, database)


async def test_a_document_becomes_a_job_whose_pages_are_read_one_by_one(registry: Registry) -> None:
    """The worker gets the document, stores each page and records its reading; the document is removed."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, model_version="hebrew_base-1", turn=90, detect_turn=True)
    assert (states(job), job.state, job.page_count) == ("qqq", pb.JOB_STATE_QUEUED, 3)
    claimed = await next_page(registry)
    assert (claimed.position, claimed.page_count, claimed.user_id) == (1, 3, str(user_id))
    assert (claimed.turn, claimed.detect_turn, claimed.model_version) == (90, True, "hebrew_base-1")
    assert claimed.document_sha256 == hashlib.sha256(DOCUMENT).digest()
    assert await document(registry, claimed) == DOCUMENT
    assert states(await get_job(registry, user_id, job.job_id)) == "rqq"
    await read(registry, claimed)
    await read(registry, await next_page(registry), "שורה")
    ended = await read(registry, await next_page(registry))
    assert (ended.state, ended.pages_read, ended.pages_failed) == (pb.JOB_STATE_SUCCEEDED, 3, 0)
    assert await claim(registry) is None
    with acting(user_id):
        parts = await get_project(registry, job.project_id)
    texts = [part.page.transcription.lines[0].text for part in parts if part.HasField("page")]
    assert texts == ["שלום", "שורה", "שלום"]
    await object_removal.sweep_objects(object_removal.OrphanSearch(), stores=registry.stores)
    assert not list(registry.blobs.glob("documents/*/*"))


async def test_a_job_over_stored_pages_needs_no_document(registry: Registry) -> None:
    """Its pages are named from the beginning."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = (await create(registry)).page
    await create_job(registry, user_id, project_id=page.project_id, page_ids=[page.page_id])
    claimed = await next_page(registry)
    assert (claimed.page_id, claimed.document_sha256) == (page.page_id, b"")
    with pytest.raises(NotFound):
        await document(registry, claimed)
    assert (await read(registry, claimed)).state == pb.JOB_STATE_SUCCEEDED


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"pages": 0}, id="no page"),
        pytest.param({"pages": 301}, id="301 pages"),
        pytest.param({"page_ids": [str(uuid4())]}, id="stored pages without a project"),
    ],
)
async def test_a_job_without_pages_or_with_too_many_is_refused(
    registry: Registry, header: dict[str, Any]
) -> None:
    """Nothing is stored."""
    user_id = await registry.new_user()
    with pytest.raises(InvalidInput) as error:
        await create_job(registry, user_id, **header)
    assert error.value.code == "invalid-job"
    assert not list(registry.blobs.glob("documents/*/*"))


async def test_a_repeated_request_gets_the_first_job_and_another_one_a_conflict(registry: Registry) -> None:
    """The document is stored once."""
    user_id = await registry.new_user()
    first = await create_job(registry, user_id, request_id="notebook")
    again = await create_job(registry, user_id, request_id="notebook")
    assert again.job_id == first.job_id
    assert len(list(registry.blobs.glob("documents/*/*"))) == 1
    with pytest.raises(Conflict) as error:
        await create_job(registry, user_id, request_id="notebook", request_sha256=b"x" * 32)
    assert error.value.code == "idempotency-key-reused"


async def test_a_foreign_job_is_like_an_unknown_one(registry: Registry) -> None:
    """For its user it exists, for another one and for a worker of another user it does not."""
    owner, other = await registry.new_user(), await registry.new_user()
    job = await create_job(registry, owner)
    for job_id in (job.job_id, str(uuid4())):
        with pytest.raises(NotFound):
            await get_job(registry, other, job_id)
        with acting(other), pytest.raises(NotFound), rpc.raise_ketav_errors():
            await registry.jobs.CancelJob(pb.CancelJobRequest(job_id=job_id))
    with acting(other):
        assert not (await registry.jobs.ListJobs(pb.ListJobsRequest())).jobs
    claimed = await next_page(registry)
    claimed.user_id = str(other)
    with pytest.raises(Stale):
        await end(registry, claimed, failure=failure())


async def test_a_job_over_pages_of_another_user_or_project_is_not_found(registry: Registry) -> None:
    """The response does not tell whether such a page exists."""
    owner, other = await registry.new_user(), await registry.new_user()
    with acting(owner):
        page = (await create(registry)).page
    with acting(other):
        own = (await create(registry)).page
    for project_id in (page.project_id, own.project_id):
        with pytest.raises(NotFound):
            await create_job(registry, other, project_id=project_id, page_ids=[page.page_id])


async def test_too_many_pages_and_a_page_that_is_named_twice_are_refused_with_their_place(
    registry: Registry,
) -> None:
    """Each with a sentence of its own."""
    user_id = await registry.new_user()
    known = [str(uuid4()) for _ in range(301)]
    for page_ids, pointer in ((known, "/image_ids"), ([*known[:4], known[1]], "/image_ids/4")):
        with pytest.raises(InvalidInput) as error:
            await create_job(registry, user_id, project_id=str(uuid4()), page_ids=page_ids)
        assert (error.value.code, error.value.details) == ("invalid-job", {"pointer": pointer})
        assert error.value.detail.startswith(f"{pointer} ")


@pytest.mark.parametrize("role", ["user", "gateway", "trainer"])
async def test_only_the_recognizer_claims_pages(registry: Registry, role: str) -> None:
    """Another role is forbidden."""
    user_id = await registry.new_user()
    with acting(user_id, role):
        calls: list[tuple[Any, Any]] = [
            (registry.jobs.ClaimJobPage, pb.ClaimJobPageRequest()),
            (registry.jobs.RenewJobPage, pb.RenewJobPageRequest(job_id=str(uuid4()))),
            (registry.jobs.EndJobPage, pb.EndJobPageRequest(job_id=str(uuid4()))),
            (registry.jobs.SweepJobs, pb.SweepJobsRequest()),
        ]
        for call, request in calls:
            with pytest.raises(Forbidden), rpc.raise_ketav_errors():
                await call(request)
        with pytest.raises(Forbidden), rpc.raise_ketav_errors():
            [part async for part in registry.jobs.DownloadDocument(pb.DownloadDocumentRequest())]


async def test_users_take_turns_and_so_do_the_jobs_of_a_user(registry: Registry) -> None:
    """A user with one page does not wait behind the notebook of another one, nor behind their own."""
    many, few = await registry.new_user("many"), await registry.new_user("few")
    long = await create_job(registry, many, pages=6)
    first = await next_page(registry)
    short = await create_job(registry, many, pages=1)
    single = await create_job(registry, few, pages=2)
    order = [first.job_id, *[(await next_page(registry)).job_id for _ in range(6)]]
    names = {long.job_id: "long", short.job_id: "short", single.job_id: "single"}
    assert [names[job_id] for job_id in order] == [
        "long",
        "single",
        "short",
        "single",
        "long",
        "long",
        "long",
    ]


async def test_a_user_in_a_long_exclusive_transaction_does_not_stop_the_claims_of_others(
    registry: Registry,
) -> None:
    """Their pages are claimed meanwhile, and that user's afterwards."""
    busy, other = await registry.new_user(), await registry.new_user()
    first = await create_job(registry, busy, pages=1)
    second = await create_job(registry, other, pages=1)
    async with asyncio.timeout(5):
        async with registry.stores.database.user(busy, exclusive=True):
            assert (await next_page(registry)).job_id == second.job_id
            assert await claim(registry) is None
        assert (await next_page(registry)).job_id == first.job_id


async def test_a_locked_job_is_passed_over_and_waited_for_when_no_other_has_a_page(
    registry: Registry,
) -> None:
    """A worker that records a reading locks the job for milliseconds: its other pages stay claimable."""
    first = await create_job(registry, await registry.new_user(), pages=1)
    second = await create_job(registry, await registry.new_user(), pages=1)
    async with asyncio.timeout(8):
        async with registry.stores.database.system() as transaction:
            await jobs.lock_job(transaction, UUID(first.job_id))
            assert (await next_page(registry)).job_id == second.job_id
            waiting = asyncio.create_task(next_page(registry))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        assert (await waiting).job_id == first.job_id


async def test_a_page_whose_worker_died_is_claimed_again_and_the_old_claim_changes_nothing(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The lease expires, a sweep returns the page; a late outcome of the first worker is stale."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=1)
    first = await next_page(registry)
    assert await sweep(registry) == 0
    await expire_leases(postgres, database)
    assert await sweep(registry) == 1
    second = await next_page(registry)
    assert second.fence > first.fence
    for call in (read(registry, first), end(registry, first, failure=failure())):
        with pytest.raises(Stale):
            await call
    with claiming(first), pytest.raises(Stale), rpc.raise_ketav_errors():
        await registry.jobs.RenewJobPage(
            pb.RenewJobPageRequest(job_id=job.job_id, position=1, fence=first.fence)
        )
    await read(registry, second)
    stored = await get_job(registry, user_id, job.job_id)
    assert (states(stored), stored.pages[0].attempts) == ("d", 2)
    with acting(user_id):
        parts = await get_project(registry, job.project_id)
    assert sum(part.HasField("page") for part in parts) == 1


async def test_a_renewed_lease_does_not_expire(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The heartbeat of a worker that lives."""
    user_id = await registry.new_user()
    await create_job(registry, user_id, pages=1)
    claimed = await next_page(registry)
    await expire_leases(postgres, database)
    with claiming(claimed), rpc.raise_ketav_errors():
        await registry.jobs.RenewJobPage(
            pb.RenewJobPageRequest(job_id=claimed.job_id, position=1, fence=claimed.fence)
        )
    assert await sweep(registry) == 0
    assert (await read(registry, claimed)).state == pb.JOB_STATE_SUCCEEDED


async def test_a_page_fails_after_five_attempts_with_its_last_reason(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Failed attempts and lost workers count alike; an attempt that read nothing does not."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=2)
    await end(registry, await next_page(registry), failure=failure())
    for _ in range(7):
        await end(registry, await next_page(registry), failure=failure(retry=True, counts=False))
    for _ in range(4):
        await end(registry, await next_page(registry), failure=failure(retry=True))
    await next_page(registry)
    await expire_leases(postgres, database)
    assert await sweep(registry) == 0
    stored = await get_job(registry, user_id, job.job_id)
    assert (states(stored), stored.state) == ("ff", pb.JOB_STATE_FAILED)
    assert [page.error.code for page in stored.pages] == ["unreadable-image", "too-many-attempts"]
    assert stored.pages[1].attempts == domain.MAX_ATTEMPTS


async def test_a_job_with_a_failed_page_is_partly_failed(registry: Registry) -> None:
    """The failure of a page is its own."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=2)
    await end(registry, await next_page(registry), failure=failure())
    ended = await read(registry, await next_page(registry))
    assert (ended.state, ended.pages_read, ended.pages_failed) == (pb.JOB_STATE_PARTLY_FAILED, 1, 1)
    assert states(await get_job(registry, user_id, job.job_id)) == "fd"


async def test_a_cancelled_job_keeps_what_was_read(registry: Registry) -> None:
    """Waiting pages are cancelled at once; the page that is being read keeps its outcome."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=4)
    await read(registry, await next_page(registry))
    running = await next_page(registry)
    with acting(user_id), rpc.raise_ketav_errors():
        response = await registry.jobs.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    assert response.job.cancel_requested
    assert states(await get_job(registry, user_id, job.job_id)) == "drcc"
    assert await claim(registry) is None
    assert (await read(registry, running)).state == pb.JOB_STATE_CANCELLED
    assert states(await get_job(registry, user_id, job.job_id)) == "ddcc"
    with acting(user_id), pytest.raises(Precondition) as error, rpc.raise_ketav_errors():
        await registry.jobs.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    assert error.value.code == "job-ended"


async def test_a_failed_page_of_a_cancelled_job_is_not_tried_again(registry: Registry) -> None:
    """The job ends."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=1)
    claimed = await next_page(registry)
    with acting(user_id), rpc.raise_ketav_errors():
        await registry.jobs.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    assert (await end(registry, claimed, failure=failure(retry=True))).state == pb.JOB_STATE_CANCELLED


async def test_pages_that_wait_for_a_day_fail(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Whatever is down for so long, the job ends and says so."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=2)
    await read(registry, await next_page(registry))
    query = "UPDATE job SET expires_at = now() - interval '1 second'"
    await asyncio.to_thread(postgres.execute, query, database)
    assert await claim(registry) is None
    await sweep(registry)
    stored = await get_job(registry, user_id, job.job_id)
    assert (states(stored), stored.state) == ("df", pb.JOB_STATE_PARTLY_FAILED)
    assert stored.pages[1].error.code == "out-of-time"


async def test_sweeps_leave_a_late_job_alone_while_its_last_page_is_read(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Its revision tells its followers of changes; here is none until the page has an outcome."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=1)
    claimed = await next_page(registry)
    query = "UPDATE job SET expires_at = now() - interval '1 second'"
    await asyncio.to_thread(postgres.execute, query, database)
    before = await get_job(registry, user_id, job.job_id)
    for _ in range(2):
        await sweep(registry)
    assert await get_job(registry, user_id, job.job_id) == before
    assert (await read(registry, claimed)).state == pb.JOB_STATE_SUCCEEDED


async def test_a_job_that_is_locked_does_not_hold_up_the_sweep_of_others(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The next sweep repairs it."""
    created = {}
    for _ in range(3):
        user_id = await registry.new_user()
        created[(await create_job(registry, user_id, pages=1)).job_id] = user_id
        await next_page(registry)
    await expire_leases(postgres, database)
    locked = sorted(created)[1]
    async with asyncio.timeout(8):
        async with registry.stores.database.system() as transaction:
            await jobs.lock_job(transaction, UUID(locked))
            assert await sweep(registry) == 2
        assert await sweep(registry) == 3
    for job_id, user_id in created.items():
        assert states(await get_job(registry, user_id, job_id)) == "q"


async def test_old_jobs_are_deleted_and_their_pages_stay(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """A month after the end."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, pages=1)
    await read(registry, await next_page(registry))
    query = "UPDATE job SET updated_at = now() - interval '31 days'"
    await asyncio.to_thread(postgres.execute, query, database)
    await sweep(registry)
    with pytest.raises(NotFound):
        await get_job(registry, user_id, job.job_id)
    with acting(user_id):
        assert len(await get_project(registry, job.project_id)) > 1


async def test_a_user_has_a_bounded_number_of_waiting_pages(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are refused until some are read."""
    monkeypatch.setattr("ketav_registry.usecases.jobs.MAX_WAITING_PAGES", 5)
    user_id = await registry.new_user()
    await create_job(registry, user_id, pages=3)
    with pytest.raises(RateLimited) as error:
        await create_job(registry, user_id, pages=3)
    assert error.value.code == "too-many-waiting-pages"
    await read(registry, await next_page(registry))
    await create_job(registry, user_id, pages=3)


async def test_jobs_are_listed_in_parts_newest_first(registry: Registry) -> None:
    """Without their pages."""
    user_id = await registry.new_user()
    created = [(await create_job(registry, user_id, pages=1)).job_id for _ in range(3)]
    with acting(user_id):
        first = await registry.jobs.ListJobs(pb.ListJobsRequest(limit=2))
        second = await registry.jobs.ListJobs(pb.ListJobsRequest(limit=2, cursor=first.next_cursor))
    assert [job.job_id for job in [*first.jobs, *second.jobs]] == created[::-1]
    assert not second.next_cursor
    assert not first.jobs[0].pages


@pytest.mark.parametrize("whole_account", [False, True])
async def test_jobs_are_deleted_with_their_project_or_account(
    registry: Registry, *, whole_account: bool
) -> None:
    """The worker's claim becomes stale, and the document is removed."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id)
    claimed = await next_page(registry)
    if whole_account:
        await erasure.delete_account(user_id, stores=registry.stores)
    else:
        await erasure.delete_project(user_id, UUID(job.project_id), stores=registry.stores)
    with pytest.raises(Stale):
        await end(registry, claimed, failure=failure())
    with pytest.raises(NotFound):
        await get_job(registry, user_id, job.job_id)
    assert await claim(registry) is None
    await object_removal.sweep_objects(object_removal.OrphanSearch(), stores=registry.stores)
    assert not list(registry.blobs.glob("documents/*/*"))


async def test_the_outcome_of_a_deleted_page_is_refused_and_can_be_reported_as_a_failure(
    registry: Registry,
) -> None:
    """Nothing is recorded twice: the refusal leaves the page claimed."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = (await create(registry)).page
    await create_job(registry, user_id, project_id=page.project_id, page_ids=[page.page_id])
    claimed = await next_page(registry)
    await erasure.delete_page(user_id, UUID(page.project_id), UUID(page.page_id), stores=registry.stores)
    with pytest.raises(NotFound):
        await read(registry, claimed)
    assert (await end(registry, claimed, failure=failure())).state == pb.JOB_STATE_FAILED


async def test_a_webhook_gets_a_delivery_when_a_job_ends(registry: Registry) -> None:
    """With its counts, in the transaction that ends it."""
    user_id = await registry.new_user()
    with acting(user_id), rpc.raise_ketav_errors():
        await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/"))
    job = await create_job(registry, user_id, pages=2)
    await end(registry, await next_page(registry), failure=failure())
    await read(registry, await next_page(registry))
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        claimed = await registry.webhooks.ClaimDeliveries(webhooks_pb2.ClaimDeliveriesRequest(limit=10))
    [body] = [json.loads(delivery.body) for delivery in claimed.deliveries]
    assert body["type"] == "job.completed"
    assert body["data"] == {
        "job_id": job.job_id,
        "kind": "reading",
        "project_id": job.project_id,
        "state": "partly_failed",
        "page_count": 2,
        "pages_read": 1,
        "pages_failed": 1,
    }


async def test_two_workers_never_claim_the_same_page(registry: Registry) -> None:
    """Twelve claims at once over eight pages."""
    user_id = await registry.new_user()
    await create_job(registry, user_id, pages=8)
    claims = await asyncio.gather(*(claim(registry) for _ in range(8)))
    claims += [await claim(registry) for _ in range(4)]
    positions = [claimed.position for claimed in claims if claimed is not None]
    assert sorted(positions) == list(range(1, 9))
    ended: Sequence[pb.Job] = await asyncio.gather(
        *(read(registry, claimed) for claimed in claims if claimed is not None)
    )
    assert [job.state for job in ended].count(pb.JOB_STATE_SUCCEEDED) == 1


async def test_a_damaged_document_is_not_delivered(registry: Registry) -> None:
    """The last chunk is not sent."""
    user_id = await registry.new_user()
    await create_job(registry, user_id)
    claimed = await next_page(registry)
    [file] = registry.blobs.glob("documents/*/*")
    file.write_bytes(DOCUMENT[:-1] + b"!")
    with pytest.raises(DataLoss):
        await document(registry, claimed)


async def test_a_job_for_a_missing_project_stores_no_document(registry: Registry) -> None:
    """It fails before the document is received."""
    user_id = await registry.new_user()
    with pytest.raises(NotFound):
        await create_job(registry, user_id, project_id=str(uuid4()))
    assert not list(registry.blobs.glob("documents/*/*"))


async def test_a_job_joins_a_project_and_names_a_hand(registry: Registry) -> None:
    """As an upload does."""
    user_id = await registry.new_user()
    job = await create_job(registry, user_id, project_name="Letters", hand="Grandmother")
    with acting(user_id), rpc.raise_ketav_errors():
        [project] = (await registry.projects.ListProjects(projects_pb2.ListProjectsRequest())).projects
    assert (project.project_id, project.name, project.hand) == (job.project_id, "Letters", "Grandmother")
    with pytest.raises(InvalidInput) as error:
        await create_job(registry, user_id, project_id=job.project_id, hand="Grandfather")
    assert error.value.code == "hand-mismatch"


async def test_a_worker_reads_and_stores_for_the_job_alone_whose_page_it_has_claimed(
    registry: Registry,
) -> None:
    """Not for another user, project or job, not with an older fence, and not after the outcome."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    for user in (stranger, user_id):
        with acting(user):
            page = (await create(registry)).page
    job = await create_job(registry, user_id, pages=1)
    claimed = await next_page(registry)
    assert claimed.job_id == job.job_id
    work = Work(UUID(claimed.job_id), claimed.fence, claimed.position)
    wrong: list[tuple[UUID, Work | None, str]] = [
        (user_id, None, claimed.project_id),
        (user_id, Work(work.id, work.fence), claimed.project_id),
        (user_id, replace(work, fence=work.fence - 1), claimed.project_id),
        (user_id, replace(work, position=2), claimed.project_id),
        (user_id, work, page.project_id),
        (stranger, work, claimed.project_id),
    ]
    for caller, bound, project_id in wrong:
        with acting(caller, "recognizer", bound), pytest.raises((Forbidden, Stale)):
            await create(registry, project_id=project_id)
        with acting(caller, "recognizer", bound), pytest.raises((Forbidden, Stale)), rpc.raise_ketav_errors():
            request = pages_pb2.DownloadImageRequest(project_id=project_id, page_id=page.page_id)
            await registry.pages.DownloadImage(request).read()
    other = pb.RenewJobPageRequest(job_id=str(uuid4()), position=1, fence=claimed.fence)
    with claiming(claimed), pytest.raises(Forbidden), rpc.raise_ketav_errors():
        await registry.jobs.RenewJobPage(other)
    await read(registry, claimed)
    with claiming(claimed), pytest.raises(Stale):
        await create(registry, project_id=claimed.project_id)


async def test_a_worker_makes_no_other_call_for_a_user(registry: Registry) -> None:
    """Also not with the claim of a page: a recognizer cannot delete an account."""
    await create_job(registry, await registry.new_user(), pages=1)
    with claiming(await next_page(registry)), pytest.raises(Forbidden), rpc.raise_ketav_errors():
        await registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())
