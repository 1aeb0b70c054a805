"""The manifest of a backup, its files, and the check of their digests."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter

from ketav_common.errors import DataLoss, InvalidInput

FORMAT = 1
"""Version of the format of backups: a change that older code cannot read increments it."""
MANIFEST = "manifest.json"
OBJECT_LIST = "objects.tsv"
_OBJECT_LINE = re.compile(
    r"(?P<key>[A-Za-z0-9._-][A-Za-z0-9._/-]*)\t(?P<sha256>[0-9a-f]{64})\t(?P<size_bytes>[0-9]{1,18})\n"
)
"""A line of the list of objects: relative key, SHA-256 in hex, length in bytes."""
_Name = Annotated[str, StringConstraints(pattern=r"\A[a-z_][a-z0-9_]{0,62}\z")]
"""Name of a table or column, as PostgreSQL has it."""
PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class TableFile:
    """The rows of one table: its columns in the order of the file, the file's length and SHA-256 in hex."""

    name: _Name
    columns: tuple[_Name, ...]
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
            return _MANIFEST.validate_python(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
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


_MANIFEST = TypeAdapter(Manifest)


def table_path(folder: Path, name: str) -> Path:
    """Return the path of a table's rows."""
    return folder / "tables" / f"{name}.copy"


def object_path(folder: Path, key: str) -> Path:
    """Return the path of an object."""
    return folder / "objects" / key


def listed_objects(folder: Path) -> Iterator[StoredObject]:
    """Yield the objects of a backup, those that were missing included. DataLoss: a line is not one of Ketav.

    A key that leads out of the folder is such a line.
    """
    with (folder / OBJECT_LIST).open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            stored = _OBJECT_LINE.fullmatch(line)
            if stored is None or ".." in Path(stored["key"]).parts:
                raise DataLoss(
                    f"The backup is damaged: line {number} of {OBJECT_LIST} is not an object with its "
                    "SHA-256 and length. Use another copy of the backup.",
                    code="damaged-backup",
                )
            yield StoredObject(stored["key"], stored["sha256"], int(stored["size_bytes"]))


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
