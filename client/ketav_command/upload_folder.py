"""The folder of `ketav ocr --out`: a file of text for each page, and `ketav.json` with what was read.

With `ketav.json`, a repetition of the command continues where the first one ended, and `ketav correct` sends
the texts that were edited.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

STATE_NAME = "ketav.json"


class UploadFolderError(Exception):
    """A folder that cannot be used; the text is whole sentences."""


@dataclass
class WrittenPage:
    """A page with the name of its text file and the SHA-256 of the text that the server knows."""

    image_id: str
    name: str
    sha256: str


@dataclass
class ReadFile:
    """An uploaded file by the SHA-256 of its content, with its pages."""

    sha256: str
    pages: list[WrittenPage] = field(default_factory=list)


@dataclass
class UploadFolder:
    """A folder with the project and the read files by name."""

    path: Path
    project_id: str = ""
    files: dict[str, ReadFile] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the state of a folder, an empty one if it has none; raises UploadFolderError."""
        state = path / STATE_NAME
        try:
            stored = json.loads(state.read_text(encoding="utf-8"))
            return cls(path, str(stored["project_id"]), _files(stored["files"]))
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UploadFolderError(
                f"{state} is damaged. Delete it: `ketav ocr` then reads all images again, into a new project."
            ) from None

    def save(self) -> None:
        """Replace the stored state; an interruption leaves the old or the new one."""
        stored = {
            "project_id": self.project_id,
            "files": {name: asdict(file) for name, file in self.files.items()},
        }
        self.path.mkdir(parents=True, exist_ok=True)
        temporary = self.path / f".{STATE_NAME}.{os.getpid()}"
        temporary.write_text(json.dumps(stored, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(self.path / STATE_NAME)

    def has(self, name: str, digest: str) -> bool:
        """Return whether a file with this content was read, and the texts of all its pages are there."""
        file = self.files.get(name)
        return (
            file is not None
            and file.sha256 == digest
            and bool(file.pages)
            and all((self.path / page.name).exists() for page in file.pages)
        )

    def edited(self) -> list[WrittenPage]:
        """Return the pages whose text differs from the one that the server knows."""
        pages = [page for file in self.files.values() for page in file.pages]
        return [
            page
            for page in pages
            if (self.path / page.name).exists()
            and sha256((self.path / page.name).read_bytes()) != page.sha256
        ]


def _files(stored: dict[str, Any]) -> dict[str, ReadFile]:
    """Return the read files of a stored state."""
    return {
        name: ReadFile(file["sha256"], [WrittenPage(**page) for page in file["pages"]])
        for name, file in stored.items()
    }


def sha256(data: bytes) -> str:
    """Return the SHA-256 of a content as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
