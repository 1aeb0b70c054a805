"""The contract of blob stores: a directory and a real S3 server pass it."""

import asyncio
import hashlib
import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from ketav_common.errors import DataLoss, InvalidInput, TooLarge, Unavailable
from ketav_registry.blobs import STORE_MISSING, BlobStore, read, store
from ketav_registry.blobs_directory import DirectoryBlobStore
from ketav_registry.main import blob_store
from tests.parts.processes import free_port
from tests.parts.s3 import S3Server
from tests.parts.tcp_proxy import NetworkFault, TcpProxy, tcp_proxy

SIZES = [1, 1000, 1 << 20, (1 << 20) + 1, (7 << 20) + 13]


@dataclass
class StoreUnderTest:
    """A store, and a function that changes an object without the store (None removes it)."""

    blobs: BlobStore
    tamper: Callable[[str, bytes | None], None]


def directory(folder: Path) -> StoreUnderTest:
    """Create a directory store."""
    root = folder / "objects"

    def tamper(key: str, content: bytes | None) -> None:
        """Change the file."""
        (root / key).unlink() if content is None else (root / key).write_bytes(content)

    return StoreUnderTest(blob_store(f"file://{root}", folder / "spool"), tamper)


def bucket(server: S3Server, folder: Path) -> StoreUnderTest:
    """Create an S3 store with a bucket of its own."""
    name = f"test-{uuid4().hex}"

    def tamper(key: str, content: bytes | None) -> None:
        """Change the object."""
        if content is None:
            server.client.remove_object(bucket_name=name, object_name=key)
        else:
            data = io.BytesIO(content)
            server.client.put_object(bucket_name=name, object_name=key, data=data, length=len(content))

    return StoreUnderTest(blob_store(server.url(name), folder / "spool"), tamper)


@pytest.fixture(params=["directory", "s3"])
async def tested(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUnderTest:
    """Return each implementation in turn."""
    if request.param == "directory":
        built = directory(tmp_path)
    else:
        built = bucket(request.getfixturevalue("s3"), tmp_path)
    assert await built.blobs.problem() == STORE_MISSING
    await built.blobs.create()
    assert await built.blobs.problem() == ""
    return built


async def chunks_of(content: bytes, size: int = 1 << 20) -> AsyncIterator[bytes]:
    """Yield content in chunks."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def key_of(digest: bytes) -> str:
    """Return a key made from a digest."""
    return f"images/{digest.hex()[:2]}/{digest.hex()}"


async def put(tested: StoreUnderTest, content: bytes) -> str:
    """Store content and return its key."""
    blob = await store(tested.blobs, chunks_of(content), key_of, max_bytes=1 << 30, size_bytes=len(content))
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(content).digest(), len(content))
    return blob.key


async def get(tested: StoreUnderTest, key: str, content: bytes) -> list[bytes]:
    """Read an object that must be `content`."""
    digest = hashlib.sha256(content).digest()
    return [chunk async for chunk in read(tested.blobs, key, sha256=digest, size_bytes=len(content))]


@pytest.mark.parametrize("size", SIZES)
async def test_a_stored_object_is_read_in_chunks_of_at_most_a_mebibyte(
    tested: StoreUnderTest, size: int
) -> None:
    """With the same bytes, digest and length; the spool is empty afterwards."""
    content = os.urandom(size)
    key = await put(tested, content)
    assert key == key_of(hashlib.sha256(content).digest())
    chunks = await get(tested, key, content)
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 1 << 20
    assert not list(tested.blobs.spool.iterdir())


async def test_the_same_content_can_be_stored_again_also_concurrently(tested: StoreUnderTest) -> None:
    """The object can be read."""
    content = os.urandom(100_000)
    keys = await asyncio.gather(*(put(tested, content) for _ in range(8)))
    assert len(set(keys)) == 1
    assert b"".join(await get(tested, keys[0], content)) == content


@pytest.mark.parametrize("position", [0, 1_500_000, -1])
async def test_with_one_changed_byte_the_last_chunk_is_not_sent(
    tested: StoreUnderTest, position: int
) -> None:
    """Wherever the byte is; the error is DataLoss."""
    content = os.urandom(2_500_000)
    key = await put(tested, content)
    changed = bytearray(content)
    changed[position] ^= 1
    await asyncio.to_thread(tested.tamper, key, bytes(changed))
    received = []
    digest = hashlib.sha256(content).digest()
    with pytest.raises(DataLoss):
        async for chunk in read(tested.blobs, key, sha256=digest, size_bytes=len(content)):
            received.append(chunk)  # noqa: PERF401 - the chunks before the error are needed
    assert len(b"".join(received)) < len(content)


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"x"])
async def test_a_truncated_or_lengthened_object_is_data_loss(
    tested: StoreUnderTest, change: Callable[[bytes], bytes]
) -> None:
    """The length is checked like the digest."""
    content = os.urandom(300_000)
    key = await put(tested, content)
    await asyncio.to_thread(tested.tamper, key, change(content))
    with pytest.raises(DataLoss):
        await get(tested, key, content)


async def test_a_missing_object_is_data_loss(tested: StoreUnderTest) -> None:
    """Not NotFound: a row refers to it."""
    content = os.urandom(1000)
    key = await put(tested, content)
    await asyncio.to_thread(tested.tamper, key, None)
    with pytest.raises(DataLoss):
        await get(tested, key, content)


@pytest.mark.parametrize(
    ("announced", "max_bytes", "error"),
    [(999, 2000, InvalidInput), (1001, 2000, InvalidInput), (1000, 999, TooLarge), (0, 2000, InvalidInput)],
)
async def test_a_stream_of_another_length_than_announced_or_allowed_stores_nothing(
    tested: StoreUnderTest, announced: int, max_bytes: int, error: type[Exception]
) -> None:
    """Too short, too long, too large or empty: no object, and an empty spool."""
    content = os.urandom(1000)
    with pytest.raises(error):
        await store(tested.blobs, chunks_of(content, 100), key_of, max_bytes=max_bytes, size_bytes=announced)
    with pytest.raises(DataLoss):
        await get(tested, key_of(hashlib.sha256(content).digest()), content)
    assert not list(tested.blobs.spool.iterdir())


async def test_an_endless_stream_is_refused_at_the_announced_length(tested: StoreUnderTest) -> None:
    """At most one chunk more is read."""
    yielded = 0

    async def endless() -> AsyncIterator[bytes]:
        """Yield chunks forever."""
        nonlocal yielded
        while True:
            yielded += 1
            yield bytes(1000)

    with pytest.raises(InvalidInput):
        await store(tested.blobs, endless(), key_of, max_bytes=1 << 20, size_bytes=10_000)
    assert yielded == 11


async def test_a_stream_that_fails_stores_nothing(tested: StoreUnderTest) -> None:
    """The error is raised, and the spool is empty."""

    async def broken() -> AsyncIterator[bytes]:
        """Yield a chunk and fail."""
        yield bytes(10)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store(tested.blobs, broken(), key_of, max_bytes=1 << 20, size_bytes=20)
    assert not list(tested.blobs.spool.iterdir())


async def test_content_that_is_not_accepted_is_not_stored(tested: StoreUnderTest) -> None:
    """The check receives the beginning and the length."""
    content = b"GIF89a" + bytes(100)
    accepted = []

    def accept(head: bytes, size: int) -> bool:
        """Refuse, and store the arguments."""
        accepted.append((head, size))
        return False

    size = len(content)
    with pytest.raises(InvalidInput):
        await store(tested.blobs, chunks_of(content), key_of, max_bytes=1000, size_bytes=size, accept=accept)
    assert accepted == [(content, size)]
    with pytest.raises(DataLoss):
        await get(tested, key_of(hashlib.sha256(content).digest()), content)


async def test_a_reader_that_stops_early_leaves_the_store_usable(tested: StoreUnderTest) -> None:
    """It releases connections and files: more readers stop than the store has threads."""
    content = os.urandom(3 << 20)
    key = await put(tested, content)
    digest = hashlib.sha256(content).digest()
    for _ in range(12):
        parts = read(tested.blobs, key, sha256=digest, size_bytes=len(content))
        await anext(parts)
        await parts.aclose()
    assert b"".join(await get(tested, key, content)) == content


async def test_an_s3_server_that_does_not_listen_is_unavailable(tmp_path: Path) -> None:
    """Within five seconds, with a sentence that has neither address nor keys."""
    blobs = blob_store(f"s3://key:secret@127.0.0.1:{free_port()}/bucket?secure=0", tmp_path / "spool")
    async with asyncio.timeout(5):
        assert await blobs.problem() == (
            "The object store does not answer at the host of KETAV_BLOB_URL. Start it, or correct the "
            "variable."
        )
        with pytest.raises(Unavailable):
            await blobs.create()


async def test_a_suspended_s3_server_is_unavailable(s3: S3Server, tmp_path: Path) -> None:
    """After the timeout; later calls succeed."""
    url = s3.url(f"test-{uuid4().hex}")
    slow_blobs, blobs = (blob_store(url, tmp_path / "spool", timeout_s=seconds) for seconds in (10, 1))
    await slow_blobs.create()
    s3.process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            assert "does not answer" in await blobs.problem()
            with pytest.raises(Unavailable):
                await store(blobs, chunks_of(b"x"), key_of, max_bytes=10, size_bytes=1)
    finally:
        s3.process.send_signal(signal.SIGCONT)
    await store(slow_blobs, chunks_of(b"x"), key_of, max_bytes=10, size_bytes=1)


@asynccontextmanager
async def bucket_behind_proxy(
    server: S3Server, folder: Path
) -> AsyncIterator[tuple[TcpProxy, StoreUnderTest]]:
    """Create an S3 store with a bucket of its own, whose connections a proxy can damage."""
    async with tcp_proxy(server.port) as proxy:
        url = server.url(f"test-{uuid4().hex}").replace(f":{server.port}/", f":{proxy.port}/")
        tested = StoreUnderTest(blob_store(url, folder / "spool"), lambda key, content: None)
        await tested.blobs.create()
        yield proxy, tested


@pytest.mark.parametrize("size", [100_000, (7 << 20) + 13])
async def test_s3_keeps_the_object_of_a_key_when_an_upload_arrives_damaged(
    s3: S3Server, tmp_path: Path, size: int
) -> None:
    """In one request and in parts: while every upload is damaged nothing is stored; later ones succeed."""
    content = os.urandom(size)
    async with bucket_behind_proxy(s3, tmp_path) as (proxy, tested):
        for stored in (False, True):
            proxy.set(NetworkFault(flip_to_store=1.0))
            with pytest.raises(Unavailable):
                await put(tested, content)
            proxy.set(NetworkFault())
            assert bool(await tested.blobs.listing("images/", "", 3)) == stored
            key = await put(tested, content)
            assert b"".join(await get(tested, key, content)) == content
        assert not list(tested.blobs.spool.iterdir())


async def test_an_upload_that_arrives_damaged_is_repeated(s3: S3Server, tmp_path: Path) -> None:
    """The caller notices nothing."""
    content = os.urandom(100_000)
    async with bucket_behind_proxy(s3, tmp_path) as (proxy, tested):
        proxy.set(NetworkFault(flip_to_store=1.0, max_flips=1))
        key = await put(tested, content)
        assert proxy.injected == 1
        assert b"".join(await get(tested, key, content)) == content


async def test_an_object_that_is_damaged_on_its_way_from_s3_is_no_data_loss(
    s3: S3Server, tmp_path: Path
) -> None:
    """It is Unavailable, and the last chunk is not sent; the next read succeeds."""
    content = os.urandom(100_000)
    async with bucket_behind_proxy(s3, tmp_path) as (proxy, tested):
        key = await put(tested, content)
        proxy.set(NetworkFault(flip_from_store=1.0, max_flips=1))
        with pytest.raises(Unavailable):
            await get(tested, key, content)
        assert proxy.injected == 1
        assert b"".join(await get(tested, key, content)) == content


async def test_wrong_credentials_are_unavailable(s3: S3Server, tmp_path: Path) -> None:
    """Not DataLoss: the server checks signatures and refuses the call."""
    blobs = blob_store(s3.url("bucket").replace("ketav-test-secret", "wrong"), tmp_path / "spool")
    assert "rejects the keys of KETAV_BLOB_URL" in await blobs.problem()
    with pytest.raises(Unavailable):
        await store(blobs, chunks_of(b"x"), key_of, max_bytes=10, size_bytes=1)


async def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    """An unmounted disk is not an empty store."""
    tested = directory(tmp_path)
    assert await tested.blobs.problem() == STORE_MISSING
    with pytest.raises(Unavailable):
        await put(tested, b"x")


async def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """Less space is free than the largest file may take; no disk has a tebibyte of tebibytes free."""
    blobs = DirectoryBlobStore(tmp_path / "objects", min_free_bytes=1 << 80)
    await blobs.create()
    assert "The disk of the object store is full" in await blobs.problem()


@pytest.mark.parametrize("url", ["/folder", "http://host/bucket", "s3:///bucket", ""])
def test_an_unknown_url_is_refused(url: str, tmp_path: Path) -> None:
    """With the name of the setting."""
    with pytest.raises(ValueError, match="KETAV_BLOB_URL"):
        blob_store(url, tmp_path)


async def test_an_object_can_be_removed_twice(tested: StoreUnderTest) -> None:
    """Reading it is DataLoss; other objects stay."""
    first, second = os.urandom(1000), os.urandom(1000)
    removed, other = await put(tested, first), await put(tested, second)
    for _ in range(2):
        await tested.blobs.remove(removed)
    with pytest.raises(DataLoss):
        await get(tested, removed, first)
    assert await get(tested, other, second) == [second]


async def test_a_listing_continues_behind_a_key_and_has_every_object_once(tested: StoreUnderTest) -> None:
    """In parts of three, with current times, of one prefix; an unknown prefix has none."""
    keys = {await put(tested, os.urandom(100)) for _ in range(10)}
    keys_listed: list[str] = []
    while part := await tested.blobs.listing("images/", keys_listed[-1] if keys_listed else "", 3):
        assert len(part) <= 3
        assert all(abs(datetime.now(UTC) - stored) < timedelta(hours=1) for _, stored in part)
        keys_listed += [key for key, _ in part]
    assert set(keys_listed) == keys
    assert len(keys_listed) == len(keys)
    assert await tested.blobs.listing("models/", "", 3) == []
