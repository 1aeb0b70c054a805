"""The errors of Ketav: raised where known, translated by the interceptor and the gateway.

Nothing else in the project maps errors to statuses.

KetavError
├── InvalidInput · UnsupportedMedia · TooLarge          the request itself is at fault
├── Unauthenticated · Forbidden · RateLimited           the caller is
├── NotFound · Conflict · Precondition · Stale          the state is
└── Unavailable · TimedOut · DataLoss · Internal        we are
"""

from collections.abc import Mapping
from typing import ClassVar

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "ketav"
# Keys of ErrorInfo.metadata that are ours and not a detail of the error.
_KIND = "kind"
_RETRY = "retry_after"


class KetavError(Exception):
    """Something went wrong."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    http: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        details: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Take a sentence for people, a stable code for programs, string facts and seconds to wait."""
        self.detail = detail or (type(self).__doc__ or "").splitlines()[0]
        super().__init__(self.detail)
        self.code = code or self.default_code
        self.details = dict(details or {})
        self.retry_after = retry_after


class InvalidInput(KetavError):
    """The request cannot be understood or breaks a rule."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    http = 422
    default_code = "invalid-input"


class UnsupportedMedia(KetavError):
    """This kind of file is not read here."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    http = 415
    default_code = "unsupported-media-type"


class TooLarge(KetavError):
    """The request is larger than allowed."""

    status = grpc.StatusCode.OUT_OF_RANGE
    http = 413
    default_code = "too-large"


class Unauthenticated(KetavError):
    """A valid API key is needed."""

    status = grpc.StatusCode.UNAUTHENTICATED
    http = 401
    default_code = "unauthenticated"


class Forbidden(KetavError):
    """This caller may not do that."""

    status = grpc.StatusCode.PERMISSION_DENIED
    http = 403
    default_code = "forbidden"


class RateLimited(KetavError):
    """Too many requests; try again later."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http = 429
    default_code = "rate-limited"


class NotFound(KetavError):
    """There is no such thing."""

    status = grpc.StatusCode.NOT_FOUND
    http = 404
    default_code = "not-found"


class Conflict(KetavError):
    """The request contradicts what is already there."""

    status = grpc.StatusCode.ALREADY_EXISTS
    http = 409
    default_code = "conflict"


class Precondition(KetavError):
    """Something is missing before this can be done."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    http = 422
    default_code = "precondition-failed"


class Stale(KetavError):
    """Somebody else has taken over; nothing was changed."""

    status = grpc.StatusCode.ABORTED
    http = 409
    default_code = "stale"


class Unavailable(KetavError):
    """A part of the service is away; try again."""

    status = grpc.StatusCode.UNAVAILABLE
    http = 503
    default_code = "unavailable"


class TimedOut(KetavError):
    """The answer took too long; try again."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
    http = 503
    default_code = "deadline-exceeded"


class DataLoss(KetavError):
    """Stored data does not match its digest."""

    status = grpc.StatusCode.DATA_LOSS
    default_code = "data-loss"


class Internal(KetavError):
    """Something went wrong on our side."""


_KINDS: dict[str, type[KetavError]] = {
    kind.__name__: kind
    for kind in (
        *(InvalidInput, UnsupportedMedia, TooLarge, Unauthenticated, Forbidden, RateLimited, NotFound),
        *(Conflict, Precondition, Stale, Unavailable, TimedOut, DataLoss, Internal),
    )
}
# What a bare status means when no ErrorInfo came with it: the peer never reached our code.
_BARE: dict[grpc.StatusCode, type[KetavError]] = {
    kind.status: kind for kind in reversed(_KINDS.values()) if kind is not UnsupportedMedia
} | {grpc.StatusCode.RESOURCE_EXHAUSTED: TooLarge, grpc.StatusCode.CANCELLED: Unavailable}


def to_status(error: KetavError) -> Status:
    """Encode an error as google.rpc.Status with one ErrorInfo (google.aip.dev/193)."""
    kind = next(base.__name__ for base in (*type(error).__mro__, Internal) if base.__name__ in _KINDS)
    metadata = dict(error.details) | {_KIND: kind}
    if error.retry_after is not None:
        metadata[_RETRY] = str(error.retry_after)
    info = Any()
    info.Pack(ErrorInfo(reason=error.code, domain=DOMAIN, metadata=metadata))
    number: int = error.status.value[0]
    return Status(code=number, message=error.detail, details=[info])


def from_rpc_error(error: grpc.aio.AioRpcError) -> KetavError:
    """Restore the KetavError a server raised; without ErrorInfo take the class its status stands for."""
    rich = rpc_status.from_call(error)
    for packed in rich.details if rich else ():
        info = ErrorInfo()
        if packed.Unpack(info) and info.domain == DOMAIN:
            details = dict(info.metadata)
            kind = _KINDS.get(details.pop(_KIND, ""), Internal)
            wait = details.pop(_RETRY, None)
            retry_after = int(wait) if wait is not None and wait.isdigit() else None
            return kind(error.details(), code=info.reason, details=details, retry_after=retry_after)
    kind = _BARE.get(error.code(), Internal)
    return kind(details={"status": error.code().name})
