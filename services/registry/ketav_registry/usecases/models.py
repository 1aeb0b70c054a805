"""Which model serves, and its bytes for the services that may have them."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from ketav_common.errors import (
    Conflict,
    InvalidInput,
    KetavError,
    NotFound,
    Precondition,
    TooLarge,
    Unavailable,
)
from ketav_common.limits import CHUNK_BYTES, MAX_CHECKED_MODELS, MAX_MODEL_BYTES
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database, Transaction
from ketav_registry.domain.models import (
    HEAD_BYTES,
    Model,
    ModelState,
    ModelVersion,
    Script,
    alphabet_of,
    as_served,
    base_key,
    is_safetensors,
    object_key,
)
from ketav_registry.repository import models

NO_MODEL = "no such model"
_NAME = re.compile("[a-z0-9_-]{1,64}")


async def required_model(transaction: Transaction, user_id: UUID, script: Script) -> Model:
    """Return the model that serves a user. Unavailable: the operator has not imported any base yet."""
    model = await models.serving_model(transaction, user_id, script)
    if model is None:
        raise Unavailable("there is no base model for this script yet", code="no-base-model")
    return model


async def reading_model(transaction: Transaction, user_id: UUID, script: Script, version: str = "") -> Model:
    """Return the model that reads a user's page: the version they ask for, else the one that serves.

    NotFound: the user has no such version. Conflict model-retired or model-tainted: it never serves.
    """
    if not version:
        return await required_model(transaction, user_id, script)
    found = await required_version(transaction, user_id, version)
    _refuse_unservable(found, Conflict)
    return found.model


def _refuse_unservable(found: ModelVersion, error: type[KetavError]) -> None:
    """Raise when a version never serves: model-retired or model-tainted."""
    if found.state is ModelState.RETIRED:
        raise error("this version was refused by the gate and never serves", code="model-retired")
    if found.state is ModelState.TAINTED:
        raise error("this version had learnt from lines you have deleted", code="model-tainted")


async def required_base(transaction: Transaction, script: Script) -> Model:
    """Return the base of a script. Unavailable: the operator has not imported any base yet."""
    model = await models.base_model(transaction, script)
    if model is None:
        raise Unavailable("there is no base model for this script yet", code="no-base-model")
    return model


async def required_version(transaction: Transaction, user_id: UUID, version: str) -> ModelVersion:
    """Return a version the user may name. NotFound: none."""
    found = await models.find_version(transaction, user_id, version)
    if found is None:
        raise NotFound(NO_MODEL)
    return found


async def get_user_model(user_id: UUID, script: Script, *, database: Database) -> Model:
    """Return the model that serves a user for a script: their own active one, else the script's base."""
    async with database.user(user_id) as transaction:
        return await required_model(transaction, user_id, script)


async def import_base(
    file: Path, name: str, script: Script | None, *, database: Database, blobs: BlobStore
) -> ModelVersion:
    """Store a safetensors file as the newest base of a name; script None serves every script.

    The same file under the same name and script again changes nothing. InvalidInput: not safetensors.
    TooLarge: no service would read it.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("a model's name is 1 to 64 of a-z, 0-9, _ and -", code="invalid-name")
    size = (await asyncio.to_thread(file.stat)).st_size
    if size > MAX_MODEL_BYTES:
        raise TooLarge(
            f"The model file has {size:,} bytes; at most {MAX_MODEL_BYTES:,} are read by the services. "
            "Import a smaller network."
        )
    alphabet = await asyncio.to_thread(_alphabet, file)
    stored = await objects.store(
        blobs, _file_chunks(file), base_key, max_bytes=MAX_MODEL_BYTES, size_bytes=size, accept=is_safetensors
    )
    async with database.system() as transaction:
        await models.lock_bases(transaction)
        latest = await models.latest_base(transaction, name)
        known, count = latest or (None, 0)
        if known is not None and (known.model.sha256, known.script) == (stored.sha256, script):
            await models.set_alphabet(transaction, known.model.version, alphabet)
            return known
        values = {"version": f"{name}-{count + 1}", "name": name, "script": script, "user_id": None}
        facts = {"sha256": stored.sha256, "size_bytes": size, "alphabet": alphabet}
        return await models.insert_version(transaction, values | facts | {"state": ModelState.AVAILABLE})


def _alphabet(file: Path) -> str | None:
    """Read what a local file says its model can write."""
    with file.open("rb") as source:
        return alphabet_of(source.read(HEAD_BYTES))


async def _file_chunks(file: Path) -> AsyncIterator[bytes]:
    """Read a local file in chunks."""
    with file.open("rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
            yield chunk


async def download_model(
    user_id: UUID | None, sha256: bytes, *, database: Database, blobs: BlobStore
) -> AsyncIterator[bytes]:
    """Yield a model's file: a base, or a version of the user (None: any version). DataLoss: corrupt."""
    async with database.system() if user_id is None else database.user(user_id) as transaction:
        version = await models.find_file(transaction, user_id, sha256)
    if version is None:
        raise NotFound(NO_MODEL)
    model = version.model
    parts = objects.read(blobs, object_key(version), sha256=model.sha256, size_bytes=model.size_bytes)
    async for chunk in parts:
        yield chunk


async def list_models(
    user_id: UUID, after: tuple[datetime, str] | None, limit: int, *, database: Database
) -> tuple[list[ModelVersion], tuple[datetime, str] | None]:
    """Return the user's versions and the bases, newest first, and where the list goes on."""
    async with database.user(user_id) as transaction:
        serving = await _serving(transaction, user_id)
        found = await models.list_versions(transaction, user_id, after, limit + 1)
    shown = [as_served(version, serving) for version in found[:limit]]
    more = (shown[-1].create_time, shown[-1].model.version) if len(found) > limit else None
    return shown, more


async def get_model(
    user_id: UUID, version: str, *, database: Database
) -> tuple[ModelVersion, list[ModelVersion]]:
    """Return a version and those it descends from, its parent first. NotFound: the user has none so named."""
    async with database.user(user_id) as transaction:
        serving = await _serving(transaction, user_id)
        found = await required_version(transaction, user_id, version)
        lineage = await models.lineage(transaction, user_id, version)
    return as_served(found, serving), [as_served(each, serving) for each in lineage]


async def activate_model(user_id: UUID, version: str, *, database: Database) -> ModelVersion:
    """Make a version the active one of its script; a base for every script, of all the user has chosen.

    NotFound: the user has no such version. Precondition model-retired or model-tainted: it never serves.
    """
    async with database.user(user_id) as transaction:
        found = await required_version(transaction, user_id, version)
        _refuse_unservable(found, Precondition)
        scripts = (
            await models.active_scripts(transaction, user_id) if found.script is None else [found.script]
        )
        for script in scripts:
            await models.activate(transaction, user_id, script, version)
        return as_served(found, await _serving(transaction, user_id))


async def _serving(transaction: Transaction, user_id: UUID) -> set[str]:
    """Return the versions that serve a user for any script."""
    served = [await models.serving_model(transaction, user_id, script) for script in Script]
    return {model.version for model in served if model is not None}


async def check_models(asked: Sequence[bytes], *, database: Database) -> set[bytes]:
    """Return those of the digests that are a version's which may still be used."""
    if len(asked) > MAX_CHECKED_MODELS:
        raise InvalidInput(f"at most {MAX_CHECKED_MODELS} files may be asked for at once", code="too-many")
    async with database.system() as transaction:
        return await models.usable(transaction, asked)
