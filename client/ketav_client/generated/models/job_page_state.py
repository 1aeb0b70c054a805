from typing import Literal, cast

JobPageState = Literal["cancelled", "failed", "queued", "read", "running"]


def check_job_page_state(value: str) -> JobPageState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(JobPageState, value)
