"""Which model serves, and its bytes for the services that may have them."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from ketav_common.chunks import CHUNK_BYTES
from ketav_common.errors import InvalidInput, NotFound, Unavailable
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database, Transaction
from ketav_registry.domain.models import (
    MAX_MODEL_BYTES,
    Model,
    ModelState,
    ModelVersion,
    Script,
    base_key,
    is_safetensors,
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
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("a model's name is 1 to 64 of a-z, 0-9, _ and -", code="invalid-name")
    size = (await asyncio.to_thread(file.stat)).st_size
    stored = await objects.store(
        blobs, _file_chunks(file), base_key, max_bytes=MAX_MODEL_BYTES, size_bytes=size, accept=is_safetensors
    )
    async with database.system() as transaction:
        await models.lock_bases(transaction)
        latest = await models.latest_base(transaction, name)
        known, count = latest or (None, 0)
        if known is not None and (known.model.sha256, known.script) == (stored.sha256, script):
            return known
        values = {"version": f"{name}-{count + 1}", "name": name, "script": script, "user_id": None}
        file_facts = {"sha256": stored.sha256, "size_bytes": size, "state": ModelState.AVAILABLE}
        return await models.insert_version(transaction, values | file_facts)


async def _file_chunks(file: Path) -> AsyncIterator[bytes]:
    """Read a local file in chunks."""
    with file.open("rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
            yield chunk
