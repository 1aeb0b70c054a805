"""The manifest of a backup, its files, and the check of their digests."""

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ketav_common.errors import DataLoss, InvalidInput

FORMAT = 1
"""Version of the format of backups: a change that older code cannot read increments it."""
MANIFEST = "manifest.json"
OBJECT_LIST = "objects.tsv"
PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class TableFile:
    """The rows of one table: its columns in the order of the file, the file's length and SHA-256 in hex."""

    name: str
    columns: tuple[str, ...]
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that a row refers to: its key, its SHA-256 in hex and its length."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Contents of a backup; `tables` are ordered so that a row refers to rows of earlier tables or its own.

    `objects` counts the objects, `object_list_sha256` is the digest of the file that lists them.
    `missing_objects` are keys that the object store had lost when the backup was made.
    """

    created_at: str
    ketav_version: str
    schema_revision: str
    tables: tuple[TableFile, ...]
    objects: int
    object_bytes: int
    object_list_sha256: str
    missing_objects: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Return the number of rows of all tables."""
        return sum(table.rows for table in self.tables)


def private_file(path: Path) -> int:
    """Create or truncate a file that only its owner may read, with its folders, and return its descriptor."""
    for folder in reversed(path.parents):
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE_MODE)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup."""
    with os.fdopen(private_file(folder / MANIFEST), "w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup. InvalidInput: the folder has none, or of another format."""
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] == FORMAT:
            tables = tuple(
                TableFile(**{**table, "columns": tuple(table["columns"])}) for table in content.pop("tables")
            )
            return Manifest(
                **{**content, "missing_objects": tuple(content["missing_objects"])}, tables=tables
            )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidInput(
            f"{folder} is not a complete backup: its {MANIFEST} is missing or damaged. Pass the folder that "
            "`ketav admin backup` has made.",
            code="invalid-backup",
        ) from error
    raise InvalidInput(
        f"The backup has format {content['format']}, and this version reads {FORMAT}. Use the version of "
        "Ketav that has made it, or a newer one.",
        code="invalid-backup",
    )


def table_path(folder: Path, name: str) -> Path:
    """Return the path of a table's rows."""
    return folder / "tables" / f"{name}.copy"


def object_path(folder: Path, key: str) -> Path:
    """Return the path of an object. ValueError: the key leads out of the folder, as no key of Ketav does."""
    path = folder / "objects" / key
    if ".." in Path(key).parts or Path(key).is_absolute():
        raise ValueError("A key leads out of the folder of the backup.")
    return path


def listed_objects(folder: Path) -> Iterator[StoredObject]:
    """Yield the objects of a backup, those that were missing included."""
    with (folder / OBJECT_LIST).open(encoding="utf-8") as file:
        for line in file:
            key, sha256, size_bytes = line.rstrip("\n").split("\t")
            yield StoredObject(key, sha256, int(size_bytes))


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex; empty when there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


async def verify(folder: Path, manifest: Manifest) -> None:
    """Compare the files of a backup with their SHA-256. DataLoss damaged-backup: one differs."""
    expected = {table_path(folder, table.name): table.sha256 for table in manifest.tables}
    expected[folder / OBJECT_LIST] = manifest.object_list_sha256
    for path, sha256 in expected.items():
        await _verify_file(folder, path, sha256)
    missing = set(manifest.missing_objects)
    for stored in listed_objects(folder):
        if stored.key not in missing:
            await _verify_file(folder, object_path(folder, stored.key), stored.sha256)


async def _verify_file(folder: Path, path: Path, sha256: str) -> None:
    """Compare a file with its SHA-256. DataLoss: it is missing or differs."""
    if await asyncio.to_thread(digest, path) != sha256:
        raise DataLoss(
            f"The backup is damaged: {path.relative_to(folder)} is missing or differs from its SHA-256. "
            "Use another copy of the backup.",
            code="damaged-backup",
        )
