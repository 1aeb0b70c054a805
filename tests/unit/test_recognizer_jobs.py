"""The end of an attempt at a page of a job, by the error that it met."""

import errno

import pytest

from ketav_common.errors import (
    Conflict,
    DataLoss,
    Internal,
    InvalidInput,
    KetavError,
    NotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from ketav_recognizer.jobs_domain import failure_of


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput(code="unreadable-image"),
        TooLarge(),
        UnsupportedMedia(),
        NotFound(),
        Conflict(code="model-tainted"),
    ],
    ids=lambda error: error.code,
)
def test_what_another_attempt_does_not_change_fails_at_once(error: KetavError) -> None:
    """With the code and the sentences of the error."""
    failure = failure_of(error)
    assert (failure.code, failure.detail, failure.retry) == (error.code, error.detail, False)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (RateLimited(code="queue-full"), False),
        (Unavailable(), False),
        (Unavailable(code="reader-died"), True),
        (TimedOut(), True),
        (Internal(), True),
        (DataLoss(), True),
        (InvalidInput(code="unusable-model"), True),
        (Conflict(code="image-changed"), True),
        (Conflict(code="page-is-read"), True),
    ],
    ids=lambda value: value.code if isinstance(value, KetavError) else "",
)
def test_what_may_pass_is_tried_again(error: KetavError, counts: bool) -> None:
    """An attempt that read nothing, because a service was busy or down, does not count."""
    failure = failure_of(error)
    assert (failure.retry, failure.counts) == (True, counts)


@pytest.mark.parametrize(
    ("number", "counts"), [(errno.ENOSPC, False), (errno.EMFILE, False), (errno.EACCES, True)]
)
def test_a_worker_without_room_for_files_reads_the_page_later(number: int, counts: bool) -> None:
    """A full disk is no fault of the page, so it does not use up its attempts."""
    failure = failure_of(OSError(number, "no file"))
    assert (failure.retry, failure.counts, failure.pause_s > 0) == (True, counts, not counts)


def test_a_service_says_when_to_try_again() -> None:
    """Without its word the page waits as long as a restart takes."""
    assert failure_of(Unavailable(retry_after=3)).pause_s == 3
    assert failure_of(Unavailable()).pause_s == 15
