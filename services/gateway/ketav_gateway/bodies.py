"""Reading JSON bodies without trusting them."""

import json
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from ketav_common.errors import InvalidInput, TooLarge

_MAX_DEPTH = 16
_MAX_DIGITS = 18
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Body = TypeVar("Body", bound=BaseModel)


def _refuse(detail: str, code: str = "malformed-json") -> NoReturn:
    """Refuse a body."""
    raise InvalidInput(detail, code=code)


def _integer(digits: str) -> int:
    """Read a whole number of at most 18 digits."""
    if len(digits) > _MAX_DIGITS + 1:
        _refuse("A number has too many digits.")
    return int(digits)


def _number(text: str) -> float:
    """Read a finite number."""
    value = float(text)
    if not math.isfinite(value):
        _refuse("A number is too large.")
    return value


def _constant(_name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have."""
    _refuse("NaN and Infinity are not JSON.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a member twice: readers disagree on which one counts."""
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("A member is named twice.", code="duplicate-member")
    return members


def _check_text(text: str) -> None:
    """Refuse strings that are not Unicode text, or hold NUL."""
    if _NO_TEXT.search(text):
        _refuse("A string holds NUL or a lone surrogate.", code="malformed-text")


def _check(value: object, depth: int = 0) -> None:
    """Refuse strings that are no text, and nesting that no request needs."""
    if depth > _MAX_DEPTH:
        _refuse(f"JSON may be nested {_MAX_DEPTH} deep at most.", code="json-too-deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def parse_json(data: bytes) -> object:
    """Return the value of a JSON text (RFC 8259, UTF-8); InvalidInput for anything doubtful."""
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput("The body is not UTF-8.", code="malformed-json") from error
    except RecursionError as error:
        raise InvalidInput("The JSON is nested too deep.", code="json-too-deep") from error
    except json.JSONDecodeError as error:
        raise InvalidInput("The body is not JSON.", code="malformed-json") from error
    _check(value)
    return value


def refuse_encoded(request: Request) -> None:
    """Refuse compressed bodies: nobody needs them, and they can be bombs."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "Send the body without Content-Encoding.")


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body, counted while it arrives; TooLarge over `limit` bytes."""
    refuse_encoded(request)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise TooLarge(f"The body may have {limit} bytes at most.")
    return bytes(data)


def json_body(kind: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """Return a dependency that reads a JSON body of one form."""

    async def read(request: Request) -> Body:
        """Read, check and type the body."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(415, "Send the body as application/json.")
        value = parse_json(await read_body(request, request.app.state.parts.settings.max_json_bytes))
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error

    return read


def described(kind: type[BaseModel]) -> dict[str, Any]:
    """Describe a JSON body for OpenAPI, for a route that reads it with `json_body`."""
    schema = kind.model_json_schema(ref_template="{model}")
    whole = _resolved(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Put definitions in the place of the references to them."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"]], definitions)
    return {name: _resolved(value, definitions) for name, value in schema.items()}
