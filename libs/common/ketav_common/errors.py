"""The errors of Ketav: raised where they are known, translated by the interceptor and the gateway's handler.

KetavError
├── InvalidInput · UnsupportedMedia · TooLarge          the request is wrong
├── Unauthenticated · Forbidden · RateLimited           the caller may not
├── NotFound · Conflict · Precondition · Changed · Stale   the stored state does not allow it
└── Unavailable · TimedOut · DataLoss · Internal        a service failed

The first line of a class's docstring is its default detail: what is wrong, then what to do.
"""

from collections.abc import Mapping
from typing import ClassVar, cast

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "ketav"
# Keys of ErrorInfo.metadata that are not details of the error.
_KIND = "kind"
_RETRY = "retry_after"


class KetavError(Exception):
    """An error occurred. Try again later."""

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
        """Take sentences for people, a stable code and facts for programs, and seconds to wait."""
        self.detail = detail or (type(self).__doc__ or "").splitlines()[0]
        super().__init__(self.detail)
        self.code = code or self.default_code
        self.details = dict(details or {})
        self.retry_after = retry_after


class InvalidInput(KetavError):
    """The request breaks a rule. Compare it with the API's documentation."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    http = 422
    default_code = "invalid-input"


class UnsupportedMedia(KetavError):
    """The file's type is not supported. Send a JPEG, PNG, TIFF, WebP, HEIC or PDF file."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    http = 415
    default_code = "unsupported-media-type"


class TooLarge(KetavError):
    """The request is larger than allowed. Send less at once."""

    status = grpc.StatusCode.OUT_OF_RANGE
    http = 413
    default_code = "too-large"


class Unauthenticated(KetavError):
    """The request has no valid API key. Send one in the header Authorization: Bearer KEY."""

    status = grpc.StatusCode.UNAUTHENTICATED
    http = 401
    default_code = "unauthenticated"


class Forbidden(KetavError):
    """The caller may not do this. Use a caller that has the role for it."""

    status = grpc.StatusCode.PERMISSION_DENIED
    http = 403
    default_code = "forbidden"


class RateLimited(KetavError):
    """The caller sends too many requests. Try again later."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http = 429
    default_code = "rate-limited"


class NotFound(KetavError):
    """The object does not exist. List the objects and use one of their ids."""

    status = grpc.StatusCode.NOT_FOUND
    http = 404
    default_code = "not-found"


class Conflict(KetavError):
    """The request contradicts what is already stored. Read the stored state first."""

    status = grpc.StatusCode.ALREADY_EXISTS
    http = 409
    default_code = "conflict"


class RangeNotSatisfiable(KetavError):
    """The requested part of a file is beyond its end. Send a range within the file."""

    status = grpc.StatusCode.OUT_OF_RANGE
    http = 416
    default_code = "range-not-satisfiable"


class Precondition(KetavError):
    """A condition of the request is not met. Read the stored state first."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    http = 422
    default_code = "precondition-failed"


class Changed(KetavError):
    """The object has changed since it was read. Read it again."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    http = 412
    default_code = "changed"


class Stale(KetavError):
    """Another worker has taken over and nothing was changed. Do not repeat the call."""

    status = grpc.StatusCode.ABORTED
    http = 409
    default_code = "stale"


class Unavailable(KetavError):
    """A part of the service is unavailable. Try again later."""

    status = grpc.StatusCode.UNAVAILABLE
    http = 503
    default_code = "unavailable"


class TimedOut(KetavError):
    """The answer took too long. Try again later."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
    http = 503
    default_code = "deadline-exceeded"


class DataLoss(KetavError):
    """Stored data does not match its digest. Tell the operator."""

    status = grpc.StatusCode.DATA_LOSS
    default_code = "data-loss"


class Internal(KetavError):
    """An internal error occurred. Try again later."""


_KINDS: dict[str, type[KetavError]] = {
    kind.__name__: kind
    for kind in (
        InvalidInput,
        UnsupportedMedia,
        TooLarge,
        Unauthenticated,
        Forbidden,
        RateLimited,
        NotFound,
        Conflict,
        Precondition,
        Changed,
        Stale,
        Unavailable,
        TimedOut,
        DataLoss,
        Internal,
    )
}
# The class of a status without an ErrorInfo: grpc itself answered, or a proxy.
_CLASS_BY_STATUS: dict[grpc.StatusCode, type[KetavError]] = {
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


def from_rpc_error(error: grpc.RpcError) -> KetavError:
    """Restore the KetavError that a server raised; without an ErrorInfo, return the class of the status.

    The error is that of a call, synchronous or of grpc.aio, so it has a status.
    """
    call = cast("grpc.Call", error)
    rich = rpc_status.from_call(call)
    for packed in rich.details if rich else ():
        info = ErrorInfo()
        if packed.Unpack(info) and info.domain == DOMAIN:
            details = dict(info.metadata)
            kind = _KINDS.get(details.pop(_KIND, ""), Internal)
            wait = details.pop(_RETRY, None)
            retry_after = int(wait) if wait is not None and wait.isdigit() else None
            return kind(call.details(), code=info.reason, details=details, retry_after=retry_after)
    kind = _CLASS_BY_STATUS.get(call.code(), Internal)
    return kind(details={"status": call.code().name})
