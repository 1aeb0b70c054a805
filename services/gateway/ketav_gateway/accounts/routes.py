"""The caller's account: shown and deleted."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from ketav.registry.v1 import accounts_pb2
from ketav_common.errors import Precondition
from ketav_gateway.accounts import convert, schemas
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http.authentication import key_digest, presented_key
from ketav_gateway.http.dependencies import Gateway, UserId
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problems import responses
from ketav_gateway.services import call

router = APIRouter(prefix="/me", tags=["accounts"])

_CONFIRMATION = "delete-everything"


@router.get("", responses=responses("not-found"), summary="Show your account")
async def get_account(request: Request, gateway: Gateway) -> schemas.Account:
    """Return your account, the key of this request, and the limits of your requests."""
    message = accounts_pb2.GetAccountRequest(key_sha256=key_digest(presented_key(request.headers)))
    response = await call(gateway.services.accounts.GetAccount, message, gateway.services.deadlines.short_s)
    return convert.account(response, gateway.settings)


@router.delete(
    "",
    responses=responses("confirmation-missing"),
    openapi_extra={CURL_ARGUMENTS: [f'-H "X-Confirm: {_CONFIRMATION}"']},
    summary="Delete your account",
)
async def delete_account(
    gateway: Gateway,
    user_id: UserId,
    x_confirm: Annotated[str, Header(alias="X-Confirm", description=f"Must be `{_CONFIRMATION}`.")] = "",
) -> Erasure:
    """Delete your account: API keys, projects, images, corrections, training runs and models, for good."""
    if x_confirm != _CONFIRMATION:
        raise Precondition(
            f"The deletion is not confirmed. Send the header X-Confirm: {_CONFIRMATION}.",
            code="confirmation-missing",
            details={"pointer": "X-Confirm"},
        )
    response = await call(
        gateway.services.accounts.DeleteAccount,
        accounts_pb2.DeleteAccountRequest(),
        gateway.services.deadlines.store_s,
    )
    gateway.authenticator.forget_user(user_id)
    return erasure(response.erasure)
