"""The list of the objects that a backup copies: those to which rows refer."""

import os
from pathlib import Path
from typing import Any

from ketav_registry.backup.manifest import OBJECT_LIST, private_file
from ketav_registry.domain.models import base_key, user_model_key
from ketav_registry.domain.pages import digest_key

_IMAGES = "SELECT object_key, sha256, size_bytes FROM page"
_DOCUMENTS = (
    "SELECT document_key, document_sha256 AS sha256, document_bytes AS size_bytes FROM job"
    " WHERE document_key IS NOT NULL"
)
MODELS = "SELECT user_id, version, sha256, size_bytes, state FROM model_version WHERE state <> 'tainted'"
_PREFETCH_ROWS = 1_000


def model_key(row: Any) -> str:  # noqa: ANN401 - a row of MODELS
    """Return the key of a version's file."""
    owner = row["user_id"]
    return base_key(row["sha256"]) if owner is None else user_model_key(owner, row["version"])


async def write_object_list(connection: Any, folder: Path, *, has_jobs: bool) -> None:  # noqa: ANN401
    """Write the objects of the rows, each once: images, documents of jobs, models that are not tainted.

    A schema from before migration 0020 has no jobs.
    """
    shared: set[str] = set()  # base models, and images of the first schema, may have several rows
    with os.fdopen(private_file(folder / OBJECT_LIST), "w", encoding="utf-8") as file:
        async for row in connection.cursor(_IMAGES, prefetch=_PREFETCH_ROWS):
            key = row["object_key"] or digest_key(row["sha256"])
            _write_line(file, key, row, shared, once=row["object_key"] is None)
        if has_jobs:
            async for row in connection.cursor(_DOCUMENTS, prefetch=_PREFETCH_ROWS):
                _write_line(file, row["document_key"], row, shared, once=False)
        async for row in connection.cursor(MODELS, prefetch=_PREFETCH_ROWS):
            _write_line(file, model_key(row), row, shared, once=row["user_id"] is None)


def _write_line(file: Any, key: str, row: Any, shared: set[str], *, once: bool) -> None:  # noqa: ANN401
    """Write an object; one that several rows may share is written for the first of them."""
    if key in shared:
        return
    if once:
        shared.add(key)
    file.write(f"{key}\t{row['sha256'].hex()}\t{row['size_bytes']}\n")
