"""Store transcriptions."""

from collections.abc import Sequence
from uuid import UUID

from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_PAGE_LINES
from ketav_registry.database import Database
from ketav_registry.domain.transcriptions import Line, Transcription, is_sound
from ketav_registry.repository import transcriptions
from ketav_registry.usecases.models import required_version
from ketav_registry.usecases.pages import NO_PAGE


async def record_transcription(
    user_id: UUID, page_id: UUID, model_version: str, lines: Sequence[Line], *, database: Database
) -> Transcription:
    """Store what a model read as the page's latest transcription. NotFound: no such page or model."""
    _check_lines(lines)
    async with database.user(user_id) as transaction:
        model = await required_version(transaction, user_id, model_version)
        stored = await transcriptions.insert_transcription(transaction, user_id, page_id, model.model, lines)
        if stored is None:
            raise NotFound(NO_PAGE)
    return stored


def _check_lines(lines: Sequence[Line]) -> None:
    """Refuse a reading that is out of bounds, out of order, or not in NFC (InvalidInput)."""
    orders = {line.order for line in lines}
    if len(lines) > MAX_PAGE_LINES or len(orders) != len(lines):
        raise InvalidInput("lines are out of bounds or share an order", code="invalid-transcription")
    if not all(is_sound(line) for line in lines):
        raise InvalidInput("a line is not NFC or out of bounds", code="invalid-transcription")
