"""Checks of the texts in requests."""

from collections.abc import Mapping

from ketav_common import text
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_LINE_CODE_POINTS


def clean_field(value: str, location: Mapping[str, str], *, max_length: int = MAX_LINE_CODE_POINTS) -> str:
    """Return a text of a request in stored form; an InvalidInput has the text's location in its details.

    A location has the JSON `pointer` of the field, and the `line_id` of its line or the number of the `line`
    in a text of several lines.
    """
    try:
        return text.clean(value, max_length=max_length)
    except InvalidInput as error:
        details = {**location, **error.details}
        raise InvalidInput(error.detail, code=error.code, details=details) from error


def stored_field(value: str, location: Mapping[str, str]) -> str:
    """Return the text of a line in stored form; an InvalidInput has its location, as in `clean_field`."""
    try:
        return text.stored(value)
    except InvalidInput as error:
        details = {**location, **error.details}
        raise InvalidInput(error.detail, code=error.code, details=details) from error
