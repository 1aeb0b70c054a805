"""The caller and the request id of the call under way, without a parameter below the interceptor."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID, uuid4

from ketav_common.errors import Forbidden, Unauthenticated
from ketav_common.identity import Identity, Role, Work

_identity: ContextVar[Identity | None] = ContextVar("identity", default=None)
_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def bind(*, identity: Identity | None = None, request_id: str | None = None) -> Iterator[None]:
    """Set the caller and the request id for the block; None leaves the present value."""
    caller = _identity.set(_identity.get() if identity is None else identity)
    request = _request_id.set(_request_id.get() if request_id is None else request_id)
    try:
        yield
    finally:
        _request_id.reset(request)
        _identity.reset(caller)


def set_for_task(identity: Identity | None, request_id: str) -> None:
    """Set the caller and the request id for the rest of this task."""
    _identity.set(identity)
    _request_id.set(request_id)


def current_identity() -> Identity:
    """Return the caller; raises Unauthenticated outside a call."""
    identity = _identity.get()
    if identity is None:
        raise Unauthenticated
    return identity


def identity_or_none() -> Identity | None:
    """Return the caller, or None outside a call."""
    return _identity.get()


def current_user(*workers: Role) -> UUID:
    """Return the user of the caller; raises Forbidden when the caller acts for no user.

    The role must be `user`, or one of `workers`: services that may make this call for any user.
    """
    user_id = require_role("user", *workers).user_id
    if user_id is None:
        raise Forbidden("The call is not made for a user. Sign an identity with a user's id.")
    return user_id


def require_role(*roles: Role) -> Identity:
    """Return the caller when it has one of the roles; raises Forbidden otherwise."""
    identity = current_identity()
    if identity.role not in roles:
        raise Forbidden
    return identity


def require_work(work: Work) -> None:
    """Raise Forbidden unless the caller's identity is bound to this claimed work."""
    if current_identity().work != work:
        raise Forbidden(
            "The call is about work that its identity is not bound to. Sign an identity with the run or the "
            "page of a job, and with the fence of the claim."
        )


def request_id() -> str:
    """Return the id of the request under way, or a new one outside a request."""
    return _request_id.get() or uuid4().hex


def request_id_or_none() -> str | None:
    """Return the id of the request under way, or None outside a request."""
    return _request_id.get() or None
