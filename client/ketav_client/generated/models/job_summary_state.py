from typing import Literal, cast

JobSummaryState = Literal["cancelled", "failed", "partly_failed", "queued", "running", "succeeded"]


def check_job_summary_state(value: str) -> JobSummaryState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(JobSummaryState, value)
