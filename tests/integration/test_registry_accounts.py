"""API keys of users."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from ketav.registry.v1 import accounts_pb2
from ketav_common import rpc
from ketav_common.errors import (
    Forbidden,
    NotFound,
)
from ketav_registry.usecases import accounts
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def test_an_api_key_identifies_its_user_until_it_is_revoked(registry: Registry) -> None:
    """It is found by its digest, and NOT_FOUND after its revocation."""
    user_id, key = await accounts.add_user("דנה", stores=registry.stores)
    request = accounts_pb2.ResolveApiKeyRequest(key_sha256=hashlib.sha256(key.encode()).digest())
    with acting(None, "gateway"):
        assert (await registry.accounts.ResolveApiKey(request)).user_id == str(user_id)
        await accounts.revoke_key(key.split("_")[1], stores=registry.stores)
        with pytest.raises(NotFound), rpc.raise_ketav_errors():
            await registry.accounts.ResolveApiKey(request)


async def test_only_the_gateway_resolves_api_keys(registry: Registry) -> None:
    """The identity of a user is refused."""
    request = accounts_pb2.ResolveApiKeyRequest(key_sha256=bytes(32))
    with acting(uuid4()), pytest.raises(Forbidden), rpc.raise_ketav_errors():
        await registry.accounts.ResolveApiKey(request)
