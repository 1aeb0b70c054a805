from typing import Literal, cast

JobKind = Literal["export", "reading"]


def check_job_kind(value: str) -> JobKind:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(JobKind, value)
