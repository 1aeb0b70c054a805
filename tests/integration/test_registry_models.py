"""Model versions: publication, activation, lists, lineage and files."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2, pages_pb2, projects_pb2, training_pb2
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
from ketav_common.identity import Work
from ketav_registry.domain.models import Script
from ketav_registry.usecases import models
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    claim,
    create,
    get_run,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
    report,
    safetensors,
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


async def trained(registry: Registry, **header: Any) -> tuple[UUID, str]:
    """Create a user with a model of their own; return both ids."""
    user_id, run_id = await queued_run(registry)
    version = await publish(registry, run_id, (await claim(registry, run_id)).fence, **header)
    return user_id, version.model.version


async def get_model(registry: Registry, user_id: UUID, version: str) -> models_pb2.GetModelResponse:
    """Return a version with its lineage as a user."""
    with acting(user_id), rpc.raise_ketav_errors():
        return await registry.models.GetModel(models_pb2.GetModelRequest(version=version))


async def reading_version(registry: Registry, user_id: UUID, page: pages_pb2.Page, version: str) -> str:
    """Download an image to read it with a version; return the version in the header."""
    request = pages_pb2.DownloadImageRequest(
        project_id=page.project_id, page_id=page.page_id, model_version=version
    )
    with acting(user_id), rpc.raise_ketav_errors():
        async for part in registry.pages.DownloadImage(request):
            return part.header.model.version
    raise AssertionError("the stream was empty")


async def test_a_page_is_read_with_the_requested_version(registry: Registry) -> None:
    """A user whose own model serves requests the base for one page; the next page is read with their own."""
    user_id, own = await trained(registry)
    with acting(user_id):
        pinned = await create(registry, model_version="hebrew_base-1")
        assert pinned.model.version == "hebrew_base-1"
        assert (await record(registry, pinned.page, "א")).model.version == "hebrew_base-1"
        assert (await create(registry)).model.version == own
        assert (await create(registry, model_version=own)).model.version == own
    for version, named in (("", own), (own, own), ("hebrew_base-1", "hebrew_base-1")):
        assert await reading_version(registry, user_id, pinned.page, version) == named
    with acting(user_id):
        assert (await record(registry, pinned.page, "ב", version=own)).model.version == own


async def test_a_foreign_version_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """For an upload, a second reading and the version's metadata; no row is stored."""
    _, foreign = await trained(registry)
    stranger = await registry.new_user()
    with acting(stranger):
        page = (await create(registry)).page
    responses = []
    for version in (foreign, "no-such-version"):
        with acting(stranger), pytest.raises(NotFound) as uploaded:
            await create(registry, model_version=version)
        with pytest.raises(NotFound) as downloaded:
            await reading_version(registry, stranger, page, version)
        with pytest.raises(NotFound) as described:
            await get_model(registry, stranger, version)
        responses.append(
            [(error.value.code, error.value.detail) for error in (uploaded, downloaded, described)]
        )
    assert responses[0] == responses[1]
    with acting(stranger):
        listed = await registry.projects.ListProjects(projects_pb2.ListProjectsRequest())
    assert len(listed.projects) == 1


async def test_a_rejected_version_never_reads(registry: Registry) -> None:
    """Conflict model-retired; its metadata can be read."""
    user_id, rejected = await trained(registry, promote=False)
    with acting(user_id):
        page = (await create(registry)).page
        with pytest.raises(Conflict) as uploaded:
            await create(registry, model_version=rejected)
    with pytest.raises(Conflict) as downloaded:
        await reading_version(registry, user_id, page, rejected)
    assert {uploaded.value.code, downloaded.value.code} == {"model-retired"}
    assert (await get_model(registry, user_id, rejected)).version.state == models_pb2.MODEL_STATE_RETIRED


async def test_a_repeated_upload_gets_the_first_page_and_version(registry: Registry) -> None:
    """Whether the page is read or not."""
    user_id, own = await trained(registry)
    header: dict[str, Any] = {"request_id": "once", "model_version": "hebrew_base-1"}
    with acting(user_id):
        first = await create(registry, **header)
        again = await create(registry, **header)
        assert again.page.page_id == first.page.page_id
        assert again.model.version == "hebrew_base-1"
        await record(registry, first.page, "א")
        third = await create(registry, **header)
        assert third.page.transcription.model.version == third.model.version == "hebrew_base-1"
        assert (await create(registry, IMAGE)).model.version == own


async def test_a_version_has_its_lineage_and_its_model_card(registry: Registry) -> None:
    """Parent first, base last; the card without members that name a file, a key, a digest or a user."""
    digest = "0123456789abcdef" * 4
    card = {
        "parent": "hebrew_base-1",
        "epochs": 12,
        "replay_share": 0.2,
        "sha256": digest,
        "model_path": "/data/candidate",
        "user_id": "me",
        "dataset": {"lines": [3, digest, {"blob_key": "x", "note": "models/me/1.safetensors"}]},
    }
    user_id, first = await trained(registry, model_card=json.dumps(card))
    run = await queue(registry, user_id)
    second = await publish(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    described = await get_model(registry, user_id, second.model.version)
    assert described.version.parent_version == first
    assert [listed_version.model.version for listed_version in described.lineage] == [first, "hebrew_base-1"]
    assert described.version.state == models_pb2.MODEL_STATE_ACTIVE
    own = await get_model(registry, user_id, first)
    assert json.loads(own.version.card_json) == {
        "parent": "hebrew_base-1",
        "epochs": 12,
        "replay_share": 0.2,
        "dataset": {"lines": [3, None, {"note": None}]},
    }
    base = await get_model(registry, user_id, "hebrew_base-1")
    assert (list(base.lineage), base.version.card_json) == ([], "")


async def test_a_published_model_serves_the_next_page_and_only_its_user_and_script(
    registry: Registry,
) -> None:
    """Promotion ends the run; the next CreatePage has the model; other users and scripts keep the base."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    version = await publish(registry, run_id, claimed.fence)
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


async def test_a_repeated_publication_gets_the_first_response(registry: Registry) -> None:
    """After a lost response: no second version, no second promotion."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    first = await publish(registry, run_id, claimed.fence)
    assert await publish(registry, run_id, claimed.fence) == first
    with acting(user_id), rpc.raise_ketav_errors():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    assert [listed_version.model.version for listed_version in listed.versions] == [
        first.model.version,
        "hebrew_base-1",
    ]


async def test_versions_are_listed_newest_first_in_parts_and_only_to_their_user(registry: Registry) -> None:
    """A user lists their own versions and the bases."""
    user_id, run_id = await queued_run(registry)
    published = [(await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version]
    run_id = (await queue(registry, user_id)).run_id
    published.append((await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version)
    listed_states, cursor = [], ""
    with acting(user_id), rpc.raise_ketav_errors():
        for _ in range(3):
            listed = await registry.models.ListModels(models_pb2.ListModelsRequest(cursor=cursor, limit=1))
            listed_states += [
                (listed_version.model.version, listed_version.state) for listed_version in listed.versions
            ]
            cursor = listed.next_cursor
    assert not cursor
    assert [version for version, _ in listed_states] == [*published[::-1], "hebrew_base-1"]
    # The base still serves the other scripts.
    active, available = models_pb2.MODEL_STATE_ACTIVE, models_pb2.MODEL_STATE_AVAILABLE
    assert [state for _, state in listed_states] == [active, available, active]
    with acting(await registry.new_user()), rpc.raise_ketav_errors():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    assert [listed_version.model.version for listed_version in listed.versions] == ["hebrew_base-1"]


async def test_the_base_of_a_script_is_preferred_to_the_base_of_all_scripts(
    registry: Registry, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    """A newer base of the script replaces the older one; the other scripts keep hebrew_base."""
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


async def test_a_rejected_model_is_stored_and_never_serves(registry: Registry) -> None:
    """The run ends as REJECTED with the gate's verdict; the version cannot be activated."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    version = await publish(registry, run_id, claimed.fence, promote=False)
    assert version.state == models_pb2.MODEL_STATE_RETIRED
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.verdict) == (training_pb2.TRAINING_RUN_STATE_REJECTED, "rejected")
    assert await serving(registry, user_id) == "hebrew_base-1"
    request = models_pb2.ActivateModelRequest(version=version.model.version)
    with acting(user_id), pytest.raises(Precondition) as caught, rpc.raise_ketav_errors():
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
async def test_an_invalid_model_is_refused_and_the_run_continues(
    registry: Registry, header: dict[str, Any], code: str
) -> None:
    """Neither a version nor an object is stored, and the worker keeps its lease."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    with pytest.raises(InvalidInput) as caught:
        await publish(registry, run_id, claimed.fence, **header)
    assert caught.value.code == code
    assert not (registry.blobs / f"models/{user_id}").exists()
    assert not await report(registry, run_id, claimed.fence)


async def test_a_user_can_activate_the_base_and_an_earlier_version(registry: Registry) -> None:
    """The response has the version's card; a foreign version is NOT_FOUND."""
    user_id, run_id = await queued_run(registry)
    version = (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version
    for target in ("hebrew_base-1", version):
        with acting(user_id), rpc.raise_ketav_errors():
            answer = await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=target))
        assert answer.version.state == models_pb2.MODEL_STATE_ACTIVE
        assert answer.version.card_json == ("" if target == "hebrew_base-1" else '{"lines": 12}')
        assert await serving(registry, user_id) == target
    with acting(await registry.new_user()):
        responses = []
        for unknown in (version, str(uuid4())):
            with pytest.raises(NotFound) as caught, rpc.raise_ketav_errors():
                await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=unknown))
            responses.append((caught.value.code, caught.value.detail))
        assert responses[0] == responses[1]


async def fetch_model(
    registry: Registry,
    user_id: UUID | None,
    role: str,
    sha256: bytes,
    *,
    work: Work | None = None,
    grant: str = "",
) -> bytes:
    """Download a model; a caller with a user gets a grant."""
    grant = grant or (registry.signer.grant(user_id, sha256) if user_id else "")
    request = models_pb2.DownloadModelRequest(sha256=sha256, grant=grant)
    with acting(user_id, role, work), rpc.raise_ketav_errors():
        return b"".join([part.chunk async for part in registry.models.DownloadModel(request)])


async def claimed_work(registry: Registry, run_id: str) -> Work:
    """Claim a run and return the claim."""
    return Work(UUID(run_id), (await claim(registry, run_id)).fence)


async def test_a_recognizer_gets_a_model_file_by_the_grant_for_a_user(registry: Registry) -> None:
    """Without it, or for another user, it is refused; a corrupt file is DATA_LOSS."""
    user_id, run_id = await queued_run(registry)
    model = (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model
    base, stranger = hashlib.sha256(safetensors(b"hebrew base")).digest(), await registry.new_user()
    assert await fetch_model(registry, user_id, "recognizer", model.sha256) == safetensors(run_id.encode())
    assert await fetch_model(registry, stranger, "recognizer", base)
    with pytest.raises(NotFound):
        await fetch_model(registry, stranger, "recognizer", model.sha256)
    for grant in (
        registry.signer.grant(stranger, model.sha256),
        registry.signer.grant(user_id, base),
        "none",
    ):
        with pytest.raises(Forbidden):
            await fetch_model(registry, user_id, "recognizer", model.sha256, grant=grant)
    for caller, role in ((user_id, "user"), (None, "recognizer")):
        with pytest.raises(Forbidden):
            await fetch_model(registry, caller, role, model.sha256)
    stored = registry.blobs / f"models/{user_id}/{model.version}.safetensors"
    stored.write_bytes(stored.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataLoss):
        await fetch_model(registry, user_id, "recognizer", model.sha256)


async def test_a_trainer_gets_the_model_files_of_the_user_whose_run_it_has_claimed(
    registry: Registry,
) -> None:
    """No other user's, and none without a claim or after the run has ended."""
    user_id, first = await queued_run(registry)
    ended = await claimed_work(registry, first)
    model = (await publish(registry, first, ended.fence)).model
    claimed = await claimed_work(registry, (await queue(registry, user_id)).run_id)
    _, strange_run = await queued_run(registry)
    foreign = await claimed_work(registry, strange_run)
    assert await fetch_model(registry, None, "trainer", model.sha256, work=claimed)
    refused: list[tuple[type[KetavError], Work | None]] = [
        (NotFound, foreign),
        (Stale, Work(claimed.id, claimed.fence - 1)),
        (Stale, ended),
        (Forbidden, None),
        (Forbidden, Work(claimed.id, claimed.fence, 1)),
    ]
    for error, work in refused:
        with pytest.raises(error):
            await fetch_model(registry, user_id, "trainer", model.sha256, work=work)
