"""The codes of webhooks and accounts."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
    "invalid-url": ProblemCode(
        422, "The URL of the webhook does not begin with https://. Send an https URL."
    ),
    "webhook-disabled": ProblemCode(422, "The webhook is disabled. Set it again with PUT /webhook."),
    "too-many-deliveries": ProblemCode(422, "20 deliveries are waiting. Try again when they are delivered."),
    "confirmation-missing": ProblemCode(
        422, "The deletion is not confirmed. Send the header X-Confirm: delete-everything."
    ),
}
