"""Validation errors as sentences: which field is wrong, why, and what to send instead."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ketav_common.errors import InvalidInput, TooLarge, UnsupportedMedia
from ketav_gateway.schemas import UUID_PATTERN, VERSION_PATTERN

_MAX_ERRORS = 20
"""Fields that one response names: a body of 1,000 lines may have an error in each."""
_MAX_NAME_CHARACTERS = 64
_MAX_POINTER_CHARACTERS = 200
_PATTERNS = {
    UUID_PATTERN: "The value is not a UUID in lower case with hyphens. Copy the id from an earlier response.",
    VERSION_PATTERN: "The value is not the name of a model version. List the versions with GET /models/.",
}
_OTHER_PATTERN = "The value has a character that is not allowed. Copy the value from an earlier response."
_NO_CURSOR = "The cursor is malformed. Send a cursor of this list, or none to start at the beginning."
"""As in the registry's error: no other text is a shorter or corrected cursor."""
_OTHER_ERROR = "The value is not valid. Compare it with the description of the API."
_SENTENCES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "missing": "The field is missing. Add it.",
    "model_type": "The value is not a JSON object. Send an object.",
    "string_type": "The value is not a string. Send a JSON string.",
    "bool_type": "The value is not a boolean. Send true or false.",
    "int_type": "The value is not an integer. Send a whole number.",
    "int_parsing": "The value is not an integer. Send a whole number.",
    "int_parsing_size": "The value has too many digits. Send a smaller number.",
    "int_from_float": "The value is not an integer. Send a whole number.",
    "list_type": "The value is not an array. Send a JSON array.",
    "string_pattern_mismatch": lambda context: _PATTERNS.get(context["pattern"], _OTHER_PATTERN),
    "string_too_short": "The text is empty. Send at least one character.",
    "string_too_long": lambda context: (
        f"The text has more than {context['max_length']:,} code points. Shorten it."
    ),
    "too_short": lambda context: (
        f"The array has {context['actual_length']:,} elements. Send at least {context['min_length']:,}."
    ),
    "too_long": lambda context: (
        f"The array has {context['actual_length']:,} elements; {context['max_length']:,} are allowed. "
        "Send fewer, or several requests."
    ),
    "literal_error": lambda context: f"The value is not one of {context['expected']}. Send one of these.",
    "greater_than_equal": lambda context: (
        f"The number is below {context['ge']:,}. Send a number of at least {context['ge']:,}."
    ),
    "less_than_equal": lambda context: (
        f"The number is above {context['le']:,}. Send a number of at most {context['le']:,}."
    ),
    "value_error": lambda context: str(context["error"]),
}
"""What is wrong and what to send, by pydantic's type of error. The shortest length of a text is 1."""
_UNKNOWN_FIELD = "extra_forbidden"
"""Pydantic's type of error for a field that a body does not have."""
_LINES = {"lines", "line_ids"}
"""Names of the arrays whose elements are lines."""


def invalid_fields(error: ValidationError, body: object) -> RequestValidationError:
    """Return the error for a body or form that a model refused, without the values that were sent."""
    errors = [
        {**details, "loc": ("body", *details["loc"])}
        for details in error.errors(include_url=False, include_input=False)
    ]
    return RequestValidationError(errors, body=body)


def problem_code(error: RequestValidationError) -> str:
    """Return the code that all errors of a body have in common; `invalid-input` for any other errors."""
    codes = {_body_code(details["type"], details["loc"]) for details in error.errors()}
    return (codes.pop() if len(codes) == 1 else "") or InvalidInput.default_code


def _body_code(kind: str, location: Sequence[int | str]) -> str:
    """Return the code of a body's limit or unknown field, by pydantic's type of error; "" for others."""
    if location[0] != "body":
        return ""
    if kind == _UNKNOWN_FIELD:
        return "unknown-field"
    if kind == "too_long" and location[-1] in _LINES:
        return "line-count"
    return "text-too-long" if kind == "string_too_long" else ""


def field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    """Return `field`, `message` and, for a field of a line, `line_id`, of the first 20 errors."""
    return [_field_error(details, error.body) for details in error.errors()[:_MAX_ERRORS]]


def _field_error(details: ErrorDetails, body: object) -> dict[str, str]:
    """Return one error."""
    origin, *path = details["loc"]
    names = [str(part)[:_MAX_NAME_CHARACTERS] for part in path]
    pointer = "".join(map(pointer_step, names))
    described = {
        "field": (pointer if origin == "body" else ".".join(names))[:_MAX_POINTER_CHARACTERS],
        "message": _sentence(details),
    }
    if details["type"] == _UNKNOWN_FIELD:
        described["message"] = f"The request has no field {names[-1]!r}. Remove it."
    if (origin, names) == ("query", ["cursor"]):
        described["message"] = _NO_CURSOR
    line_id = _line_id(path, body)
    return described | ({"line_id": line_id} if line_id else {})


@contextmanager
def naming_field(name: str) -> Iterator[None]:
    """Add the pointer of a form field to the errors about its content that are raised in the block."""
    try:
        yield
    except (InvalidInput, TooLarge, UnsupportedMedia) as error:
        error.details.setdefault("pointer", f"/{name}")
        raise


def pointer_step(name: int | str) -> str:
    """Return a name or an index as the next part of a JSON pointer (RFC 6901, section 3)."""
    return "/" + str(name)[:_MAX_NAME_CHARACTERS].replace("~", "~0").replace("/", "~1")


def _sentence(details: ErrorDetails) -> str:
    """Return a sentence that says what is wrong with a value, and one that says what to send."""
    sentence = _SENTENCES.get(details["type"], _OTHER_ERROR)
    return sentence if isinstance(sentence, str) else sentence(details.get("ctx", {}))


def _line_id(path: list[int | str], body: object) -> str:
    """Return the line_id of the line that a path into the body leads to; empty for other paths."""
    match path, body:
        case ["lines", int(index), *_], {"lines": list(lines)} if index < len(lines):
            line = lines[index]
            line_id = line.get("line_id") if isinstance(line, dict) else None
            return line_id[:_MAX_NAME_CHARACTERS] if isinstance(line_id, str) else ""
    return ""
