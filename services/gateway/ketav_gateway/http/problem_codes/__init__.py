"""The codes of problems with their status and an example, and the groups of codes that routes share.

A route lists the codes that it may return; tests compare the list with the problems that it returns. Each
feature has a module of its own.
"""

from ketav_gateway.http.problem_codes import (
    accounts,
    corrections,
    ground_truth,
    images,
    jobs,
    members,
    projects,
    requests,
    training,
)
from ketav_gateway.http.problem_codes.kinds import (
    IMAGE_IS_STORED,
    INTERNAL_DETAIL,
    NOT_FOUND_DETAIL,
    ONE_FIELD_DETAIL,
    ProblemCode,
)

__all__ = ["IMAGE_IS_STORED", "INTERNAL_DETAIL", "NOT_FOUND_DETAIL", "ONE_FIELD_DETAIL", "ProblemCode"]

CODES: dict[str, ProblemCode] = (
    requests.CODES
    | projects.CODES
    | images.CODES
    | jobs.CODES
    | members.CODES
    | corrections.CODES
    | ground_truth.CODES
    | training.CODES
    | accounts.CODES
)

EVERY_ROUTE = (
    "unauthenticated",
    "account-disabled",
    "csrf-token",
    "rate-limited",
    "internal",
    "unavailable",
    "deadline-exceeded",
    "overloaded",
    "unknown-field",
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
DOCUMENT = ("encrypted-pdf", "empty-pdf", "broken-pdf", "too-many-pages", "out-of-time")
READING = (
    "not-found",
    "insufficient-role",
    "unreadable-image",
    "queue-full",
    "costly-images",
    "no-reader",
    "reader-died",
    "model-cache",
    "page-is-read",
    "image-changed",
    "grant-expired",
    "model-digest",
    "data-loss",
    "no-base-model",
    "model-retired",
    "model-tainted",
)
JOB = (
    "not-found",
    "insufficient-role",
    "invalid-job",
    "too-many-waiting-pages",
    "no-base-model",
    "model-retired",
    "model-tainted",
)
HAND = ("hand-script", "hand-mismatch")
IDEMPOTENT = ("malformed-idempotency-key", "idempotency-key-reused")
