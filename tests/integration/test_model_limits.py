"""A model file that no service would read is refused where it would enter the registry."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ketav_common.errors import TooLarge
from ketav_common.limits import MAX_MODEL_BYTES
from ketav_registry.usecases import models
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, claim, publish, queued_run, registry_server


@pytest.fixture
async def registry(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, postgres.migrated_database()) as running:
        yield running


async def test_an_import_above_the_limit_is_refused_before_the_file_is_read(
    registry: Registry, tmp_path: Path
) -> None:
    """The sentence names both lengths and says what to do; the base that serves stays."""
    file = tmp_path / "large.safetensors"
    with file.open("wb") as output:
        output.truncate(MAX_MODEL_BYTES + 1)
    stores = registry.stores
    with pytest.raises(TooLarge) as caught:
        await models.import_base(file, "large", None, stores=stores)
    assert caught.value.detail == (
        "The file large.safetensors has 67,108,865 bytes, and the services read at most 67,108,864. "
        "Import a smaller network."
    )
    assert [path.name for path in registry.blobs.rglob("*.safetensors")] != []
    assert sum(path.stat().st_size for path in registry.blobs.rglob("*.safetensors")) < MAX_MODEL_BYTES


async def test_a_published_model_above_the_limit_is_refused(registry: Registry) -> None:
    """The length that the header announces decides; nothing is stored."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    with pytest.raises(TooLarge):
        await publish(registry, run_id, lease.fence, size_bytes=MAX_MODEL_BYTES + 1)
    assert not (registry.blobs / f"models/{user_id}").exists()
