from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call


def _parse(response: httpx.Response) -> bytes:
    if response.status_code == 200:
        return response.content
    return response.content


def get_job_export(
    job_id: str,
) -> Call[bytes]:
    """Download what an export job has written.

    Return the file of an export job that has succeeded, for 24 hours after its end.

    Its ETag is the SHA-256. `If-None-Match` gets 304, `Range` one part of the file. A deletion in
    the project removes the file before.

    Args:
        job_id (str): UUID of the job.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/jobs/{job_id}/export".format(
            job_id=quote(str(job_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
