"""Transcriptions of pages."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_PAGE_LINES
from ketav_common.stages import record_stages, stage
from ketav_common.telemetry import READING_STAGE, report_stages
from ketav_registry.database import Transaction
from ketav_registry.domain.members import Role
from ketav_registry.domain.pages import MAX_READING_WARNINGS, is_reading_warning, with_reading_warnings
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import Line, Transcription, line_problem
from ketav_registry.repository import pages, requests, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import require_version
from ketav_registry.usecases.pages import check_same_image

_CODE = "invalid-transcription"
_NO_REQUEST = RequestKey()


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a model: lines, the digest of the image (empty: any), and codes of what it left out."""

    model_version: str
    lines: Sequence[Line]
    image_sha256: bytes = b""
    warnings: Sequence[str] = ()


async def record_transcription(
    user_id: UUID,
    page_id: UUID,
    reading: Reading,
    request: RequestKey = _NO_REQUEST,
    *,
    project_id: UUID | None = None,
    stores: Stores,
) -> Transcription:
    """Store what a model read as the page's latest transcription. NotFound: no such page or model.

    A repeated request stores nothing and gets the latest transcription. Conflict image-changed: the page's
    image is not the one that was read, so the coordinates of the lines are of another image;
    idempotency-key-reused.
    """
    check_reading(reading)
    with record_stages() as stages, stage("store"):
        async with stores.database.project(user_id, project_id, Role.EDITOR) as scope:
            transaction, owner_id = scope.transaction, scope.owner_id
            transcription = await _find_recorded(transaction, owner_id, page_id, scope.key(request))
            if transcription is None:
                transcription = await insert_reading(transaction, owner_id, page_id, reading)
    report_stages(READING_STAGE, stages, os.getpid())
    return transcription


async def _find_recorded(
    transaction: Transaction, user_id: UUID, page_id: UUID, request: RequestKey
) -> Transcription | None:
    """Return the latest transcription of a page if a request has recorded one before, else None.

    Concurrent ones with the same key wait for each other. Conflict idempotency-key-reused.
    """
    if await requests.insert_done(transaction, user_id, request):
        return None
    page = await pages.lock_page(transaction, user_id, page_id)
    if page is None:
        return None
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    return page.transcription


async def insert_reading(
    transaction: Transaction, user_id: UUID, page_id: UUID, reading: Reading
) -> Transcription:
    """Insert a checked reading as a page's latest transcription. Errors: record_transcription."""
    version = await require_version(transaction, user_id, reading.model_version)
    page = await pages.lock_page(transaction, user_id, page_id)
    if page is None:
        raise NotFound("This account has no page with this id. Upload the image with POST /ocr/.")
    check_same_image(page.image.sha256, reading.image_sha256)
    warnings = with_reading_warnings(page.image.warnings, reading.warnings)
    if warnings != page.image.warnings:
        await pages.set_warnings(transaction, user_id, page_id, warnings)
    return await transcriptions.insert_transcription(
        transaction, user_id, page_id, version.model, reading.lines
    )


def check_reading(reading: Reading) -> None:
    """Raise InvalidInput invalid-transcription for a reading that cannot be stored."""
    check_lines(reading.lines)
    if len(reading.warnings) > MAX_READING_WARNINGS or not all(map(is_reading_warning, reading.warnings)):
        raise InvalidInput(
            f"The reading has a malformed warning, or more than {MAX_READING_WARNINGS} of them. Send codes "
            "that begin with reading-.",
            code=_CODE,
        )


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
