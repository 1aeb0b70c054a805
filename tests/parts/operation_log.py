"""The operations of a load in the order in which they were called, and checks of what the system stored.

Each operation is logged when a client calls it and when the last answer came. Acknowledged: an answer with
success. Refused: an answer that says that nothing was done. Unknown: no answer, so it may have been done.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["upload", "correction"]
Outcome = Literal["called", "acknowledged", "refused", "unknown"]


@dataclass
class Operation:
    """An upload or a correction; its content is its own, so that it is found again in what is stored."""

    kind: Kind
    user: str
    content: str
    """The texts of an uploaded page, or the text of a correction."""
    began: float
    """Seconds by the load's clock."""
    outcome: Outcome = "called"
    ended: float = 0.0
    results: list[str] = field(default_factory=list)
    """The id in each successful answer: of the image, or of the feedback."""
    answers: list[str] = field(default_factory=list)
    """The ids of all lines in each successful answer to an upload."""
    line: str = ""
    """Path of the line that a correction is for."""
    statuses: list[int] = field(default_factory=list)
    """Statuses of all answers; 0 for a connection that ended without one."""
    slowest_s: float = 0.0
    """Seconds of the longest request of this operation."""


@dataclass(frozen=True)
class StoredImage:
    """An image as the API shows it: the digest of its file, and its texts; None where it is not read yet."""

    sha256: str
    text: str | None


@dataclass
class Stored:
    """The images and corrections of one user, as the API shows them."""

    images: dict[str, StoredImage] = field(default_factory=dict)
    """By the image's id."""
    corrections: dict[str, list[str]] = field(default_factory=dict)
    """The texts of each line's corrections, by the line's path."""


@dataclass(frozen=True)
class Verdict:
    """The counts of one check."""

    acknowledged: int
    lost: list[str]
    duplicated: list[str]
    winners: list[str]
    """Idempotency keys whose answers differ."""
    unknown: int
    refused: int

    @property
    def violations(self) -> list[str]:
        """Return each breach as a sentence."""
        return [
            *(f"lost: {content}" for content in self.lost),
            *(f"stored twice: {content}" for content in self.duplicated),
            *(f"answers of one key differ: {content}" for content in self.winners),
        ]


class OperationLog:
    """Appends each change of an operation to a file, and keeps the operations."""

    def __init__(self, file: Path) -> None:
        """Take the file."""
        self._file = file.open("a", encoding="utf-8")
        self.operations: list[Operation] = []

    def call(self, operation: Operation) -> Operation:
        """Log the call of an operation."""
        self.operations.append(operation)
        self._write(operation)
        return operation

    def end(self, operation: Operation, outcome: Outcome, at: float) -> None:
        """Log the outcome of an operation."""
        operation.outcome, operation.ended = outcome, at
        self._write(operation)

    def _write(self, operation: Operation) -> None:
        """Append an operation as it is now."""
        self._file.write(json.dumps(asdict(operation), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def count(self, outcome: Outcome) -> int:
        """Return the number of operations with an outcome."""
        return sum(operation.outcome == outcome for operation in self.operations)


def check(operations: Iterable[Operation], stored: Mapping[str, Stored]) -> Verdict:
    """Compare the operations with what is stored of each user.

    Set-full: what was acknowledged is there. Unique: nothing is there twice. One winner: all answers of one
    Idempotency-Key are the same.
    """
    operations = list(operations)
    outcomes = Counter(operation.outcome for operation in operations)
    return Verdict(
        acknowledged=outcomes["acknowledged"],
        lost=[
            _describe(operation)
            for operation in operations
            if operation.outcome == "acknowledged" and not _is_stored(operation, stored[operation.user])
        ],
        duplicated=[text for user, contents in stored.items() for text in _duplicates(user, contents)],
        winners=[
            _describe(operation)
            for operation in operations
            if len(set(operation.results)) > 1 or len(set(operation.answers)) > 1
        ],
        unknown=outcomes["unknown"],
        refused=outcomes["refused"],
    )


def _is_stored(operation: Operation, contents: Stored) -> bool:
    """Return whether the result of an operation is what is stored."""
    if operation.kind == "correction":
        return operation.content in contents.corrections.get(operation.line, [])
    images = [contents.images.get(image_id) for image_id in operation.results]
    return all(image is not None and image.text == operation.content for image in images)


def _duplicates(user: str, contents: Stored) -> list[str]:
    """Return what a user has twice: each page and each text of a line was sent with one key."""
    files = Counter(image.sha256 for image in contents.images.values())
    texts = Counter((line, text) for line, history in contents.corrections.items() for text in history)
    return [
        *(f"{user}: the image {sha256}" for sha256, count in files.items() if count > 1),
        *(f"{user}: the correction {text} of {line}" for (line, text), count in texts.items() if count > 1),
    ]


def _describe(operation: Operation) -> str:
    """Name an operation for the message of a failure."""
    return f"{operation.kind} of {operation.user}: {operation.content} {operation.line} {operation.results}"
