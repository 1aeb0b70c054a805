"""One contract for every blob store: a directory, and a real S3 server."""

import asyncio
import hashlib
import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from ketav_common.errors import DataLoss, InvalidInput, TooLarge, Unavailable
from ketav_registry.blobs import BlobStore, read, store
from ketav_registry.main import blob_store
from tests.parts.processes import free_port
from tests.parts.s3 import S3Server

SIZES = [1, 1000, 1 << 20, (1 << 20) + 1, (7 << 20) + 13]


@dataclass
class Kept:
    """A store, and a way to change an object behind its back (None removes it)."""

    blobs: BlobStore
    tamper: Callable[[str, bytes | None], None]


def directory(folder: Path) -> Kept:
    """Build a directory store."""
    root = folder / "objects"

    def tamper(key: str, content: bytes | None) -> None:
        """Change the file."""
        (root / key).unlink() if content is None else (root / key).write_bytes(content)

    return Kept(blob_store(f"file://{root}", folder / "spool"), tamper)


def bucket(server: S3Server, folder: Path) -> Kept:
    """Build an S3 store with a bucket of its own."""
    name = f"test-{uuid4().hex}"

    def tamper(key: str, content: bytes | None) -> None:
        """Change the object."""
        if content is None:
            server.client.remove_object(bucket_name=name, object_name=key)
        else:
            data = io.BytesIO(content)
            server.client.put_object(bucket_name=name, object_name=key, data=data, length=len(content))

    return Kept(blob_store(server.url(name), folder / "spool"), tamper)


@pytest.fixture(params=["directory", "s3"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Build each implementation in turn."""
    if request.param == "directory":
        found = directory(tmp_path)
    else:
        found = bucket(request.getfixturevalue("s3"), tmp_path)
    await found.blobs.check()
    return found


async def pieces(content: bytes, size: int = 1 << 20) -> AsyncIterator[bytes]:
    """Yield content in pieces."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def key_of(digest: bytes) -> str:
    """Name an object by its digest."""
    return f"images/{digest.hex()[:2]}/{digest.hex()}"


async def put(kept: Kept, content: bytes) -> str:
    """Store content and return its key."""
    blob = await store(kept.blobs, pieces(content), key_of, max_bytes=1 << 30, size_bytes=len(content))
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(content).digest(), len(content))
    return blob.key


async def get(kept: Kept, key: str, content: bytes) -> list[bytes]:
    """Read what should be `content`."""
    digest = hashlib.sha256(content).digest()
    return [chunk async for chunk in read(kept.blobs, key, sha256=digest, size_bytes=len(content))]


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_stored_comes_back_in_chunks_of_a_mebibyte_at_most(kept: Kept, size: int) -> None:
    """Bytes, digest and length; a name made from the digest; nothing left in the spool."""
    content = os.urandom(size)
    key = await put(kept, content)
    assert key == key_of(hashlib.sha256(content).digest())
    chunks = await get(kept, key, content)
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 1 << 20
    assert not list(kept.blobs.spool.iterdir())


async def test_storing_the_same_content_again_is_harmless_also_at_once(kept: Kept) -> None:
    """Readers see the object throughout."""
    content = os.urandom(100_000)
    keys = await asyncio.gather(*(put(kept, content) for _ in range(8)))
    assert len(set(keys)) == 1
    assert b"".join(await get(kept, keys[0], content)) == content


@pytest.mark.parametrize("at", [0, 1_500_000, -1])
async def test_one_changed_byte_is_data_loss_and_the_end_is_withheld(kept: Kept, at: int) -> None:
    """Wherever it is: no reader ever gets the whole of something else."""
    content = os.urandom(2_500_000)
    key = await put(kept, content)
    changed = bytearray(content)
    changed[at] ^= 1
    await asyncio.to_thread(kept.tamper, key, bytes(changed))
    received = []
    digest = hashlib.sha256(content).digest()
    with pytest.raises(DataLoss):
        async for chunk in read(kept.blobs, key, sha256=digest, size_bytes=len(content)):
            received.append(chunk)  # noqa: PERF401 - what arrived before the error counts
    assert len(b"".join(received)) < len(content)


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"x"])
async def test_a_truncated_or_lengthened_object_is_data_loss(
    kept: Kept, change: Callable[[bytes], bytes]
) -> None:
    """The length counts as much as the digest."""
    content = os.urandom(300_000)
    key = await put(kept, content)
    await asyncio.to_thread(kept.tamper, key, change(content))
    with pytest.raises(DataLoss):
        await get(kept, key, content)


async def test_a_lost_object_is_data_loss(kept: Kept) -> None:
    """A row says it exists; that it is gone is a loss, not a mistake of the caller."""
    content = os.urandom(1000)
    key = await put(kept, content)
    await asyncio.to_thread(kept.tamper, key, None)
    with pytest.raises(DataLoss):
        await get(kept, key, content)


@pytest.mark.parametrize(
    ("announced", "most", "error"),
    [(999, 2000, InvalidInput), (1001, 2000, InvalidInput), (1000, 999, TooLarge), (0, 2000, InvalidInput)],
)
async def test_a_stream_of_another_length_than_announced_or_allowed_stores_nothing(
    kept: Kept, announced: int, most: int, error: type[Exception]
) -> None:
    """Too short, too long, too large, nothing: no object, and nothing left in the spool."""
    content = os.urandom(1000)
    with pytest.raises(error):
        await store(kept.blobs, pieces(content, 100), key_of, max_bytes=most, size_bytes=announced)
    with pytest.raises(DataLoss):
        await get(kept, key_of(hashlib.sha256(content).digest()), content)
    assert not list(kept.blobs.spool.iterdir())


async def test_an_endless_stream_is_cut_off_where_it_exceeds_what_was_announced(kept: Kept) -> None:
    """It is not read further than one piece beyond."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        """Yield for ever."""
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(InvalidInput):
        await store(kept.blobs, endless(), key_of, max_bytes=1 << 20, size_bytes=10_000)
    assert taken == 11


async def test_a_stream_that_breaks_off_stores_nothing(kept: Kept) -> None:
    """The client went away: the error passes through, and nothing is left."""

    async def broken() -> AsyncIterator[bytes]:
        """Yield a piece and fail."""
        yield bytes(10)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store(kept.blobs, broken(), key_of, max_bytes=1 << 20, size_bytes=20)
    assert not list(kept.blobs.spool.iterdir())


async def test_content_that_is_not_accepted_is_not_stored(kept: Kept) -> None:
    """The check sees the beginning and the length."""
    content = b"GIF89a" + bytes(100)
    seen = []

    def accept(head: bytes, size: int) -> bool:
        """Refuse, and note what was shown."""
        seen.append((head, size))
        return False

    size = len(content)
    with pytest.raises(InvalidInput):
        await store(kept.blobs, pieces(content), key_of, max_bytes=1000, size_bytes=size, accept=accept)
    assert seen == [(content, size)]
    with pytest.raises(DataLoss):
        await get(kept, key_of(hashlib.sha256(content).digest()), content)


async def test_a_reader_that_stops_early_leaves_the_store_usable(kept: Kept) -> None:
    """Connections and files are given back: more readers stop than the store has threads."""
    content = os.urandom(3 << 20)
    key = await put(kept, content)
    digest = hashlib.sha256(content).digest()
    for _ in range(12):
        parts = read(kept.blobs, key, sha256=digest, size_bytes=len(content))
        await anext(parts)
        await parts.aclose()
    assert b"".join(await get(kept, key, content)) == content


async def test_an_s3_server_that_is_away_is_unavailable_soon(tmp_path: Path) -> None:
    """Nobody listens: the answer comes within five seconds."""
    blobs = blob_store(f"s3://key:secret@127.0.0.1:{free_port()}/bucket?secure=0", tmp_path / "spool")
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await blobs.check()


async def test_an_s3_server_that_hangs_is_given_up(s3: S3Server, tmp_path: Path) -> None:
    """Stopped, not ended: reading and storing are Unavailable after the timeout, and work again later."""
    url = s3.url(f"test-{uuid4().hex}")
    patient, blobs = (blob_store(url, tmp_path / "spool", timeout_s=seconds) for seconds in (10, 1))
    await patient.check()
    s3.process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(Unavailable):
                await blobs.check()
            with pytest.raises(Unavailable):
                await store(blobs, pieces(b"x"), key_of, max_bytes=10, size_bytes=1)
    finally:
        s3.process.send_signal(signal.SIGCONT)
    await store(patient, pieces(b"x"), key_of, max_bytes=10, size_bytes=1)


async def test_wrong_credentials_are_unavailable(s3: S3Server, tmp_path: Path) -> None:
    """The server checks signatures; what it refuses is not taken for a lost object."""
    blobs = blob_store(s3.url("bucket").replace("ketav-test-secret", "wrong"), tmp_path / "spool")
    with pytest.raises(Unavailable):
        await blobs.check()
    with pytest.raises(Unavailable):
        await store(blobs, pieces(b"x"), key_of, max_bytes=10, size_bytes=1)


async def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """A disk that was unmounted is not an empty store."""
    kept = directory(tmp_path)
    for path in (tmp_path / "objects" / ".incoming", tmp_path / "objects"):
        path.rmdir()
    with pytest.raises(Unavailable):
        await kept.blobs.check()
    with pytest.raises(Unavailable):
        await put(kept, b"x")


@pytest.mark.parametrize("url", ["/folder", "http://host/bucket", "s3:///bucket", ""])
def test_an_address_of_no_known_kind_is_refused(url: str, tmp_path: Path) -> None:
    """At start-up, in words."""
    with pytest.raises(ValueError, match="KETAV_BLOB_URL"):
        blob_store(url, tmp_path)


async def test_a_removed_object_is_gone_and_removing_it_again_is_no_error(kept: Kept) -> None:
    """Reading it is DATA_LOSS; others stay."""
    first, second = os.urandom(1000), os.urandom(1000)
    gone, stays = await put(kept, first), await put(kept, second)
    for _ in range(2):
        await kept.blobs.remove(gone)
    with pytest.raises(DataLoss):
        await get(kept, gone, first)
    assert await get(kept, stays, second) == [second]


async def test_a_listing_goes_on_behind_a_key_and_meets_every_object_once(kept: Kept) -> None:
    """In stretches of three, with times of today, of one prefix only; an unknown prefix has nothing."""
    keys = {await put(kept, os.urandom(100)) for _ in range(10)}
    found: list[str] = []
    while part := await kept.blobs.listing("images/", found[-1] if found else "", 3):
        assert len(part) <= 3
        assert all(abs(datetime.now(UTC) - stored) < timedelta(hours=1) for _, stored in part)
        found += [key for key, _ in part]
    assert set(found) == keys
    assert len(found) == len(keys)
    assert await kept.blobs.listing("models/", "", 3) == []
