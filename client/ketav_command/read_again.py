"""Pages of a document that a job has stored and not read: they are read again from their images."""

from ketav_client import AsyncKetav, ProblemError, Reading
from ketav_client.generated.models import OcrResponse
from ketav_client.readings import ReadPage


async def read_failed_pages(client: AsyncKetav, reading: Reading) -> Reading:
    """Return a reading whose failed pages are read again where their images are stored.

    The upload with the same Idempotency-Key returns the job that failed, so it reads nothing again. A page
    that fails again has the sentences of its new error.
    """
    pages = [await _read(client, reading.project_id, page) for page in reading.pages]
    return Reading(reading.project_id, pages)


async def _read(client: AsyncKetav, project_id: str, page: ReadPage) -> ReadPage:
    """Return a page, read again if it failed and its image is stored."""
    if page.error is None or page.image_id is None:
        return page
    try:
        read = await client.read_again(project_id, page.image_id)
    except ProblemError as error:
        return ReadPage(page.image_id, None, str(error))
    # A job would be the answer to Prefer: respond-async alone.
    return ReadPage(page.image_id, read.text if isinstance(read, OcrResponse) else None)
