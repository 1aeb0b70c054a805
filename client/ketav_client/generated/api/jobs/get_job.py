from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.job import Job


def _parse(response: httpx.Response) -> Job:
    response_200 = Job.from_dict(response.json())

    return response_200


def get_job(
    job_id: str,
) -> Call[Job]:
    """Show a job.

    Return a job with the state of each page.

    Args:
        job_id (str): UUID of the job.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/jobs/{job_id}".format(
            job_id=quote(str(job_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
