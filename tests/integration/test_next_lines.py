"""Lines picked by real confidences are lines that were read badly."""

import random
from pathlib import Path
from uuid import UUID

from ketav_common.error_rates import cer
from ketav_engine import models
from ketav_engine.recognition import recognize
from ketav_engine.training import replay
from ketav_registry.domain.next_lines import Candidate, rank_lines

MODELS = Path(__file__).resolve().parents[2] / "models"


def test_picked_lines_have_more_errors_than_lines_picked_by_chance() -> None:
    """Shipped lines, shipped model: half again the CER of all, and more than 95 % of 200 random draws."""
    model = models.load((MODELS / "hebrew_base.safetensors").read_bytes())
    lines = replay.read(MODELS / "general_lines.npz")
    readings = recognize.read([line.image for line in lines], model)
    pairs = [(line.text, reading.text) for line, reading in zip(lines, readings, strict=True)]
    candidates = [
        Candidate(UUID(int=number), UUID(int=number // 12), number % 12, reading.text, reading.confidences)
        for number, reading in enumerate(readings)
    ]
    picked = [pick.line.line_id.int for pick in rank_lines(candidates, (), 16)]
    chance = random.Random(0)
    drawn = sorted(cer(chance.sample(pairs, 16)).rate for _ in range(200))
    assert cer([pairs[number] for number in picked]).rate > 1.5 * cer(pairs).rate
    assert cer([pairs[number] for number in picked]).rate > drawn[-10]
