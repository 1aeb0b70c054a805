"""The codes of corrections."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

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
    "duplicate-line": ProblemCode(422, "/lines/0 and /lines/1 correct the same line. Send each line once."),
    "line-count": ProblemCode(422, "The text of the page has 1,020 lines. Send 1 to 1,000 lines."),
}
