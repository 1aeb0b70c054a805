from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.job_summary import JobSummary
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> JobSummary:
    response_200 = JobSummary.from_dict(response.json())

    return response_200


def cancel_job(
    job_id: str,
    *,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[JobSummary]:
    """Cancel a job.

    Cancel a job: pages that wait are not read; a page that is being read keeps its outcome.

    Args:
        job_id (str): UUID of the job.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["headers"] = headers
    return Call(
        "post",
        "/jobs/{job_id}/cancel".format(
            job_id=quote(str(job_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
