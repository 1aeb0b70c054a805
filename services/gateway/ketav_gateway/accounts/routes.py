"""Deletion of the caller's account."""

from typing import Annotated

from fastapi import APIRouter, Header

from ketav.registry.v1 import accounts_pb2
from ketav_common.errors import Precondition
from ketav_gateway.erasure import convert, schemas
from ketav_gateway.http.dependencies import Gateway, UserId
from ketav_gateway.http.problems import responses
from ketav_gateway.services import call

router = APIRouter(prefix="/me", tags=["accounts"])

_CONFIRMATION = "delete-everything"


@router.delete("", responses=responses(404, 422))
async def delete_account(
    gateway: Gateway,
    user_id: UserId,
    x_confirm: Annotated[str, Header(description=f"Must be `{_CONFIRMATION}`.")] = "",
) -> schemas.Erasure:
    """Delete your account: API keys, projects, images, corrections, training runs and models, for good."""
    if x_confirm != _CONFIRMATION:
        raise Precondition(
            f"The deletion is not confirmed. Send the header X-Confirm: {_CONFIRMATION}.",
            code="confirmation-missing",
        )
    response = await call(
        gateway.services.accounts.DeleteAccount,
        accounts_pb2.DeleteAccountRequest(),
        gateway.services.deadlines.store_s,
    )
    gateway.authenticator.forget_user(user_id)
    return convert.erasure(response.erasure)
