"""The codes of members of projects."""

from ketav_gateway.http.problem_codes.kinds import ONE_FIELD_DETAIL, ProblemCode

CODES: dict[str, ProblemCode] = {
    "insufficient-role": ProblemCode(
        403,
        "You are a viewer of this project, and only its owner and its editors may do this. Ask the owner to "
        "make you an editor.",
        {"role": "viewer"},
    ),
    "unknown-account": ProblemCode(
        422,
        ONE_FIELD_DETAIL,
        {
            "errors": [
                {
                    "field": "/name",
                    "message": "No account is named 'Dana'. Send the name of the account as GET /me shows it "
                    "to its user.",
                }
            ]
        },
    ),
    "member-is-owner": ProblemCode(
        422,
        ONE_FIELD_DETAIL,
        {
            "errors": [
                {"field": "/name", "message": "You own this project. Send the name of another account."}
            ]
        },
    ),
    "too-many-members": ProblemCode(
        422, "The project has 100 members, and more are not possible. Remove one first."
    ),
}
