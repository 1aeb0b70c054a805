"""Pages of jobs in the hands of a worker: what it claims, and how an attempt ends."""

from dataclasses import dataclass
from typing import Final

from ketav_common.disk_room import is_out_of_room
from ketav_common.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Precondition,
    RateLimited,
    TimedOut,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)

_PAUSE_S: Final = 15
"""Seconds until a page is tried again whose service was unavailable: one that is restarted serves by then."""
_READER_DIED: Final = "reader-died"
_FINAL_ERRORS: Final = (InvalidInput, TooLarge, UnsupportedMedia, NotFound, Conflict, Precondition)
"""Errors of the image, or of what the job names: another attempt does not change them."""
_PASSING: Final = frozenset({"unusable-model", "image-changed", "page-is-read"})
"""Codes of errors that another attempt may not meet: a damaged model, a page that its user reads now."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason of a failed attempt, whether and when (s) there is another one, and whether it counts."""

    code: str
    detail: str
    retry: bool = False
    pause_s: int = 0
    counts: bool = True


INTERNAL: Final = Failure(
    "internal", "The page could not be read because of an internal error. Read it again later.", retry=True
)
STOPPING: Final = Failure(
    "worker-stopped",
    "The worker that read the page was stopped. The page is read again.",
    retry=True,
    counts=False,
)
NO_ROOM: Final = Failure(
    "unavailable",
    "The worker that read the page has no room for its files. The page is read again.",
    retry=True,
    pause_s=_PAUSE_S,
    counts=False,
)


def failure_of(error: Exception) -> Failure:
    """Return how an attempt ends that failed with an error.

    An attempt counts unless no part of the page was read, because a service was overloaded or unavailable, or
    because the worker has no room for files.
    """
    if is_out_of_room(error):
        return NO_ROOM
    if isinstance(error, RateLimited):
        return Failure(error.code, error.detail, True, error.retry_after or _PAUSE_S, counts=False)
    if isinstance(error, Unavailable):
        pause_s = error.retry_after or _PAUSE_S
        return Failure(error.code, error.detail, True, pause_s, counts=error.code == _READER_DIED)
    if isinstance(error, TimedOut):
        return Failure(error.code, error.detail, True, _PAUSE_S)
    if not isinstance(error, _FINAL_ERRORS):
        return INTERNAL
    return Failure(error.code, error.detail, retry=error.code in _PASSING)
