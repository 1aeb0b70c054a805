"""The checks: rows against objects and hashes, objects against rows, active models, runs."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import cast
from uuid import UUID

from ketav_common.errors import DataLoss
from ketav_registry.domain.models import Script, parse_user_model_key
from ketav_registry.fsck.findings import FindingKind, Report, Scope
from ketav_registry.repository import models, object_removal, stored_objects
from ketav_registry.repository.stored_objects import ReferencedObject
from ketav_registry.stores import Stores
from ketav_registry.usecases.object_removal import PREFIXES

_BATCH = 1_000
"""Rows or objects that are compared at a time: one page of S3's ListObjects."""


async def check(scope: Scope, *, stores: Stores) -> Report:
    """Run all checks while the system runs; changes that users make meanwhile are no findings."""
    report = Report()
    async with stores.database.system() as transaction:
        report.checked.update(await stored_objects.count_rows(transaction))
    async for images in _image_batches(stores):
        await _check_objects(
            images, FindingKind.IMAGE_MISSING, FindingKind.IMAGE_DAMAGED, scope, stores, report
        )
    async with stores.database.system() as transaction:
        files = await stored_objects.list_model_files(transaction)
    await _check_objects(files, FindingKind.MODEL_MISSING, FindingKind.MODEL_DAMAGED, scope, stores, report)
    async with stores.database.system() as transaction:
        documents = await stored_objects.list_documents(transaction)
    await _check_objects(
        documents, FindingKind.DOCUMENT_MISSING, FindingKind.DOCUMENT_DAMAGED, scope, stores, report
    )
    for prefix in PREFIXES:
        await _check_orphans(prefix, scope, stores, report)
    await _check_rows(stores, report)
    return report


async def _image_batches(stores: Stores) -> AsyncIterator[list[ReferencedObject]]:
    """Yield the images of all pages."""
    after: UUID | None = None
    while True:
        async with stores.database.system() as transaction:
            batch = await stored_objects.list_images(transaction, after, _BATCH)
        if not batch:
            return
        yield batch
        after = UUID(batch[-1].subject)


async def _check_objects(
    referenced: Iterable[ReferencedObject],
    missing: FindingKind,
    damaged: FindingKind,
    scope: Scope,
    stores: Stores,
    report: Report,
) -> None:
    """Check that objects exist, and with `scope.hashes` that they have the length and SHA-256 of the rows."""
    for item in referenced:
        kind = await _problem(item, missing, damaged, scope, stores)
        if kind is not None and await _still_exists(item, stores):
            report.add(kind, item.subject, item.user_id)
        report.checked["objects"] += 1


async def _problem(
    item: ReferencedObject, missing: FindingKind, damaged: FindingKind, scope: Scope, stores: Stores
) -> FindingKind | None:
    """Return what is wrong with an object; None when it is whole."""
    hasher = hashlib.sha256()
    size_bytes = 0
    # Both stores are generators; closing them ends the connection or the file.
    generator = cast("AsyncGenerator[bytes, None]", stores.blobs.chunks(item.key))
    try:
        async with aclosing(generator) as chunks:
            async for chunk in chunks:
                if not scope.hashes:
                    return None
                hasher.update(chunk)
                size_bytes += len(chunk)
    except DataLoss:
        return missing
    return None if (hasher.digest(), size_bytes) == (item.sha256, item.size_bytes) else damaged


async def _still_exists(item: ReferencedObject, stores: Stores) -> bool:
    """Return whether the row was not deleted during the check, with its object."""
    async with stores.database.system() as transaction:
        return await stored_objects.has_subject(transaction, item.subject)


async def _check_orphans(prefix: str, scope: Scope, stores: Stores, report: Report) -> None:
    """Report objects without a row that were stored before the time of the scope and are not queued."""
    after = ""
    while listed := await stores.blobs.listing(prefix, after, _BATCH):
        after = listed[-1][0]
        old = [key for key, stored in listed if stored < scope.orphans_before and _has_owner(key)]
        for key in await orphans(old, stores):
            report.add(FindingKind.ORPHAN, key)


async def orphans(keys: Sequence[str], stores: Stores) -> list[str]:
    """Return the keys to which no row refers and that are not queued for removal."""
    async with stores.database.system() as transaction:
        referenced = await object_removal.referenced_keys(transaction, keys)
        queued = await stored_objects.queued_for_removal(transaction, keys)
    return [key for key in keys if key not in referenced | queued]


def _has_owner(key: str) -> bool:
    """Return whether an object belongs to a user; files of bases stay, because imports share them."""
    return key.startswith(("images/", "documents/", "exports/")) or parse_user_model_key(key) is not None


async def _check_rows(stores: Stores, report: Report) -> None:
    """Report active versions that never serve, scripts without a base, and runs that cannot continue."""
    async with stores.database.system() as transaction:
        for active in await stored_objects.unusable_active_models(transaction):
            report.add(FindingKind.ACTIVE_MODEL, active.version, active.user_id)
        for script in Script:
            if await models.base_model(transaction, script) is None:
                report.add(FindingKind.NO_BASE, script)
        for run_id in await stored_objects.runs_without_lease(transaction):
            report.add(FindingKind.RUN_WITHOUT_LEASE, run_id)
        for run_id in await stored_objects.exhausted_runs(transaction):
            report.add(FindingKind.RUN_EXHAUSTED, run_id)
