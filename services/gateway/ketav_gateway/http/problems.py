"""RFC 9457 problem details: the translation of errors to responses."""

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ketav_common import tracing
from ketav_common.disk_room import out_of_room
from ketav_common.errors import InvalidInput, KetavError
from ketav_common.logging import get_logger
from ketav_gateway.http.addresses import methods_of
from ketav_gateway.http.problem_codes import (
    CODES,
    EVERY_ROUTE,
    INTERNAL_DETAIL,
    NOT_FOUND_DETAIL,
    ONE_FIELD_DETAIL,
    ProblemCode,
)
from ketav_gateway.http.validation import field_errors, problem_code

log = get_logger()

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 5
"""Seconds to wait when an error does not say: a restarted service answers after about three."""
_STATUS_CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "too-large",
    415: "unsupported-content-type",
    503: "unavailable",
}
_OWN_OBJECTS = {"no-webhook", "unknown-member"}
"""Codes of missing objects that have no id: their details say nothing about other users."""
_STATES = {"export-expired"}
"""Codes of what an object that the caller sees does not have now."""
_RESERVED = {"type", "title", "status", "detail", "code", "trace_id"}
_NUMBERS = {"have", "need", "missing", "line", "size_bytes"}
"""Details that gRPC carries as strings and JSON shows as numbers."""


class FieldProblem(BaseModel):
    """An error in one field of the request."""

    field: str = Field(
        description="JSON pointer (RFC 6901) of the field in the body, such as `/lines/0/text`, empty for "
        "the whole body; the name of a query parameter or header."
    )
    line_id: str | None = Field(
        None, description="The line that the field belongs to; absent for other fields."
    )
    line: int | None = Field(None, description="Number of the line within a field of several lines, from 1.")
    message: str = Field(description="The error and its correction, in sentences.")


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URN that identifies the type of problem: urn:ketav:problem:CODE.")
    title: str = Field(description="The name of the HTTP status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="The error and its correction, in sentences.")
    code: str = Field(description="The type of problem, for programs; it never changes.")
    trace_id: str | None = Field(
        None,
        description="The id of the request's trace, 32 hexadecimal digits, by which the operator finds its "
        "log lines. It is the one of the request's header `traceparent`, if that was sent.",
    )
    errors: list[FieldProblem] | None = Field(None, description="The fields that are not valid, at most 20.")


def _body(status: int, code: str, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem document; a member cannot replace one of the standard members."""
    return {
        "type": f"urn:ketav:problem:{code}",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **{name: value for name, value in members.items() if name not in _RESERVED},
    }


def problem(
    status: int,
    code: str,
    detail: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the response for a problem; `members` are extension members (RFC 9457, section 3.2)."""
    body = _body(status, code, detail, members or {})
    if trace_id := tracing.trace_id():
        body["trace_id"] = trace_id
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def from_error(error: KetavError) -> JSONResponse:
    """Return the response for an error; the detail of an internal error goes to the log instead.

    A 404 for an id has one detail, so that an id of another user cannot be distinguished from an unknown one.
    """
    headers: dict[str, str] = {}
    if error.http in {http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(max(1, error.retry_after or _RETRY_AFTER_S))
    if error.http == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "size_bytes" in error.details:
        headers["Content-Range"] = f"bytes */{error.details['size_bytes']}"
    if error.http == http.HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="ketav"'
    detail = error.detail
    if error.http == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", code=error.code, reason=error.detail)
        detail = INTERNAL_DETAIL
    if error.http == http.HTTPStatus.NOT_FOUND:
        code = error.code if error.code in _STATES else "not-found"
        is_specific = error.code in _OWN_OBJECTS | _STATES
        return problem(error.http, code, detail if is_specific else NOT_FOUND_DETAIL)
    return problem(error.http, error.code, detail, _members(error), headers)


def _members(error: KetavError) -> dict[str, Any]:
    """Return the extension members of an error: its details, and `errors` if they locate a field."""
    details: dict[str, Any] = {
        name: int(value) if name in _NUMBERS and value.isdigit() else value
        for name, value in error.details.items()
    }
    if "pointer" not in details:
        return details
    field_error = {"field": details.pop("pointer"), "message": error.detail}
    field_error |= {name: details.pop(name) for name in ("line", "line_id") if name in details}
    return {**details, "errors": [field_error]}


async def _on_ketav_error(_request: Request, error: Exception) -> JSONResponse:
    """Return the response for a KetavError."""
    if not isinstance(error, KetavError):
        raise error
    return from_error(error)


async def _on_os_error(_request: Request, error: Exception) -> JSONResponse:
    """Return the response for a full disk; another error of the system is a defect."""
    unavailable = out_of_room(error)
    if unavailable is None:
        raise error
    return from_error(unavailable)


async def _on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    """Return the response for a request with invalid fields."""
    if not isinstance(error, RequestValidationError):
        raise error
    code, errors, count = problem_code(error), field_errors(error), len(error.errors())
    detail = (
        f"{count} fields of the request are not valid. Correct the fields that `errors` names."
        if count > 1
        else ONE_FIELD_DETAIL
        if code == InvalidInput.default_code and errors[0]["field"]
        else errors[0]["message"]
    )
    return problem(InvalidInput.http, code, detail, {"errors": errors})


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Return the response for an error of the framework: unknown addresses and methods, slow bodies."""
    if not isinstance(error, HTTPException):
        raise error
    code = _STATUS_CODES.get(error.status_code, "bad-request")
    detail = str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request.app.routes, request.scope, request.url.path))
        detail = f"This address does not support the method of the request. Use {headers['Allow']}."
    elif error.status_code == http.HTTPStatus.NOT_FOUND:
        listed = " The addresses are listed under /docs." if request.app.openapi_url else ""
        detail = f"This address does not exist.{listed}"
    return problem(error.status_code, code, detail, headers=headers)


def install(app: FastAPI) -> None:
    """Register the handlers of all errors."""
    app.add_exception_handler(KetavError, _on_ketav_error)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


_DESCRIPTIONS = {
    401: "The API key is missing, unknown or revoked.",
    403: "The account may not do this, or the session's token is missing.",
    404: "The address does not exist, or what it names belongs to another user.",
    408: "The body of the request arrived too slowly.",
    409: "The request conflicts with the stored state.",
    412: "What the request changes has changed since it was read.",
    413: "The request or a file is too large.",
    415: "The type of the body or of a file is not supported.",
    416: "The requested part of the file is beyond its end.",
    422: "The request is not valid or cannot be carried out now.",
    429: "Too many requests. The header Retry-After has the seconds to wait.",
    500: "The server failed.",
    503: "A service is unavailable or overloaded. The header Retry-After has the seconds to wait.",
}


Responses = dict[int | str, dict[str, Any]]


def responses(
    *codes: str, more: Responses | None = None, statuses: Mapping[str, int] | None = None
) -> Responses:
    """Return the OpenAPI description of a route's problems, those of every route included, and of `more`.

    `statuses` has the status of a code where this route returns another one than CODES says.
    """
    return (more or {}) | only_responses(*EVERY_ROUTE, *codes, statuses=statuses)


def only_responses(*codes: str, statuses: Mapping[str, int] | None = None) -> Responses:
    """Return the OpenAPI description of these problems alone."""
    described: Responses = {}
    for code in dict.fromkeys(codes):
        spec = CODES[code]
        _describe(described, code, spec, (statuses or {}).get(code, spec.status))
    return described


def _describe(described: Responses, code: str, spec: ProblemCode, status: int) -> None:
    """Add the example of a code to the description of its status."""
    response = described.setdefault(
        status,
        {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
        },
    )
    value = _body(status, code, spec.detail, spec.members)
    response["content"][MEDIA_TYPE]["examples"][code] = {"summary": code, "value": value}
