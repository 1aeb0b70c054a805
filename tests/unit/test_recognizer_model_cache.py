"""The model cache fetches a model once, stores nothing else, and stays within its limit."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ketav_common.errors import DataLoss, InvalidInput, KetavError, NotFound
from ketav_common.limits import MAX_MODEL_BYTES
from ketav_recognizer.domain import ModelRef
from ketav_recognizer.model_cache import ModelCache

USER = uuid4()


class Source:
    """A registry that counts the fetches and sends the bytes that a test sets."""

    def __init__(self) -> None:
        """Start without any download asked for."""
        self.fetches = 0
        self.sends: dict[str, bytes] = {}
        self.error: KetavError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self, model: ModelRef) -> AsyncIterator[bytes]:
        """Yield a model's bytes in pieces."""
        self.fetches += 1
        await self.open.wait()
        if self.error is not None:
            raise self.error
        content = self.sends[model.sha256]
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    def add(self, content: bytes) -> ModelRef:
        """Offer a model and return its name."""
        digest = hashlib.sha256(content).hexdigest()
        self.sends[digest] = content
        return ModelRef(f"version-{digest[:8]}", digest, len(content))


@pytest.fixture
def source() -> Source:
    """Return a source without models."""
    return Source()


def cache_of(source: Source, directory: Path, max_bytes: int = 10**9) -> ModelCache:
    """Return a cache over a source."""
    return ModelCache(directory / "model_cache", max_bytes, source.fetch)


async def test_a_model_is_fetched_once_and_found_again(source: Source, tmp_path: Path) -> None:
    """The second request, also after a restart, is answered from the disk."""
    model = source.add(os.urandom(5000))
    first = await cache_of(source, tmp_path).path(model, USER)
    again = await cache_of(source, tmp_path).path(model, None)
    assert first == again
    assert hashlib.sha256(first.read_bytes()).hexdigest() == model.sha256
    assert source.fetches == 1


async def test_requests_at_the_same_time_share_one_fetch(source: Source, tmp_path: Path) -> None:
    """Ten requests of one user wait for the same stream, and one that leaves does not end it."""
    model = source.add(os.urandom(5000))
    cache = cache_of(source, tmp_path)
    source.open.clear()
    tasks = [asyncio.create_task(cache.path(model, USER)) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    source.open.set()
    paths = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(paths[0], asyncio.CancelledError)
    assert len({str(path) for path in paths[1:]}) == 1
    assert source.fetches == 1


async def test_one_user_s_refusal_is_not_another_s(source: Source, tmp_path: Path) -> None:
    """Two users ask for the same digest at the same time: each asks the registry for himself."""
    model = source.add(os.urandom(5000))
    cache = cache_of(source, tmp_path)
    await asyncio.gather(cache.path(model, USER), cache.path(model, UUID(int=1)))
    assert source.fetches == 2


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:-1] + b"\0", lambda _: b""]
)
async def test_bytes_that_are_not_those_asked_for_are_refused_and_not_kept(
    source: Source, tmp_path: Path, change: object
) -> None:
    """Too short, too long, altered or nothing: DataLoss, and the cache stays empty."""
    model = source.add(b"m" * 5000)
    source.sends[model.sha256] = change(source.sends[model.sha256])  # type: ignore[operator]
    with pytest.raises(DataLoss):
        await cache_of(source, tmp_path).path(model, USER)
    assert not list((tmp_path / "model_cache").iterdir())


async def test_a_refusal_of_the_registry_is_passed_on_and_asked_again(source: Source, tmp_path: Path) -> None:
    """An error is not remembered: the next request asks again."""
    model = source.add(os.urandom(100))
    source.error = NotFound("no such model")
    cache = cache_of(source, tmp_path)
    with pytest.raises(NotFound):
        await cache.path(model, USER)
    source.error = None
    assert (await cache.path(model, USER)).is_file()


async def test_a_model_too_long_is_refused_unfetched(source: Source, tmp_path: Path) -> None:
    """A length beyond the limit never reaches the registry or the disk."""
    with pytest.raises(InvalidInput):
        await cache_of(source, tmp_path).path(ModelRef("v", "0" * 64, MAX_MODEL_BYTES + 1), USER)
    assert source.fetches == 0


async def test_the_models_used_longest_ago_go_first(source: Source, tmp_path: Path) -> None:
    """With room for two, the third pushes out the one not used since."""
    cache = cache_of(source, tmp_path, max_bytes=2500)
    models = [source.add(os.urandom(1000)) for _ in range(3)]
    first, second = [await cache.path(model, USER) for model in models[:2]]
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    await cache.path(models[0], USER)
    third = await cache.path(models[2], USER)
    assert (first.exists(), second.exists(), third.exists()) == (True, False, True)


async def test_what_a_killed_service_left_unfinished_is_deleted(source: Source, tmp_path: Path) -> None:
    """An old part goes with the next fetch; a young one may belong to a fetch that runs."""
    cache = cache_of(source, tmp_path)
    await cache.path(source.add(os.urandom(100)), USER)
    old, young = tmp_path / "model_cache/old.part", tmp_path / "model_cache/young.part"
    old.touch()
    os.utime(old, (1, 1))
    young.touch()
    await cache.path(source.add(os.urandom(100)), USER)
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_dropped_model_is_fetched_again(source: Source, tmp_path: Path) -> None:
    """A file that a reader found damaged is fetched again."""
    model = source.add(os.urandom(1000))
    cache = cache_of(source, tmp_path)
    await cache.path(model, USER)
    cache.drop(model.sha256)
    await cache.path(model, USER)
    assert source.fetches == 2
