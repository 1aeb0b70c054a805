"""Transcriptions that are refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_common.errors import (
    InvalidInput,
)
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, create, get_project, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


@pytest.mark.parametrize(
    "change",
    [
        {"text": "e\u0301"},
        {"text": "א\u0000"},
        {"text": "א" * 4001},
        {"confidence": float("nan")},
        {"confidence": 1.5},
        {"character_confidences": [0.5]},
        {"character_confidences": [float("inf")] * 4},
        {"words": [page_pb2.Word(text="שלום", confidence=0.5, start=0, end=5)]},
        {"words": [page_pb2.Word(text="של", confidence=0.5, start=1, end=3)]},
        {"words": [page_pb2.Word(text="שלום", confidence=float("nan"), start=0, end=4)]},
        {"order": 1},
    ],
)
async def test_an_invalid_transcription_is_refused_and_the_page_stays_stored(
    registry: Registry, change: dict[str, Any]
) -> None:
    """Offsets, confidences, orders and texts are checked before the first row is inserted."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        valid: dict[str, Any] = {"order": 0, "text": "שלום", "confidence": 0.5}
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id,
            model_version="hebrew_base-1",
            lines=[page_pb2.Line(order=1, text="שלום"), page_pb2.Line(**valid | change)],
        )
        with pytest.raises(InvalidInput) as caught, rpc.raise_ketav_errors():
            await registry.transcriptions.RecordTranscription(request)
        assert caught.value.code == "invalid-transcription"
        _, stored = await get_project(registry, page.project_id)
        assert stored.page.state == pages_pb2.PAGE_STATE_STORED
