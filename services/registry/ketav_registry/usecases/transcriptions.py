"""Transcriptions of pages."""

import os
from collections.abc import Sequence
from uuid import UUID

from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_PAGE_LINES
from ketav_common.stages import record_stages, stage
from ketav_common.telemetry import READING_STAGE, report_stages
from ketav_registry.database import Transaction
from ketav_registry.domain.transcriptions import Line, Transcription, line_problem
from ketav_registry.repository import pages, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import require_version
from ketav_registry.usecases.pages import check_same_image

_CODE = "invalid-transcription"


async def record_transcription(
    user_id: UUID,
    page_id: UUID,
    model_version: str,
    lines: Sequence[Line],
    *,
    image_sha256: bytes = b"",
    stores: Stores,
) -> Transcription:
    """Store what a model read as the page's latest transcription. NotFound: no such page or model.

    Conflict image-changed: the page's image is not the one that was read (empty digest: any), so the
    coordinates of the lines are of another image.
    """
    check_lines(lines)
    with record_stages() as stages, stage("store"):
        transcription = await _store(user_id, page_id, model_version, lines, image_sha256, stores)
    report_stages(READING_STAGE, stages, os.getpid())
    return transcription


async def _store(
    user_id: UUID,
    page_id: UUID,
    model_version: str,
    lines: Sequence[Line],
    image_sha256: bytes,
    stores: Stores,
) -> Transcription:
    """Insert a transcription with lines that were checked. Errors: record_transcription."""
    async with stores.database.user(user_id) as transaction:
        return await insert_reading(
            transaction, user_id, page_id, model_version, lines, image_sha256=image_sha256
        )


async def insert_reading(
    transaction: Transaction,
    user_id: UUID,
    page_id: UUID,
    model_version: str,
    lines: Sequence[Line],
    *,
    image_sha256: bytes,
) -> Transcription:
    """Insert checked lines as a page's latest transcription. Errors: record_transcription."""
    version = await require_version(transaction, user_id, model_version)
    page = await pages.lock_page(transaction, user_id, page_id)
    if page is None:
        raise NotFound("This account has no page with this id. Upload the image with POST /ocr/.")
    check_same_image(page.image.sha256, image_sha256)
    return await transcriptions.insert_transcription(transaction, user_id, page_id, version.model, lines)


def check_lines(lines: Sequence[Line]) -> None:
    """Raise InvalidInput invalid-transcription for lines that cannot be stored."""
    if len(lines) > MAX_PAGE_LINES:
        raise InvalidInput(
            f"The transcription has {len(lines):,} lines. Record at most {MAX_PAGE_LINES:,} lines of a page.",
            code=_CODE,
        )
    if len({line.order for line in lines}) != len(lines):
        raise InvalidInput(
            "Two lines of the transcription have the same order. Number the lines in reading order.",
            code=_CODE,
        )
    for number, line in enumerate(lines, start=1):
        if problem := line_problem(line):
            raise InvalidInput(
                f"Line {number} of the transcription {problem}. Record what the recognizer returned.",
                code=_CODE,
            )
