from typing import Literal, cast

JobSummaryKind = Literal["export", "reading"]


def check_job_summary_kind(value: str) -> JobSummaryKind:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(JobSummaryKind, value)
