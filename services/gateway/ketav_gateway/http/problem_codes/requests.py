"""The codes of every route, and of parameters, bodies, forms and texts."""

from ketav_gateway import examples
from ketav_gateway.http.problem_codes.kinds import (
    INTERNAL_DETAIL,
    NOT_FOUND_DETAIL,
    ONE_FIELD_DETAIL,
    ProblemCode,
)

_FIELD_ERROR = {
    "field": "/lines/0/text",
    "message": "The text has more than 4,000 characters. Shorten it.",
    "line_id": examples.LINE_ID,
}
_CSRF_DETAIL = (
    "The header X-CSRF-Token is not the token of this session. Send the csrf_token of GET /session."
)

CODES: dict[str, ProblemCode] = {
    "empty-query": ProblemCode(422, "The query has no letter and no digit. Send at least one word."),
    "query-too-long": ProblemCode(422, "The query has more than 8 words. Search for fewer words."),
    # Every route.
    "unauthenticated": ProblemCode(
        401,
        "The API key is unknown or revoked. Check that the whole key was sent, or ask the operator for one.",
    ),
    "account-disabled": ProblemCode(403, "This account is disabled. Ask the operator to enable it."),
    "csrf-token": ProblemCode(
        403, _CSRF_DETAIL, {"errors": [{"field": "X-CSRF-Token", "message": _CSRF_DETAIL}]}
    ),
    "not-found": ProblemCode(404, NOT_FOUND_DETAIL),
    "rate-limited": ProblemCode(
        429, "More than 600 requests were sent within 60 seconds. Retry after 12 seconds."
    ),
    "internal": ProblemCode(500, INTERNAL_DETAIL),
    "unavailable": ProblemCode(503, "A part of the service is unavailable. Try again later."),
    "deadline-exceeded": ProblemCode(503, "The answer took too long. Try again later."),
    "overloaded": ProblemCode(
        503, "The server handles 256 requests, the most that are allowed. Retry after 2 seconds."
    ),
    "not-ready": ProblemCode(
        503,
        "The following services do not serve: trainer. Retry after 2 seconds.",
        {
            "services": {"registry": "serving", "recognizer": "serving", "trainer": "unavailable"},
            "problems": {},
        },
    ),
    # Parameters, bodies and forms.
    "invalid-input": ProblemCode(422, ONE_FIELD_DETAIL, {"errors": [_FIELD_ERROR]}),
    "invalid-cursor": ProblemCode(
        422, "The cursor is malformed. Send a cursor of this list, or none to start at the beginning."
    ),
    "request-timeout": ProblemCode(
        408, "The body of the request arrived too slowly. Send it again over a faster connection."
    ),
    "too-large": ProblemCode(413, "The body has more than 2097152 bytes. Send less in one request."),
    "unsupported-content-type": ProblemCode(
        415, "The Content-Type of the body is not application/json. Send JSON with that Content-Type."
    ),
    "malformed-json": ProblemCode(
        422, "The body is not JSON: line 1, column 2 cannot be parsed. Send valid JSON."
    ),
    "json-too-deep": ProblemCode(422, "The JSON body is nested more than 16 levels deep. Send fewer levels."),
    "duplicate-member": ProblemCode(
        422, "An object of the JSON body has two members of the same name. Send each name once."
    ),
    "malformed-text": ProblemCode(
        422, "A string of the JSON body has the character NUL or an unpaired surrogate. Remove it."
    ),
    "malformed-multipart": ProblemCode(
        422, "The form ends before its last boundary. Send the whole form again."
    ),
    "missing-file": ProblemCode(422, "The form has no field 'file'. Add the file as this field."),
    "unknown-field": ProblemCode(
        422, "The address has no parameter 'fmt'. Remove it; the parameters are format."
    ),
    "duplicate-field": ProblemCode(422, "The form has the field 'name' more than once. Send it once."),
    "too-many-parts": ProblemCode(
        413, "The form has more than 8 parts. Send the file and the fields once each."
    ),
    "headers-too-large": ProblemCode(
        413, "A part of the form has more than 16,384 bytes of headers. Send fewer headers."
    ),
    "field-too-large": ProblemCode(413, "The form field 'name' has more than 65,536 bytes. Shorten it."),
    "file-too-large": ProblemCode(413, "The file has more than 26,214,400 bytes. Send a smaller file."),
    "malformed-idempotency-key": ProblemCode(
        422,
        "The header Idempotency-Key is not valid. Send one key of 1 to 255 visible ASCII characters.",
    ),
    "idempotency-key-reused": ProblemCode(
        409, "The Idempotency-Key belongs to a different request. Send a new key with each new request."
    ),
    "range-not-satisfiable": ProblemCode(
        416,
        "The file has 48213 bytes, and the range begins behind them. Send a range within the file.",
        {"size_bytes": 48213},
    ),
    # Texts.
    "text-too-long": ProblemCode(422, "The text has more than 4,000 code points. Shorten it."),
    "bidi-override": ProblemCode(422, "The text has U+202E at code point 3. Remove this character."),
    "control-character": ProblemCode(422, "The text has U+0007 at code point 0. Remove this character."),
    "too-many-marks": ProblemCode(
        422, "The text has more than 16 combining marks on one letter. Remove some."
    ),
}
