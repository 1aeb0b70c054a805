"""Corrections that look wrong, against a real PostgreSQL: kept, reported, counted, and never trained on."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, ground_truth_pb2, pages_pb2, training_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_common.errors import Precondition
from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.repository import ground_truth
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    DIGEST,
    Registry,
    acting,
    claim,
    claiming,
    correct,
    create,
    publish,
    queue,
    read_lines,
    registry_server,
)

READ = ("בראשית ברא אלהים", "את השמים ואת הארץ", "והארץ היתה תהו ובהו", "וחשך על פני תהום")
OTHER = "שבט סוף דגים קטנים"


def network(alphabet: str) -> bytes:
    """Return a small safetensors file whose header names an alphabet as Kraken does."""
    meta = json.dumps({"net": {"codec": {letter: [1] for letter in alphabet}}}, ensure_ascii=False)
    header = {
        "__metadata__": {"kraken_meta": meta},
        "w": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"abc"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry whose base model can write Hebrew letters, digits and spaces."""
    base = network("אבגדהוזחטיכלמנסעפצקרשתםןףךץ 0123456789")
    async with registry_server(postgres, tmp_path, database, base=base) as running:
        yield running


async def read_page(
    registry: Registry, confidence: float = 0.95, texts: tuple[str, ...] = READ
) -> tuple[pages_pb2.Page, list[str]]:
    """Upload a page that is read with a confidence; return it with the ids of its lines."""
    page = (await create(registry)).page
    lines = read_lines(texts)
    for line in lines:
        line.confidence = confidence
    request = transcriptions_pb2.RecordTranscriptionRequest(
        page_id=page.page_id, model_version="hebrew_base-1", lines=lines
    )
    with rpc.raise_ketav_errors():
        stored = (await registry.transcriptions.RecordTranscription(request)).transcription
    return page, [line.line_id for line in stored.lines]


async def submit(
    registry: Registry, page: pages_pb2.Page, *lines: tuple[str, str], confirm: bool = False, key: str = ""
) -> corrections_pb2.SubmitCorrectionsResponse:
    """Correct lines by id as the current user."""
    corrections = [
        corrections_pb2.LineCorrection(line_id=one, text=text, confirm=confirm) for one, text in lines
    ]
    request = corrections_pb2.SubmitCorrectionsRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        lines=corrections_pb2.LineCorrections(lines=corrections),
        request_id=key,
        request_sha256=DIGEST,
    )
    with rpc.raise_ketav_errors():
        return await registry.corrections.SubmitCorrections(request)


async def lines_of(registry: Registry, page: pages_pb2.Page) -> list[page_pb2.Line]:
    """Return the lines of a page."""
    request = pages_pb2.GetPageRequest(project_id=page.project_id, page_id=page.page_id)
    return list((await registry.pages.GetPage(request)).page.transcription.lines)


async def counts(registry: Registry, user_id: UUID) -> LineCounts:
    """Count a user's lines in modern cursive."""
    async with registry.stores.database.user(user_id) as transaction:
        return (await ground_truth.count_lines(transaction, user_id))[Hand(Script.MODERN_CURSIVE)]


async def test_a_correction_that_looks_wrong_is_stored_and_reported_with_its_reason(
    registry: Registry,
) -> None:
    """One line for each reason and a valid one: all are stored and returned, one is ground truth."""
    user_id = await registry.new_user()
    with acting(user_id):
        page, (first, second, third, fourth) = await read_page(registry)
        wrong = [(first, ""), (second, "את Himmel ואת"), (third, OTHER * 20)]
        saved = await submit(registry, page, *wrong, (fourth, READ[3]))
        assert (saved.accepted_lines, saved.ground_truth_lines) == (4, 1)
        codes = ["empty-text", "outside-alphabet", "too-long-for-line"]
        assert [(item.line_id, item.quarantine.code) for item in saved.quarantined] == [
            (line_id, code) for (line_id, _), code in zip(wrong, codes, strict=True)
        ]
        assert "H (U+0048)" in saved.quarantined[1].quarantine.reason
        lines = await lines_of(registry, page)
        assert [line.corrected_text for line in lines] == ["", wrong[1][1], wrong[2][1], READ[3]]
        assert [line.quarantine.code for line in lines] == [*codes, ""]
        assert not lines[3].HasField("quarantine")
    line_counts = await counts(registry, user_id)
    assert (line_counts.verified, line_counts.quarantined) == (1, 3)


async def test_a_text_unlike_a_certain_reading_is_quarantined_and_unlike_an_uncertain_one_is_not(
    registry: Registry,
) -> None:
    """The same text: the handwriting that the model cannot read yet needs corrections most."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        saved = await submit(registry, page, (first, OTHER))
        assert [item.quarantine.code for item in saved.quarantined] == ["unlike-reading"]
        assert "95%" in saved.quarantined[0].quarantine.reason
        page, (first, *_) = await read_page(registry, confidence=0.6)
        saved = await submit(registry, page, (first, OTHER))
        assert not saved.quarantined
        assert saved.ground_truth_lines == 1


async def test_a_confirmed_text_is_ground_truth_from_then_on(
    registry: Registry, postgres: PostgresServer
) -> None:
    """The same text with `confirm` is ground truth, later also without; every correction is stored."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        assert (await submit(registry, page, (first, OTHER))).ground_truth_lines == 0
        assert (await submit(registry, page, (first, OTHER))).ground_truth_lines == 0
        saved = await submit(registry, page, (first, OTHER), confirm=True)
        assert (len(saved.quarantined), saved.ground_truth_lines) == (0, 1)
        for text in (OTHER, OTHER + "ה", READ[0]):
            assert (await submit(registry, page, (first, text))).ground_truth_lines == 1
        assert (await submit(registry, page, (first, ""), confirm=True)).ground_truth_lines == 0
        assert (await submit(registry, page, (first, READ[0]))).ground_truth_lines == 1
    query = "SELECT id, quarantine, supersedes FROM correction WHERE line_id = $1 ORDER BY number"
    rows = await asyncio.to_thread(postgres.execute, query, registry.database, UUID(first))
    assert [row["quarantine"] for row in rows] == [
        *["unlike-reading"] * 2, None, None, None, None, "empty-text", None
    ]  # fmt: skip
    assert [row["supersedes"] for row in rows[1:]] == [row["id"] for row in rows[:-1]]


async def test_a_repeated_request_gets_the_same_quarantined_lines(registry: Registry) -> None:
    """The first response, also after the line was confirmed."""
    with acting(await registry.new_user()):
        page, (first, second, *_) = await read_page(registry)
        once = await submit(registry, page, (first, OTHER), (second, "ab"), key="k")
        await submit(registry, page, (first, OTHER), confirm=True)
        assert await submit(registry, page, (first, OTHER), (second, "ab"), key="k") == once
        assert len(once.quarantined) == 2


async def test_a_line_of_a_whole_text_can_be_quarantined(registry: Registry) -> None:
    """It is aligned to its line, and its foreign letters exclude it from training."""
    with acting(await registry.new_user()):
        page, (_, second, *_) = await read_page(registry)
        texts = [READ[0], READ[1] + " QR", *READ[2:]]
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id, page_id=page.page_id, corrected_text="\n".join(texts)
        )
        saved = await registry.corrections.SubmitCorrections(request)
        assert [(item.line_id, item.quarantine.code) for item in saved.quarantined] == [
            (second, "outside-alphabet")
        ]
        assert (saved.accepted_lines, saved.ground_truth_lines) == (4, 3)


async def exported(registry: Registry, user_id: UUID) -> list[ground_truth_pb2.GroundTruthPage]:
    """Queue a run of a user, claim it and return the ground truth it trains on."""
    claimed = await claim(registry, (await queue(registry, user_id)).run_id)
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=claimed.run.run_id, fence=claimed.fence)
    with claiming(request), rpc.raise_ketav_errors():
        parts = [part async for part in registry.ground_truth.ExportGroundTruth(request)]
    return [part.page for part in parts if part.HasField("page")]


async def test_a_quarantined_line_is_in_no_dataset_and_makes_no_run_due(registry: Registry) -> None:
    """15 verified lines and a quarantined one are too few; once confirmed, it is exported with the others."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 15, pages=1)
        page, (first, *_) = await read_page(registry)
        assert (await submit(registry, page, (first, OTHER))).ground_truth_lines == 15
    with pytest.raises(Precondition) as caught:
        await queue(registry, user_id)
    assert caught.value.details["missing"] == "1"
    with acting(None, "trainer"):
        await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())
    assert (await counts(registry, user_id)).quarantined == 1
    with acting(user_id):
        await submit(registry, page, (first, OTHER), confirm=True)
    texts = [line.text for item in await exported(registry, user_id) for line in item.lines]
    assert len(texts) == 16
    assert OTHER in texts
    assert (await counts(registry, user_id)).quarantined == 0


async def test_a_verified_line_trains_with_its_text_when_a_later_one_is_quarantined(
    registry: Registry,
) -> None:
    """The verified text is in the next dataset, and the quarantined one is not."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 16, pages=1)
        page, (first, *_) = await read_page(registry)
        assert (await submit(registry, page, (first, READ[0]))).ground_truth_lines == 17
        assert (await submit(registry, page, (first, OTHER * 20))).ground_truth_lines == 17
    texts = [line.text for item in await exported(registry, user_id) for line in item.lines]
    assert len(texts) == 17
    assert {READ[0], OTHER * 20} & set(texts) == {READ[0]}


async def test_the_counted_holdout_lines_are_those_of_the_next_run(registry: Registry) -> None:
    """Readiness and the run agree."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 4, pages=6)
    line_counts = await counts(registry, user_id)
    run = await queue(registry, user_id)
    assert (line_counts.verified, line_counts.holdout) == (24, run.holdout_lines)
    assert 0 < run.holdout_lines < 24


async def test_a_text_may_have_a_letter_that_the_users_model_was_trained_on(registry: Registry) -> None:
    """The alphabet is that of the serving model and of the base, from which a training starts."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
        page, (first, *_) = await read_page(registry)
        assert (await submit(registry, page, (first, READ[0] + " Q"))).quarantined
    claimed = await claim(registry, (await queue(registry, user_id)).run_id)
    await publish(registry, claimed.run.run_id, claimed.fence, file=network("אבגדהוזחטיכלמנסעפצקרשתםןףךץ Q"))
    with acting(user_id):
        assert not (await submit(registry, page, (first, READ[0] + " Q"))).quarantined
        assert (await submit(registry, page, (first, READ[0] + " QZ"))).quarantined
