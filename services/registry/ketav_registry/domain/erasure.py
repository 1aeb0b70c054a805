"""Deletions: what was asked for and what they did."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ErasedKind(StrEnum):
    """What a user has deleted."""

    PAGE = "page"
    PROJECT = "project"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a deletion did: rows that are gone, versions that stopped serving, a run that was cancelled.

    `retraining` says that enough verified lines remain for a training without the deleted ones.
    """

    pages: int
    lines: int
    corrections: int
    tainted: tuple[str, ...] = ()
    cancelled_run: UUID | None = None
    retraining: bool = False
