from typing import Any

import httpx
from ketav_client.call import Call

from ...models.create_job_request import CreateJobRequest
from ...models.job import Job
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Job:
    response_202 = Job.from_dict(response.json())

    return response_202


def create_job(
    *,
    body: CreateJobRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Job]:
    """Read stored images in the background.

    Read stored images of a project in the background: after failures, or with a newer or another
    model.

    Args:
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (CreateJobRequest): Stored images to read. Example: {'image_ids':
            ['f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22'], 'project_id':
            '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/jobs/",
        _parse,
        _kwargs,
    )
