"""Errors of a full disk, or of a process with too many open files: the same call can succeed later."""

import errno
import os

from ketav_common.errors import Unavailable
from ketav_common.logging import get_logger

_NO_ROOM_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE})
_RETRY_AFTER_S = 10
"""Seconds after which a caller retries: files of requests that end are removed within seconds."""


def is_out_of_room(error: BaseException) -> bool:
    """Return whether a file could not be opened or written because there is no room for it."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM_ERRORS


def out_of_room(error: BaseException) -> Unavailable | None:
    """Return the error for the caller when there is no room for a file, and log it; None for other errors."""
    if not (isinstance(error, OSError) and is_out_of_room(error)):
        return None
    get_logger().error("disk_failed", reason=os.strerror(error.errno or 0))
    return Unavailable(
        "The server cannot write the files of this request: its disk is full, or it has too many files open. "
        "Retry later; if it stays so, ask the operator to free space on the disk.",
        retry_after=_RETRY_AFTER_S,
    )
