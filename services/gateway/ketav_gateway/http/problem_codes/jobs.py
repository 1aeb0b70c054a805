"""The codes of jobs."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
    "job-ended": ProblemCode(422, "The job has ended already. Its pages are shown by GET /jobs/JOB_ID."),
    "invalid-job": ProblemCode(
        422,
        "/image_ids/1 names the same image as /image_ids/0. Send each image once.",
    ),
    "too-many-waiting-pages": ProblemCode(
        429,
        "Your jobs have 2,980 pages to read, and at most 3,000 may wait. Retry when some are read, or cancel "
        "a job.",
    ),
}
