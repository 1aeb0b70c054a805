"""The codes of corrections."""

from ketav_gateway import examples
from ketav_gateway.http.problem_codes.kinds import ProblemCode

_ETAG_DETAIL = 'The header If-Match is not the ETag of a line. Send one correction_id in quotes, or "none".'

CODES: dict[str, ProblemCode] = {
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
    "line-changed": ProblemCode(
        412,
        "The line was corrected after you have read it. Get the image again and decide which text is right.",
        {"line_id": examples.LINE_ID},
    ),
    "lines-changed": ProblemCode(
        412,
        "The lines of the image have changed after you have read them. Get the image again and repeat the "
        "change.",
    ),
    "nothing-to-undo": ProblemCode(
        422, "The lines of the image have no edit that could be undone. Edit them with POST .../lines."
    ),
    "nothing-to-withdraw": ProblemCode(
        422, "The line has no correction that could be withdrawn. Correct it with POST /feedback/."
    ),
    "invalid-transcription": ProblemCode(
        422, "The transcription has 1,001 lines. Record at most 1,000 lines of a page."
    ),
    "malformed-etag": ProblemCode(
        422, _ETAG_DETAIL, {"errors": [{"field": "If-Match", "message": _ETAG_DETAIL}]}
    ),
    "duplicate-line": ProblemCode(422, "/lines/0 and /lines/1 correct the same line. Send each line once."),
    "line-count": ProblemCode(422, "The text of the page has 1,020 lines. Send 1 to 1,000 lines."),
}
