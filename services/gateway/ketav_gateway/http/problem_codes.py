"""The codes of problems with their status and an example, and the groups of codes that routes share.

A route lists the codes that it may return; tests compare the list with the problems that it returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ketav_gateway import examples

NOT_FOUND_DETAIL = (
    "What the request names does not exist, or belongs to another user. Check the ids in the request: "
    "GET /projects/ lists your projects, GET /models/ your models."
)
INTERNAL_DETAIL = (
    "The server failed. Report the X-Request-Id of this response to the operator, whose log has it."
)
IMAGE_IS_STORED = "The image is stored: POST /projects/{project_id}/images/{image_id}/ocr reads it."
"""Follows the detail of a failure to read an image that a later request can read."""
ONE_FIELD_DETAIL = "One field of the request is not valid. Correct the field that `errors` names."


@dataclass(frozen=True)
class ProblemCode:
    """A code with its HTTP status, an example of `detail`, and examples of extension members."""

    status: int
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)


_FIELD_ERROR = {
    "field": "/lines/0/text",
    "message": "The text has more than 4,000 characters. Shorten it.",
    "line_id": examples.LINE_ID,
}
_PAGE = {"project_id": examples.PROJECT_ID, "image_id": examples.IMAGE_ID}


def _stored(detail: str) -> str:
    """Return an example of a failure to read an image that is stored."""
    return f"{detail} {IMAGE_IS_STORED.format(**_PAGE)}"


CODES: dict[str, ProblemCode] = {
    # Every route.
    "unauthenticated": ProblemCode(
        401,
        "The API key is unknown or revoked. Check that the whole key was sent, or ask the operator for one.",
    ),
    "account-disabled": ProblemCode(403, "This account is disabled. Ask the operator to enable it."),
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
        422, "The form has no field 'user'. Remove it; the fields are confirm, file."
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
    # Texts.
    "text-too-long": ProblemCode(422, "The text has more than 4,000 code points. Shorten it."),
    "bidi-override": ProblemCode(422, "The text has U+202E at code point 3. Remove this character."),
    "control-character": ProblemCode(422, "The text has U+0007 at code point 0. Remove this character."),
    "too-many-marks": ProblemCode(
        422, "The text has more than 16 combining marks on one letter. Remove some."
    ),
    # Images.
    "empty-file": ProblemCode(422, "The file is empty. Send a JPEG, PNG, TIFF or WebP image."),
    "unsupported-media-type": ProblemCode(
        415, "The file is not a JPEG, PNG, TIFF or WebP image. Convert it to one of these types."
    ),
    "undecodable-image": ProblemCode(
        422, "The file begins like PNG but cannot be decoded. Save it again as JPEG or PNG."
    ),
    "image-too-small": ProblemCode(
        422,
        "The image has 12 x 40 pixels; each side needs at least 16. Scan the page at a higher resolution.",
    ),
    "image-too-large": ProblemCode(
        422,
        "The image has more than 50 megapixels, or a side has more than 20,000 pixels. Scale it down; 300 "
        "dpi suffices.",
    ),
    "image-too-expensive": ProblemCode(
        422, "Decoding the image takes too much time or memory. Send it as a plain JPEG or PNG."
    ),
    "multiple-frames": ProblemCode(
        422, "The file holds more than one image. Send each page as a file of its own."
    ),
    "unsupported-mode": ProblemCode(
        422, "The image's pixel values are outside 16 bits. Save it with 8 bits per channel."
    ),
    # Recognition. The image is kept: the members name it.
    "unreadable-image": ProblemCode(
        422, "Reading this image has failed repeatedly. Send it at a lower resolution or in parts.", _PAGE
    ),
    "queue-full": ProblemCode(429, _stored("Too many images wait to be read. Try again later."), _PAGE),
    "no-reader": ProblemCode(503, _stored("No reader process can be started. Try again later."), _PAGE),
    "reader-died": ProblemCode(
        503, _stored("The process that read the image ended. Read the image again."), _PAGE
    ),
    "model-cache": ProblemCode(
        503, _stored("The recognizer's model cache cannot be written. Try again later."), _PAGE
    ),
    "grant-expired": ProblemCode(
        503, _stored("The authorization to read with this model has expired. Read the image again."), _PAGE
    ),
    "model-digest": ProblemCode(500, INTERNAL_DETAIL, _PAGE),
    "data-loss": ProblemCode(500, INTERNAL_DETAIL),
    "no-base-model": ProblemCode(
        503,
        "There is no base model for this script yet. "
        "Ask the operator to import one with `ketav models import`.",
    ),
    "model-retired": ProblemCode(
        409, "The gate has rejected this version, so it never serves. Choose another one with GET /models/."
    ),
    "model-tainted": ProblemCode(
        409,
        "This version was trained on lines that you have deleted, so it never serves. "
        "Choose another one with GET /models/.",
    ),
    # Corrections.
    "page-not-read": ProblemCode(
        422,
        "The page has no transcription that could be corrected. "
        "Read it first with POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
    ),
    "unknown-line": ProblemCode(
        422,
        "/lines/0 of the request is not a line of the page's latest transcription. "
        "Get the page again and send the ids of its lines.",
    ),
    "duplicate-line": ProblemCode(422, "/lines/0 and /lines/1 correct the same line. Send each line once."),
    "line-count": ProblemCode(422, "The text of the page has 1,020 lines. Send 1 to 1,000 lines."),
    # Ground truth.
    "damaged-archive": ProblemCode(422, "The archive is damaged. Make it again."),
    "unsupported-archive": ProblemCode(
        422, "The archive has the zip64 format, which is not read. Divide it into archives below 4 GiB."
    ),
    "archive-too-large": ProblemCode(
        413,
        "The archive has more than 1,073,741,824 bytes after decompression. Divide it into several archives.",
    ),
    "too-many-entries": ProblemCode(
        413, "The archive has more than 5,000 entries. Divide it into several archives."
    ),
    "nothing-to-import": ProblemCode(
        422,
        "The archive has no file that can be imported. Correct the files as their reasons in `files` say.",
        {
            "files": [
                {
                    "name": "lines/0002.png",
                    "code": "no-text",
                    "reason": "The archive has no text for this image. Add a .gt.txt or XML file of the same "
                    "name.",
                }
            ]
        },
    ),
    # Training.
    "run-active": ProblemCode(
        409,
        f"The training run {examples.RUN_ID} has not ended. Wait for its end, or cancel it with "
        f"POST /train/{examples.RUN_ID}/cancel.",
        {"run_id": examples.RUN_ID},
    ),
    "too-few-lines": ProblemCode(
        422,
        "A training run needs 16 corrected lines and this script has 7. Correct 9 more lines.",
        {"have": 7, "need": 16, "missing": 9},
    ),
    "run-ended": ProblemCode(
        422,
        "The training run has ended already. "
        "Roll back to an earlier model with POST /models/VERSION/activate.",
    ),
    "malformed-event-id": ProblemCode(
        422,
        "The header Last-Event-ID is not a revision of a run. Send the id of the last event received.",
    ),
    # Webhooks and accounts.
    "invalid-url": ProblemCode(
        422, "The URL of the webhook does not begin with https://. Send an https URL."
    ),
    "webhook-disabled": ProblemCode(422, "The webhook is disabled. Set it again with PUT /webhook."),
    "too-many-deliveries": ProblemCode(422, "20 deliveries are waiting. Try again when they are delivered."),
    "confirmation-missing": ProblemCode(
        422, "The deletion is not confirmed. Send the header X-Confirm: delete-everything."
    ),
}

EVERY_ROUTE = (
    "unauthenticated",
    "account-disabled",
    "rate-limited",
    "internal",
    "unavailable",
    "deadline-exceeded",
    "overloaded",
)
LIST = ("invalid-input", "invalid-cursor")
_BODY = ("invalid-input", "request-timeout", "too-large", "unsupported-content-type", "malformed-text")
JSON_BODY = (*_BODY, "malformed-json", "json-too-deep", "duplicate-member")
FORM = (
    *_BODY,
    "malformed-multipart",
    "missing-file",
    "unknown-field",
    "duplicate-field",
    "too-many-parts",
    "headers-too-large",
    "field-too-large",
    "file-too-large",
    "unsupported-media-type",
)
TEXT = ("text-too-long", "bidi-override", "control-character", "too-many-marks")
IMAGE = (
    "empty-file",
    "undecodable-image",
    "image-too-small",
    "image-too-large",
    "image-too-expensive",
    "multiple-frames",
    "unsupported-mode",
)
READING = (
    "not-found",
    "unreadable-image",
    "queue-full",
    "no-reader",
    "reader-died",
    "model-cache",
    "grant-expired",
    "model-digest",
    "data-loss",
    "no-base-model",
    "model-retired",
    "model-tainted",
)
IDEMPOTENT = ("malformed-idempotency-key", "idempotency-key-reused")
