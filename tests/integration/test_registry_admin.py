"""`ketav admin`: users, keys, models and runs, on a real PostgreSQL and a folder of objects."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ketav.registry.v1 import accounts_pb2
from ketav_common import rpc
from ketav_common.errors import NotFound
from tests.parts.ketav_command import ketav, ketav_json
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, correct, queue, registry_server, safetensors


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for each test."""
    return postgres.migrated_database()


@pytest.fixture(autouse=True)
def environment(
    postgres: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set the addresses that an operator sets."""
    monkeypatch.setenv("KETAV_DATABASE_URL", postgres.url(database, "ketav_service"))
    monkeypatch.setenv("KETAV_BLOB_URL", f"file://{tmp_path}/blobs")


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry on the same stores."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def in_thread(function: Any, *arguments: str, status: int = 0) -> Any:
    """Run a command, which has an event loop of its own, in a thread."""
    import asyncio

    return await asyncio.to_thread(function, *arguments, status=status)


def test_a_name_is_given_to_one_user() -> None:
    """The second is refused with the command that makes another key."""
    ketav("users", "add", "דנה")
    refused = ketav("admin", "users", "add", " דנה ", status=1)
    assert "There is a user named 'דנה' already." in refused
    assert "ketav admin keys add" in refused
    assert [user["name"] for user in ketav_json("admin", "users", "list")] == ["דנה"]


def test_a_user_is_named_by_name_or_id() -> None:
    """An unknown one is refused with a sentence."""
    ketav("admin", "users", "add", "dana")
    [user] = ketav_json("admin", "users", "list")
    assert len(ketav_json("admin", "keys", "list", "--user", user["id"])) == 1
    assert "There is no user with the name or id 'dan'" in ketav("admin", "users", "disable", "dan", status=1)


async def test_the_keys_of_a_disabled_user_are_refused_until_the_user_is_enabled(registry: Registry) -> None:
    """With a code of its own; the data stays."""
    key = await in_thread(ketav, "admin", "users", "add", "dana")
    request = accounts_pb2.ResolveApiKeyRequest(key_sha256=hashlib.sha256(key.encode()).digest())
    with acting(None, "gateway"), rpc.raise_ketav_errors():
        await registry.accounts.ResolveApiKey(request)
        assert "disabled" in await in_thread(ketav, "admin", "users", "disable", "dana")
        with pytest.raises(NotFound, match="This account is disabled") as caught, rpc.raise_ketav_errors():
            await registry.accounts.ResolveApiKey(request)
        assert caught.value.code == "account-disabled"
        await in_thread(ketav, "admin", "users", "enable", "dana")
        await registry.accounts.ResolveApiKey(request)


def test_a_rotation_revokes_all_keys_and_makes_a_new_one() -> None:
    """`add` leaves the others valid, `revoke` ends one."""
    first = ketav("admin", "users", "add", "dana")
    second = ketav("admin", "keys", "add", "dana")
    third = ketav("admin", "keys", "rotate", "dana").split()[0]
    keys = {key["prefix"]: key["revoked"] for key in ketav_json("admin", "keys", "list")}
    assert [bool(keys[key.split("_")[1]]) for key in (first, second, third)] == [True, True, False]
    ketav("admin", "keys", "revoke", third.split("_")[1])
    assert [user["keys"] for user in ketav_json("admin", "users", "list")] == [0]


def test_an_older_base_serves_again_after_its_activation(tmp_path: Path) -> None:
    """The newer one is retired; activating it again makes it serve again."""
    file = tmp_path / "base.safetensors"
    for content in (b"one", b"two"):
        file.write_bytes(safetensors(content))
        ketav("models", "import", "--trusted", str(file), "--name", "base")

    def states() -> list[str]:
        """Return the states of both versions."""
        return [model["state"] for model in ketav_json("admin", "models", "list")]

    assert states() == ["available", "active"]
    ketav("admin", "models", "activate", "base-1")
    assert states() == ["active", "retired"]
    ketav("admin", "models", "activate", "base-2")
    assert states() == ["available", "active"]
    assert "no base model named 'base-3'" in ketav("admin", "models", "activate", "base-3", status=1)


async def test_runs_are_listed_cancelled_and_repeated(registry: Registry) -> None:
    """A run that has not ended is not repeated; the repetition is a new run of the same user and script."""
    user_id = await registry.new_user("dana")
    with acting(user_id):
        await correct(registry, 8)
    run_id = (await queue(registry, user_id)).run_id
    assert "has not ended" in await in_thread(ketav, "admin", "runs", "retry", run_id, status=1)
    assert "is cancelled" in await in_thread(ketav, "admin", "runs", "cancel", run_id)
    assert "has ended already" in await in_thread(ketav, "admin", "runs", "cancel", run_id, status=1)
    again = await in_thread(ketav, "admin", "runs", "retry", run_id)
    listed = await in_thread(ketav_json, "admin", "runs", "list", "--user", str(user_id))
    assert [(run["run_id"], run["state"]) for run in listed] == [(again, "queued"), (run_id, "cancelled")]
    assert "no training run" in await in_thread(ketav, "admin", "runs", "cancel", str(uuid4()), status=1)


async def test_a_deleted_user_leaves_nothing_but_the_record(registry: Registry) -> None:
    """The command asks, unless --yes is given."""
    user_id = await registry.new_user("dana")
    with acting(user_id):
        await correct(registry, 2, pages=1)
    assert "1 pages, 2 lines, 2 corrections" in await in_thread(
        ketav, "admin", "users", "delete", str(user_id), "--yes"
    )
    assert await in_thread(ketav_json, "admin", "users", "list") == []


def test_a_table_has_a_line_for_each_row() -> None:
    """Without rows it says so."""
    assert ketav("admin", "users", "list") == "none"
    ketav("admin", "users", "add", "dana")
    header, row = ketav("admin", "users", "list").splitlines()
    assert header.split() == ["ID", "NAME", "KEYS", "CREATED", "DISABLED"]
    assert row.split()[1:3] == ["dana", "1"]


def test_without_a_system_a_command_ends_with_one_sentence_that_names_the_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No traceback, exit status 1."""
    monkeypatch.delenv("KETAV_DATABASE_URL")
    monkeypatch.setenv("KETAV_DATA_DIR", str(tmp_path))
    for command in (("users", "add", "x"), ("admin", "doctor"), ("admin", "runs", "list")):
        printed = ketav(*command, status=1)
        assert printed.startswith("ketav: No Ketav system is configured:")
        assert "KETAV_DATABASE_URL" in printed


def test_the_version_is_printed() -> None:
    """That of the installed package."""
    assert ketav("--version").startswith("ketav 0.")
