"""Uploading, recording and reading back, against a real PostgreSQL and a real directory."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import accounts_pb2, pages_pb2, projects_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_common.errors import (
    Conflict,
    DataLoss,
    Forbidden,
    InvalidInput,
    KetavError,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from ketav_common.limits import CHUNK_BYTES
from ketav_registry.usecases import accounts
from tests.parts.postgres import PostgresServer
from tests.parts.registry import IMAGE, Registry, acting, create, record, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def get_project(registry: Registry, project_id: str, **paging: Any) -> list[Any]:
    """Return the parts of a project as the current user sees it."""
    request = projects_pb2.GetProjectRequest(project_id=project_id, **paging)
    with rpc.translated():
        return [part async for part in registry.projects.GetProject(request)]


async def download(registry: Registry, page: pages_pb2.Page) -> list[Any]:
    """Return the parts of a page's image as the current user gets them."""
    request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
    with rpc.translated():
        return [part async for part in registry.pages.DownloadImage(request)]


async def list_projects(registry: Registry, **paging: Any) -> projects_pb2.ListProjectsResponse:
    """Return the current user's projects."""
    with rpc.translated():
        return await registry.projects.ListProjects(projects_pb2.ListProjectsRequest(**paging))


async def test_an_api_key_names_its_user_until_it_is_revoked(registry: Registry) -> None:
    """The key is shown once, found by its digest, and unknown after its revocation."""
    user_id, key = await accounts.add_user("דנה", stores=registry.stores)
    request = accounts_pb2.ResolveApiKeyRequest(key_sha256=hashlib.sha256(key.encode()).digest())
    with acting(None, "gateway"):
        assert (await registry.accounts.ResolveApiKey(request)).user_id == str(user_id)
        await accounts.revoke_key(key.split("_")[1], stores=registry.stores)
        with pytest.raises(NotFound), rpc.translated():
            await registry.accounts.ResolveApiKey(request)


async def test_only_the_gateway_resolves_api_keys(registry: Registry) -> None:
    """A user's identity may not look for keys."""
    request = accounts_pb2.ResolveApiKeyRequest(key_sha256=bytes(32))
    with acting(uuid4()), pytest.raises(Forbidden), rpc.translated():
        await registry.accounts.ResolveApiKey(request)


async def test_a_page_is_stored_read_and_given_back_whole(registry: Registry) -> None:
    """What was uploaded and recorded comes back in the project, line by line, and as the same bytes."""
    with acting(await registry.new_user()):
        created = await create(registry, project_name="מחברת", script=page_pb2.SCRIPT_SQUARE)
        assert created.page.state == pages_pb2.PAGE_STATE_STORED
        assert created.page.image.sha256 == hashlib.sha256(IMAGE).digest()
        assert created.model.version == "hebrew_base-1"
        transcription = await record(registry, created.page, "שלום", "עולם")
        project, page = await get_project(registry, created.page.project_id)
        assert project.project.name == "מחברת"
        assert project.project.script == page_pb2.SCRIPT_SQUARE
        assert page.page.state == pages_pb2.PAGE_STATE_READ
        assert page.page.transcription == transcription
        assert [line.text for line in transcription.lines] == ["שלום", "עולם"]
        header, *chunks = await download(registry, created.page)
        assert header.header.model.version == "hebrew_base-1"
        assert b"".join(part.chunk for part in chunks) == IMAGE


async def test_a_project_lists_its_pages_in_parts_oldest_first(registry: Registry) -> None:
    """The cursor goes on where the last part ended."""
    with acting(await registry.new_user()):
        first = (await create(registry)).page
        pages = [first.page_id]
        for i in range(4):
            made = await create(registry, IMAGE + bytes([i]), project_id=first.project_id)
            pages.append(made.page.page_id)
        found, cursor = [], ""
        for _ in range(3):
            _, *parts = await get_project(registry, first.project_id, limit=2, cursor=cursor)
            found += [part.page.page_id for part in parts if part.HasField("page")]
            cursor = parts[-1].next_cursor
        assert found == pages
        assert cursor == ""


async def test_the_newest_project_is_listed_first(registry: Registry) -> None:
    """The cursor of a list leads to the older ones and then ends."""
    with acting(await registry.new_user()):
        made = [(await create(registry)).page.project_id for _ in range(3)]
        listed = await list_projects(registry, limit=2)
        rest = await list_projects(registry, cursor=listed.next_cursor)
        assert [each.project_id for each in (*listed.projects, *rest.projects)] == made[::-1]
        assert rest.next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "Zm9v", "AAAA" * 30, "2024-01-01", "MjAyNC0wMS0wMSBub3QtYS11dWlk"])
async def test_a_forged_cursor_is_refused(registry: Registry, cursor: str) -> None:
    """Only what was given out is taken back."""
    with acting(await registry.new_user()), pytest.raises(InvalidInput):
        await list_projects(registry, cursor=cursor)


async def test_a_foreign_thing_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """Another user's project, page and image answer with the same code and words as a random id."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
    unknown = pages_pb2.Page(page_id=str(uuid4()), project_id=str(uuid4()))

    async def get_page(at: pages_pb2.Page) -> None:
        """Get one page."""
        with rpc.translated():
            await registry.pages.GetPage(
                pages_pb2.GetPageRequest(project_id=at.project_id, page_id=at.page_id)
            )

    with acting(await registry.new_user()):
        answers = []
        for at in (page, unknown):
            for call in (
                get_project(registry, at.project_id),
                create(registry, project_id=at.project_id),
                record(registry, at, "שלום"),
                get_page(at),
                download(registry, at),
            ):
                with pytest.raises(NotFound) as caught:
                    await call
                answers.append((caught.value.code, caught.value.detail, caught.value.details))
        assert answers[:5] == answers[5:]


async def test_a_repeated_upload_gives_the_first_answer_and_stores_nothing_again(registry: Registry) -> None:
    """The same key and body give the same page, read or not; another body is a conflict."""
    with acting(await registry.new_user()):
        first = await create(registry, request_id="k")
        assert (await create(registry, request_id="k")).page == first.page
        await record(registry, first.page, "שלום")
        assert (await create(registry, request_id="k")).page.transcription.lines[0].text == "שלום"
        with pytest.raises(Conflict) as caught:
            await create(registry, request_id="k", sha256=hashlib.sha256(b"other").digest())
        assert caught.value.code == "idempotency-key-reused"
        assert len(await get_project(registry, first.page.project_id)) == 2
    with acting(await registry.new_user()):
        assert (await create(registry, request_id="k")).page.page_id != first.page.page_id


async def test_of_concurrent_duplicates_one_is_stored_and_all_get_its_answer(registry: Registry) -> None:
    """Eight uploads under one key at once leave one page in one project."""
    with acting(await registry.new_user()):
        answers = await asyncio.gather(*(create(registry, request_id="once") for _ in range(8)))
        assert len({answer.page.page_id for answer in answers}) == 1
        assert len((await list_projects(registry)).projects) == 1


@pytest.mark.parametrize(
    ("header", "error", "code"),
    [
        ({"image": {"size_bytes": 26 << 20}}, TooLarge, "too-large"),
        ({"image": {"width": 10_000, "height": 5_001}}, TooLarge, "too-many-pixels"),
        ({"image": {"media_type": "image/gif"}}, UnsupportedMedia, "unsupported-media-type"),
        ({"image": {"width": 0}}, InvalidInput, "empty-image"),
        ({"image": {"size_bytes": len(IMAGE) - 1}}, InvalidInput, "size-mismatch"),
        ({"image": {"size_bytes": len(IMAGE) + 1}}, InvalidInput, "size-mismatch"),
        ({"project_name": "a\u202eb"}, InvalidInput, "bidi-override"),
        ({"project_name": "a" * 201}, InvalidInput, "text-too-long"),
        ({"script": 77}, InvalidInput, "invalid-choice"),
        ({"project_id": "{" + str(uuid4()) + "}"}, InvalidInput, "invalid-id"),
        ({"request_id": "k" * 256}, InvalidInput, "invalid-idempotency-key"),
    ],
)
async def test_a_bad_upload_is_refused_and_stores_nothing(
    registry: Registry, header: dict[str, Any], error: type[KetavError], code: str
) -> None:
    """Each has a stable code; no row and no object is left behind."""
    with acting(await registry.new_user()):
        with pytest.raises(error) as caught:
            await create(registry, **header)
        assert caught.value.code == code
        assert not (await list_projects(registry)).projects
    assert not (registry.blobs / "images").exists()
    assert not list((registry.blobs / ".incoming").iterdir())


async def test_a_corrupt_image_is_never_given_out_whole(registry: Registry) -> None:
    """One flipped bit at the beginning: the last chunk is withheld and the call ends with DATA_LOSS."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        [stored] = registry.blobs.glob("images/*/*")
        stored.write_bytes(bytes([IMAGE[0] ^ 1]) + IMAGE[1:])
        request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
        call = registry.pages.DownloadImage(request)
        received: list[Any] = [await call.read() for _ in range(len(IMAGE) // CHUNK_BYTES + 1)]
        with pytest.raises(DataLoss), rpc.translated():
            await call.read()
        assert 0 < len(b"".join(part.chunk for part in received)) < len(IMAGE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "e\u0301"},
        {"text": "א\u0000"},
        {"text": "א" * 4001},
        {"confidence": float("nan")},
        {"confidence": 1.5},
        {"character_confidences": [0.5]},
        {"character_confidences": [float("inf")] * 4},
        {"words": [page_pb2.Word(text="שלום", confidence=0.5, start=0, end=5)]},
        {"words": [page_pb2.Word(text="של", confidence=0.5, start=1, end=3)]},
        {"words": [page_pb2.Word(text="שלום", confidence=float("nan"), start=0, end=4)]},
        {"order": 1},
    ],
)
async def test_a_reading_that_contradicts_itself_is_refused_and_the_page_stays_stored(
    registry: Registry, wrong: dict[str, Any]
) -> None:
    """Offsets, confidences and texts are checked before anything is stored."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        good: dict[str, Any] = {"order": 0, "text": "שלום", "confidence": 0.5}
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id,
            model_version="hebrew_base-1",
            lines=[page_pb2.Line(order=1, text="שלום"), page_pb2.Line(**good | wrong)],
        )
        with pytest.raises(InvalidInput) as caught, rpc.translated():
            await registry.transcriptions.RecordTranscription(request)
        assert caught.value.code == "invalid-transcription"
        _, stored = await get_project(registry, page.project_id)
        assert stored.page.state == pages_pb2.PAGE_STATE_STORED
