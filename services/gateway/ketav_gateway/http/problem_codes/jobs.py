"""The codes of jobs."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
    "job-ended": ProblemCode(422, "The job has ended already. Its pages are shown by GET /jobs/JOB_ID."),
    "invalid-job": ProblemCode(
        422,
        "The job has neither 1 to 300 different stored pages nor a document of so many pages. Send the one "
        "or the other.",
    ),
    "too-many-waiting-pages": ProblemCode(
        429,
        "Your jobs have 2,980 pages to read, and at most 3,000 may wait. Retry when some are read, or cancel "
        "a job.",
    ),
}
