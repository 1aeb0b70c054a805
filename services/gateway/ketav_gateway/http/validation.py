"""Validation errors as sentences: which field is wrong, why, and what to send instead."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

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
_OTHER_ERROR = "The value is not valid. Compare it with the description of the request under /docs."
_SENTENCES: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "missing": "The field is missing. Add it.",
    "extra_forbidden": "The request has no field of this name. Remove it.",
    "model_type": "The value is not a JSON object. Send an object.",
    "string_type": "The value is not a string. Send a JSON string.",
    "bool_type": "The value is not a boolean. Send true or false.",
    "int_type": "The value is not an integer. Send a whole number.",
    "int_parsing": "The value is not an integer. Send a whole number.",
    "int_parsing_size": "The value has too many digits. Send a smaller number.",
    "int_from_float": "The value is not an integer. Send a whole number.",
    "list_type": "The value is not an array. Send a JSON array.",
    "string_pattern_mismatch": lambda context: _PATTERNS.get(context["pattern"], _OTHER_PATTERN),
    "string_too_short": lambda context: (
        f"The text has fewer than {context['min_length']} characters. Send a longer text, or omit the field."
    ),
    "string_too_long": lambda context: (
        f"The text has more than {context['max_length']:,} characters. Shorten it."
    ),
    "too_short": lambda context: (
        f"The array has fewer than {context['min_length']} elements. Send more elements, or omit the field."
    ),
    "too_long": lambda context: (
        f"The array has more than {context['max_length']:,} elements. Send several requests."
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
"""What is wrong and what to send, by pydantic's type of error."""


def invalid_fields(error: ValidationError, body: object) -> RequestValidationError:
    """Return the error for a body or form that a model refused, without the values that were sent."""
    errors = [
        {**details, "loc": ("body", *details["loc"])}
        for details in error.errors(include_url=False, include_input=False)
    ]
    return RequestValidationError(errors, body=body)


def field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    """Return `field`, `message` and, for a field of a line, `line_id`, of the first 20 errors."""
    return [_field_error(details, error.body) for details in error.errors()[:_MAX_ERRORS]]


def _field_error(details: ErrorDetails, body: object) -> dict[str, str]:
    """Return one error."""
    origin, *path = details["loc"]
    names = [str(part)[:_MAX_NAME_CHARACTERS] for part in path]
    pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)
    described = {
        "field": (pointer if origin == "body" else ".".join(names))[:_MAX_POINTER_CHARACTERS],
        "message": _sentence(details),
    }
    line_id = _line_id(path, body)
    return described | ({"line_id": line_id} if line_id else {})


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
