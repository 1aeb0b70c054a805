"""Pages: uploads, repeated uploads, downloads."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2
from ketav_common import rpc
from ketav_common.errors import (
    Conflict,
    DataLoss,
    InvalidInput,
    KetavError,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from ketav_common.limits import CHUNK_BYTES
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    create,
    download,
    get_project,
    list_projects,
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


async def test_a_page_says_how_its_image_was_normalised(registry: Registry) -> None:
    """The codes of the upload are stored and returned; malformed ones are refused."""
    codes = {"normalised": ["inverted", "turned-90"], "warnings": ["incomplete-image"]}
    with acting(await registry.new_user()):
        created = await create(registry, image=codes)
        _, stored = await get_project(registry, created.page.project_id)
        assert list(stored.page.image.normalised) == codes["normalised"]
        assert list(stored.page.image.warnings) == codes["warnings"]
        for bad in (["Inverted!"], ["x" * 33], ["a"] * 9):
            with pytest.raises(InvalidInput) as refused:
                await create(registry, image={"normalised": bad})
            assert refused.value.code == "malformed-image-codes"


async def test_a_page_is_stored_read_and_returned(registry: Registry) -> None:
    """The project has the transcription line by line, and the download has the uploaded bytes."""
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


async def test_a_foreign_project_page_or_image_is_not_found_exactly_like_an_unknown_one(
    registry: Registry,
) -> None:
    """With the same code, detail and details as a random id."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
    unknown = pages_pb2.Page(page_id=str(uuid4()), project_id=str(uuid4()))

    async def get_page(target: pages_pb2.Page) -> None:
        """Get a page."""
        with rpc.raise_ketav_errors():
            await registry.pages.GetPage(
                pages_pb2.GetPageRequest(project_id=target.project_id, page_id=target.page_id)
            )

    with acting(await registry.new_user()):
        responses = []
        for target in (page, unknown):
            for call in (
                get_project(registry, target.project_id),
                create(registry, project_id=target.project_id),
                record(registry, target, "שלום"),
                get_page(target),
                download(registry, target),
            ):
                with pytest.raises(NotFound) as caught:
                    await call
                responses.append((caught.value.code, caught.value.detail, caught.value.details))
        assert responses[:5] == responses[5:]


async def test_a_repeated_upload_gets_the_first_page_and_stores_nothing(registry: Registry) -> None:
    """Whether the page is read or not; another body with the same key is a conflict."""
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


async def test_of_concurrent_repeated_uploads_one_is_stored(registry: Registry) -> None:
    """Eight uploads with one key get the same page, in one project."""
    with acting(await registry.new_user()):
        responses = await asyncio.gather(*(create(registry, request_id="once") for _ in range(8)))
        assert len({answer.page.page_id for answer in responses}) == 1
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
async def test_an_invalid_upload_is_refused_and_stores_nothing(
    registry: Registry, header: dict[str, Any], error: type[KetavError], code: str
) -> None:
    """Each has a stable code; there is no row and no object."""
    with acting(await registry.new_user()):
        with pytest.raises(error) as caught:
            await create(registry, **header)
        assert caught.value.code == code
        assert not (await list_projects(registry)).projects
    assert not (registry.blobs / "images").exists()
    assert not list((registry.blobs / ".incoming").iterdir())


async def test_a_corrupt_image_is_never_sent_completely(registry: Registry) -> None:
    """With one changed bit at the beginning, the last chunk is not sent and the call ends with DATA_LOSS."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        [stored] = registry.blobs.glob("images/*/*")
        stored.write_bytes(bytes([IMAGE[0] ^ 1]) + IMAGE[1:])
        request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
        call = registry.pages.DownloadImage(request)
        received: list[Any] = [await call.read() for _ in range(len(IMAGE) // CHUNK_BYTES + 1)]
        with pytest.raises(DataLoss), rpc.raise_ketav_errors():
            await call.read()
        assert 0 < len(b"".join(part.chunk for part in received)) < len(IMAGE)


async def test_the_description_of_an_image_is_sent_without_its_bytes(registry: Registry) -> None:
    """The object is not read: it may even be lost."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        [stored] = registry.blobs.glob("images/*/*")
        stored.unlink()
        request = pages_pb2.DownloadImageRequest(
            project_id=page.project_id, page_id=page.page_id, without_image=True
        )
        with rpc.raise_ketav_errors():
            [part] = [part async for part in registry.pages.DownloadImage(request)]
        assert part.header.page.image == page.image


async def test_the_image_of_an_unread_page_is_replaced_by_its_turned_one(registry: Registry) -> None:
    """Another object takes its place; a page with a transcription and another user's page are refused.

    What was made from the former image comes too late: a turned image, and a transcription of it.
    """
    turned = IMAGE[:5000]
    image = page_pb2.Image(
        width=100, height=200, media_type="image/png", size_bytes=len(turned), normalised=["turned-90"]
    )

    async def replace(page_id: str, former: bytes = b"") -> pages_pb2.Page:
        """Replace the image of a page."""
        header = pages_pb2.ReplaceImageHeader(page_id=page_id, image=image, former_sha256=former)
        messages = [
            pages_pb2.ReplaceImageRequest(header=header),
            pages_pb2.ReplaceImageRequest(chunk=turned),
        ]
        with rpc.raise_ketav_errors():
            return (await registry.pages.ReplaceImage(iter(messages))).page

    with acting(await registry.new_user()):
        created = await create(registry)
        page = await replace(created.page.page_id, created.page.image.sha256)
        assert (page.image.width, page.image.height) == (100, 200)
        assert list(page.image.normalised) == ["turned-90"]
        parts = await download(registry, page)
        assert b"".join(part.chunk for part in parts) == turned
        for late in (
            replace(page.page_id, created.page.image.sha256),
            record(registry, page, "שלום", image_sha256=created.page.image.sha256),
        ):
            with pytest.raises(Conflict) as refused:
                await late
            assert refused.value.code == "image-changed"
        assert (await download(registry, page))[0].header.page.state == pages_pb2.PAGE_STATE_STORED
        await record(registry, page, "שלום", image_sha256=page.image.sha256)
        with pytest.raises(Conflict) as refused:
            await replace(page.page_id)
        assert refused.value.code == "page-is-read"
    with acting(await registry.new_user()), pytest.raises(NotFound):
        await replace(page.page_id)
