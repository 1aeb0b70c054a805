"""The caller's account."""

from typing import Annotated

from fastapi import APIRouter, Header

from ketav_common.errors import Precondition
from ketav_gateway import convert_account, schemas_account
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import User

router = APIRouter(prefix="/me", tags=["account"])

_CONFIRMATION = "delete-everything"


@router.delete("", responses=responses(404, 422))
async def delete_account(
    gateway: Gateway,
    user_id: User,
    x_confirm: Annotated[str, Header(description=f"Must be {_CONFIRMATION}.")] = "",
) -> schemas_account.ErasureAnswer:
    """Delete your account: keys, projects, images, corrections, trainings models. There is no way back."""
    if x_confirm != _CONFIRMATION:
        raise Precondition(f"Send X-Confirm: {_CONFIRMATION}", code="confirmation-missing")
    done = await gateway.account.delete_account()
    gateway.authenticator.forget(user_id)
    return convert_account.erasure(done)
