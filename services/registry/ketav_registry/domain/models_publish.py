"""The model that a training run publishes."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Publication:
    """What a worker says of a model before its bytes: the run, the measured gain, the gate's verdict."""

    run_id: UUID
    fence: int
    size_bytes: int
    sha256: bytes
    cer_before: float
    cer_after: float
    promote: bool
    verdict: str
    training_lines: int
    model_card: str
