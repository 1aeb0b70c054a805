"""Erasure: deletions of pages, projects and accounts, and their consequences."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ErasureKind(StrEnum):
    """The object that a user has deleted."""

    PAGE = "page"
    PROJECT = "project"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The number of deleted rows, the versions that stopped serving, and the run that was cancelled.

    `will_retrain`: the sweep will queue a run without the deleted lines, because the last run of a hand
    used them, enough verified lines remain, and the user's policy allows automatic runs.
    """

    pages: int
    lines: int
    corrections: int
    tainted_versions: tuple[str, ...] = ()
    cancelled_run: UUID | None = None
    will_retrain: bool = False
