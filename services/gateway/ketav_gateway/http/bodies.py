"""Strict reading of JSON bodies (RFC 8259): counted while they arrive, without ambiguous content."""

import json
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from ketav_common.errors import InvalidInput, TooLarge
from ketav_gateway.http.validation import invalid_fields, pointer_step

_MAX_DEPTH = 16
"""Levels of nested arrays and objects: the deepest request has three."""
_MAX_DIGITS = 18
"""Digits of an integer: fits into 64 bits, and parsing stays linear."""
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Body = TypeVar("Body", bound=BaseModel)


def _refuse(detail: str, code: str = "malformed-json") -> NoReturn:
    """Raise InvalidInput for a body."""
    raise InvalidInput(detail, code=code)


def _integer(digits: str) -> int:
    """Return an integer of at most 18 digits."""
    if len(digits) > _MAX_DIGITS + 1:
        _refuse(f"The JSON body has a number of more than {_MAX_DIGITS} digits. Send a smaller number.")
    return int(digits)


def _number(text: str) -> float:
    """Return a finite number."""
    value = float(text)
    if not math.isfinite(value):
        _refuse("The JSON body has a number that no double can hold. Send a smaller number.")
    return value


def _constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have."""
    _refuse(f"The JSON body has the value {name}, which JSON does not have. Send a number or null.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object; parsers differ on repeated names, so they are refused."""
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse(
            "An object of the JSON body has two members of the same name. Send each name once.",
            code="duplicate-member",
        )
    return members


def _check_text(text: str, pointer: str) -> None:
    """Refuse a string, the value or a member's name at the pointer, that is no Unicode text or has NUL."""
    if _NO_TEXT.search(text):
        raise InvalidInput(
            "A string of the JSON body has the character NUL or an unpaired surrogate. Remove it.",
            code="malformed-text",
            details={"pointer": pointer},
        )


def _check(value: object, unchecked: re.Pattern[str] | None, pointer: str = "", depth: int = 0) -> None:
    """Refuse invalid strings and deep nesting anywhere in a parsed value, which is at the pointer.

    Strings at pointers that `unchecked` matches are left to the route.
    """
    if depth > _MAX_DEPTH:
        _refuse(
            f"The JSON body is nested more than {_MAX_DEPTH} levels deep. Send fewer levels.", "json-too-deep"
        )
    if isinstance(value, str):
        if unchecked is None or not unchecked.fullmatch(pointer):
            _check_text(value, pointer)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name, pointer)
            _check(member, unchecked, pointer + pointer_step(name), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, unchecked, pointer + pointer_step(index), depth + 1)


def parse_json(data: bytes, unchecked: re.Pattern[str] | None = None) -> object:
    """Return the value of a JSON text in UTF-8 (RFC 8259); raises InvalidInput for anything else.

    Strings at pointers that `unchecked` matches may have NUL and unpaired surrogates.
    """
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput("The body is not UTF-8. Send JSON in UTF-8.", code="malformed-json") from error
    except RecursionError as error:
        raise InvalidInput(
            f"The JSON body is nested more than {_MAX_DEPTH} levels deep. Send fewer levels.",
            code="json-too-deep",
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"The body is not JSON: line {error.lineno}, column {error.colno} cannot be parsed. Send valid "
            "JSON.",
            code="malformed-json",
        ) from error
    _check(value, unchecked)
    return value


def refuse_encoded(request: Request) -> None:
    """Refuse a compressed body: its size is unknown until it is decompressed."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(
            415, "The body has a Content-Encoding, which is not supported. Send the body without compression."
        )


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the whole body, counted while it arrives; raises TooLarge above `max_bytes`."""
    refuse_encoded(request)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            raise TooLarge(f"The body has more than {max_bytes} bytes. Send less in one request.")
    return bytes(data)


def json_body(
    model: type[Body], unchecked: re.Pattern[str] | None = None
) -> Callable[[Request], Awaitable[Body]]:
    """Return a dependency that reads and validates a JSON body; `unchecked`: see `parse_json`."""

    async def read(request: Request) -> Body:
        """Return the validated body."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(
                415, "The Content-Type of the body is not application/json. Send JSON with that Content-Type."
            )
        max_bytes = request.app.state.components.settings.max_json_bytes
        value = parse_json(await read_body(request, max_bytes), unchecked)
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise invalid_fields(error, value) from error

    return read


def body_description(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Return the OpenAPI description of a JSON body, for a route that reads the body itself."""
    schema = model.model_json_schema(ref_template="{model}")
    resolved = _resolved(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": resolved}}}}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a schema in which each reference is replaced by its definition."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"]], definitions)
    return {name: _resolved(value, definitions) for name, value in schema.items()}
