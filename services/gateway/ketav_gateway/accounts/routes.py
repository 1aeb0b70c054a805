"""The caller's account: shown and deleted; and the session of a browser."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from ketav.registry.v1 import accounts_pb2
from ketav_common.errors import Precondition, Unauthenticated
from ketav_gateway.accounts import convert, schemas
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http import sessions
from ketav_gateway.http.authentication import key_digest, presented_key
from ketav_gateway.http.dependencies import Cursor, Gateway, ListLimit, UserId
from ketav_gateway.http.openapi import CURL_ARGUMENTS, WITH_COOKIE
from ketav_gateway.http.problem_codes import LIST
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.services import call

router = APIRouter(tags=["accounts"])

_CONFIRMATION = "delete-everything"
_WITH_COOKIE = {CURL_ARGUMENTS: [WITH_COOKIE]}
_SIGNED_OUT: Responses = {204: {"description": "The session has ended, and the cookie is deleted."}}


@router.get("/me", responses=responses("not-found"), summary="Show your account")
async def get_account(request: Request, gateway: Gateway) -> schemas.Account:
    """Return your account, the key of this request, and the limits of your requests."""
    credential = sessions.presented_credential(request, gateway.sessions)
    message = accounts_pb2.GetAccountRequest(key_sha256=credential.key_sha256)
    response = await call(gateway.services.accounts.GetAccount, message, gateway.services.deadlines.short_s)
    return convert.account(response, gateway.settings)


@router.get("/me/audit", responses=responses(*LIST), summary="List the audit log of your account")
async def list_audit(gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20) -> schemas.AuditList:
    """List the actions on your account, newest first: keys, deletions, exports, models that serve, webhooks.

    No entry can be changed. They stay for 90 days after the account is deleted, without your name.
    """
    request = accounts_pb2.ListAuditEntriesRequest(cursor=cursor, limit=limit)
    services = gateway.services
    response = await call(services.accounts.ListAuditEntries, request, services.deadlines.short_s)
    return convert.audit_list(response)


@router.delete(
    "/me",
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


@router.post(
    "/session",
    status_code=201,
    responses=responses(),
    openapi_extra={CURL_ARGUMENTS: ["-c cookies"]},
    summary="Sign in from a browser",
)
async def create_session(request: Request, response: Response, gateway: Gateway) -> schemas.Session:
    """Exchange the API key of the request's header for a cookie, which browsers send by themselves."""
    cookie, session = gateway.sessions.sign(key_digest(presented_key(request.headers)))
    sessions.set_cookie(response, cookie, session, secure=request.url.scheme == "https")
    return schemas.Session(csrf_token=session.csrf_token, expires_at=session.expires_at)


@router.get(
    "/session", responses=responses(), openapi_extra=_WITH_COOKIE, summary="Show the session of a browser"
)
async def get_session(request: Request, gateway: Gateway) -> schemas.Session:
    """Return the token and the end of the session whose cookie the request has."""
    session = sessions.presented_session(request, gateway.sessions)
    if session is None:
        raise Unauthenticated("The request has no session. Sign in with POST /session and an API key.")
    return schemas.Session(csrf_token=session.csrf_token, expires_at=session.expires_at)


@router.delete(
    "/session",
    status_code=204,
    responses=responses(more=_SIGNED_OUT),
    openapi_extra=_WITH_COOKIE,
    summary="Sign out of a browser",
)
async def delete_session(request: Request, response: Response, gateway: Gateway) -> None:
    """End the session of the request's cookie, and delete the cookie; a copy of it is refused, too."""
    session = sessions.presented_session(request, gateway.sessions)
    if session is not None:
        message = accounts_pb2.EndSessionRequest(session_id=session.credential.session_id)
        message.expire_time.FromDatetime(session.expires_at)
        await call(gateway.services.accounts.EndSession, message, gateway.services.deadlines.short_s)
        gateway.authenticator.forget(session.credential)
    sessions.delete_cookie(response, secure=request.url.scheme == "https")
