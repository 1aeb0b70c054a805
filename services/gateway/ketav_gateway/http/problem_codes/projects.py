"""The codes of projects and of the hand that a request names."""

from ketav_gateway import examples
from ketav_gateway.http.problem_codes.kinds import ONE_FIELD_DETAIL, ProblemCode

_HAND_NAME_TAKEN = (
    "Another hand has the name 'Grandmother'. Send another name, or give its projects this hand."
)
_NAME_TAKEN = f"Your project {examples.PROJECT_ID} has this name. Use that project, or send another name."

CODES: dict[str, ProblemCode] = {
    "name-taken": ProblemCode(
        409,
        _NAME_TAKEN,
        {"project_id": examples.PROJECT_ID, "errors": [{"field": "/name", "message": _NAME_TAKEN}]},
    ),
    "hand-name-taken": ProblemCode(
        409, _HAND_NAME_TAKEN, {"errors": [{"field": "/name", "message": _HAND_NAME_TAKEN}]}
    ),
    "hand-script": ProblemCode(
        422,
        ONE_FIELD_DETAIL,
        {
            "errors": [
                {
                    "field": "/hand",
                    "message": "The hand 'Grandmother' writes rashi, and the project has the script square. "
                    "A hand has one script: name another hand, or send the script of this one.",
                }
            ]
        },
    ),
    "hand-mismatch": ProblemCode(
        422,
        "The project belongs to your own hand, not to 'Grandmother'. Send the pages to a project of that "
        "hand, or leave the field out.",
    ),
    "unknown-hand": ProblemCode(
        422,
        "This account has no hand named 'Grandmother'. The projects of GET /projects/ have the names of "
        "their hands.",
    ),
}
