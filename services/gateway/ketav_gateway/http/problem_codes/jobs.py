"""The codes of jobs."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
    "job-ended": ProblemCode(422, "The job has ended already. Its pages are shown by GET /jobs/JOB_ID."),
    "invalid-job": ProblemCode(
        422,
        "/image_ids/1 names the same image as /image_ids/0. Send each image once.",
    ),
    "export-expired": ProblemCode(
        404,
        "The export has no file: it is not written yet, has failed, or was removed after 24 hours or because "
        "data of the project was deleted. Look at GET /jobs/JOB_ID, or start the export again.",
    ),
    "export-needs-job": ProblemCode(
        422,
        "The project has more than 300 images. Send the header Prefer: respond-async: a job exports it. Or "
        "select at most 100 images with image_id.",
    ),
    "too-many-exports": ProblemCode(
        429,
        "3 of your exports wait or are written, and at most 3 may. Retry when one has ended, or cancel one.",
    ),
    "too-many-waiting-pages": ProblemCode(
        429,
        "Your jobs have 2,980 pages to read, and at most 3,000 may wait. Retry when some are read, or cancel "
        "a job.",
    ),
}
