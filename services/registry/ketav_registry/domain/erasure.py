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

    `retraining` says that the sweep will queue a run without the deleted lines: the last run of a script
    rested on them, enough verified lines remain, and the user lets runs come by themselves.
    """

    pages: int
    lines: int
    corrections: int
    tainted: tuple[str, ...] = ()
    cancelled_run: UUID | None = None
    retraining: bool = False
