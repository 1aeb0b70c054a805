"""The codes of training runs."""

from ketav_gateway import examples
from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
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
}
