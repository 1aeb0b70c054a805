"""The only place where errors become answers: RFC 9457 problem details."""

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from ketav_common.errors import InvalidInput, KetavError
from ketav_common.logging import get_logger

log = get_logger()

MEDIA_TYPE = "application/problem+json"
NOT_FOUND_DETAIL = "There is nothing under this address, or it is not yours."
INTERNAL_DETAIL = "Something went wrong on our side. The request id names this failure in the log."
_RETRY_AFTER_S = 5
_STATUS_CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "too-large",
    415: "unsupported-content-type",
    503: "unavailable",
}
_RESERVED = {"type", "title", "status", "detail", "code"}
_NUMBERS = {"have", "need", "missing"}
_MAX_ERRORS = 20


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where it is, parts joined by dots.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """An error, as RFC 9457 describes one."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:ketav:problem:not-found",
                "title": "Not Found",
                "status": 404,
                "detail": NOT_FOUND_DETAIL,
                "code": "not-found",
            }
        },
    )

    type: str = Field(description="A stable URN of the kind of problem: urn:ketav:problem:CODE.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, for a person.")
    code: str = Field(description="The kind of problem, for a program; stable.")
    errors: list[FieldProblem] | None = Field(None, description="The fields that were refused.")


def problem(
    status: int,
    code: str,
    detail: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the answer for one problem; `members` are extension members (RFC 9457, section 3.2)."""
    if status == http.HTTPStatus.NOT_FOUND:
        detail = NOT_FOUND_DETAIL
    body: dict[str, Any] = {
        "type": f"urn:ketav:problem:{code}",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    body.update({name: value for name, value in (members or {}).items() if name not in _RESERVED})
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def from_error(error: KetavError) -> JSONResponse:
    """Translate a domain error; what failed on our side keeps its reason for the log."""
    headers: dict[str, str] = {}
    if error.http in {http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(max(1, error.retry_after or _RETRY_AFTER_S))
    if error.http == http.HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="ketav"'
    members: dict[str, Any] = {
        name: int(value) if name in _NUMBERS and str(value).isdigit() else value
        for name, value in error.details.items()
    }
    detail = error.detail
    if error.http == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", code=error.code, reason=error.detail)
        detail = INTERNAL_DETAIL
    if error.http == http.HTTPStatus.NOT_FOUND:
        return problem(error.http, "not-found", detail)
    return problem(error.http, error.code, detail, members, headers)


def field_problems(errors: list[ErrorDetails]) -> list[dict[str, str]]:
    """Say which fields were refused and why, without repeating what was sent."""
    return [
        {"field": ".".join(str(part)[:64] for part in error["loc"])[:200], "message": error["msg"][:200]}
        for error in errors[:_MAX_ERRORS]
    ]


def unprocessable(errors: list[ErrorDetails]) -> JSONResponse:
    """Translate the refusal of single fields."""
    return problem(
        InvalidInput.http,
        "invalid-input",
        "The request does not have the form that this address takes.",
        {"errors": field_problems(errors)},
    )


async def _on_ketav_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer a domain error."""
    if not isinstance(error, KetavError):
        raise error
    return from_error(error)


async def _on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request whose fields were refused."""
    if not isinstance(error, RequestValidationError):
        raise error
    return unprocessable(list(error.errors()))


async def _on_http_exception(_request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: unknown addresses, methods, slow bodies."""
    if not isinstance(error, HTTPException):
        raise error
    code = _STATUS_CODES.get(error.status_code, "bad-request")
    return problem(error.status_code, code, str(error.detail), headers=error.headers)


def install(app: FastAPI) -> None:
    """Give the application its one translation of errors."""
    app.add_exception_handler(KetavError, _on_ketav_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


_DESCRIPTIONS = {
    401: "No API key, or an unknown one.",
    404: "Unknown, or somebody else's.",
    409: "Contradicts what is stored.",
    413: "Too large.",
    415: "A type that is not read.",
    422: "Understood, but refused.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "A service is away; Retry-After says when to come back.",
}


Responses = dict[int | str, dict[str, Any]]


def responses(*statuses: int, more: Responses | None = None) -> Responses:
    """Describe a route's problems for OpenAPI, beside `more`; 401, 429 and 503 can come from every one."""
    problems: Responses = {
        status: {
            "model": Problem,
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {}},
        }
        for status in sorted({401, 429, 503, *statuses})
    }
    return (more or {}) | problems
