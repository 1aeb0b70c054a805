"""A new base model reaches a user who has taught the old one, with Kraken's networks: `make real-engine`."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import cv2
import pytest

from bench.trainings import Shipped, read, stack
from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, training_pb2, transcriptions_pb2, webhooks_pb2
from ketav_common import rpc
from ketav_common.error_rates import cer
from ketav_engine import models as networks
from ketav_engine.domain import TrainingLine
from ketav_engine.training import replay
from ketav_registry.usecases import models
from ketav_trainer.registry import RegistryClient
from tests.integration.test_trainer_hands import set_gap, swept, train
from tests.parts.postgres import PostgresServer
from tests.parts.registry import acting, create, registry_server
from tests.parts.training import training_config
from tests.parts.trainings import Trainings

pytestmark = pytest.mark.kraken

MODELS = Path(__file__).parents[2] / "models"
HAND = "Mother"
LINES_PER_PAGE = 10
NOISE = 1.0
"""Standard deviation of the noise in the recurrent layers of the old base, as a share of the weights' own."""


def old_base(content: bytes) -> bytes:
    """Return a base model that reads clearly worse than the given one."""
    import torch

    loaded = networks.load(content)
    noise = torch.Generator().manual_seed(1)
    for name, weight in loaded.net.named_parameters():
        if "L_" in name:
            weight.add_(NOISE * weight.std() * torch.randn(weight.shape, generator=noise))
    return networks.save(loaded.net, loaded.metadata)


@pytest.fixture
async def loop(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Trainings]:
    """Run a registry with the old base model, and a worker that trains few epochs with Kraken."""
    base = old_base((MODELS / "hebrew_base.safetensors").read_bytes())
    async with (
        registry_server(postgres, tmp_path, postgres.migrated_database(), base=base) as registry,
        rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel,
    ):
        config = training_config(tmp_path, heartbeat_s=1)
        shipped = Shipped.load(MODELS)
        config = replace(config, engine="kraken", epochs=6, seconds=1200, language=shipped.language)
        yield Trainings(registry, RegistryClient(channel), config)


async def correct(loop: Trainings, lines: Sequence[TrainingLine]) -> None:
    """Upload lines as one page of the hand, record a wrong reading, and correct every line."""
    image, outlines = stack([line.image for line in lines])
    page = (await create(loop.registry, bytes(cv2.imencode(".png", image)[1]), hand=HAND)).page
    read_lines = []
    for outline in outlines:
        baseline, boundary = (
            [page_pb2.Point(x=x, y=y) for x, y in points] for points in (outline.baseline, outline.boundary)
        )
        read_lines.append(
            page_pb2.Line(order=outline.order, baseline=baseline, boundary=boundary, text="טעות")
        )
    request = transcriptions_pb2.RecordTranscriptionRequest(
        page_id=page.page_id, model_version="hebrew_base-1", lines=read_lines
    )
    recorded = (await loop.registry.transcriptions.RecordTranscription(request)).transcription.lines
    corrections = [
        corrections_pb2.LineCorrection(line_id=read.line_id, text=line.text, confirm=True)
        for read, line in zip(recorded, lines, strict=True)
    ]
    await loop.registry.corrections.SubmitCorrections(
        corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id,
            page_id=page.page_id,
            lines=corrections_pb2.LineCorrections(lines=corrections),
        )
    )


async def cer_of(loop: Trainings, user_id: UUID, lines: Sequence[TrainingLine]) -> float:
    """Return the CER of lines that are read with the model which serves the hand."""
    content = await loop.file(user_id, await loop.model(user_id, HAND))
    shipped = Shipped.load(MODELS)
    texts = await asyncio.to_thread(read, shipped.make_engine(), content, [line.image for line in lines])
    return cer([(line.text, text) for line, text in zip(lines, texts, strict=True)]).rate


async def deliveries(loop: Trainings) -> list[dict[str, object]]:
    """Take the deliveries that are due and return their data."""
    claimed = await loop.trainer.claim_deliveries(10)
    return [json.loads(delivery.body)["data"] for delivery in claimed]


async def test_a_hand_that_taught_the_old_base_is_trained_from_the_new_one(
    loop: Trainings, tmp_path: Path
) -> None:
    """The new model beats the one that serves, the user is notified, and the letters are read better."""
    lines = replay.read(MODELS / "general_lines.npz")
    measured, pages = lines[:24], [lines[start : start + LINES_PER_PAGE] for start in range(24, 104, 10)]
    user_id = await loop.registry.new_user()
    await set_gap(loop, user_id)
    with acting(user_id):
        request = webhooks_pb2.SetWebhookRequest(url="https://example.org/ketav")
        await loop.registry.webhooks.SetWebhook(request)
        for page in pages[:4]:
            await correct(loop, page)
    untaught = await cer_of(loop, user_id, measured)
    first = await train(loop, user_id, HAND)
    assert first.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED, first.verdict
    taught = await cer_of(loop, user_id, measured)
    assert taught < untaught
    with acting(user_id):
        for page in pages[4:6]:  # lines that trained neither model, too few for a run of their own
            await correct(loop, page)
    file = tmp_path / "new.safetensors"
    await asyncio.to_thread(file.write_bytes, (MODELS / "hebrew_base.safetensors").read_bytes())
    base = (await models.import_base(file, "hebrew_base", None, stores=loop.registry.stores)).model.version
    [run] = await swept(loop, user_id)
    assert (run.hand, run.new_base) == (HAND, base)
    await loop.train(run.run_id)
    run = await loop.run(user_id, run.run_id)
    assert run.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED, run.verdict
    assert run.verdict.startswith(f"Trained from the new base model {base}. Promoted: ")
    assert [data["new_base"] for data in await deliveries(loop)] == [None, base]
    assert await cer_of(loop, user_id, measured) < taught
