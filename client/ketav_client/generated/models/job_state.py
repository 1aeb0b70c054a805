from typing import Literal, cast

JobState = Literal["cancelled", "failed", "partly_failed", "queued", "running", "succeeded"]


def check_job_state(value: str) -> JobState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(JobState, value)
