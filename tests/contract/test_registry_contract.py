"""A worker relies on this contract: the real registry and the registry in memory of the tests keep it."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import ground_truth_pb2, models_pb2, models_pb2_grpc, training_pb2, training_pb2_grpc
from ketav_common import context, rpc
from ketav_common.errors import Conflict, KetavError, NotFound, Precondition, Stale
from ketav_common.identity import Identity
from ketav_trainer.domain import Candidate, Claim, ModelRef, Progress
from ketav_trainer.gate import Verdict
from ketav_trainer.registry import RegistryClient
from tests.parts import registry as real
from tests.parts.identities import SIGNER
from tests.parts.postgres import PostgresServer
from tests.parts.registry_double import RegistryDouble, served

QUEUED, RUNNING, EVALUATING, SUCCEEDED, REJECTED, FAILED, CANCELLED = training_pb2.TrainingRunState.values()[
    1:
]
UNKNOWN = "00000000-0000-4000-8000-000000000000"
BASE = real.safetensors(b"base")


@dataclass(frozen=True)
class Subject:
    """A registry behind its contract: the trainer's client, a user's stubs, and a way to make users."""

    worker: RegistryClient
    training: Any
    models: Any
    new_user: Callable[[], Any]

    async def start(self, user: UUID) -> str:
        """Start a training of a user; return the run's id."""
        with real.acting(user), rpc.raise_ketav_errors():
            response = await self.training.CreateTrainingRun(training_pb2.CreateTrainingRunRequest())
        return str(response.run.run_id)

    async def queued(self) -> tuple[UUID, str]:
        """Make a user and queue a run; return both ids."""
        user = await self.new_user()
        return user, await self.start(user)

    async def claimed(self) -> tuple[UUID, Claim]:
        """Make a user and claim a run of theirs."""
        user, run_id = await self.queued()
        return user, await self.worker.claim(run_id, "worker-1")

    async def run(self, user: UUID, run_id: str) -> training_pb2.TrainingRun:
        """Return a run as its user sees it."""
        with real.acting(user), rpc.raise_ketav_errors():
            request = training_pb2.GetTrainingRunRequest(run_id=run_id)
            response: training_pb2.GetTrainingRunResponse = await self.training.GetTrainingRun(request)
        return response.run

    async def cancel(self, user: UUID, run_id: str) -> training_pb2.TrainingRun:
        """Cancel a run as a user."""
        with real.acting(user), rpc.raise_ketav_errors():
            request = training_pb2.CancelTrainingRunRequest(run_id=run_id)
            response: training_pb2.CancelTrainingRunResponse = await self.training.CancelTrainingRun(request)
        return response.run


Open = Callable[[int], AbstractAsyncContextManager[Subject]]


def subject(channel: Any, new_user: Callable[[], Any]) -> Subject:
    """Return a subject over a channel to a registry."""
    return Subject(
        RegistryClient(channel),
        training_pb2_grpc.TrainingServiceStub(channel),
        models_pb2_grpc.ModelServiceStub(channel),
        new_user,
    )


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture(params=["real", "double"])
def open_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return a function that opens a registry whose leases last so many seconds."""

    @asynccontextmanager
    async def open_real(lease_s: int) -> AsyncIterator[Subject]:
        """Run the registry over PostgreSQL."""
        postgres, database = request.getfixturevalue("postgres"), request.getfixturevalue("database")
        async with real.registry_server(postgres, tmp_path, database, base=BASE, lease_s=lease_s) as registry:

            async def new_user() -> UUID:
                """Add a user with enough corrected lines for a training."""
                user = await registry.new_user()
                with real.acting(user):
                    await real.correct(registry, 8)
                return user

            async with rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel:
                yield subject(channel, new_user)

    @asynccontextmanager
    async def open_double(lease_s: int) -> AsyncIterator[Subject]:
        """Run the registry in memory."""
        signer, address = SIGNER, f"unix:{tmp_path}/double.sock"

        async def new_user() -> UUID:
            """Make up a user: the ground truth of all is the same."""
            return uuid4()

        async with (
            served(RegistryDouble(BASE, lease_s=lease_s), address, signer),
            rpc.channel(address, signer) as channel,
        ):
            yield subject(channel, new_user)

    return open_real if request.param == "real" else open_double


@pytest.fixture
async def registry(open_registry: Open) -> AsyncIterator[Subject]:
    """Open a registry with leases that outlast a test."""
    async with open_registry(30) as opened:
        yield opened


@pytest.fixture
async def brief(open_registry: Open) -> AsyncIterator[Subject]:
    """Open a registry with leases of one second."""
    async with open_registry(1) as opened:
        yield opened


async def refused(error: type[KetavError], code: str, call: Any) -> None:
    """Assert that a call is refused with an error and its code."""
    with pytest.raises(error) as caught:
        await call
    assert caught.value.code == code


def candidate(folder: Path, claim: Claim, *, promote: bool = True) -> Candidate:
    """Write a model file and return it as a candidate."""
    content = real.safetensors(claim.run_id.encode())
    path = folder / "candidate.safetensors"
    path.write_bytes(content)
    verdict = Verdict(promote, "promoted", "Promoted: it reads better.", 1.0, 0.2, 0.1)
    return Candidate(path, hashlib.sha256(content).hexdigest(), verdict, 12, json.dumps({"lines": 12}))


async def test_a_user_has_one_active_run_and_sees_no_other_user_s(registry: Subject) -> None:
    """A second start is a conflict until the run has ended; a foreign run is not found."""
    user, run_id = await registry.queued()
    assert (await registry.run(user, run_id)).state == QUEUED
    await refused(Conflict, "run-active", registry.start(user))
    stranger = await registry.new_user()
    await refused(NotFound, "not-found", registry.run(stranger, run_id))
    await refused(NotFound, "not-found", registry.cancel(stranger, run_id))
    await registry.cancel(user, run_id)
    assert await registry.start(user) != run_id


async def test_a_queued_run_is_claimed_by_one_worker(registry: Subject) -> None:
    """The claim names user, parent and lease; a second claim, of an unknown or an ended run, is refused."""
    user, run_id = await registry.queued()
    claim = await registry.worker.claim(run_id, "worker-1")
    assert (claim.run_id, claim.user_id, claim.lease_s) == (run_id, user, 30)
    assert (
        claim.parent == claim.base == ModelRef("hebrew_base-1", hashlib.sha256(BASE).hexdigest(), len(BASE))
    )
    run = await registry.run(user, run_id)
    assert (run.state, run.attempts) == (RUNNING, 1)
    await refused(Stale, "run-taken", registry.worker.claim(run_id, "worker-2"))
    await refused(NotFound, "not-found", registry.worker.claim(UNKNOWN, "worker-2"))
    await registry.worker.end(claim, "FAILED", "It failed.")
    await refused(Stale, "run-taken", registry.worker.claim(run_id, "worker-2"))


async def test_progress_is_seen_by_the_user_and_only_changes_raise_the_revision(registry: Subject) -> None:
    """A heartbeat that repeats state and epoch renews the lease and changes nothing else."""
    user, claim = await registry.claimed()
    assert not await registry.worker.report(claim, Progress("RUNNING", 2, 10, 0.5, 0.2, 0.1))
    run = await registry.run(user, claim.run_id)
    assert (run.state, run.epoch, run.epochs) == (RUNNING, 2, 10)
    await registry.worker.report(claim, Progress("RUNNING", 2, 10))
    assert (await registry.run(user, claim.run_id)).revision == run.revision
    await registry.worker.report(claim, Progress("EVALUATING", 2, 10))
    later = await registry.run(user, claim.run_id)
    assert later.state == EVALUATING
    assert later.revision > run.revision


async def test_a_run_that_was_given_back_or_abandoned_is_swept_to_the_next_worker(brief: Subject) -> None:
    """Each claim has a greater fence; with an older one nothing may be reported, ended or published."""
    user, first = await brief.claimed()
    assert first.run_id not in await brief.worker.sweep()
    await brief.worker.end(first, "QUEUED", "")
    assert first.run_id in await brief.worker.sweep()
    second = await brief.worker.claim(first.run_id, "worker-2")
    await asyncio.sleep(1.2)
    assert first.run_id in await brief.worker.sweep()
    third = await brief.worker.claim(first.run_id, "worker-3")
    assert first.fence < second.fence < third.fence
    for stale in (first, second):
        await refused(Stale, "stale-fence", brief.worker.report(stale, Progress()))
        await refused(Stale, "stale-fence", brief.worker.end(stale, "FAILED", "It failed."))
    assert (await brief.run(user, first.run_id)).state == RUNNING
    assert (await brief.run(user, first.run_id)).attempts == 3


async def test_a_heartbeat_keeps_the_lease(brief: Subject) -> None:
    """Past the first lease the run still belongs to the worker that renewed it."""
    _, claim = await brief.claimed()
    for _ in range(4):
        await asyncio.sleep(0.4)
        await brief.worker.report(claim, Progress())
    assert claim.run_id not in await brief.worker.sweep()


async def test_a_failed_run_has_its_verdict_and_takes_nothing_more(registry: Subject) -> None:
    """A late report learns that the run has ended."""
    user, claim = await registry.claimed()
    await registry.worker.end(claim, "FAILED", "It failed.")
    run = await registry.run(user, claim.run_id)
    assert (run.state, run.verdict) == (FAILED, "It failed.")
    await refused(Stale, "run-ended", registry.worker.report(claim, Progress()))
    await refused(Precondition, "run-ended", registry.cancel(user, claim.run_id))


async def test_a_cancelled_run_ends_at_once_or_at_its_worker_s_next_report(registry: Subject) -> None:
    """A queued one is cancelled by the call, a claimed one is asked to end."""
    user, run_id = await registry.queued()
    assert (await registry.cancel(user, run_id)).state == CANCELLED
    user, claim = await registry.claimed()
    assert (await registry.cancel(user, claim.run_id)).state == RUNNING
    assert await registry.worker.report(claim, Progress())
    await registry.worker.end(claim, "CANCELLED", "The user cancelled the training.")
    assert (await registry.run(user, claim.run_id)).state == CANCELLED


@pytest.mark.parametrize(("promote", "state"), [(True, SUCCEEDED), (False, REJECTED)])
async def test_a_published_model_ends_its_run_and_can_be_downloaded(
    registry: Subject, tmp_path: Path, promote: bool, state: int
) -> None:
    """The gate's decision is the run's end; the same publication again is answered like the first one."""
    user, claim = await registry.claimed()
    published = candidate(tmp_path, claim, promote=promote)
    await registry.worker.publish(claim, published)
    await registry.worker.publish(claim, published)
    run = await registry.run(user, claim.run_id)
    assert (run.state, run.verdict) == (state, published.verdict.sentence)
    sha256 = bytes.fromhex(published.sha256)
    with context.bind(identity=Identity("recognizer", user)), rpc.raise_ketav_errors():
        request = models_pb2.DownloadModelRequest(sha256=sha256, grant=SIGNER.grant(user, sha256))
        chunks = [message.chunk async for message in registry.models.DownloadModel(request)]
    assert b"".join(chunks) == real.safetensors(claim.run_id.encode())


async def test_a_publication_under_an_old_fence_or_of_a_cancelled_run_is_refused(
    brief: Subject, tmp_path: Path
) -> None:
    """Nothing is promoted, and the cancelled run has ended as cancelled."""
    user, stale = await brief.claimed()
    await asyncio.sleep(1.2)
    await brief.worker.sweep()
    present = await brief.worker.claim(stale.run_id, "worker-2")
    await refused(Stale, "stale-fence", brief.worker.publish(stale, candidate(tmp_path, stale)))
    await brief.cancel(user, stale.run_id)
    await refused(Stale, "run-cancelled", brief.worker.publish(present, candidate(tmp_path, present)))
    assert (await brief.run(user, stale.run_id)).state == CANCELLED


async def test_the_ground_truth_is_streamed_page_by_page_with_checked_images(brief: Subject) -> None:
    """Lines of both sides of the split; each image follows its page; an old fence gets nothing."""
    _, claim = await brief.claimed()
    images: list[bytes] = []
    pages: list[ground_truth_pb2.GroundTruthPage] = []
    async for message in brief.worker.ground_truth(claim):
        if message.WhichOneof("part") == "page":
            pages.append(message.page)
            images.append(b"")
        else:
            images[-1] += message.chunk
    assert [page.image.sha256 for page in pages] == [hashlib.sha256(image).digest() for image in images]
    splits = {line.split for page in pages for line in page.lines}
    assert splits == {ground_truth_pb2.SPLIT_TRAIN, ground_truth_pb2.SPLIT_HOLDOUT}
    await asyncio.sleep(1.2)
    await brief.worker.sweep()
    await brief.worker.claim(claim.run_id, "worker-2")
    with pytest.raises(Stale):
        _ = [message async for message in brief.worker.ground_truth(claim)]


async def test_a_recognizer_downloads_models_by_digest_and_learns_which_may_be_used(
    registry: Subject,
) -> None:
    """The base serves every user; an unknown digest is not found and may not be used."""
    known, unknown = hashlib.sha256(BASE).digest(), bytes(32)
    user = await registry.new_user()
    with context.bind(identity=Identity("recognizer", user)), rpc.raise_ketav_errors():
        call = registry.models.DownloadModel(
            models_pb2.DownloadModelRequest(sha256=known, grant=SIGNER.grant(user, known))
        )
        assert b"".join([message.chunk async for message in call]) == BASE
        with pytest.raises(NotFound), rpc.raise_ketav_errors():
            request = models_pb2.DownloadModelRequest(sha256=unknown, grant=SIGNER.grant(user, unknown))
            await anext(aiter(registry.models.DownloadModel(request)))
    with context.bind(identity=Identity("recognizer")), rpc.raise_ketav_errors():
        response = await registry.models.CheckModels(models_pb2.CheckModelsRequest(sha256=[known, unknown]))
    assert list(response.sha256) == [known]
