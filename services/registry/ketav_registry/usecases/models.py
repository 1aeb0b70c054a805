"""Model versions: which one serves, and their files."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

from ketav_common.errors import (
    Conflict,
    InvalidInput,
    KetavError,
    NotFound,
    TooLarge,
    Unavailable,
)
from ketav_common.limits import CHUNK_BYTES, MAX_CHECKED_MODELS, MAX_MODEL_BYTES
from ketav_registry import blobs as objects
from ketav_registry.database import Transaction
from ketav_registry.domain.models import (
    Model,
    ModelState,
    ModelVersion,
    Script,
    base_key,
    object_key,
)
from ketav_registry.domain.models_files import HEAD_BYTES, is_safetensors, read_alphabet
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.repository import models
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects_hands import require_hand

_NO_BASE = (
    "There is no base model for this script yet. Ask the operator to import one with `ketav models import`."
)
_NAME = re.compile("[a-z0-9_-]{1,64}")


async def require_serving_model(transaction: Transaction, user_id: UUID, hand: Hand) -> Model:
    """Return the model that serves a user's hand. Unavailable no-base-model: no base was imported yet."""
    model = await models.serving_model(transaction, user_id, hand)
    if model is None:
        raise Unavailable(_NO_BASE, code="no-base-model")
    return model


async def require_base(transaction: Transaction, script: Script) -> Model:
    """Return the base of a script. Unavailable no-base-model: none was imported yet."""
    model = await models.base_model(transaction, script)
    if model is None:
        raise Unavailable(_NO_BASE, code="no-base-model")
    return model


async def require_version(transaction: Transaction, user_id: UUID, version: str) -> ModelVersion:
    """Return a version that is visible to the user. NotFound: there is no such version."""
    found_version = await models.find_version(transaction, user_id, version)
    if found_version is None:
        raise NotFound(
            "This account has no model version with this name. List the versions with GET /models/."
        )
    return found_version


async def reading_model(transaction: Transaction, user_id: UUID, hand: Hand, version: str = "") -> Model:
    """Return the model that reads a page of a hand: the given version, or the one that serves.

    NotFound: no such version. Conflict model-retired, model-tainted: the version never serves.
    """
    if not version:
        return await require_serving_model(transaction, user_id, hand)
    model_version = await require_version(transaction, user_id, version)
    require_usable(model_version, Conflict)
    return model_version.model


def require_usable(version: ModelVersion, error: type[KetavError]) -> None:
    """Raise the error, with code model-retired or model-tainted, for a version that never serves."""
    if version.state is ModelState.RETIRED:
        raise error(
            "The gate has rejected this version, so it never serves. Choose another one with GET /models/.",
            code="model-retired",
        )
    if version.state is ModelState.TAINTED:
        raise error(
            "This version was trained on lines that you have deleted, so it never serves. "
            "Choose another one with GET /models/.",
            code="model-tainted",
        )


async def get_user_model(user_id: UUID, script: Script, hand_name: str = "", *, stores: Stores) -> Model:
    """Return the model that serves a hand of a user: its active version, or the script's base.

    An empty name is the user's own hand in the script; another hand has its script. InvalidInput
    unknown-hand: there is no hand with this name.
    """
    async with stores.database.user(user_id) as transaction:
        hand = await require_hand(transaction, user_id, hand_name) if hand_name else Hand(script)
        return await require_serving_model(transaction, user_id, hand)


async def import_base(file: Path, name: str, script: Script | None, *, stores: Stores) -> ModelVersion:
    """Store a safetensors file as the newest version of a base model; script None: for every script.

    A file that is the newest version already changes nothing. InvalidInput: not safetensors, or the name is
    malformed. TooLarge: the services cannot read a file of this size.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "The name of the model is malformed. Use 1 to 64 characters of a-z, 0-9, _ and -.",
            code="invalid-name",
        )
    size_bytes = (await asyncio.to_thread(file.stat)).st_size
    if size_bytes > MAX_MODEL_BYTES:
        raise TooLarge(
            f"The file {file.name} has {size_bytes:,} bytes, and the services read at most "
            f"{MAX_MODEL_BYTES:,}. "
            "Import a smaller network."
        )
    alphabet = await asyncio.to_thread(_read_alphabet, file)
    stored = await _store_file(file, size_bytes, stores)
    async with stores.database.system() as transaction:
        await models.lock_bases(transaction)
        versions = await models.list_bases(transaction, name)
        newest = versions[-1] if versions else None
        if newest is not None and (newest.model.sha256, newest.script) == (stored.sha256, script):
            await models.set_alphabet(transaction, newest.model.version, alphabet)
            return newest
        values = {
            "version": f"{name}-{len(versions) + 1}",
            "name": name,
            "script": script,
            "user_id": None,
            "sha256": stored.sha256,
            "size_bytes": size_bytes,
            "alphabet": alphabet,
            "state": ModelState.AVAILABLE,
        }
        return await models.insert_version(transaction, values)


async def _store_file(file: Path, size_bytes: int, stores: Stores) -> objects.Blob:
    """Store the file of a base model. InvalidInput invalid-file, with its name: it is not safetensors."""
    try:
        return await objects.store(
            stores.blobs,
            _file_chunks(file),
            base_key,
            max_bytes=MAX_MODEL_BYTES,
            size_bytes=size_bytes,
            accept=is_safetensors,
        )
    except InvalidInput as error:
        raise InvalidInput(
            f"The file {file.name} cannot be imported. {error.detail}", code=error.code
        ) from error


def _read_alphabet(file: Path) -> str | None:
    """Return the characters that the model of a local file can write; None if they are not listed."""
    with file.open("rb") as source:
        return read_alphabet(source.read(HEAD_BYTES))


async def _file_chunks(file: Path) -> AsyncIterator[bytes]:
    """Yield a local file in chunks."""
    with file.open("rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
            yield chunk


async def download_model(user_id: UUID, sha256: bytes, *, stores: Stores) -> AsyncIterator[bytes]:
    """Yield the file of a base or of a user's version.

    NotFound: no such file is visible. DataLoss: the object does not match its digest.
    """
    async with stores.database.user(user_id) as transaction:
        version = await models.find_file(transaction, user_id, sha256)
    if version is None:
        raise NotFound("This account has no model with this SHA-256. Ask for the serving model again.")
    model = version.model
    async for chunk in objects.read(
        stores.blobs, object_key(version), sha256=model.sha256, size_bytes=model.size_bytes
    ):
        yield chunk


async def check_models(digests: Sequence[bytes], *, stores: Stores) -> set[bytes]:
    """Return the digests whose files may still be used. InvalidInput too-many: over 1,000 digests."""
    if len(digests) > MAX_CHECKED_MODELS:
        raise InvalidInput(
            f"The request has {len(digests):,} digests. Send at most {MAX_CHECKED_MODELS:,} at once.",
            code="too-many",
        )
    async with stores.database.system() as transaction:
        return await models.usable(transaction, digests)
